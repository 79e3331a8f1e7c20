"""Identifying an issue: what a rollback says of it before anything is changed, and what may be missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from releases.database import Applied, Migration
from releases.events import Target
from releases.identifying import SHOWN, Identify, Suspect
from releases.plan import Plan
from tests.unit.workers_things import T0, history, past, pod_template, replica_set, scene, template
from workers.cluster import Author, ClusterError, ClusterUnreachableError, RolloutSeen
from workers.planning import Scene, Wanted, identified, plan_rollback
from workers.steps.identify import identify
from workers.steps.work import Work

NAMES = ("main", "api", "worker")
BY_HAND = Author("kubectl-edit", T0 + timedelta(minutes=5))


def step_of(stage: Scene) -> Identify:
    """What the plan of a rollback begins with."""
    plan = plan_rollback(stage, Wanted("rolling"))
    assert isinstance(plan, Plan), plan
    whole = identified(stage, plan)
    assert whole.steps[1:] == plan.steps
    step = whole.steps[0]
    assert isinstance(step, Identify)
    return step


def api_of(before: dict[str, Any], now: dict[str, Any]) -> Scene:
    """Three services of which only api would go back, from one template to another."""
    seen = history("api", "3.2.0", "3.2.0")
    assert seen.deployment is not None
    revisions = (
        replica_set("api", "3.2.0", 1, template=before),
        replica_set("api", "3.2.0", 2, template=now),
    )
    api = RolloutSeen(replace(seen.deployment, template=now), revisions, seen.pods, complete=True)
    return scene(history("main", "3.2.0", "3.2.0"), api, history("worker", "3.2.0", "3.2.0"))


@pytest.mark.requirement("B5")
def test_who_and_since_when_come_from_the_release_or_from_the_cluster() -> None:
    """The release whose mark is on it and that the record has; else the program that wrote it last."""
    mark = {"buzzy/release": "R1", "buzzy/template": template("main", "3.2.1").digest[:16]}
    gone = {"buzzy/release": "R0", "buzzy/template": template("worker", "3.2.1").digest[:16]}
    stage = scene(
        history("main", "3.2.0", "3.2.1", annotations=mark),
        history("api", "3.2.0", "3.2.1", writer=BY_HAND),
        history("worker", "3.2.0", "3.2.1", annotations=gone),
        releases=(past(1, dict.fromkeys(NAMES, ("3.2.0", "3.2.1"))),),
    )
    step = step_of(stage)
    assert step.lines() == [
        "main: 3.2.0 → 3.2.1, by R1 (alice)",
        "api: 3.2.0 → 3.2.1, since 1 Mar 14:05 UTC, by kubectl-edit, beside Buzzy",
        "worker: 3.2.0 → 3.2.1, by R0",
    ]
    assert step.title == "what changed since 3.2.0, and what is ill"


@pytest.mark.requirement("B5")
def test_changes_of_the_template_are_named_and_values_of_variables_are_not() -> None:
    """From what it goes back to, to what runs."""
    before = pod_template("api", "3.2.0", env=[{"name": "FLAG", "value": "one"}], tty=False)
    new = [{"name": "FLAG", "value": "two"}, {"name": "TOKEN", "value": "three"}]
    after = pod_template("api", "3.2.0", env=new, tty=True, envFrom=[{"configMapRef": {"name": "c-2"}}])
    stage = api_of(before, after)
    plan = plan_rollback(stage, Wanted("rolling", ("api",), target=Target(revision=1)))
    assert isinstance(plan, Plan), plan
    step = identified(stage, plan).steps[0]
    assert isinstance(step, Identify)
    (api,) = step.suspects
    assert api.lines()[0] == "api: 3.2.0, changed"
    assert "variable FLAG" in api.changes
    assert "variable TOKEN" in api.changes
    assert "spec.containers[api].tty: false → true" in api.changes
    assert api.configuration == (("", "c-2"),)
    assert not any(value in str(api.changes) for value in ("one", "two", "three"))


@pytest.mark.requirement("B5", "V4")
def test_migrations_that_came_since_are_named() -> None:
    """With the release that ran them; those that were there before are not."""
    has = (
        Applied(migration=Migration(id="first", reversible=True), version="3.2.0", release="R1"),
        Applied(migration=Migration(id="add-index", reversible=True), version="3.2.1", release="R2"),
    )
    stage = replace(scene(*(history(name, "3.2.0", "3.2.1") for name in NAMES)), applied=has)
    assert step_of(stage).lines()[-1] == "database: add-index, by R2"
    assert step_of(stage).migrations == ("add-index, by R2",)


@pytest.mark.requirement("Q3")
def test_who_and_since_when_are_no_part_of_what_is_agreed_to() -> None:
    """The same rollback is the same plan, also when somebody touched the Deployment and changed nothing."""
    stages = [
        scene(*(history(name, "3.2.0", "3.2.1", writer=writer) for name in NAMES))
        for writer in (None, BY_HAND)
    ]
    plans = [plan_rollback(stage, Wanted("rolling")) for stage in stages]
    whole = [
        identified(stage, plan) for stage, plan in zip(stages, plans, strict=True) if isinstance(plan, Plan)
    ]
    assert whole[0] != whole[1]
    assert whole[0].digest == whole[1].digest
    other = whole[0].model_copy(update={"steps": (Identify(target="3.1.4"), *whole[0].steps[1:])})
    assert other.digest != whole[0].digest


def test_a_long_list_of_changes_is_cut_with_how_many_more() -> None:
    """The plan has all of them."""
    suspect = Suspect(service="api", goes="1.0.0", runs="1.0.1", changes=tuple("abcdefghij"))
    assert len(suspect.lines()) == SHOWN + 2
    assert suspect.lines()[-1] == "  and 2 more"


class Speechless:
    """A place to work where the cluster does not say what it is asked."""

    namespace = "buzzy-staging"

    def __init__(self) -> None:
        """The cluster is this too."""
        self.cluster = self

    def observe(self) -> None:
        """Nothing is seen."""
        raise ClusterUnreachableError("no route")

    def kept(self, _namespace: str, name: str) -> None:
        """Nothing is shown."""
        raise ClusterError(f"nothing is said of {name}")


@pytest.mark.requirement("B5", "X9")
def test_a_cluster_that_says_nothing_does_not_stand_in_the_way_back() -> None:
    """It is said what could not be seen, beside what the plan knew; the step is done."""
    suspect = Suspect(service="api", goes="3.2.0", runs="3.2.1", configuration=(("c-1", "c-2"),))
    done = identify(Identify(target="3.2.0", suspects=(suspect,)), cast("Work", Speechless()))
    assert done.result == "what is ill now could not be seen: the cluster does not answer (no route)"
    assert done.log == (
        "api: 3.2.0 → 3.2.1",
        "  configuration c-1 → c-2",
        "configuration: what differs between c-1 and c-2: nothing is said of c-1",
    )
