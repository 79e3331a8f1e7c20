"""A cluster or a Redis that is away for a while: waited for, told, and not taken for a failure."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from releases import events as e
from releases.lifecycle import State
from releases.record import RecordUnavailableError, StaleError, Store
from sandbox.cluster.api.faults import Fault
from sandbox.redis_server import RedisServer
from tests.integration.workers_world import CONFIG, TOKEN, World, role, world
from workers import at_work
from workers.at_work import UNSEEN
from workers.writer import Writer


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world at 3.2.0."""
    with world(store, tmp_path, patience=timedelta(seconds=0.5)) as made:
        yield made


@pytest.fixture(autouse=True)
def _told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silence is told after an instant, so that tests need not be silent for long."""
    monkeypatch.setattr(at_work, "TELL_SILENCE", timedelta(seconds=0.2))


@pytest.mark.requirement("Q1")
def test_a_cluster_that_is_away_in_the_middle_is_waited_for(here: World) -> None:
    """It is told once, nothing fails, and when it is back all services are seen again."""
    id_ = here.ask("3.2.1")
    left: list[int] = []

    def stopping() -> bool:
        """Asked at each tick; the cluster takes the occasion to leave."""
        if not left and "buzzy-api" in here.load(id_).changed_services:
            left.append(1)
            here.cluster.leave_for(1.5)
        return False

    here.jobs = here.worker(stopping=stopping)
    here.work()
    release = here.load(id_)
    assert release.state is State.RELEASED, release.reason
    told = [event.found for event in here.events(id_) if isinstance(event, e.Interrupted)]
    assert len(told) == 1
    assert told[0].startswith("The cluster does not answer (")
    assert "Nothing is changed meanwhile; trying again until" in told[0]
    pictures = [event.seen for event in here.events(id_) if isinstance(event, e.StepProgressed)]
    assert any(len(seen) == 4 and all(each.state == UNSEEN for each in seen) for seen in pictures)
    assert all(each.state != UNSEEN for each in release.seen.values())


def test_a_cluster_that_stays_away_is_not_called_a_failed_version(store: Store, tmp_path: Path) -> None:
    """At the step's deadline the release ends, and says that it could not be seen."""
    config = CONFIG.replace("buzzybuzz/buzzy-main, deadline: 30s", "buzzybuzz/buzzy-main, deadline: 1s")
    with world(store, tmp_path, config=config) as here:
        here.cluster.set_behaviours({"3.2.1": "never-ready"})
        id_ = here.ask("3.2.1")
        left: list[int] = []

        def stopping() -> bool:
            """Asked at each tick; the cluster takes the occasion to leave."""
            if not left and "buzzy-main" in here.load(id_).changed_services:
                left.append(1)
                here.cluster.stop()
            return False

        here.jobs = here.worker(stopping=stopping)
        here.work()
        release = here.load(id_)
        assert release.state is State.FAILED
        assert release.reason.startswith(
            "Whether buzzy-main is healthy could not be seen: the cluster does not"
        )


def test_an_api_server_that_does_not_know_its_roles_yet_is_waited_for(here: World) -> None:
    """One that has just started refuses for a moment what it allowed before, in any of the requests."""
    id_ = here.ask("3.2.1")
    known: list[int] = []

    def know() -> None:
        here.cluster.add_user(TOKEN, "buzzy-worker", role())

    def stopping() -> bool:
        """Asked at each tick; the roles are unknown once in a while, and connections are made anew."""
        if len(known) < len(here.load(id_).touched):
            known.append(1)
            here.cluster.stop()
            here.cluster.add_user(TOKEN, "buzzy-worker", [])
            here.cluster.start()
            threading.Timer(0.3, know).start()
        return False

    here.jobs = here.worker(stopping=stopping)
    here.work()
    assert known
    assert here.load(id_).state is State.RELEASED, here.load(id_).reason


@pytest.mark.parametrize("kind", ["cut", "hang"])
def test_a_watch_that_breaks_or_hangs_is_made_good(here: World, kind: Literal["cut", "hang"]) -> None:
    """Nobody is told: the next look sees what the watch had to say."""
    for path in ("deployments", "pods"):
        here.cluster.add_fault(Fault(kind, path=f"{path}\\?.*watch=[Tt]rue", count=4, after_parts=1))
    here.jobs = here.worker(slice_seconds=1.0)
    release = here.release("3.2.1")
    assert release.state is State.RELEASED
    assert "interrupted" not in here.said(release.id)


def test_history_that_the_cluster_forgot_is_listed_again(here: World) -> None:
    """410 Gone is no trouble."""
    id_ = here.ask("3.2.1")

    def stopping() -> bool:
        here.cluster.compact()
        return False

    here.jobs = here.worker(stopping=stopping)
    here.work()
    assert here.load(id_).state is State.RELEASED


def test_a_silent_cluster_is_no_reason_to_plan_for_ever(here: World) -> None:
    """The release ends before it touched anything, with what is wrong."""
    here.cluster.stop()
    release = here.release("3.2.1")
    assert release.state is State.IMPOSSIBLE
    assert release.reason == "The cluster does not answer (connection refused)."
    assert release.hint == "Nothing was changed."


def test_a_silent_cluster_at_the_start_means_to_plan_again(here: World) -> None:
    """What was approved is compared with nothing less than the cluster."""
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)
    here.cluster.stop()
    here.jobs.advance(id_)
    assert here.load(id_).state is State.REQUESTED
    here.cluster.start()
    here.work()
    assert here.load(id_).state is State.RELEASED


@pytest.mark.requirement("Q1")
def test_a_redis_that_is_away_for_a_moment_loses_nothing(tmp_path: Path) -> None:
    """The worker goes on when it is back: the lease has not run out meanwhile."""
    with RedisServer() as server:
        store = Store.connect(server.url, answer_seconds=0.3)
        with world(store, tmp_path) as here:
            id_ = here.ask("3.2.1")
            here.jobs.plan(id_)
            asleep: list[int] = []

            def stopping() -> bool:
                """Asked at each tick; the server takes the occasion to fall asleep for a while."""
                if not asleep and "buzzy-api" in here.load(id_).changed_services:
                    asleep.append(server.pid)
                    os.kill(server.pid, signal.SIGSTOP)
                    threading.Timer(0.8, os.kill, (server.pid, signal.SIGCONT)).start()
                return False

            here.queue.waiting.clear()
            here.worker(stopping=stopping).advance(id_)
            assert asleep
            assert here.load(id_).state is State.RELEASED
            assert here.said(id_)[4:] == ["step_started", "step_finished"] * 6 + ["release_finished"]
        store.close()


@pytest.mark.requirement("Q1")
def test_an_append_whose_answer_is_lost_is_written_once(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis wrote it and was gone before it could say so."""
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)
    release = here.load(id_)
    lease = here.record.take(release, "me")
    assert lease is not None
    event = e.Interrupted(at=release.request.at, found="…")
    append = here.record.append

    def lossy(*given: object) -> object:
        monkeypatch.undo()
        append(*given)  # type: ignore[arg-type] # handed on
        raise RecordUnavailableError("Redis does not answer")

    with Writer(here.record, lease, stopping=lambda: False) as writer:
        monkeypatch.setattr(here.record, "append", lossy)
        assert writer.append([event])
        assert here.events(id_).count(event) == 1
        assert writer.release.position == len(here.events(id_))


@pytest.mark.requirement("Q1")
def test_a_worker_that_cannot_keep_its_lease_stops(tmp_path: Path) -> None:
    """Redis stays away for longer than the lease lasts: somebody else may be at work by then."""
    with RedisServer(folder=tmp_path) as server:
        store = Store.connect(server.url, answer_seconds=1)
        with world(store, tmp_path) as here:
            id_ = here.ask("3.2.1")
            here.jobs.plan(id_)
            lease = here.record.take(here.load(id_), "me", lease_ms=600)
            assert lease is not None
            writer = Writer(here.record, lease, stopping=lambda: False, lease_ms=600)
            server.kill()
            with pytest.raises(RecordUnavailableError):
                writer.make_sure()
            server.start()
            while here.record.take(here.load(id_), "another") is None:
                time.sleep(0.02)
            with pytest.raises(StaleError):
                writer.make_sure()
        store.close()
