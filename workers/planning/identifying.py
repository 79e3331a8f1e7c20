"""What a rollback says of the issue before anything else: what changed, where, since when, by whom. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import zip_longest

from releases import migrations
from releases.identifying import Identify, Suspect
from releases.lifecycle import Release, StepStatus
from releases.plan import Change, Plan, Template, template_diff
from workers.lineage import label
from workers.marks import made_by
from workers.planning.database import oldest
from workers.planning.scene import Scene
from workers.templates import config_maps

_VARIABLE = re.compile(r"env\[([^]]+)\](?:\.|: [+-] |$)")


def identified(scene: Scene, plan: Plan) -> Plan:
    """The plan of a rollback that first says what changed since what it goes back to."""
    suspects = tuple(_suspect(scene, step) for step in reversed(tuple(plan.rollouts())))
    step = Identify(target=plan.new, suspects=suspects, migrations=_migrations(scene, plan))
    return plan.model_copy(update={"steps": (step, *plan.steps)})


def _suspect(scene: Scene, step: Change) -> Suspect:
    release, since, by = _origin(scene, step)
    configuration = _configuration(step.new, step.stable)
    return Suspect(
        service=step.service,
        goes=label(step.new),
        runs=label(step.stable),
        changes=tuple(dict.fromkeys(_changes(step.new, step.stable, configuration))),
        configuration=configuration,
        since=(None if release is None else _brought(release, step.service)) or since,
        by=by if release is None else f"{release.id} ({release.request.by.name})",
    )


def _origin(scene: Scene, step: Change) -> tuple[Release | None, datetime | None, str]:
    """The release that put there what runs, if the record has it; else since when and by what it is so."""
    observed = next(each for each in scene.observed.services if each.service.name == step.service)
    deployment = observed.deployment
    if deployment is None:
        return None, None, ""
    writer = deployment.writer
    since = None if writer is None else writer.at
    id_ = made_by(deployment.annotations, deployment.template)
    if id_ is not None:
        return next((each for each in scene.past if each.id == id_), None), since, id_
    return None, since, f"{writer.name}, beside Buzzy" if writer is not None and writer.name else ""


def _brought(release: Release, service: str) -> datetime | None:
    """When a release had brought a service to where it is."""
    ends = [
        each.finished_at
        for each in release.steps
        if isinstance(each.step, Change) and each.step.service == service and each.status is StepStatus.DONE
    ]
    return ends[-1] if ends else None


def _changes(before: Template, now: Template, configuration: tuple[tuple[str, str], ...]) -> list[str]:
    """What differs beside version and ConfigMaps, a line each. Values of variables are nobody's business."""
    told = {f": {old} → {new}" for old, new in configuration}
    if label(before) != label(now):
        told.add(f": {before.image} → {now.image}")
    found = []
    for line in template_diff(before.spec, now.spec):
        variable = _VARIABLE.search(line)
        if variable is not None:
            found.append(f"variable {variable[1]}")
        elif not line.endswith(tuple(told)):
            found.append(line)
    return found


def _configuration(before: Template, now: Template) -> tuple[tuple[str, str], ...]:
    """The ConfigMaps that took each other's place, in the order in which the templates name them."""
    then, since = config_maps(before.spec), config_maps(now.spec)
    gone = [each for each in then if each not in since]
    new = [each for each in since if each not in then]
    return tuple(zip_longest(gone, new, fillvalue=""))


def _migrations(scene: Scene, plan: Plan) -> tuple[str, ...]:
    goal = oldest(plan.new)
    later = () if goal is None else migrations.later(scene.applied or (), goal)
    return tuple(f"{each.migration}, by {each.release}" for each in later)
