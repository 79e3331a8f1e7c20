"""The plan of a blue-green release: which steps, in which order, and how they are undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from releases.checklist import Outcome
from releases.events import Target
from releases.monitoring import Monitor
from releases.plan import Keep, Plan, Prepare, RollOut, Switch, Verify, Watch
from releases.version import Version
from tests.unit.workers_things import CONFIG, deployment, history, pod_template, replica_set, scene
from workers.cluster import DeploymentSeen, QuotaSeen, RolloutSeen, TrafficSeen
from workers.planning import Refused, Scene, Wanted, plan_release, plan_rollback, with_suites
from workers.room import room

NAMES = ("main", "api", "worker")
SLOTTED = CONFIG.replace("channel: C0STAGING}", "channel: C0STAGING, strategy: blue-green}")


def slotted(*tags: str, idle: str | None = None, traffics: tuple[str, ...] = NAMES, **given: Any) -> Scene:  # noqa: ANN401 - fields of what is made
    """Three services that ran these tags; `idle` is what the other slot has."""
    stage = scene(*(history(name, *tags, match_labels={"app": name}) for name in NAMES), config=SLOTTED)
    services = tuple(
        replace(
            each,
            traffic=TrafficSeen(each.service.name, {"app": each.service.name}, "1")
            if each.service.name in traffics
            else None,
            idle=None if idle is None else beside(each.service.name, idle, **given),
        )
        for each in stage.observed.services
    )
    return replace(stage, observed=replace(stage.observed, services=services))


def beside(name: str, tag: str, **given: Any) -> RolloutSeen:  # noqa: ANN401 - fields of what is made
    """The second slot of a service."""
    template = pod_template(name, tag)
    template["metadata"]["labels"]["app"] = f"{name}-green"
    uid = f"uid-{name}-green"
    seen = deployment(
        name,
        tag,
        **{"name": f"{name}-green", "uid": uid, "template": template, "revision": 1, **given},
        match_labels={"app": f"{name}-green"},
    )
    revision = replica_set(name, tag, 1, owner=uid, name=f"{name}-green-1", template=template)
    return RolloutSeen(seen, (revision,), complete=True)


def planned(stage: Scene, version: str = "3.2.1", *services: str) -> Plan:
    """The plan of a release, which there must be."""
    plan = plan_release(stage, Version.parse(version), Wanted("blue-green", services))
    assert isinstance(plan, Plan), plan
    return plan


def back(stage: Scene, target: Target | None = None) -> Plan:
    """The plan of a rollback, which there must be."""
    plan = plan_rollback(stage, Wanted("blue-green", target=target))
    assert isinstance(plan, Plan), plan
    return plan


@pytest.mark.requirement("D2")
def test_all_is_prepared_and_validated_before_anything_is_switched() -> None:
    """In the declared order; the services that change are those that are switched."""
    plan = planned(slotted("3.1.4", "3.2.0"))
    kinds = ["prepare"] * 3 + ["preview", "verify_green"] + ["switch"] * 3 + ["watch"] + ["keep"] * 3
    assert [step.kind for step in plan.steps] == kinds
    assert plan.services == NAMES
    assert (plan.stable, plan.new) == ("3.2.0", "3.2.1")
    watch = next(step for step in plan.steps if isinstance(step, Watch))
    assert watch.names == {name: f"{name}-green" for name in NAMES}


@pytest.mark.requirement("D2", "X1")
def test_the_way_back_is_the_switch_back_and_leaves_what_runs_alone() -> None:
    """In the reverse order; what was prepared goes a little later, and what runs is verified."""
    way = planned(slotted("3.2.0")).way_back()
    assert [step.service for step in way if isinstance(step, Switch)] == ["worker", "api", "main"]
    assert not [step for step in way if isinstance(step, RollOut | Prepare)]
    assert {step.deployment for step in way if isinstance(step, Keep) and step.seconds} == {
        f"{name}-green" for name in NAMES
    }
    last = way[-1]
    assert isinstance(last, Verify)
    assert last.names == {name: name for name in NAMES}


@pytest.mark.requirement("D2", "X9")
def test_a_rollback_finds_what_stands_by() -> None:
    """It is taken before an older revision of what serves, as it is, and nothing is watched for long."""
    stage = slotted("3.2.0", "3.2.2", idle="3.2.1")
    plan = back(stage)
    assert (plan.stable, plan.new) == ("3.2.2", "3.2.1")
    prepares = [step for step in plan.steps if isinstance(step, Prepare)]
    assert all(step.stable is not None and step.stable.digest == step.new.digest for step in prepares)
    assert "stands by" in prepares[0].title
    assert {step.kind for step in plan.steps} == {"prepare", "verify_green", "switch", "verify", "keep"}


@pytest.mark.requirement("D2", "B6")
@pytest.mark.parametrize(
    ("target", "new"),
    [(Target(version="3.2.0"), "3.2.0"), (Target(version="3.2.1"), "3.2.1"), (Target(revision=1), "3.2.0")],
)
def test_a_rollback_goes_to_what_either_slot_has_had(target: Target, new: str) -> None:
    """A revision's number means what serves now; its template gets the label of where it goes."""
    plan = back(slotted("3.2.0", "3.2.2", idle="3.2.1"), target)
    assert plan.new == new
    for step in plan.rollouts():
        assert step.new.spec["metadata"]["labels"] == {"app": f"{step.service}-green"}


@pytest.mark.requirement("D2")
def test_a_rolling_release_of_the_same_environment_leaves_the_other_slot_alone() -> None:
    """It rolls out what has the traffic."""
    plan = plan_release(slotted("3.2.0", idle="3.1.4"), Version.parse("3.2.1"), Wanted("rolling"))
    assert isinstance(plan, Plan)
    assert [step.deployment for step in plan.steps if isinstance(step, RollOut)] == list(NAMES)


@pytest.mark.requirement("D2")
def test_without_any_service_there_is_no_blue_green_release() -> None:
    """There would be nothing to switch; the refusal says what to do instead."""
    stage = slotted("3.2.0", traffics=())
    refused = plan_release(stage, Version.parse("3.2.1"), Wanted("blue-green"))
    assert isinstance(refused, Refused)
    assert "no traffic that could be switched" in refused.reason
    assert "--strategy rolling" in refused.hint


@pytest.mark.requirement("D2")
def test_the_digest_is_the_same_however_many_pods_there_are() -> None:
    """What was approved stays so, whether what stands by is scaled down meanwhile or not."""
    up, down = slotted("3.2.0", idle="3.2.1", wanted=3), slotted("3.2.0", idle="3.2.1", wanted=0)
    assert planned(up, "3.2.2").digest == planned(down, "3.2.2").digest


@pytest.mark.requirement("D1", "D2")
@pytest.mark.parametrize(
    ("stands_by", "free", "outcome"),
    [(None, 9, Outcome.GREEN), (None, 8, Outcome.RED), (0, 8, Outcome.RED), (3, 3, Outcome.GREEN)],
    ids=["room for all", "one too few", "scaled to 0", "in place of what stands by"],
)
def test_room_is_needed_for_all_that_is_prepared(stands_by: int | None, free: int, outcome: Outcome) -> None:
    """At the same time; pods that stand by already give their places, but for the surge."""
    idle = None if stands_by is None else "3.1.4"
    stage = slotted("3.2.0", idle=idle, wanted=stands_by, surge=1)
    slots: list[DeploymentSeen] = []
    for each in stage.observed.services:
        slots += [slot for slot in (each.deployment, each.beside) if slot is not None]
    quota = QuotaSeen("q", hard={"pods": Decimal(20)}, used={"pods": Decimal(20 - free)})
    item = room(planned(stage, "3.2.1"), slots, [quota])
    assert item.outcome is outcome, item.evidence


@pytest.mark.requirement("D2")
def test_durations_are_those_of_the_environment() -> None:
    """And a preview is left out where it is not wanted."""
    settings = "blue_green: {monitor: 90s, delay: 1h, preview: false}}"
    config = SLOTTED.replace("strategy: blue-green}", f"strategy: blue-green, {settings}")
    stage = slotted("3.2.0")
    other = scene(*(each.seen for each in stage.observed.services), config=config)
    plan = planned(replace(other, observed=stage.observed))
    assert "preview" not in [step.kind for step in plan.steps]
    assert next(step.seconds for step in plan.steps if isinstance(step, Watch)) == 90
    assert {step.seconds for step in plan.steps if isinstance(step, Keep)} == {
        int(timedelta(hours=1).total_seconds())
    }


@pytest.mark.requirement("D2", "M1", "T3")
def test_a_monitor_watches_instead_once_the_suites_have_passed() -> None:
    """All is switched, verified, tried, then watched; what had the traffic is kept until the end."""
    rule = "strategy: blue-green, validate: [smoke], monitor: {triggers: [health]}}"
    config = SLOTTED.replace("strategy: blue-green}", rule) + "suites: {smoke: {http: {url: 'http://x/'}}}\n"
    stage = slotted("3.2.0")
    other = scene(*(each.seen for each in stage.observed.services), config=config)
    stage = replace(other, observed=stage.observed)
    plan = with_suites(stage, planned(stage), {})
    kinds = [step.kind for step in plan.steps if step.kind not in {"prepare", "preview", "keep"}]
    assert kinds == ["verify_green", *["switch"] * 3, "verify", "validate", "monitor"]
    assert {step.kind for step in plan.steps[-3:]} == {"keep"}
    watched = next(step for step in plan.steps if isinstance(step, Monitor))
    assert watched.names == {name: f"{name}-green" for name in NAMES}
    assert watched.before == {name: name for name in NAMES}
    rolling = plan_release(stage, Version.parse("3.2.1"), Wanted("rolling"))
    assert isinstance(rolling, Plan)
    assert [step.kind for step in with_suites(stage, rolling, {}).steps] == [
        *["roll_out"] * 3,
        "verify",
        "validate",
        "monitor",
    ]
    rolled_back = back(replace(stage, observed=slotted("3.2.0", "3.2.1").observed))
    assert "monitor" not in {step.kind for step in rolled_back.steps}
