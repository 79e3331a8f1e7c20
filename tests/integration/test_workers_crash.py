"""A worker may die at any line: another one goes on, once, and the thread says what it found."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from releases import events as e
from releases.lifecycle import State
from releases.record import Store
from tests.integration.workers_world import SERVICES, World, now, world
from workers.reaper import Reaper

PATIENCE_SECONDS = 20.0
SHORT_LEASE_MS = 3_000  # of the worker that is killed, so that its death is noticed soon


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world whose pods take a moment. Its own workers keep their leases, however busy the machine is."""
    with world(store, tmp_path, speed=4.0) as made:
        yield made


def until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def other_worker(here: World, redis_url: str, id_: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own that advances a release; killed at the end, if not before."""
    arguments = [redis_url, str(here.kubeconfig), "advance", id_, str(SHORT_LEASE_MS)]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.integration.workers_world", *arguments],
        cwd=Path(__file__).parents[2],
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def reap(here: World) -> None:
    """What every worker does now and then."""
    Reaper(here.store, here.record, here.queue, now=now).reap()


@pytest.mark.requirement("Q1", "X7")
def test_a_worker_that_is_killed_in_a_step_is_succeeded(here: World, redis_url: str) -> None:
    """The successor does what is missing, nothing twice, and says in the thread what it found."""
    id_ = here.ask("3.2.1")
    _, job, _ = here.queue.waiting.popleft()
    here.jobs.table[f"workers.jobs.{job}"](id_)
    here.queue.waiting.clear()
    with other_worker(here, redis_url, id_) as first:
        until(lambda: "buzzy-api" in here.load(id_).changed_services)
        until(lambda: here.load(id_).seen["buzzy-api"].version == "3.2.1")
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert here.load(id_).state is State.RUNNING
    until(lambda: id_ in here.record.idle())
    reap(here)
    here.work()
    assert here.load(id_).state is State.RELEASED
    assert set(here.versions().values()) == {"3.2.1"}
    found = [event.found for event in here.events(id_) if isinstance(event, e.Interrupted)]
    assert len(found) == 1
    assert found[0].startswith(
        "The worker stopped at step 3 (buzzy-api to 3.2.1). Found: buzzy-main runs 3.2.1,"
    )
    assert found[0].endswith("Going on with step 3.")
    patches = [entry.name for entry in here.cluster.writes(user="buzzy-worker", verb="patch")]
    # The second of buzzy-api is the fence: a write of the first worker's may still be under way.
    assert patches == ["buzzy-main", "buzzy-api", "buzzy-api", "buzzy-files", "buzzy-worker"]
    assert {here.revision(name) for name in SERVICES} == {3}


@pytest.mark.requirement("Q1", "X7")
def test_a_worker_that_dies_on_the_way_back_is_succeeded_as_well(here: World, redis_url: str) -> None:
    """The way back goes on from where it was."""
    here.cluster.set_behaviours(
        {"buzzybuzz/buzzy-api:3.2.1": "never-ready", "buzzybuzz/buzzy-main:3.2.0": "slow"}
    )
    id_ = here.ask("3.2.1")
    _, job, _ = here.queue.waiting.popleft()
    here.jobs.table[f"workers.jobs.{job}"](id_)
    here.queue.waiting.clear()
    with other_worker(here, redis_url, id_) as first:
        until(lambda: here.load(id_).seen["buzzy-api"].version == "3.2.1")
        here.abort(id_)
        until(lambda: here.load(id_).state is State.TURNING_BACK and here.load(id_).next_index == 7)
        first.send_signal(signal.SIGKILL)
        first.wait()
    until(lambda: id_ in here.record.idle())
    reap(here)
    assert here.queue.waiting[0][0] == "rollback"
    here.work()
    assert here.load(id_).state is State.ROLLED_BACK
    assert set(here.versions().values()) == {"3.2.0"}
    assert "interrupted" in here.said(id_)


@pytest.mark.requirement("Q1", "Q2")
def test_of_two_jobs_about_one_release_one_works(here: World) -> None:
    """The other goes home; each service is written once."""
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)
    here.queue.waiting.clear()
    workers = [threading.Thread(target=here.worker().advance, args=(id_,)) for _ in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(PATIENCE_SECONDS)
    here.work()
    assert here.load(id_).state is State.RELEASED
    patches = [entry.name for entry in here.cluster.writes(user="buzzy-worker", verb="patch")]
    assert patches == list(SERVICES)
    started = [event.index for event in here.events(id_) if isinstance(event, e.StepStarted)]
    assert started == sorted(set(started))


@pytest.mark.requirement("Q1")
def test_a_worker_whose_lease_is_taken_over_touches_nothing_any_more(here: World) -> None:
    """It may have been asleep for a while; when it wakes up, somebody else is the writer."""
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)
    taken: list[bool] = []

    def stopping() -> bool:
        """Asked at each tick; another worker takes over, as if the lease had run out."""
        release = here.load(id_)
        if not taken and "buzzy-api" in release.changed_services:
            key = here.store.key("environment", "staging")
            here.store.call("HSET", key, "until", 0)
            taken.append(here.record.take(release, "another") is not None)
        return False

    here.worker(stopping=stopping).advance(id_)
    assert taken == [True]
    assert here.load(id_).state is State.RUNNING
    assert here.versions()["buzzy-files"] == "3.2.0"


@pytest.mark.requirement("Q1")
def test_a_job_hands_over_when_its_time_is_over_and_no_word_is_lost_on_it(here: World) -> None:
    """Several short jobs make one release; to people it is one."""
    here.jobs = here.worker(slice_seconds=0.2)
    release = here.release("3.2.1")
    assert release.state is State.RELEASED
    assert "interrupted" not in here.said(release.id)
    started = [event.index for event in here.events(release.id) if isinstance(event, e.StepStarted)]
    assert started == list(range(6))


@pytest.mark.requirement("Q1")
def test_the_reaper_queues_what_nobody_is_at_work_on_once(here: World) -> None:
    """A lost job comes back; a second look adds nothing, and one look at a time is enough."""
    id_ = here.ask("3.2.1")
    here.queue.waiting.clear()
    reap(here)
    assert list(here.queue.waiting) == [("deployment", "plan", id_)]
    here.store.call("DEL", here.store.key("reaper"))
    reap(here)
    assert len(here.queue.waiting) == 1
    here.queue.waiting.clear()
    reap(here)
    assert not here.queue.waiting


@pytest.mark.requirement("Q1")
def test_the_reaper_lets_what_waited_too_long_expire(here: World) -> None:
    """Nothing was touched, and the environment is free again."""
    needed = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=1)
    id_ = here.ask("3.2.1", approval=needed)
    here.work()
    assert here.load(id_).state is State.WAITING
    later = here.load(id_).expires_at
    assert later is not None
    Reaper(here.store, here.record, here.queue, now=lambda: later).reap()
    assert here.load(id_).state is State.EXPIRED
    assert here.record.holder("staging") is None


@pytest.mark.requirement("Q1", "Q3")
@pytest.mark.parametrize("changed", [1, 4], ids=["one service", "all services"])
def test_a_start_that_the_record_lost_is_found_in_the_cluster(here: World, changed: int) -> None:
    """A Redis that lost its last words: the release goes on with the plan that was agreed to."""
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)
    here.jobs = here.worker(stopping=lambda: len(here.load(id_).changed_services) >= changed)
    here.jobs.advance(id_)
    assert len(here.load(id_).changed_services) == changed
    until(lambda: list(here.versions().values()).count("3.2.1") == changed)
    events = here.store.key("release", id_, "events")
    here.store.call("LTRIM", events, 0, here.said(id_).index("release_started") - 1)
    assert here.load(id_).state is State.APPROVED
    here.jobs = here.worker()
    here.work()
    assert here.load(id_).state is State.RELEASED, here.load(id_).reason
    assert "replan_requested" not in here.said(id_)
    patches = [entry.name for entry in here.cluster.writes(user="buzzy-worker", verb="patch")]
    assert patches == list(SERVICES)


@pytest.mark.requirement("Q3")
def test_a_start_that_somebody_else_came_before_is_planned_again(here: World) -> None:
    """What this release put there may be gone on with; what others put there is not what was agreed to."""
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)
    here.set_tag("buzzy-main", "3.2.1")
    here.work()
    assert "replan_requested" in here.said(id_)
