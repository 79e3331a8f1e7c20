"""The checklist of a plan: the items that the environment asks for, judged from what was found out.

Pure but for what it is given; `workers.drafting` does the asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from releases.checklist import Item, Outcome
from releases.config import ALWAYS, Check, Environment, format_duration
from releases.lifecycle import Release
from releases.plan import EnsureConfiguration, EnsureFiles, Plan
from releases.proof import Proof
from workers.images import Image
from workers.planning.scene import Ready, listed
from workers.templates import config_maps

SHORT = 12
"""Digits of a digest that people are shown."""

Make = Callable[[], Item | None]


def checks_of(environment: Environment) -> tuple[Check, ...]:
    """The items that check themselves, in the order in which they are shown."""
    if environment.checklist is None:
        return ALWAYS
    return tuple(each.check for each in environment.checklist if each.check is not None)


def checklist(environment: Environment, makers: Mapping[Check, Make]) -> tuple[Item, ...]:
    """All items, in the order of the file; those about which there is nothing to say are left out."""
    made = {check: item for check in checks_of(environment) if (item := makers[check]()) is not None}
    if environment.checklist is None:
        return tuple(made.values())
    items: list[Item] = []
    for each in environment.checklist:
        if each.tick is not None:
            items.append(Item(name=each.tick, outcome=Outcome.WAITING, by=each.by))
        elif each.check in made:
            items.append(made[each.check])
    return tuple(items)


def image(plan: Plan) -> Item:
    """Which image each service will run: pinned to a digest, or to nothing."""
    images = {step.service: Image.parse(step.new.image) for step in plan.rollouts()}
    loose = [service for service, each in images.items() if each.digest is None]
    if loose:
        return Item(
            name="image",
            outcome=Outcome.UNKNOWN,
            evidence=f"not pinned: {listed(loose)} will run whatever the tag is when a node pulls it",
            fix="name the registry in buzzy.yaml (registry: …)",
        )
    pinned = [f"{service} {_short(each.digest or '')}" for service, each in images.items()]
    return Item(name="image", outcome=Outcome.GREEN, evidence=", ".join(pinned))


def configuration(plan: Plan, has: Callable[[str], bool]) -> Item:
    """Whether every ConfigMap that the new pods need is there, or will be."""
    made: dict[str, str] = {}
    for step in plan.steps:
        match step:
            case EnsureConfiguration(name=name, data=data):
                made[name] = f"{len(data)} {'variable' if len(data) == 1 else 'variables'}"
            case EnsureFiles(name=name, files=files):
                made[name] = f"{len(files)} {'file' if len(files) == 1 else 'files'}"
    wanted = dict.fromkeys(name for step in plan.rollouts() for name in config_maps(step.new.spec))
    missing = [name for name in wanted if name not in made and not has(name)]
    if missing:
        return Item(
            name="configuration",
            outcome=Outcome.RED,
            evidence=f"there is no ConfigMap {listed(missing)} in {plan.namespace}",
            fix="create it, and look again",
        )
    told = [f"{name} ({count})" for name, count in made.items()]
    told += [name for name in wanted if name not in made]
    return Item(name="configuration", outcome=Outcome.GREEN, evidence=", ".join(told) or "none is needed")


def proven(where: str, proof: Proof, now: datetime) -> Item:
    """That the version has shown elsewhere what it has to: otherwise there would be no plan."""
    by = f" by {proof.runs[-1].release}, for {format_duration(proof.soaked(now))}" if proof.runs else ""
    return Item(name="proven", outcome=Outcome.GREEN, evidence=f"in {where}{by}")


def proven_nowhere() -> Item:
    """That nothing has to be shown first."""
    return Item(name="proven", outcome=Outcome.GREEN, evidence="nothing is required")


def rollback(plan: Plan, services: Iterable[Ready]) -> Item:
    """Whether the way back is known, for this release and for a rollback later."""
    lost = [each.name for each in services if each.deployment.history_limit == 0]
    if lost:
        return Item(
            name="rollback",
            outcome=Outcome.RED,
            evidence=f"{listed(lost)} {'keeps' if len(lost) == 1 else 'keep'} no revisions to go back to",
            fix="set revisionHistoryLimit to 1 or more, and look again",
        )
    loose = [
        step.service
        for step in plan.rollouts()
        if step.stable.version is None and Image.parse(step.stable.image).digest is None
    ]
    if loose:
        return Item(
            name="rollback",
            outcome=Outcome.UNKNOWN,
            evidence=f"{listed(loose)} would go back to a tag that is no version, whatever it is then",
        )
    steps = len(plan.way_back())
    return Item(name="rollback", outcome=Outcome.GREEN, evidence=f"back to {plan.stable} in {steps} steps")


def alerts(plan: Plan, failed: Iterable[Release]) -> Item:
    """Whether an alert is open that is about something else. `failed` are the releases that alerts are about.

    An alert about services that this release brings to another version is what the release puts right.
    """
    known = [each for each in failed if each.request.kind != "drill"]
    others = [each.id for each in known if not set(each.changed_services) <= set(plan.services)]
    if others:
        return Item(
            name="alerts",
            outcome=Outcome.RED,
            evidence=f"the alert of {listed(others)} is open, about services that this release leaves alone",
            fix=f"`/buzzy rollback {plan.environment}`, or release all services; then look again",
        )
    if known:
        evidence = f"open: {listed([each.id for each in known])}, which this release is to put right"
        return Item(name="alerts", outcome=Outcome.GREEN, evidence=evidence)
    return Item(name="alerts", outcome=Outcome.GREEN, evidence="none is open")


def on_call(environment: Environment) -> Item:
    """Whether somebody is told when it goes wrong."""
    known = environment.alerts
    if known is None or known.on_call is None:
        return Item(
            name="on-call",
            outcome=Outcome.RED,
            evidence="nobody is named who is on call",
            fix=f"name them in buzzy.yaml: environments.{environment.name}.alerts.on_call",
        )
    return Item(name="on-call", outcome=Outcome.GREEN, by=(known.on_call,), evidence="told at once")


def _short(digest: str) -> str:
    kind, _, digits = digest.partition(":")
    return f"{kind}:{digits[:SHORT]}"
