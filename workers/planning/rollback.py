"""The plan of a rollback: each service to a template that it had, as `kubectl rollout undo` restores it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from releases import grammar
from releases.events import Target
from releases.migrations import later
from releases.plan import Plan, RollOut, Template, digest_of
from releases.version import Version
from workers.cluster import ReplicaSetSeen
from workers.lineage import label
from workers.marks import RELEASE, made_by
from workers.observe import ServiceObserved
from workers.planning.carrying_out import carried_out
from workers.planning.scene import (
    Ready,
    Refused,
    Scene,
    Wanted,
    joined,
    listed,
    ready_services,
    strangers,
    traits,
)
from workers.slots import NoSlotsError, slots_of
from workers.templates import read_template

Find = Callable[[Ready], Template | None]
"""Finds the template that a service goes back to; None when it has none such."""

SHOWN = 5
"""Revisions of a service that a refusal lists."""


def plan_rollback(scene: Scene, wanted: Wanted) -> Plan | Refused:
    """What a rollback to its target (none: the version before) would do, or why it cannot be done.

    It may leave all services alone, when only the database is ahead of them.
    """
    services = ready_services(scene, wanted.services)
    if isinstance(services, Refused):
        return services
    goal = _goal(scene, wanted.target or Target(), services)
    found = [(each, goal.find(each)) for each in services]
    missing = [each for each, template in found if template is None]
    if missing:
        return _nowhere(scene, goal.lacks, missing)
    rollouts = [
        _roll_out(each, template)
        for each, template in reversed(found)
        if template is not None and template.digest != each.stable.digest
    ]
    if not rollouts and not _database_is_ahead(scene, services):
        return nothing_to_go_back_to(scene, goal.means)
    moving = tuple(each for each in services if each.name in {step.service for step in rollouts})
    ways = carried_out(scene, wanted.strategy, moving, rollouts, back=True)
    if isinstance(ways, Refused):
        return ways
    running = joined([label(each.stable) for each in services])
    return Plan(
        kind="rollback",
        application=scene.config.application,
        environment=scene.environment.name,
        namespace=scene.environment.namespace,
        strategy=wanted.strategy,
        stable=joined([label(step.stable) for step in reversed(rollouts)]) or running,
        new=joined([label(step.new) for step in reversed(rollouts)]) or running,
        steps=ways.steps,
        warnings=(*_warnings(scene, moving), *ways.warnings),
    )


@dataclass(frozen=True)
class _Goal:
    """How a service's template is found, what runs then, and what a service lacks that has none such."""

    find: Find
    means: str
    lacks: str


def _goal(scene: Scene, target: Target, services: tuple[Ready, ...]) -> _Goal:
    if target.version is not None:
        version = target.version
        return _Goal(lambda ready: _of_version(ready, version), version, f"no revision of {version}")
    if target.revision is not None:
        number = target.revision
        return _Goal(lambda ready: _of_revision(ready, number), f"revision {number}", f"no revision {number}")
    if target.release is not None:
        id_ = target.release
        what = f"what {id_} released"
        return _Goal(lambda ready: _of_release(scene, ready, id_), what, f"no revision of {what}")
    running = {each.name: label(each.stable) for each in services}
    before = scene.lineage.before(running)
    if before is None:
        return _Goal(_from_cluster(services), "what was before", "no revision of an earlier version")
    goal = {**running, **before}
    means = joined([goal[each.name] for each in services])
    return _Goal(lambda ready: _of_version(ready, goal[ready.name]), means, f"no revision of {means}")


def _of_version(ready: Ready, version: str) -> Template | None:
    """The newest template of that version; the present one if it is."""
    if label(ready.stable) == version:
        return ready.stable
    return next((each for each in _templates(ready.observed) if label(each) == version), None)


def _of_revision(ready: Ready, number: int) -> Template | None:
    """That revision of what serves now; of the slot beside it, if only that has one of the number."""
    known = sorted(_known(ready.observed), key=lambda each: each.idle)
    return next((each.template for each in known if each.template.revision == number), None)


def _of_release(scene: Scene, ready: Ready, id_: str) -> Template | None:
    """What a release had put there: as the cluster's own marks say, else as the record remembers it.

    A release that left this service alone asks nothing of it.
    """
    known = _known(ready.observed)
    marked = [each for each in known if each.seen.annotations.get(RELEASE) == id_]
    marked.sort(key=lambda each: made_by(each.seen.annotations, each.seen.template) == id_, reverse=True)
    if marked:
        return marked[0].template
    plan = next((each.plan for each in scene.past if each.id == id_), None)
    if plan is None:
        return None
    new = next((step.new for step in plan.rollouts() if step.service == ready.name), None)
    if new is None:
        return ready.stable
    return next((each.template for each in known if new.digest in {each.template.digest, each.digest}), None)


def _from_cluster(services: tuple[Ready, ...]) -> Find:
    """Where the services go when the record does not know: the cluster's own history has to say.

    Services of one environment belong together. If one is ahead of the others, it goes back to where they
    are; if they run the same version, each goes to the one before.
    """
    running = {Version.parse(each.stable.version) for each in services if each.stable.version is not None}
    if len(running) > 1:
        return lambda ready: _of_version(ready, str(min(running)))
    return _older


def _older(ready: Ready) -> Template | None:
    """The newest template of a lower version than the one that runs."""
    if ready.stable.version is None:
        return None
    running = Version.parse(ready.stable.version)
    return next(
        (
            each
            for each in _templates(ready.observed)
            if each.version is not None and Version.parse(each.version) < running
        ),
        None,
    )


@dataclass(frozen=True)
class _Known:
    """A revision that could be gone back to, and its template as the Deployment that serves would have it."""

    seen: ReplicaSetSeen
    template: Template
    idle: bool

    @property
    def digest(self) -> str:
        """The digest of the template where it is."""
        return digest_of(self.seen.template)


def _known(observed: ServiceObserved) -> list[_Known]:
    """A service's revisions: what stands by in the other slot, then the newest first."""
    container, beside = observed.service.container, observed.beside
    try:
        slots = None if beside is None else slots_of(observed)
    except NoSlotsError:
        slots = None
    known = []
    for each in observed.revisions:
        idle = beside is not None and each.owner == beside.uid
        if idle and slots is None:
            continue
        template = slots.to_serving(each.template) if idle and slots is not None else each.template
        known.append(_Known(each, read_template(template, container, each.revision), idle))
    standing = "" if beside is None else digest_of(beside.template)
    return sorted(known, key=lambda each: not (each.idle and each.digest == standing))


def _templates(observed: ServiceObserved) -> list[Template]:
    """Their templates."""
    return [each.template for each in _known(observed)]


def _roll_out(ready: Ready, template: Template) -> RollOut:
    service = ready.observed.service
    return RollOut(
        service=service.name,
        deployment=ready.deployment.name,
        container=service.container,
        stable=ready.stable,
        new=template,
        deadline_seconds=int(service.deadline.total_seconds()),
    )


def nothing_to_go_back_to(scene: Scene, running: str) -> Refused:
    """Why a rollback has no steps."""
    return Refused(f"There is nothing to go back to: {scene.environment.name} already runs {running}.")


def _database_is_ahead(scene: Scene, services: tuple[Ready, ...]) -> bool:
    """Whether a release broke off behind its migrations and before its services."""
    versions = [Version.parse(each.stable.version) for each in services if each.stable.version is not None]
    return bool(versions) and bool(later(scene.applied or (), min(versions)))


def _nowhere(scene: Scene, lacks: str, missing: list[Ready]) -> Refused:
    """Which services cannot go there, and where they could go."""
    names = listed([each.name for each in missing])
    have = [
        f"{each.name} has {listed([_named(one) for one in _templates(each.observed)[:SHOWN]]) or 'none'}"
        for each in missing
    ]
    others = [each.service.name for each in scene.observed.services]
    rest = tuple(name for name in others if name not in {each.name for each in missing})
    only = grammar.Rollback(scene.environment.name, services=rest).line() if rest else ""
    return Refused(
        f"{names} {'has' if len(missing) == 1 else 'have'} {lacks}.",
        f"Revisions: {'; '.join(have)}." + (f" The others alone: `/buzzy {only} --to …`" if only else ""),
    )


def _named(template: Template) -> str:
    return f"{template.revision} ({label(template)})"


def _warnings(scene: Scene, moving: tuple[Ready, ...]) -> list[str]:
    changed = strangers(scene, moving)
    warnings = [] if changed is None else [f"{changed}; going back undoes these changes."]
    return warnings + traits(moving)
