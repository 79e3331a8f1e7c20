"""Stopping a release: nothing when nothing was touched, the planned way back when something was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from releases import events as e
from releases.config import Environment
from releases.lifecycle import State
from releases.record import Store
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.resources import PODS
from tests.integration.workers_world import NAMESPACE, World, world
from workers.observe import Observed


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world in which a job ends after half a second."""
    with world(store, tmp_path, slice_seconds=0.5) as made:
        yield made


def step_by_step(here: World, id_: str, until: Callable[[], bool]) -> None:
    """Run jobs until it is so."""
    while not until():
        _, job, subject = here.queue.waiting.popleft()
        here.jobs.table[f"workers.jobs.{job}"](subject)


def in_the_middle(here: World) -> str:
    """A release whose first service is done, and whose second never gets ready."""
    here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "never-ready"})
    id_ = here.ask("3.2.1")
    step_by_step(here, id_, lambda: "buzzy-api" in here.load(id_).changed_services)
    return id_


def delete_pods(here: World, service: str) -> None:
    """New pods come in their place, and behave as is set now."""
    registry = here.cluster.registry
    for pod in here.cluster.run(lambda: here.cluster.store.listing(PODS, NAMESPACE)):
        if pod["metadata"]["labels"]["app"] == service:
            name = pod["metadata"]["name"]
            here.cluster.run(partial(registry.delete, PODS, NAMESPACE, name, DeleteOptions(grace_seconds=0)))


@pytest.mark.requirement("D3")
def test_a_release_that_is_stopped_half_way_takes_its_way_back(here: World) -> None:
    """It waits for nothing any more, undoes what it began in reverse order, and leaves the rest alone."""
    id_ = in_the_middle(here)
    here.abort(id_, "wrong version")
    here.work()
    release = here.load(id_)
    assert release.state is State.ROLLED_BACK
    assert release.turned_back_because == "bob stopped it: wrong version."
    back = [state.step for state in release.back]
    assert [getattr(step, "service", step.kind) for step in back] == ["buzzy-api", "buzzy-main", "verify"]
    assert set(here.versions().values()) == {"3.2.0"}
    annotations = here.deployment("buzzy-main")["metadata"]["annotations"]
    assert annotations["kubernetes.io/change-cause"] == f"{id_}: back to 3.2.0 from 3.2.1"


def test_a_release_that_is_stopped_before_it_touched_anything_is_cancelled(here: World) -> None:
    """There is nothing to undo; the ConfigMap that it may have made hurts nobody."""
    config = here.config.environment("staging").configuration
    assert config
    id_ = here.ask("3.2.1")
    step_by_step(here, id_, lambda: here.load(id_).state is State.APPROVED)
    here.write(id_, e.ReleaseStarted(at=here.load(id_).request.at))
    here.write(id_, e.StepStarted(at=here.load(id_).request.at, index=0))
    here.abort(id_)
    here.work()
    assert here.load(id_).state is State.CANCELLED
    assert not here.cluster.writes(user="buzzy-worker", verb="patch")


def test_a_wish_to_stop_is_heard_while_a_rollout_is_waited_for(store: Store, tmp_path: Path) -> None:
    """In the middle of a job, not at its end."""
    with world(store, tmp_path) as here:
        here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "never-ready"})
        id_ = here.ask("3.2.1")
        wished: list[str] = []

        def stopping() -> bool:
            """Asked at each tick of the job; Bob takes the occasion."""
            if not wished and "buzzy-api" in here.load(id_).changed_services:
                wished.append(id_)
                here.abort(id_)
            return False

        here.jobs = here.worker(stopping=stopping)
        here.work()
        assert here.load(id_).state is State.ROLLED_BACK
        assert "step_failed" not in here.said(id_)


def test_a_step_that_fails_just_when_it_should_stop_turns_back(here: World) -> None:
    """The failure is told, and the wish is followed."""
    id_ = in_the_middle(here)
    here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "crash"})
    looked = here.jobs._tools.drafts.look

    def look(environment: Environment) -> Observed:
        """Called between the failure and the word about it."""
        if here.load(id_).state is State.RUNNING:
            here.abort(id_)
        return looked(environment)

    here.jobs._tools.drafts.look = look  # type: ignore[method-assign] # Bob's only chance to be that quick
    delete_pods(here, "buzzy-api")
    here.work()
    release = here.load(id_)
    assert release.state is State.ROLLED_BACK
    assert release.failure is not None
    assert release.failure.reason.startswith("buzzy-api: ")


def test_a_way_back_that_fails_says_so(here: World) -> None:
    """Then a person has to look; nothing is tried a third time."""
    id_ = in_the_middle(here)
    here.cluster.set_behaviours({"buzzybuzz/buzzy-main:3.2.0": "crash"})
    here.abort(id_)
    here.work()
    release = here.load(id_)
    assert release.state is State.FAILED
    assert release.reason.startswith("It could not go back: buzzy-main: ")
    assert release.reason.endswith("(exit code 1).")
