"""What a plan is made from, and what every plan checks first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from releases.config import Config, Environment
from releases.database import Applied
from releases.events import Target
from releases.lifecycle import Release, State
from releases.plan import Template
from releases.policy import Refusal
from releases.version import Urgency
from workers.cluster import AutoscalerSeen, BudgetSeen, DeploymentSeen
from workers.lineage import Lineage, lineage
from workers.marks import RELEASE, made_by
from workers.observe import Observed, ServiceObserved
from workers.templates import containers, read_template


@dataclass(frozen=True)
class Refused:
    """Why there is no plan, and what to do about it, in whole sentences.

    `ready_at` is when time alone makes it possible, `who` has ids of those who could have it sooner.
    """

    reason: str
    hint: str = ""
    ready_at: datetime | None = None
    who: tuple[str, ...] = ()

    @classmethod
    def of(cls, refusal: Refusal) -> Refused:
        """What the rules say, where a worker has to say it."""
        line = f" `{refusal.copy}`" if refusal.copy else ""
        return cls(refusal.problem, f"{refusal.hint}{line}".strip(), refusal.ready_at, refusal.who)


@dataclass(frozen=True)
class Wanted:
    """Who wants it done how; the version that is wanted comes beside it. No services means all.

    Of a rollback, `target` is where it goes, and `database` what a person decided about the database.
    """

    strategy: str
    services: tuple[str, ...] = ()
    urgency: Urgency | None = None
    target: Target | None = None
    database: Literal["restore", "keep"] | None = None


@dataclass(frozen=True)
class Scene:
    """The configuration, the cluster as it was seen, and the environment's releases, the newest first.

    `applied` are the migrations that its database has; None while nobody keeps track of them. `autoscalers`
    and `budgets` are those of the namespace, where releases may be blue-green.
    """

    config: Config
    environment: Environment
    observed: Observed
    past: tuple[Release, ...] = ()
    applied: tuple[Applied, ...] | None = None
    autoscalers: tuple[AutoscalerSeen, ...] = ()
    budgets: tuple[BudgetSeen, ...] = ()

    def autoscaler_of(self, deployment: str) -> AutoscalerSeen | None:
        """What scales a Deployment; None when nothing does."""
        return next((each for each in self.autoscalers if each.scales == deployment), None)

    @property
    def lineage(self) -> Lineage:
        """What the environment ran before."""
        return lineage(self.past)


@dataclass(frozen=True)
class Ready:
    """A service that can be released: its Deployment and template are there."""

    observed: ServiceObserved
    deployment: DeploymentSeen
    stable: Template

    @property
    def name(self) -> str:
        """What people call it."""
        return self.observed.service.name


def ready_services(scene: Scene, names: tuple[str, ...]) -> tuple[Ready, ...] | Refused:
    """The services that are meant, in rollout order, or why they cannot be changed."""
    known = [each.service.name for each in scene.observed.services]
    unknown = [name for name in names if name not in known]
    if unknown:
        return Refused(
            f"{scene.environment.name} has no service {listed(unknown)}.",
            f"It has {listed(known)}.",
        )
    ready = []
    for each in scene.observed.services:
        if names and each.service.name not in names:
            continue
        checked = _check(scene, each)
        if isinstance(checked, Refused):
            return checked
        ready.append(checked)
    return tuple(ready)


def _check(scene: Scene, observed: ServiceObserved) -> Ready | Refused:
    service, deployment, namespace = observed.service, observed.deployment, scene.environment.namespace
    if deployment is None:
        if all(each.deployment is None for each in scene.observed.services):
            return Refused(
                f"There is none of the services in the namespace {namespace}; it may not exist.",
                f"Check the namespace and the cluster of {scene.environment.name} in buzzy.yaml.",
            )
        return Refused(
            f"There is no Deployment {service.deployment} in {namespace}.",
            f"Create it, or name {service.name}'s own in buzzy.yaml (deployment: …).",
        )
    known = containers(deployment.template)
    if service.container not in known:
        return Refused(
            f"The Deployment {deployment.name} has no container {service.container}.",
            f"It has {listed(list(known))}: name {service.name}'s in buzzy.yaml (container: …).",
        )
    if deployment.paused:
        return Refused(
            f"The Deployment {deployment.name} is paused: a change of it would not be rolled out.",
            f"`kubectl rollout resume deployment/{deployment.name} -n {namespace}`",
        )
    return Ready(
        observed, deployment, read_template(deployment.template, service.container, deployment.revision)
    )


def strangers(scene: Scene, services: tuple[Ready, ...]) -> str | None:
    """Which services somebody changed beside Buzzy since its last release, as the beginning of a warning."""
    changed: dict[str, list[str]] = {}
    for each in services:
        mark = each.deployment.annotations.get(RELEASE)
        if mark is None and _released_before(scene, each.name):
            changed.setdefault("", []).append(each.name)
        elif mark is not None and made_by(each.deployment.annotations, each.deployment.template) is None:
            changed.setdefault(f" (since {mark})", []).append(each.name)
    if not changed:
        return None
    names = [f"{listed(names)}{since}" for since, names in changed.items()]
    one = sum(len(names) for names in changed.values()) == 1
    return f"{listed(names)} {'was' if one else 'were'} changed by somebody else"


def traits(services: tuple[Ready, ...]) -> list[str]:
    """What approvers should know about how these Deployments are set up, a sentence each."""
    warnings = []
    for each in services:
        if each.deployment.strategy == "Recreate":
            warnings.append(
                f"{each.name} is down while it is rolled out: its Deployment's strategy is Recreate."
            )
        if each.deployment.wanted == 0:
            warnings.append(f"{each.name} is scaled to 0: nothing of it is started.")
        if each.deployment.history_limit == 0:
            warnings.append(f"{each.name} keeps no revisions: a later rollback will not be possible.")
    return warnings


def listed(names: list[str]) -> str:
    """Names in a sentence: `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def joined(versions: list[str]) -> str:
    """Versions as a plan has them: each once, in order, joined by ` / `."""
    return " / ".join(dict.fromkeys(versions))


def _released_before(scene: Scene, service: str) -> bool:
    return any(
        release.state is State.RELEASED and release.plan is not None and service in release.plan.services
        for release in scene.past
    )
