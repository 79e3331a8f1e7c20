"""What a waiting release wants of whom, and how that is told."""

from __future__ import annotations

import pytest

from bot.messages.approvals import Awaiting, approvals_message
from releases import events as e
from releases.awaiting import Wanted, wanted
from releases.checklist import Item, Outcome
from releases.lifecycle import Release
from releases.people import Person, Standing
from tests.unit.bot_reading import button_labels, read
from tests.unit.bot_tales import ALICE, BOB, CAROL, MONDAY, TWO_APPROVALS, Teller, plan

READ = Item(name="release notes read", outcome=Outcome.WAITING, by=("S0APPROVERS",))
SIGNED = Item(name="signed", outcome=Outcome.WAITING, by=("U0DAN",))
ALERT = Item(name="alerts", outcome=Outcome.RED, evidence="the alert of R3 is open", fix="roll back")
GROUP = frozenset({"S0APPROVERS"})


def waiting(*items: Item, approvals: tuple[e.Actor, ...] = ()) -> Release:
    """A release that two have to agree to, with this checklist."""
    made = plan().model_copy(update={"checklist": items})
    return Teller(made, TWO_APPROVALS).asked(reason="fix export").planned().approved(*approvals).release()


def person(actor: e.Actor, *, groups: frozenset[str] = GROUP) -> Person:
    """Somebody, an approver unless it is said otherwise."""
    return Person(actor.id, actor.name, Standing.MEMBER, groups)


@pytest.mark.requirement("C8")
@pytest.mark.parametrize(
    ("release", "who", "expected"),
    [
        (waiting(), person(BOB), Wanted(approval=True)),
        (waiting(), person(ALICE), Wanted()),
        (waiting(), person(BOB, groups=frozenset()), Wanted()),
        (waiting(), Person(BOB.id, BOB.name, Standing.GUEST, GROUP), Wanted()),
        (waiting(approvals=(BOB,)), person(BOB), Wanted()),
        (waiting(approvals=(BOB,)), person(CAROL), Wanted(approval=True)),
        (waiting(READ), person(BOB), Wanted(approval=True, ticks=("release notes read",))),
        (waiting(READ), person(ALICE), Wanted(ticks=("release notes read",))),
        (waiting(SIGNED), Person("U0DAN", "dan"), Wanted(ticks=("signed",))),
        (waiting(ALERT), person(BOB), Wanted()),
    ],
    ids=[
        "an-approver",
        "who-asked-for-it",
        "no-approver",
        "a-guest",
        "who-has-approved",
        "one-more",
        "approval-and-tick",
        "a-tick-of-who-asked",
        "a-tick-alone",
        "something-to-mend",
    ],
)
def test_it_wants_what_would_count(release: Release, who: Person, expected: Wanted) -> None:
    """Exactly what the rules would accept from this person, and nothing else."""
    assert wanted(release, who, MONDAY) == expected


def test_nothing_is_wanted_before_the_plan_and_after_the_quorum() -> None:
    """There is nothing to agree to yet, or any more."""
    assert not wanted(Teller(approval=TWO_APPROVALS).asked().release(), person(BOB), MONDAY)
    gone_on = waiting(approvals=(BOB, CAROL))
    assert not wanted(gone_on, person(BOB), MONDAY)


@pytest.mark.requirement("C8")
def test_what_waits_for_the_reader_comes_first_and_with_its_buttons() -> None:
    """Each with its link and what it wants; what waits for others says for whom."""
    mine = Awaiting(waiting(READ), Wanted(True, ("release notes read",)), "https://example.com/p1")
    others = Awaiting(waiting(SIGNED, approvals=(BOB,)), Wanted())
    told = approvals_message((others, mine), "buzzy")
    assert told.text == "1 release waits for you."
    assert read(told).splitlines() == [
        "Waiting for you",
        "🟡 R42 · buzzy 3.2.0 → 3.2.1 · staging — waiting for 2 of 2 approvals and 1 tick",
        "it wants your approval · your tick: release notes read",
        "asked by @U0ALICE · “fix export”",
        "[ Approve R42 ] [ ☑ release notes read ]",
        "Waiting for others",
        "🟡 R42 · buzzy 3.2.0 → 3.2.1 · staging — waiting for 1 of 2 approvals and 1 tick",
        (
            "✅ @U0BOB <2026-11-23 14:00 UTC>   ⬜ one more of @S0APPROVERS (not @U0ALICE) · expires "
            "<2026-11-23 18:00 UTC> · checklist: signed"
        ),
    ]
    assert "https://example.com/p1" in str(told.payload())


def test_nothing_waits() -> None:
    """That is said, and no button is shown."""
    told = approvals_message((), "buzzy")
    assert (told.text, button_labels(told)) == ("Nothing waits for you.", [])
