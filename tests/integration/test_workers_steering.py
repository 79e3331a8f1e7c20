"""A release that is paused stays where it is; one that failed goes on from where it did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from releases import events as e
from releases.lifecycle import State
from releases.record import BusyError, MovedError, Store
from tests.integration.test_workers_abort import delete_pods, step_by_step
from tests.integration.workers_world import ALICE, BOB, SERVICES, World, now, world
from workers.advance import REMIND
from workers.ledger import remember


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world in which a job ends after half a second."""
    with world(store, tmp_path, slice_seconds=0.5) as made:
        yield made


def changed(here: World) -> list[str]:
    """The Deployments that were written, in order."""
    return [entry.name for entry in here.cluster.writes(user="buzzy-worker", verb="patch")]


def paused(here: World) -> str:
    """Bob wants a release paused while its first service does not get ready; then that does, and it is."""
    here.cluster.set_behaviours({"buzzybuzz/buzzy-main:3.2.1": "never-ready"})
    id_ = here.ask("3.2.1")
    step_by_step(here, id_, lambda: "buzzy-main" in here.load(id_).changed_services)
    here.write(id_, e.PauseRequested(at=now(), by=BOB, reason="looking at an error"))
    here.cluster.set_behaviours({"buzzybuzz/buzzy-main:3.2.1": "ready"})
    delete_pods(here, "buzzy-main")
    step_by_step(here, id_, lambda: here.load(id_).state is State.PAUSED)
    return id_


def resume(here: World, id_: str) -> None:
    """Alice lets it go on, and a worker hears of it."""
    here.write(id_, e.Resumed(at=now(), by=ALICE, via="button"))
    here.queue.put("deployment", "advance", id_)


def retry(here: World, id_: str) -> None:
    """Alice has it go on from where it failed, and a worker hears of it."""
    here.write(id_, e.Retried(at=now(), by=ALICE, via="button"))
    here.queue.put("deployment", "advance", id_)


def failed(here: World) -> str:
    """A release whose second service cannot start."""
    here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "crash"})
    release = here.release("3.2.1")
    assert release.state is State.FAILED
    return release.id


@pytest.mark.requirement("C6")
def test_a_pause_stops_after_the_step_under_way(here: World) -> None:
    """Nothing more is written until it is resumed, the environment stays taken; then it goes on."""
    id_ = paused(here)
    release = here.load(id_)
    assert release.next_index == 2
    assert changed(here) == ["buzzy-main"]
    assert here.versions()["buzzy-api"] == "3.2.0"
    assert here.record.holder("staging") == id_
    here.queue.waiting.clear()
    here.jobs.advance(id_)  # the job that keeps the environment taken in the cluster
    assert here.lease()["spec"]["holderIdentity"]
    assert here.load(id_).state is State.PAUSED
    assert not here.queue.waiting
    resume(here, id_)
    here.work()
    assert here.load(id_).state is State.RELEASED
    assert changed(here) == list(SERVICES)
    assert "interrupted" not in here.said(id_)


@pytest.mark.requirement("C6")
def test_a_paused_release_that_is_aborted_goes_back(here: World) -> None:
    """What it had changed, and nothing else."""
    id_ = paused(here)
    here.abort(id_)
    here.queue.put("deployment", "advance", id_)
    here.work()
    assert here.load(id_).state is State.ROLLED_BACK
    assert changed(here) == ["buzzy-main", "buzzy-main"]
    assert set(here.versions().values()) == {"3.2.0"}


@pytest.mark.requirement("C6", "X2", "Q1")
def test_who_paused_it_is_reminded_and_a_crash_changes_nothing(here: World) -> None:
    """Each time after twice as long; a worker that dies meanwhile is succeeded, and says so."""
    id_ = paused(here)
    for after, times in ((REMIND, 1), (REMIND, 1), (REMIND * 2, 2)):
        here.jobs = here.worker(now=lambda after=after: now() + after + timedelta(seconds=1))
        here.jobs.advance(id_)
        assert here.said(id_).count("decision_reminded") == times
    key = here.store.key("environment", "staging")
    here.store.call("HSET", key, "writer", "died", "until", 0)
    here.jobs = here.worker()
    here.jobs.advance(id_)
    (found,) = [event.found for event in here.events(id_) if isinstance(event, e.Interrupted)]
    assert "before step 3 (buzzy-api to 3.2.1)" in found
    assert found.endswith("It stays paused.")
    assert here.load(id_).state is State.PAUSED
    resume(here, id_)
    here.work()
    assert here.load(id_).state is State.RELEASED


@pytest.mark.requirement("C6", "Q1")
def test_a_retry_goes_on_from_the_failed_step(here: World) -> None:
    """What had made it fail is mended: its pods get well, the rest follows, and nothing is written twice."""
    id_ = failed(here)
    assert changed(here) == ["buzzy-main", "buzzy-api"]
    assert here.record.holder("staging") is None
    here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "ready"})
    delete_pods(here, "buzzy-api")  # as their back-off comes to its end
    retry(here, id_)
    assert here.record.holder("staging") == id_
    here.work()
    release = here.load(id_)
    assert release.state is State.RELEASED, release.reason
    assert changed(here) == list(SERVICES)
    assert here.said(id_).count("release_started") == 1
    assert set(here.versions().values()) == {"3.2.1"}
    assert here.record.holder("staging") is None


@pytest.mark.requirement("C6")
def test_a_retry_can_fail_again_and_be_aborted(here: World) -> None:
    """What still crashes fails it again; a second retry that is stopped undoes all that was changed."""
    id_ = failed(here)
    retry(here, id_)
    delete_pods(here, "buzzy-api")
    here.work()
    release = here.load(id_)
    assert (release.state, release.retries) == (State.FAILED, 1)
    assert "buzzy-api" in release.reason
    retry(here, id_)
    here.abort(id_)
    here.work()
    assert here.load(id_).state is State.ROLLED_BACK
    assert set(here.versions().values()) == {"3.2.0"}


@pytest.mark.requirement("C6", "Q3")
def test_what_somebody_changed_before_a_retry_is_not_written_over(here: World) -> None:
    """The step looks at what it finds, as ever."""
    id_ = failed(here)
    here.set_tag("buzzy-api", "3.2.9")
    retry(here, id_)
    here.work()
    release = here.load(id_)
    assert release.state is State.FAILED
    assert here.versions()["buzzy-api"] == "3.2.9"
    assert here.versions()["buzzy-files"] == "3.2.0"


@pytest.mark.requirement("C6", "Q2")
def test_a_retry_takes_the_environment_or_nothing_happens(here: World) -> None:
    """While another has it, or once another was asked for, it is not taken up; and by one of two only."""
    id_ = failed(here)
    held = here.record.load(id_)
    again = e.Retried(at=now(), by=ALICE, via="button")
    other = here.ask("3.2.2")
    with pytest.raises(BusyError) as busy:
        here.record.append(held, [again])
    assert busy.value.holder == other
    here.write(other, e.AbortRequested(at=now(), by=BOB))
    here.write(other, e.ReleaseCancelled(at=now()))
    with pytest.raises(MovedError):
        here.record.append(held, [again])
    assert here.load(id_).state is State.FAILED
    assert here.record.holder("staging") is None


@pytest.mark.requirement("C6", "Q1", "Q5")
def test_a_retry_is_remembered_by_the_cluster(here: World) -> None:
    """The ledger that would bring the record back knows of it, before a worker has begun."""
    id_ = failed(here)
    here.write(id_, e.Retried(at=now(), by=ALICE, via="button"))
    assert here.record.archive.due("staging")
    assert remember(here.jobs._tools.drafts.ledgers, "staging")
    here.store.call("RPOP", here.store.key("release", id_, "events"))  # a Redis that lost its last words
    (lost,) = here.drafts.ledgers.more_of(here.config.environment("staging"), id_)
    assert isinstance(lost, e.Retried)
