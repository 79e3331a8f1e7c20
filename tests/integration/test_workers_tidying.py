"""When what a blue-green release has kept is looked after, and by whom: from the record, with no cluster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from releases import events as e
from releases.config import parse_config
from releases.record import Record, RecordUnavailableError, Store
from releases.record.queue import JobName, QueueName
from releases.snapshot import KeptSeen, Snapshot
from tests.integration.workers_world import ALICE, ListedQueue
from workers.tidying import Tidying

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
JOB: tuple[QueueName, JobName, str] = ("deployment", "tidy", "production")
CONFIG = parse_config(
    """
    services: [{name: buzzy-main, image: buzzybuzz/buzzy-main}]
    environments:
      staging: {namespace: buzzy-staging, channel: C0STAGING}
      production: {namespace: buzzy-production, channel: C0RELEASES, strategy: blue-green}
    """
)


class Here:
    """A record that has been looked at for what it does not know, and a clock."""

    def __init__(self, store: Store) -> None:
        """Nothing is kept."""
        self.record = Record(store)
        self.queue = ListedQueue()
        self.now = NOW
        self.tidying = Tidying(CONFIG, self.record, store, self.queue, lambda: self.now)

    def keeps(self, until: datetime) -> None:
        """A look at production has seen that something stands by."""
        kept = KeptSeen(service="buzzy-main", version="3.2.0", until=until)
        self.record.see(Snapshot(environment="production", at=NOW, kept=(kept,)))

    def looks(self) -> list[tuple[QueueName, JobName, str]]:
        """What a look queues."""
        self.tidying.look()
        queued = list(self.queue.waiting)
        self.queue.waiting.clear()
        return queued


@pytest.fixture
def here(store: Store) -> Here:
    """Nobody has looked yet."""
    return Here(store)


@pytest.mark.requirement("D2", "Q5")
def test_where_it_may_be_blue_green_it_is_looked_once_though_nothing_is_known(here: Here) -> None:
    """The record may have been lost; what is kept, its Deployments say. Others are left alone."""
    assert here.looks() == [JOB]
    assert here.looks() == []


@pytest.mark.requirement("D2")
def test_a_job_is_queued_when_the_time_is_over_and_not_again_at_once(here: Here) -> None:
    """Nobody holds anything, or waits, until then."""
    here.looks()
    here.keeps(NOW + timedelta(minutes=10))
    assert here.looks() == []
    here.now += timedelta(minutes=10)
    assert here.looks() == [JOB]
    assert here.looks() == []


@pytest.mark.requirement("D2", "X9")
def test_nothing_is_scaled_down_while_a_release_has_the_environment(here: Here) -> None:
    """A rollback that waits for somebody's yes finds what stands by."""
    here.looks()
    here.keeps(NOW)
    here.record.open(
        e.ReleaseRequested(
            at=NOW,
            kind="rollback",
            environment="production",
            version=None,
            strategy="blue-green",
            by=ALICE,
            channel="C0RELEASES",
            approval=None,
        ),
        delivery="d1",
    )
    assert here.looks() == []


@pytest.mark.requirement("D2")
def test_a_queue_that_is_away_stops_nobody(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noticed again."""

    def away(*_: object) -> None:
        raise RecordUnavailableError("Redis does not take the job")

    monkeypatch.setattr(here.queue, "put", away)
    here.tidying.look()
