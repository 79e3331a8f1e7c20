"""What people read of gates and of the moment before a start: on a phone, at night."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.messages.gates import answered_message, escalation_message
from bot.messages.release import release_message
from bot.messages.thread import thread_message
from releases import events as e
from releases.checklist import Item, Outcome
from releases.lifecycle import Release
from tests.unit.bot_reading import button_labels, read
from tests.unit.bot_tales import BOB, CAROL, TWO_APPROVALS, Teller, plan

URL = "https://slack.example/archives/C0STAGING/p1"
TICKED = Item(name="release notes read", outcome=Outcome.WAITING, evidence="not yet", by=("S0APPROVERS",))
RED = Item(name="capacity", outcome=Outcome.RED, evidence="no room for 3 pods", fix="raise the quota")


def asking(*checklist: Item) -> Teller:
    """A release whose plan waits, with this checklist."""
    made = plan().model_copy(update={"checklist": checklist})
    return Teller(made, TWO_APPROVALS).asked(reason="fix export").planned()


def reminded(teller: Teller) -> list[str]:
    """The lines of a reminder two hours later."""
    teller.passes(hours=2)
    teller.happens(e.GateReminded(at=teller.now))
    told = thread_message(teller.release(), teller.events[-1], "buzzy")
    assert told is not None
    return read(told).split("\n")


@pytest.mark.requirement("X2")
def test_a_reminder_says_what_waits_whose_it_is_until_when_and_how_to_answer() -> None:
    """Those who can answer are mentioned; how many are missing is said."""
    first, second, third = reminded(asking().approved(BOB))
    assert first == (
        "⏰ @S0APPROVERS · R42 · buzzy 3.2.0 → 3.2.1 · staging · waiting for 1 of 2 approvals, for 2 h"
    )
    assert second == "asked by @U0ALICE: “fix export” · expires <2026-11-23 18:00 UTC>"
    assert third == "✅ or ❌ on the message above, its buttons, or /buzzy approve R42, /buzzy refuse R42"


@pytest.mark.requirement("X2", "D1")
def test_a_reminder_is_for_whoever_can_do_what_is_missing() -> None:
    """A tick is for those who tick, a mended thing for who asked."""
    first, _, third = reminded(asking(TICKED).happens(*_given(BOB, CAROL)))
    assert first.startswith("⏰ @S0APPROVERS · R42")
    assert third == "To tick on the message above: release notes read"
    first, _, third = reminded(asking(RED))
    assert first.startswith("⏰ @U0ALICE · R42")
    mend = "To mend it: raise the quota · then press Look again on the message above"
    assert third == f"capacity: no room for 3 pods · {mend}"


def _given(*people: e.Actor) -> tuple[e.Event, ...]:
    at = asking(TICKED).now
    digest = asking(TICKED).plan.digest
    return tuple(e.ApprovalGiven(at=at, by=by, digest=digest, via="reaction") for by in people)


def held() -> Teller:
    """A release that everybody agreed to, and that a lock holds back."""
    teller = asking().approved(BOB, CAROL)
    return teller.happens(e.ReleaseHeld(at=teller.now, because="staging is locked by carol: “audit”."))


@pytest.mark.requirement("X2", "C7")
def test_a_release_that_is_held_reminds_who_asked_and_says_why() -> None:
    """Approvers have answered already."""
    first, _, third = reminded(held())
    assert first.startswith("⏰ @U0ALICE · R42")
    assert "waits until the environment opens, for 2 h" in first
    assert third == "staging is locked by carol: “audit”."


@pytest.mark.requirement("X2")
def test_on_call_is_told_with_a_link_and_can_answer_there() -> None:
    """The first line alone says what it is about; the buttons carry the plan."""
    waiting = asking().release()
    told = escalation_message(waiting, "buzzy", "S0ONCALL", URL)
    first, second, third, fourth, *_ = read(told).split("\n")
    assert first == (
        "🔔 R42 · buzzy 3.2.0 → 3.2.1 · staging: waiting for 2 of 2 approvals, for 0 s — @S0ONCALL"
    )
    assert "R42's message" in second
    assert third == "It waits for @S0APPROVERS"
    assert fourth.startswith("✅ or ❌ on its message, its buttons, or")
    assert button_labels(told) == ["Approve", "Refuse", "Plan"]
    assert waiting.plan is not None
    assert waiting.plan.digest in str(told.payload())
    assert button_labels(escalation_message(held().release(), "buzzy", None, URL)) == ["Plan", "Stop it"]
    assert button_labels(escalation_message(asking(RED).release(), "buzzy", None, URL)) == ["Plan"]


@pytest.mark.requirement("X2")
@pytest.mark.parametrize(
    ("end", "says"),
    [
        (e.ReleaseExpired(at=asking().now), "expired: nobody decided in time, nothing was changed"),
        (
            e.ReleaseRefused(at=asking().now, by=BOB, via="button"),
            "refused, nothing was changed",
        ),
        (e.ReplanRequested(at=asking().now, because="it moved"), "it is planned again"),
        (e.Approved(at=asking().now, digest=plan().digest), "it was answered, nobody is waited for"),
    ],
    ids=["expired", "refused", "planned again", "approved"],
)
def test_what_on_call_was_told_ends_with_how_it_ended(end: e.Event, says: str) -> None:
    """No button is left that does nothing."""
    told, now = asking().release(), asking().happens(end).release()
    message = answered_message(told, now, "buzzy", URL)
    assert read(message).split("\n")[:2] == ["✅ R42 · buzzy 3.2.0 → 3.2.1 · staging", says]
    assert button_labels(message) == []


@pytest.mark.requirement("X2", "C7")
def test_what_was_held_too_long_says_that_nobody_was_slow() -> None:
    """They had decided; the environment did not open."""
    teller = held()
    teller.happens(e.ReleaseExpired(at=teller.now))
    headline = "expired: staging did not open in time, nothing was changed"
    assert headline in read(release_message(teller.release(), "buzzy"))
    told = thread_message(teller.release(), teller.events[-1], "buzzy")
    assert told is not None
    assert headline.capitalize() in read(told)


def in_the_moment(seconds: int) -> Teller:
    """All have agreed, and it starts in so many seconds."""
    teller = asking().approved(BOB)
    digest = teller.plan.digest
    starts_at = teller.now + timedelta(seconds=seconds)
    given = e.ApprovalGiven(at=teller.now, by=CAROL, digest=digest, via="button")
    return teller.happens(given, e.MomentBegan(at=teller.now, digest=digest, starts_at=starts_at))


@pytest.mark.requirement("X5")
def test_in_the_moment_the_message_says_when_it_starts_and_can_be_stopped() -> None:
    """Both lines that a phone shows; who agreed stays."""
    message = release_message(in_the_moment(10).release(), "buzzy")
    lines = read(message).split("\n")
    assert lines[0] == (
        "🔵 R42 · buzzy 3.2.0 → 3.2.1 · staging — approved, starts in a moment · at <2026-11-23 14:00 UTC>"
    )
    assert "@U0BOB" in lines[2]
    assert "@U0CAROL" in lines[2]
    assert lines[3] == "Nothing is changed yet: whoever is involved can stop it."
    assert button_labels(message) == ["Stop", "Plan"]


@pytest.mark.requirement("X5", "Q3")
def test_the_thread_has_the_moment_once_and_says_when_slack_could_not_be_asked() -> None:
    """A reading without a moment is nobody's news."""
    for seconds, says in ((10, "⏳ Starts at <2026-11-23 14:00 UTC> unless somebody stops it"), (0, None)):
        teller = in_the_moment(seconds)
        told = thread_message(teller.release(), teller.events[-1], "buzzy")
        assert (None if told is None else read(told)) == says
    teller = in_the_moment(10)
    teller.happens(e.Approved(at=teller.now, digest=teller.plan.digest, unread=True))
    told = thread_message(teller.release(), teller.events[-1], "buzzy")
    assert told is not None
    assert "Slack could not be asked whether all approvals still stand: those on the record count" in read(
        told
    )


@pytest.mark.requirement("X2")
def test_the_longest_of_all_still_fits_into_a_message() -> None:
    """Long names and reasons are cut; the buttons stay."""
    long = "x" * 5_000
    bad = RED.model_copy(update={"name": long, "evidence": long, "fix": long})
    release: Release = (
        Teller(plan().model_copy(update={"checklist": (bad,)}), TWO_APPROVALS)
        .asked(reason=long)
        .planned()
        .release()
    )
    told = escalation_message(release, "buzzy", "S0ONCALL", URL)
    assert len(str(told.payload())) < 13_000
    assert button_labels(told) == ["Plan"]
