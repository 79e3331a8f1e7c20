"""The record in a real Redis: nothing lost, nothing interleaved, nothing written by a stale hand."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from releases import events as e
from releases.lifecycle import State
from releases.plan import Plan
from releases.record import (
    BusyError,
    Held,
    Inbox,
    Installation,
    JobQueue,
    Lease,
    MovedError,
    Questions,
    Record,
    RecordUnavailableError,
    StaleError,
    Store,
    UnknownReleaseError,
)
from releases.snapshot import Answer, Question, Snapshot
from sandbox.redis_server import RedisServer

T0 = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
ALICE = e.Actor(id="U0ALICE", name="alice")
PLAN = Plan(
    kind="release",
    application="buzzy",
    environment="staging",
    namespace="buzzy-staging",
    strategy="rolling",
    stable="3.2.0",
    new="3.2.1",
    steps=(),
)


def requested(environment: str = "staging") -> e.ReleaseRequested:
    """Alice asks for 3.2.1."""
    return e.ReleaseRequested(
        at=T0,
        kind="release",
        environment=environment,
        version="3.2.1",
        strategy="rolling",
        by=ALICE,
        channel="C0STAGING",
        approval=None,
    )


def running(record: Record) -> Held:
    """A release to staging that runs."""
    held = record.open(requested(), delivery="d1")
    return record.append(
        held,
        [
            e.PlanProposed(at=T0, plan=PLAN),
            e.Approved(at=T0, digest=PLAN.digest),
            e.ReleaseStarted(at=T0),
        ],
    )


@pytest.mark.requirement("Q2")
def test_one_release_holds_an_environment(record: Record) -> None:
    """A second one is told who has it; another environment is free; afterwards it is free again."""
    held = record.open(requested(), delivery="d1")
    with pytest.raises(BusyError) as busy:
        record.open(requested(), delivery="d2")
    assert busy.value.holder == held.release.id == record.holder("staging")
    assert record.open(requested("production"), delivery="d3").release.id != held.release.id
    record.append(held, [e.PlanRefused(at=T0, reason="nothing to do")])
    assert record.holder("staging") is None
    assert record.open(requested(), delivery="d4").release.id == "R3"


@pytest.mark.requirement("Q2")
def test_of_many_who_ask_at_once_one_gets_it(record: Record) -> None:
    """Whoever asks, from however many bots."""

    def ask(number: int) -> str:
        try:
            return record.open(requested(), delivery=f"d{number}").release.id
        except BusyError as busy:
            return f"busy with {busy.holder}"

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(64)))
    assert sorted(answers) == ["R1"] + ["busy with R1"] * 63


@pytest.mark.requirement("Q1")
def test_a_delivery_opens_one_release_however_often_it_comes(record: Record) -> None:
    """Also after that release has ended and the environment is free."""
    first = record.open(requested(), delivery="same")
    assert record.open(requested(), delivery="same").release == first.release
    record.append(first, [e.PlanRefused(at=T0, reason="no")])
    again = record.open(requested(), delivery="same")
    assert again.release.id == first.release.id
    assert again.release.state is State.IMPOSSIBLE


def test_what_was_appended_is_what_is_read(record: Record) -> None:
    """Through JSON, Lua and Redis, event by event."""
    held = running(record)
    loaded = record.load("R1")
    assert loaded.release == held.release
    assert loaded.epoch == held.epoch
    assert [event.event for event in record.events("R1")] == [
        "release_requested",
        "plan_proposed",
        "approved",
        "release_started",
    ]
    with pytest.raises(UnknownReleaseError):
        record.load("R99")


@pytest.mark.requirement("Q1")
def test_a_stale_position_writes_nothing(record: Record) -> None:
    """Two who read the same state: the first write counts, the second must look again."""
    held = running(record)
    record.append(held, [e.Interrupted(at=T0, found="first")])
    with pytest.raises(MovedError):
        record.append(held, [e.Interrupted(at=T0, found="second")])
    assert [event.found for event in record.events("R1") if isinstance(event, e.Interrupted)] == ["first"]


@pytest.mark.requirement("Q1")
def test_a_stale_epoch_writes_nothing(record: Record) -> None:
    """A worker that was taken over can append nothing, renew nothing, and learns why."""
    held = running(record)
    first = record.take(held.release, "worker-1", lease_ms=1)
    assert first is not None
    second = _take_when_expired(record, held)
    assert second.interrupted == "worker-1"
    assert second.epoch == first.epoch + 1
    with pytest.raises(StaleError):
        record.append(Held(held.release, first.epoch), [e.Interrupted(at=T0, found="ghost")])
    with pytest.raises(StaleError):
        record.renew(first)
    record.renew(second)
    record.append(Held(held.release, second.epoch), [e.Interrupted(at=T0, found="going on")])


def _take_when_expired(record: Record, held: Held) -> Lease:
    for _ in range(1000):
        lease = record.take(held.release, "worker-2")
        if lease is not None:
            return lease
    raise AssertionError("the lease of one millisecond never expired")


def test_a_lease_is_one_workers_until_it_lets_go(record: Record) -> None:
    """Another gets nothing while it holds; what was let go leaves no trace of an interruption."""
    held = running(record)
    lease = record.take(held.release, "worker-1")
    assert lease is not None
    assert record.take(held.release, "worker-2") is None
    assert record.idle() == ()
    record.let_go(lease)
    assert record.idle() == ("R1",)
    after = record.take(held.release, "worker-2")
    assert after is not None
    assert after.interrupted is None


@pytest.mark.requirement("Q1")
def test_a_fence_is_owed_until_it_is_paid(record: Record, store: Store) -> None:
    """From when a worker ended without a word; across workers and releases, and only its debtor can pay."""
    held = running(record)
    first = record.take(held.release, "worker-1", lease_ms=1)
    assert first is not None
    assert not first.unfenced
    second = _take_when_expired(record, held)
    assert second.unfenced
    with pytest.raises(StaleError):
        record.unfenced(first, is_so=False)
    record.let_go(second)
    held = record.append(record.load("R1"), [e.ReleaseFailed(at=T0, reason="crashes")])
    following = record.open(requested(), delivery="d2").release
    third = record.take(following, "worker-3")
    assert third is not None
    assert (third.unfenced, third.interrupted) == (True, None)
    record.unfenced(third, is_so=False)
    record.let_go(third)
    fourth = record.take(following, "worker-4")
    assert fourth is not None
    assert not fourth.unfenced
    record.unfenced(fourth, is_so=True)
    assert store.call("HGET", store.key("environment", "staging"), "unfenced") == "1"


@pytest.mark.requirement("Q2")
def test_an_installation_is_made_once_and_named_by_its_workspace(record: Record, store: Store) -> None:
    """Of many who ask at once all get the same; another Redis, or another prefix, is another one."""
    with ThreadPoolExecutor(8) as pool:
        (id_,) = set(pool.map(lambda _: record.installation(), range(16)))
    assert record.who_we_are() == Installation(id_, "")
    record.name_installation("Acme")
    assert record.who_we_are() == Installation(id_, "Acme")
    store.call("DEL", store.key("installation"))
    assert record.installation() != id_


@pytest.mark.requirement("Q1")
def test_concurrent_writers_lose_and_interleave_nothing(record: Record) -> None:
    """Sixteen writers, each appending pairs: every pair is there, whole and in order."""
    running(record)

    def write(writer: int) -> int:
        moved = 0
        for number in range(5):
            pair = [e.Interrupted(at=T0, found=f"{writer}.{number}.{half}") for half in "ab"]
            while True:
                try:
                    record.append(record.load("R1"), pair)
                    break
                except MovedError:
                    moved += 1
        return moved

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(16)))
    found = [event.found for event in record.events("R1") if isinstance(event, e.Interrupted)]
    assert len(found) == 16 * 5 * 2
    for first, second in zip(found[::2], found[1::2], strict=True):
        assert (first[:-1], first[-1], second[-1]) == (second[:-1], "a", "b")


def test_an_ended_release_cannot_be_written(record: Record) -> None:
    """Its environment may be somebody else's by now."""
    held = running(record)
    record.append(held, [e.ReleaseFailed(at=T0, reason="crashes")])
    with pytest.raises(StaleError):
        record.append(held, [e.Interrupted(at=T0, found="late")])
    with pytest.raises(StaleError):
        record.take(held.release, "worker-1")


def test_news_stay_on_the_list_until_told(record: Record) -> None:
    """What was told up to an older position is not told: there is more."""
    held = record.open(requested(), delivery="d1")
    assert record.behind() == ("R1",)
    record.append(held, [e.PlanProposed(at=T0, plan=PLAN)])
    assert not record.caught_up("R1", 1)
    assert record.behind() == ("R1",)
    assert record.caught_up("R1", 2)
    assert record.behind() == ()


def test_recent_releases_come_newest_first(record: Record) -> None:
    """As history shows them."""
    for number in range(3):
        held = record.open(requested(), delivery=f"d{number}")
        record.append(held, [e.PlanRefused(at=T0, reason="no")])
    assert [release.id for release in record.recent("staging", 2)] == ["R3", "R2"]


def test_snapshots_questions_and_answers_are_kept(record: Record, questions: Questions) -> None:
    """What a worker saw and answered is there for the bot, and its question is news."""
    assert record.seen("staging") is None
    snapshot = Snapshot(environment="staging", at=T0)
    record.see(snapshot)
    assert record.seen("staging") == snapshot
    asked = Question(
        kind="status",
        environments=("staging",),
        line="status staging",
        by=ALICE,
        channel="C0STAGING",
        response_url="http://slack.invalid/1",
        asked_at=T0,
    )
    id_ = questions.ask(asked)
    assert questions.question(id_) == asked
    assert questions.answered(id_) is None
    questions.answer(id_, Answer(at=T0))
    assert questions.answered(id_) == Answer(at=T0)
    assert record.behind() == (id_,)
    questions.told(id_)
    assert record.behind() == ()


@pytest.mark.requirement("Q1")
def test_the_inbox_takes_a_delivery_once_and_gives_it_until_it_is_done(inbox: Inbox) -> None:
    """Slack delivering again adds nothing; a reader gets each delivery, and only what is not yet done."""
    assert inbox.put("command", "t1", {"text": "release 3.2.1 staging"})
    assert not inbox.put("command", "t1", {"text": "release 3.2.1 staging"})
    assert inbox.put("command", "t2", {})
    first, second = inbox.take("bot-1", wait_ms=10)
    assert (first.id, first.kind, first.payload) == ("t1", "command", {"text": "release 3.2.1 staging"})
    assert inbox.take("bot-2", wait_ms=10) == ()
    inbox.done(first)
    inbox.done(second)
    assert inbox.take("bot-1", wait_ms=10) == ()


@pytest.mark.requirement("Q1")
def test_a_delivery_is_done_in_one_step(inbox: Inbox, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that dies between two would leave it acknowledged, and in the stream for ever."""
    inbox.put("command", "t1", {})
    (delivery,) = inbox.take("bot-1", wait_ms=10)
    with monkeypatch.context() as patch:
        patch.delattr(Store, "call")  # only a script is left
        inbox.done(delivery)
    assert store.call("XLEN", store.key("inbox")) == 0
    assert store.call("XPENDING", store.key("inbox"), "bots")["pending"] == 0


@pytest.mark.requirement("Q1")
def test_what_a_dead_reader_left_goes_to_the_next(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read but never done, by a process that is gone: given to another after a while."""
    inbox.put("command", "t1", {})
    assert len(inbox.take("dead", wait_ms=10)) == 1
    monkeypatch.setattr("releases.record.inbox.CLAIM_MS", 0)
    assert [delivery.id for delivery in inbox.take("alive", wait_ms=10)] == ["t1"]


@pytest.fixture
def hung() -> Iterator[RedisServer]:
    """A server of one's own, to be hung."""
    with RedisServer() as server:
        yield server
        os.kill(server.pid, signal.SIGCONT)


@pytest.mark.requirement("C1")
def test_what_was_said_not_to_be_recorded_never_is(
    hung: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Redis that hangs between the clock and the write, and wakes up later, does not record it then."""
    inbox = Inbox(Store.connect(hung.url, answer_seconds=0.2))
    store = Store.connect(hung.url, answer_seconds=0.2)
    run = Store.run

    def hang_first(self: Store, script: str, keys: list[str], args: list[str]) -> Any:  # noqa: ANN401 - Lua
        os.kill(hung.pid, signal.SIGSTOP)
        return run(self, script, keys, args)

    monkeypatch.setattr("releases.record.inbox.GRACE_MS", 0)
    monkeypatch.setattr(Store, "run", hang_first)
    with pytest.raises(RecordUnavailableError):
        inbox.put("command", "t1", {})
    monkeypatch.setattr(Store, "run", run)
    os.kill(hung.pid, signal.SIGCONT)
    waking = Store.connect(hung.url, answer_seconds=5)
    assert waking.call("PING") in {True, "PONG"}
    assert Inbox(waking).take("bot", wait_ms=10) == ()
    store.close()


def test_a_redis_that_is_not_there_says_so() -> None:
    """In words, without an address or a password in them."""
    store = Store.connect("redis://:secret@127.0.0.1:1/0")
    with pytest.raises(RecordUnavailableError, match=r"^Redis cannot be reached$"):
        store.call("PING")
    with pytest.raises(RecordUnavailableError):
        JobQueue.connect("redis://127.0.0.1:1/0").put("deployment", "plan", "R1")


def test_jobs_are_json_and_say_only_whom_they_are_about(redis_url: str) -> None:
    """A job names a function and a release: nothing in it has to be believed."""
    queue = JobQueue.connect(redis_url)
    queue.put("rollback", "advance", "R1")
    assert queue.depth("rollback") == 1
    assert queue.depth("deployment") == 0
