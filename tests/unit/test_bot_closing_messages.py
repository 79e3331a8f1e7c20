"""What is told of locks, freezes and schedules: the first line says it, and Slack takes it all."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from bot.messages import Message
from bot.messages.calendar import Agenda, Entry, calendar_message
from bot.messages.closing import closed_message, closed_until_message, in_brief, waiting_message
from bot.messages.notices import notice_message, planned_message
from bot.messages.release import release_message
from bot.messages.thread import thread_message
from releases import events as e
from releases import grammar
from releases import notices as n
from releases.closing import CalendarFreeze, Closed, Closure, Unreadable, Waiter
from releases.lifecycle import State, fold
from releases.schedule import Scheduled
from releases.version import Version
from sandbox.workspace.blocks import check_message
from tests.unit.bot_reading import elements
from tests.unit.bot_tales import ALICE, BOB, CAROL, MONDAY, TWO_APPROVALS, plan
from tests.unit.test_bot_message_limits import LIMITS, OURS, long_words, words

ZONE = ZoneInfo("Europe/Berlin")
RELEASE = grammar.Release(Version.parse("3.2.1"), "production")
TOLD = {"at": MONDAY, "channel": "C0RELEASES"}


def closure(reason: str, **more: object) -> Closure:
    """Bob's lock of production."""
    made = {"kind": "lock", "place": "production", "by": BOB, "reason": reason, "at": MONDAY, "claim": "x"}
    return Closure.model_validate({**made, **more})


def scheduled(text: str) -> Scheduled:
    """Alice's release for later."""
    due = MONDAY + timedelta(hours=20)
    line = f'release 3.2.1 production --reason "{text}"'
    return Scheduled(
        id="S3", environment="production", version=text, line=line, by=ALICE, at=MONDAY, due=due, train=None
    )


def everything(text: str) -> list[Message]:
    """Every message of this kind, with a text in it that somebody wrote."""
    lock, freeze = closure(text), closure(text, kind="freeze", until=MONDAY, place="all")
    waiter, schedule = Waiter(by=ALICE, line=f"release {text}", at=MONDAY), scheduled(text)
    standing = (lock, freeze, Unreadable("lock", "all"), CalendarFreeze(text, MONDAY, "U0CAROL"))
    notices: list[n.Notice] = [
        n.Closed(**TOLD, closure=lock, before=freeze, in_the_way="R42"),
        n.Opened(**TOLD, closure=freeze, by=CAROL),
        n.Opened(**TOLD, closure=lock, by=e.BUZZY),
        n.Turn(**TOLD, environment="production", waiter=waiter, behind=(waiter,) * 20),
        n.Reminded(**TOLD, closure=lock),
        n.Planned(**TOLD, schedule=schedule, warning=text),
        n.Unplanned(**TOLD, schedule=schedule, by=BOB),
        n.Missed(**TOLD, schedule=schedule),
        n.NotDone(**TOLD, schedule=schedule, problem=text),
        n.TrainEmpty(**TOLD, train="monthly", environment="production", leaves=MONDAY, owner="S0APPROVERS"),
    ]
    entries = (*(Entry(MONDAY, closed=each) for each in standing), Entry(MONDAY, schedule=schedule))
    agenda = Agenda("production", (*entries * 10, Entry(MONDAY, text=text, until=MONDAY)), (text,))
    return [
        *(notice_message(notice) for notice in notices),
        *(closed_message(Closed("production", s), RELEASE, ZONE, MONDAY, ("S0APPROVERS",)) for s in standing),
        closed_until_message(lock, "R42"),
        closed_until_message(freeze, None),
        waiting_message("production", waiter, 3),
        planned_message(schedule, text, MONDAY, ZONE),
        calendar_message((agenda,)),
        calendar_message((agenda,) * 30),
    ]


@pytest.mark.requirement("C2")
@LIMITS
@given(text=words | long_words)
def test_slack_takes_each_of_them_and_nobody_else_is_mentioned(text: str) -> None:
    """Whatever the reason is, or the version, or the line that somebody typed."""
    for message in everything(text):
        check_message(message.payload()["blocks"])
        for element in elements(message):
            if element.get("type") in {"user", "usergroup"}:
                assert element.get("user_id", element.get("usergroup_id")) in OURS
            assert element.get("type") not in {"broadcast", "channel"}


@pytest.mark.requirement("C7", "X3")
def test_the_first_line_says_what_and_what_to_do() -> None:
    """The sentence of each, as a phone shows it."""
    assert [message.sentence for message in everything("audit")][:18] == [
        "🔒 production is locked by bob: “audit”",
        "☀️ carol ended the freeze of all environments",
        "🔓 The lock of production by bob has run out",
        "alice, production is open, and you are next:",
        "bob, production is still locked by you, since 2026-11-23 14:00 UTC",
        "🗓️ S3 · audit to production is due 2026-11-24 10:00 UTC",
        "🗓️ S3 · audit to production was taken off the calendar by bob",
        "alice, S3 · audit to production was due 2026-11-24 10:00 UTC",
        "alice, S3 · audit to production was due and was refused:",
        "…, the train monthly to production leaves 2026-11-23 14:00 UTC with nothing on it",
        "production is locked by bob: “audit”.",
        "Every environment is frozen until 15:00 CET (audit, bob).",
        "Every environment is closed by a lock that cannot be read.",
        "production is frozen until 15:00 CET (audit).",
        "production is locked.",
        "Every environment is frozen.",
        "You are number 3 in line for production.",
        "S3 · audit to production is asked for on Tue 24 Nov 11:00 CET.",
    ]


@pytest.mark.requirement("C7")
def test_a_table_has_the_times_of_its_environment() -> None:
    """In monospace nobody's own time can be shown, so the zone stands beside it."""
    until = MONDAY + timedelta(hours=3)
    shown = [
        in_brief(each, MONDAY, ZONE)
        for each in (
            closure("audit", until=until),
            closure("incident", place="all"),
            closure("year-end", kind="freeze", until=until + timedelta(days=7)),
            CalendarFreeze("weekend", None, None),
            Unreadable("lock", "production"),
        )
    ]
    assert shown == [
        "🔒 @bob: “audit” until 18:00 CET",
        "🔒 (all) @bob: “incident”",
        "❄️ frozen until Mon 30 Nov 18:00 CET (year-end, @bob)",
        "❄️ frozen (weekend)",
        "🔒 a lock that cannot be read",
    ]


@pytest.mark.requirement("C2", "X3")
def test_a_release_that_is_held_says_for_what_it_waits() -> None:
    """On its message, with the way to stop it; and in its thread, to who asked for it."""
    passed = (
        e.Passage(kind="freeze", what="the calendar's freeze (x)", right="bob may pass it", reason="y"),
    )
    asked = e.ReleaseRequested(
        at=MONDAY,
        kind="release",
        environment="production",
        version="3.2.1",
        strategy="rolling",
        by=ALICE,
        channel="C0RELEASES",
        approval=TWO_APPROVALS,
        passed=passed,
    )
    made = plan(environment="production")
    held = e.ReleaseHeld(at=MONDAY, because="production is locked by bob: “audit”.")
    happened: list[e.Event] = [
        asked,
        e.PlanProposed(at=MONDAY, plan=made),
        e.Approved(at=MONDAY, digest=made.digest),
        held,
    ]
    release = fold("R1", happened)
    assert release.state is State.HELD
    message = release_message(release, "buzzy")
    assert "approved, waits until the environment opens" in message.sentence
    assert "production is locked by bob" in str(message.payload())
    assert "Abort" in str(message.payload())
    line = thread_message(release, held, "buzzy")
    assert line is not None
    assert line.sentence == "✋ alice, it waits: production is locked by bob: “audit”."
    opened = fold("R1", [*happened, e.HoldEnded(at=MONDAY)])
    assert (opened.state, opened.held) == (State.APPROVED, None)
    first = thread_message(fold("R1", happened[:1]), asked, "buzzy")
    assert first is not None
    assert "It passes the calendar's freeze (x): bob may pass it: “y”" in str(first.payload())
