"""The record in a real Redis, tampered with: whatever is done to it shows, where it was done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from releases import events as e
from releases import verifying
from releases.chain import chained, read_line, text_of
from releases.ledger import Ledger, head_of, packed
from releases.record import MovedError, Record, Store, health
from tests.integration.test_record import ALICE, PLAN, T0, requested

Tamper = Callable[[Store], None]


def history(record: Record) -> None:
    """Three releases to staging, one to production, all ended."""
    for number, environment in enumerate(["staging", "production", "staging", "staging"], 1):
        held = record.open(requested(environment), delivery=f"d{number}")
        plan = PLAN.model_copy(update={"environment": environment})
        happened: list[e.Event] = [
            e.PlanProposed(at=T0, plan=plan),
            e.ApprovalGiven(at=T0, by=ALICE, digest=plan.digest, via="button"),
            e.Approved(at=T0, digest=plan.digest),
            e.ReleaseStarted(at=T0),
            e.ReleaseFinished(at=T0),
        ]
        record.append(held, happened)


def problems(record: Record, *ledgers: Ledger) -> list[str]:
    """What is wrong with it, a line each."""
    kept = record.archive.whole()
    found = verifying.of_record(kept)
    for ledger in ledgers:
        found += verifying.of_ledger(ledger, kept, f"buzzy-{ledger.environment}")
    return [str(problem) for problem in found.problems]


def ledger_of(record: Record, environment: str = "staging") -> Ledger:
    """What the cluster would remember of it now."""
    kept = [each for each in record.archive.whole().releases.values() if each.environment == environment]
    return Ledger(
        record.installation(),
        environment,
        record.archive.counter(),
        {each.id: head_of(each.id, each.lines) for each in kept},
        {each.id: packed(each.lines) for each in kept},
    )


def edit(store: Store) -> None:
    """Bob approved, not Alice; the hash is left as it was."""
    key = store.key("release", "R3", "events")
    stored = store.call("LINDEX", key, 2)
    store.call("LSET", key, 2, stored.replace("alice", "mallory"))


def edit_with_hash(store: Store) -> None:
    """The same, with a hash of its own that is right."""
    key = store.key("release", "R3", "events")
    before, line = (read_line(store.call("LINDEX", key, index)) for index in (1, 2))
    (forged,) = chained(before.hash, [line.text.replace("alice", "mallory")])
    store.call("LSET", key, 2, forged.stored())


def insert(store: Store) -> None:
    """One more approval."""
    key = store.key("release", "R3", "events")
    line = store.call("LINDEX", key, 2)
    store.call("LINSERT", key, "AFTER", line, line.replace("alice", "mallory"))


def remove(store: Store) -> None:
    """An approval that never was."""
    key = store.key("release", "R3", "events")
    store.call("LREM", key, 1, store.call("LINDEX", key, 2))


def reorder(store: Store) -> None:
    """Approved before it was approved by anybody."""
    key = store.key("release", "R3", "events")
    second, third = store.call("LINDEX", key, 2), store.call("LINDEX", key, 3)
    store.call("LSET", key, 2, third)
    store.call("LSET", key, 3, second)


def cut(store: Store) -> None:
    """The end is gone."""
    store.call("RPOP", store.key("release", "R3", "events"))


def take_out(store: Store) -> None:
    """A release is gone, its place in the history as well."""
    store.call("DEL", store.key("release", "R3", "events"), store.key("release", "R3", "environment"))
    store.call("LREM", store.key("environment", "staging", "releases"), 0, "R3")


def swap(store: Store) -> None:
    """Two releases have each other's events."""
    first, second = store.key("release", "R1", "events"), store.key("release", "R3", "events")
    store.call("RENAME", first, store.key("aside"))
    store.call("RENAME", second, first)
    store.call("RENAME", store.key("aside"), second)


def strip(store: Store) -> None:
    """A release's hashes are taken away, as if an earlier version had written it."""
    key = store.key("release", "R3", "events")
    for index in range(6):
        store.call("LSET", key, index, read_line(store.call("LINDEX", key, index)).text)


def relist(store: Store) -> None:
    """The history of an environment leaves a release out."""
    store.call("LREM", store.key("environment", "staging", "releases"), 0, "R3")


def rename(store: Store) -> None:
    """The record says that it is another."""
    store.call("SET", store.key("installation"), "another")


@pytest.mark.requirement("Q4")
@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (edit, "R3, event 3: it, its place, or what was before it was changed"),
        (edit_with_hash, "R3, event 4: it, its place, or what was before it was changed"),
        (insert, "R3, event 4: it, its place, or what was before it was changed"),
        (remove, "R3, event 3: it, its place, or what was before it was changed"),
        (reorder, "R3, event 3: it, its place, or what was before it was changed"),
        (cut, "R3, event 5: it ends with a release that is running"),
        (take_out, "R3: it was opened, and is not in the record any more"),
        (swap, "R3, event 1: it, its place, or what was before it was changed"),
        (strip, "R3, event 1: it carries no hash, and earlier releases do"),
        (relist, "the history of staging does not list its releases in their order"),
        (rename, "R1, event 1: it, its place, or what was before it was changed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_was_done_to_the_record_shows(record: Record, store: Store, tamper: Tamper, says: str) -> None:
    """An untouched record has no problem; after one change, that one is told at its place."""
    history(record)
    assert problems(record) == []
    tamper(store)
    found = problems(record)
    assert any(line.startswith(says) for line in found), found
    if tamper is not rename and tamper is not swap:
        blamed = {line.split(",")[0].split(":")[0] for line in found if line.startswith("R")}
        assert blamed <= {"R3", "R4"} - ({"R4"} if tamper not in {strip, take_out} else set())


def cut_and_free(store: Store) -> None:
    """The newest release is cut back to what could be its end: nothing in the record contradicts it."""
    key = store.key("release", "R4", "events")
    for _ in range(5):
        store.call("RPOP", key)
    forged = e.PlanRefused(at=T0, reason="it never happened")
    (line,) = chained(read_line(store.call("LINDEX", key, 0)).hash, [text_of(forged)])
    store.call("RPUSH", key, line.stored())


def forget_newest(store: Store) -> None:
    """The newest release has never been."""
    store.call("DEL", store.key("release", "R4", "events"), store.key("release", "R4", "environment"))
    store.call("LREM", store.key("environment", "staging", "releases"), 0, "R4")
    store.call("DECR", store.key("releases"))


@pytest.mark.requirement("Q4")
@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (
            cut_and_free,
            "R4, event 2: the record ends here, and the ledger in buzzy-staging remembers 6 events",
        ),
        (forget_newest, "R4: it is in the ledger in buzzy-staging, not in the record"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_the_record_alone_cannot_show_the_ledger_does(
    record: Record, store: Store, tamper: Tamper, says: str
) -> None:
    """Cutting off the end consistently leaves a record that could be true; the cluster remembers better."""
    history(record)
    ledgers = ledger_of(record), ledger_of(record, "production")
    assert problems(record, *ledgers) == []
    tamper(store)
    assert problems(record) == []
    assert says in problems(record, *ledgers)


@pytest.mark.requirement("Q4")
def test_events_of_an_earlier_version_are_read_and_proven_from_then_on(record: Record, store: Store) -> None:
    """They carry no hash; what is written behind them is chained to them, so a later edit of them shows."""
    history(record)
    record.open(requested("staging"), delivery="open at the upgrade")
    store.call("DEL", store.key("installation"), store.key("opened"))
    for release in range(1, 6):
        key = store.key("release", f"R{release}", "events")
        for index, stored in enumerate(store.call("LRANGE", key, 0, -1)):
            store.call("LSET", key, index, read_line(stored).text)
    assert record.load("R3").release.ended
    record.append(record.load("R5"), [e.PlanRefused(at=T0, reason="nothing to do")])
    record.open(requested("staging"), delivery="newer")
    store.call("HDEL", store.key("environment", "staging"), "release")
    record_now = record.archive.whole()
    verdict = verifying.of_record(record_now)
    (problem,) = verdict.problems
    assert (problem.release, problem.position) == ("R6", 1)
    assert "does not hold staging any more" in problem.what
    assert verdict.notes[0].startswith("5 releases begin with events that an earlier version wrote")
    stored = store.call("LINDEX", key, 0)
    store.call("LSET", key, 0, stored.replace("alice", "mallory"))
    assert any(line.startswith("R5, event 2: it, its place") for line in problems(record))


@pytest.mark.requirement("Q1")
def test_a_redis_that_loses_its_data_is_warned_of(store: Store) -> None:
    """In the log of whoever starts, with what to set."""
    with capture_logs() as logs:
        health.warn(store)
    (warning,) = logs
    assert warning["log_level"] == "warning"
    assert "keeps nothing over a restart" in warning["why"]
    assert "redis-cli CONFIG SET appendonly yes" in warning["fix"]


@pytest.mark.requirement("Q1", "Q4")
def test_a_forged_last_event_is_not_built_upon(record: Record, store: Store) -> None:
    """Whoever read the record before it was changed is told to look again."""
    held = record.open(requested(), delivery="d1")
    key = store.key("release", "R1", "events")
    forged = "0" * 64 + store.call("LINDEX", key, 0)[64:]
    store.call("LSET", key, 0, forged)
    with pytest.raises(MovedError):
        record.append(held, [e.PlanRefused(at=T0, reason="no")])
