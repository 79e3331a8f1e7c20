"""Standbys on clusters: how they drift, that it is told once, and what a drill proves."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from releases import events as e
from releases import notices
from releases.config import parse_config
from releases.lifecycle import Release, State
from releases.record import Store
from releases.record.closures import Closures
from releases.record.drifts import Drifts
from releases.record.rounds import Rounds
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.resources import CONFIG_MAPS, DEPLOYMENTS
from tests.integration.workers_world import CONFIG, SETTLE_SECONDS, World, now, settle, world
from workers.around import Around
from workers.mongodb import MongoDbError
from workers.standbys import DRIFT, Standbys

RULES = (
    CONFIG.replace("{LOG_LEVEL: info}", "{LOG_LEVEL: info, DATABASE: main}")
    + """
  standby:
    namespace: buzzy-dr
    channel: C0DR
    follows: staging
    after: 1s
    configuration: {LOG_LEVEL: warn, DATABASE: second}
    mongodb: {address: "mongodb://standby:27017"}
"""
)


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """Staging released 3.2.1, and its standby has followed."""
    answering = Around(mongodb=lambda _: "4.4.0")
    with world(store, tmp_path, config=RULES, around=answering) as made:
        made.cluster.seed_buzzy(namespaces=("buzzy-dr",))
        settle(made.cluster)
        assert made.release("3.2.1").state is State.RELEASED
        later = now() + timedelta(seconds=2)
        Standbys(made.record, made.config, made.queue, now=lambda: later).look()
        made.work()
        assert made.record.recent("standby", 1)[0].state is State.RELEASED
        yield made


def change(here: World, name: str, **spec: Any) -> None:  # noqa: ANN401 - fields of a Deployment
    """Somebody changes a Deployment of the standby beside the bot."""

    def apply(thing: dict[str, Any]) -> None:
        thing["spec"] |= spec

    store, registry = here.cluster.store, here.cluster.registry
    thing = here.cluster.run(lambda: store.get(DEPLOYMENTS, "buzzy-dr", name))
    assert thing is not None
    here.cluster.run(lambda: registry.modify(DEPLOYMENTS, thing, apply, manager="kubectl"))
    deadline = time.monotonic() + SETTLE_SECONDS
    while not here.cluster.run(lambda: rolled_out(store.get(DEPLOYMENTS, "buzzy-dr", name))):
        assert time.monotonic() < deadline, f"{name} does not get ready"
        time.sleep(0.01)


def rolled_out(thing: dict[str, Any] | None) -> bool:
    """Whether all its pods are of the newest template and ready, as `kubectl rollout status` has it."""
    assert thing is not None
    wanted, status = thing["spec"]["replicas"], thing["status"]
    counts = {status.get(each, 0) for each in ("replicas", "updatedReplicas", "availableReplicas")}
    return counts == {wanted} and status.get("observedGeneration") == thing["metadata"]["generation"]


def look(here: World) -> tuple[str, ...]:
    """A look at the standby, as the job takes it; what it found."""
    here.jobs.table["workers.jobs.drift"]("standby")
    found = Drifts(here.store).of("standby")
    assert found is not None
    return found.differences


def told(here: World) -> list[str]:
    """What the standby's channel was told of drift."""
    heard = Closures(here.store).notices()
    assert {each.channel for each in heard} <= {"C0DR"}
    return [each.notice for each in heard]


def drill(here: World) -> Release:
    """Alice has the standby drilled."""
    id_ = here.ask(environment="standby", drill=True)
    here.work()
    return here.load(id_)


@pytest.mark.requirement("S3")
def test_drift_is_found_and_told_once_when_it_begins_and_once_when_it_is_over(here: World) -> None:
    """Pods and another version, by somebody's hand; however often it is looked at."""
    assert look(here) == ()
    assert told(here) == []
    change(here, "buzzy-api", replicas=1)
    for _ in range(3):
        assert look(here) == ("buzzy-api asks for 1 pod, staging for 3",)
    assert told(here) == ["drifted"]
    change(here, "buzzy-api", replicas=3)
    assert look(here) == ()
    assert look(here) == ()
    assert told(here) == ["drifted", "in_step"]
    change(here, "buzzy-api", replicas=2)
    look(here)
    assert told(here) == ["drifted", "in_step", "drifted"]
    begun = Closures(here.store).notices()[-1]
    assert isinstance(begun, notices.Drifted)
    assert begun.differences == ("buzzy-api asks for 2 pods, staging for 3",)


@pytest.mark.requirement("S3")
def test_a_version_that_soaks_is_no_drift_and_one_that_does_not_come_is(here: World) -> None:
    """Staging goes on: while its version has to soak the standby is as it should be."""
    here.set_tag("buzzy-main", "3.2.9")
    settle(here.cluster)
    assert look(here) == ("buzzy-main has 3.2.1, staging has 3.2.9",)
    here.release("3.2.10")
    assert look(here) == ()


@pytest.mark.requirement("S3")
def test_a_configuration_that_is_gone_is_drift(here: World) -> None:
    """Pods that start anew would not start: the ConfigMap that they refer to was deleted."""
    store, registry = here.cluster.store, here.cluster.registry
    (thing,) = here.cluster.run(
        lambda: [
            each
            for each in store.listing(CONFIG_MAPS)
            if each["metadata"]["namespace"] == "buzzy-dr" and "configuration" in each["metadata"]["name"]
        ]
    )
    name = thing["metadata"]["name"]
    here.cluster.run(lambda: registry.delete(CONFIG_MAPS, "buzzy-dr", name, DeleteOptions()))
    assert look(here)[0] == f"the ConfigMap {name} of buzzy-main is not there"


@pytest.mark.requirement("S3")
def test_the_standby_is_looked_at_now_and_then_and_not_more(here: World) -> None:
    """By whichever worker comes first, once in a span; each look is a job of its own."""
    rounds = Rounds(here.store)
    for _ in range(3):
        Standbys(here.record, here.config, here.queue, now=now, rounds=rounds).look()
    assert list(here.queue.waiting) == [("validation", "drift", "standby")]
    assert timedelta(minutes=1) <= DRIFT


@pytest.mark.requirement("S3")
def test_a_drill_proves_that_the_standby_could_take_over(here: World) -> None:
    """In every respect, held under both leases, and nothing is changed."""
    before = here.cluster.run(lambda: here.cluster.store.listing(DEPLOYMENTS))
    versions = {(each["metadata"]["namespace"], each["metadata"]["name"]): each["spec"] for each in before}
    passed = drill(here)
    assert passed.state is State.RELEASED
    assert [step.step.title for step in passed.forward] == [
        "every pod is there and ready",
        "every pod answers for its health",
        "the versions of staging",
        "the configuration that staging has",
        "the database answers",
    ]
    assert passed.changed_services == ()
    after = here.cluster.run(lambda: here.cluster.store.listing(DEPLOYMENTS))
    assert {(e_["metadata"]["namespace"], e_["metadata"]["name"]): e_["spec"] for e_ in after} == versions


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"replicas": 0}, "buzzy-api asks for 0 pods, staging for 3; buzzy-api is scaled to 0"),
        ({"replicas": 2}, "buzzy-api asks for 2 pods, staging for 3"),
    ],
    ids=["asleep", "small"],
)
def test_a_standby_that_is_not_at_full_size_fails_its_drill(
    here: World, spec: dict[str, Any], says: str
) -> None:
    """With all that is wrong; the steps behind are not tried."""
    change(here, "buzzy-api", **spec)
    failed = drill(here)
    assert failed.state is State.FAILED
    assert says in failed.reason
    assert failed.changed_services == ()


@pytest.mark.requirement("S3")
def test_a_standby_with_another_version_fails_its_drill(here: World) -> None:
    """Somebody set another tag there."""
    template = here.cluster.run(lambda: here.cluster.store.get(DEPLOYMENTS, "buzzy-dr", "buzzy-api"))
    assert template is not None
    inner = copy.deepcopy(template["spec"]["template"])
    inner["spec"]["containers"][0]["image"] = "buzzybuzz/buzzy-api:3.1.4"
    change(here, "buzzy-api", template=inner)
    failed = drill(here)
    assert failed.state is State.FAILED
    assert failed.reason == "buzzy-api has 3.1.4, staging has 3.2.1."


@pytest.mark.requirement("S3")
def test_pods_whose_health_nobody_asks_fail_the_drill(here: World) -> None:
    """Ready without a probe says nothing."""
    thing = here.cluster.run(lambda: here.cluster.store.get(DEPLOYMENTS, "buzzy-dr", "buzzy-api"))
    assert thing is not None
    template = copy.deepcopy(thing["spec"]["template"])
    del template["spec"]["containers"][0]["readinessProbe"]
    change(here, "buzzy-api", template=template)
    failed = drill(here)
    assert "nobody asks buzzy-api for /health at 8080" in failed.reason


@pytest.mark.requirement("S3")
def test_a_database_that_does_not_answer_fails_the_drill(store: Store, here: World) -> None:
    """It is asked for its version, as the matrix does."""

    def silent(_: object) -> str:
        raise MongoDbError("MongoDB does not answer")

    here.around = Around(mongodb=silent)
    here.jobs = here.worker()
    failed = drill(here)
    assert (failed.state, failed.reason) == (State.FAILED, "MongoDB does not answer.")


@pytest.mark.requirement("S3", "Q2")
def test_what_is_no_standby_is_not_drilled_and_a_drill_holds_its_environment(here: World) -> None:
    """One at a time, as any release."""
    id_ = here.ask(environment="staging", drill=True)
    here.work()
    refused = here.load(id_)
    assert refused.state is State.IMPOSSIBLE
    assert "follows no other" in refused.reason
    held = here.ask(environment="standby", drill=True)
    assert here.record.holder("standby") == held
    here.work()
    assert here.record.holder("standby") is None


@pytest.mark.requirement("S3", "Q1")
def test_a_drill_that_its_worker_left_is_gone_on_with(here: World) -> None:
    """A slice of no length ends each job at once; the next goes on from where it was."""
    here.jobs = here.worker(slice_seconds=0.05)
    passed = drill(here)
    assert passed.state is State.RELEASED
    assert here.said(passed.id).count("step_finished") == len(passed.forward)


@pytest.mark.requirement("S3")
def test_a_drill_can_be_stopped(here: World) -> None:
    """There is nothing to undo."""
    id_ = here.ask(environment="standby", drill=True)
    here.jobs.plan(id_)
    here.abort(id_)
    here.work()
    assert here.load(id_).state is State.CANCELLED


def test_while_versions_soak_a_drill_does_not_compare_them_and_says_so(here: World) -> None:
    """Everything else is looked at as ever."""
    here.config = parse_config(RULES.replace("after: 1s", "after: 4h"))
    here.jobs = here.worker()
    here.release("3.2.5")
    passed = drill(here)
    assert passed.state is State.RELEASED
    assert passed.plan is not None
    assert "Versions are not compared: staging has run 3.2.5" in passed.plan.warnings[0]
    assert not any(isinstance(each, e.StepFailed) for each in here.events(passed.id))
