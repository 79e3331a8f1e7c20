"""Locks, the line of those who wait, and schedules in a real Redis, with many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier

import pytest

from bot.closing import Closing
from bot.gate import Gate
from releases import grammar, notices
from releases.closing import Closure, Waiter
from releases.events import Actor
from releases.people import Person
from releases.record import Inbox, MovedError, Record, RecordUnavailableError, Store
from releases.record.closures import Closures
from releases.record.schedules import Schedules
from releases.record.turns import call_next
from releases.schedule import Scheduled
from tests.unit.test_policy import CONFIG, PRODUCTION

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
MANY = 8


class Everybody:
    """People of whom nobody has to ask Slack."""

    def get(self, user: str, *, fresh: bool = False) -> Person:  # noqa: ARG002 - as People
        """Somebody by id."""
        return Person(user, user.lower())


def closing(url: str) -> Closing:
    """The part of a bot that locks, with a connection of its own."""
    store = Store.connect(url, answer_seconds=10)
    record, closures, people = Record(store), Closures(store), Everybody()
    gate = Gate(CONFIG, record, closures, people, lambda: NOW)
    return Closing(CONFIG, record, closures, people, gate, lambda: NOW)


def lock(by: str = "U0BOB", **more: object) -> Closure:
    """A lock of production."""
    made = {"kind": "lock", "place": "production", "reason": "audit", "at": NOW, "claim": by, **more}
    return Closure.model_validate({"by": Actor(id=by, name=by), **made})


def scheduled(id_: str = "S1", due: datetime = NOW) -> Scheduled:
    """A release for later."""
    return Scheduled(
        id=id_,
        environment="production",
        version="3.2.1",
        line="release 3.2.1 production",
        by=Actor(id="U0ALICE", name="alice"),
        at=NOW,
        due=due,
    )


def told(made: Scheduled) -> tuple[notices.Notice, ...]:
    """What is told of it."""
    return (notices.Planned(at=NOW, channel="C0RELEASES", schedule=made),)


@pytest.mark.requirement("X3", "Q1")
def test_of_many_who_lock_at_once_one_does(redis_url: str, store: Store) -> None:
    """Each from a process of its own: one lock, one notice, and the others are told whose it is."""
    together = Barrier(MANY)

    def claim(number: int) -> bool:
        bot = closing(redis_url)
        together.wait()
        command = grammar.Lock("production", f"reason {number}")
        answer, _ = bot.lock(command, f"U{number}", None, f"delivery {number}")
        return "you are reminded" in str(answer.payload())

    for _ in range(5):
        store.call("FLUSHALL")
        with ThreadPoolExecutor(MANY) as pool:
            outcomes = list(pool.map(claim, range(MANY)))
        winner = outcomes.index(True)
        assert outcomes.count(True) == 1
        held = Closures(store).board("production").made
        assert [getattr(each, "reason", "") for each in held] == [f"reason {winner}"]
        assert len(Closures(store).notices()) == 1


@pytest.mark.requirement("X3", "Q1")
def test_the_same_claim_again_is_the_same_lock(redis_url: str, store: Store) -> None:
    """Also when several bots act on the same delivery at once."""
    together = Barrier(MANY)

    def claim(_: int) -> str:
        bot = closing(redis_url)
        together.wait()
        answer, _wanted = bot.lock(grammar.Lock("production", "audit"), "U0BOB", None, "one delivery")
        return answer.sentence

    with ThreadPoolExecutor(MANY) as pool:
        assert set(pool.map(claim, range(MANY))) == {"production is locked."}
    assert len(Closures(store).notices()) == 1


@pytest.mark.requirement("X3", "Q1")
def test_nobody_in_line_is_lost_when_many_join_at_once(redis_url: str, store: Store) -> None:
    """Each keeps one place, and the first one called is the first in line; called once."""
    closures = Closures(store)
    closures.write(closures.board("production"), {("lock", "production"): lock().model_dump_json()})
    together = Barrier(MANY)

    def join(number: int) -> None:
        store = Store.connect(redis_url, answer_seconds=10)
        gate = Gate(CONFIG, Record(store), Closures(store), Everybody(), lambda: NOW)
        wanted = Waiter(by=Actor(id=f"U{number}", name="x"), line="release 3.2.1 production", at=NOW)
        together.wait()
        gate.get_in_line(PRODUCTION, wanted)
        gate.get_in_line(PRODUCTION, wanted)

    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(join, range(MANY)))
    waiting = closures.board("production").waiting
    assert sorted(each.by.id for each in waiting) == [f"U{number}" for number in range(MANY)]
    closures.write(closures.board("production"), {("lock", "production"): ""})
    again = Barrier(MANY)

    def call(_: int) -> bool:
        store = Store.connect(redis_url, answer_seconds=10)
        again.wait()
        return call_next(Closures(store), Record(store), CONFIG, PRODUCTION, NOW)

    with ThreadPoolExecutor(MANY) as pool:
        assert list(pool.map(call, range(MANY))).count(True) == 1
    turns = [each for each in closures.notices() if isinstance(each, notices.Turn)]
    assert [turn.waiter for turn in turns] == [waiting[0]]
    assert turns[0].behind == waiting[1:]


@pytest.mark.requirement("X3")
def test_who_is_called_and_does_not_come_lets_the_next_one_be_called(store: Store) -> None:
    """After a while, not at once: people read their messages."""
    closures, record = Closures(store), Record(store)
    gate = Gate(CONFIG, record, closures, Everybody(), lambda: NOW)
    for number in range(2):
        wanted = Waiter(by=Actor(id=f"U{number}", name="x"), line="release 3.2.1 production", at=NOW)
        gate.get_in_line(PRODUCTION, wanted)  # open: the first is called at once
    assert len(closures.board("production").waiting) == 1
    called = [
        call_next(closures, record, CONFIG, PRODUCTION, NOW + timedelta(minutes=minutes))
        for minutes in (1, 9, 10, 11)
    ]
    assert called == [False, False, True, False]


@pytest.mark.requirement("X3", "Q1")
def test_what_changed_since_it_was_read_is_not_written_over(store: Store) -> None:
    """A lock that was claimed meanwhile, in the place or in all of them, stands; nothing is told."""
    closures = Closures(store)
    before = closures.board("production")
    everywhere = closures.board("all")
    closures.write(everywhere, {("lock", "all"): lock(place="all").model_dump_json()})
    with pytest.raises(MovedError):
        closures.write(before, {("lock", "production"): lock("U0ME").model_dump_json()}, told(scheduled()))
    assert [getattr(each, "place", "") for each in closures.board("production").made] == ["all"]
    assert closures.notices() == ()


@pytest.mark.requirement("Q1", "C7")
def test_a_schedule_is_kept_once_a_delivery_and_handed_over_once(
    redis_url: str, store: Store, inbox: Inbox
) -> None:
    """By however many workers; what was taken back is not handed over any more."""
    schedules = Schedules(store)
    first = schedules.add(lambda id_: (made := scheduled(id_), told(made)), delivery="d1")
    again = schedules.add(lambda id_: (made := scheduled(id_), told(made)), delivery="d1")
    assert first == again
    assert len(Closures(store).notices()) == 1
    assert first is not None
    together = Barrier(MANY)

    def hand_over(_: int) -> None:
        mine = Schedules(Store.connect(redis_url, answer_seconds=10))
        together.wait()
        mine.hand_over(first)

    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(hand_over, range(MANY)))
    taken = inbox.take("reader", wait_ms=10)
    assert [(each.kind, each.id) for each in taken] == [("due", "due:S1")]
    assert Scheduled.model_validate(taken[0].payload) == first
    assert not schedules.remove(first, ())
    assert schedules.add(lambda id_: (scheduled(id_), ()), delivery="d1") is None
    second = schedules.add(lambda id_: (scheduled(id_), ()), delivery="d2")
    assert second is not None
    assert schedules.remove(second, ())
    schedules.hand_over(second)
    assert store.call("XLEN", "buzzy:inbox") == 1


@pytest.mark.requirement("Q1")
def test_a_schedule_that_cannot_be_read_stops_no_other(store: Store) -> None:
    """It is passed over; the others are in the order in which they are due."""
    schedules = Schedules(store)
    store.call("HSET", "buzzy:schedules", "S99", "{half a sched")
    for hours in (3, 1, 2):
        due = NOW + timedelta(hours=hours)
        schedules.add(partial(lambda due, id_: (scheduled(id_, due), ()), due), delivery=f"{hours}")
    assert [each.id for each in schedules.all()] == ["S2", "S3", "S1"]


@pytest.mark.requirement("Q1")
def test_without_redis_nothing_is_claimed(store: Store) -> None:
    """Nor does anybody believe that it was."""
    gone = Closures(Store.connect("redis://127.0.0.1:1/0"))
    with pytest.raises(RecordUnavailableError):
        gone.board("production")
    board = Closures(store).board("production")
    with pytest.raises(RecordUnavailableError):
        gone.write(board, {("lock", "production"): lock().model_dump_json()})
