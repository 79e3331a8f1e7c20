"""The terminal's pure parts: who sits there, how a message reads, what an end means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.messages.parts import code, lines, message, phrase, room, who, whom
from bot.messages.release import release_message
from bot.messages.terminal import text_of, to_type
from bot.messages.thread import thread_message
from bot.terminal.identity import Account, NotKnownError, person_of
from bot.terminal.outcome import Exit, exit_of
from releases import approval
from releases import events as e
from releases.config import ConfigError, parse_config
from releases.lifecycle import ENDED, State, fold
from releases.people import Person
from releases.policy import Refusal
from tests.unit.bot_tales import ALICE, BOB, MONDAY, TWO_APPROVALS, Teller, plan

SECTION = """
operators: {alice: U0ALICE, "CORP\\\\bob": U0BOB, carol.c@example.com: U0CAROL}
services: [{name: buzzy-main, image: buzzybuzz/buzzy-main}]
environments: {staging: {namespace: buzzy-staging, channel: C0STAGING}}
"""
CONFIG = parse_config(SECTION)


@pytest.mark.requirement("X10", "C11")
@pytest.mark.parametrize(
    ("account", "is_"),
    [
        (Account(1000, "alice", None, None), "U0ALICE"),
        (Account(1000, "alice", 1000, "alice"), "U0ALICE"),
        (Account(1001, "CORP\\bob", None, None), "U0BOB"),
        (Account(1002, "carol.c@example.com", None, None), "U0CAROL"),
    ],
)
def test_an_operator_is_who_the_configuration_says(account: Account, is_: str) -> None:
    """By the name that belongs to the user id, whether or not the system knows who logged in."""
    assert person_of(account, CONFIG) == is_


@pytest.mark.requirement("X10", "C11")
@pytest.mark.parametrize(
    ("account", "says"),
    [
        (Account(1003, "dan", None, None), "operators:\n      dan: U…"),
        (Account(0, "root", None, None), "root is nobody in particular"),
        (Account(0, "alice", 1000, "alice"), "root is nobody in particular"),
        (Account(1000, "alice", 1003, "dan"), "Run this as dan, without sudo or su."),
        (Account(1000, "alice", 0, "root"), "You logged in as root"),
    ],
    ids=["not named", "root", "another name of root", "su", "root became alice"],
)
def test_whoever_cannot_be_vouched_for_is_told_what_to_do(account: Account, says: str) -> None:
    """Root is everybody, and somebody who became another user is not that person."""
    with pytest.raises(NotKnownError) as caught:
        person_of(account, CONFIG)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("operators", "says"),
    [
        ("{root: U0ALICE}", "operators.root: is the account of everybody who administers the machine"),
        ("{alice: S0APPROVERS}", "must be the id of a person"),
        ("{alice: alice}", "must be the id of a person"),
        ('{"": U0ALICE}', "must be the name of a user of the operating system"),
    ],
)
def test_what_operators_cannot_be(operators: str, says: str) -> None:
    """Root, a group, a name of Slack, nobody."""
    with pytest.raises(ConfigError) as caught:
        parse_config(SECTION.replace(SECTION.splitlines()[1], f"operators: {operators}"))
    assert says in str(caught.value)


@pytest.mark.requirement("X10")
def test_a_message_reads_the_same_as_in_slack() -> None:
    """Names instead of mentions, times, bars; lines of a shell; no buttons."""
    teller = Teller(approval=TWO_APPROVALS).asked().planned()
    shown = text_of(release_message(teller.release(), "buzzy"), {"S0APPROVERS": "approvers"})
    assert "🟡 R42 · buzzy 3.2.0 → 3.2.1" in shown
    assert "@approvers (not alice)" in shown
    assert "2026-11-23" in shown
    assert "UTC" in shown
    assert "Approve" not in shown
    told = thread_message(teller.release(), teller.events[-1], "buzzy")
    assert told is not None
    assert "\n    1. " in text_of(told, {})


def test_lines_to_copy_are_lines_of_a_shell() -> None:
    """Quoted so that a shell hands them over as they are."""
    shown = text_of(
        message(
            "x",
            lines(
                phrase("Stop it with ", code('/buzzy abort R1 --reason "it\'s late"')),
                phrase("Commands: a, b · /buzzy help abort"),
                phrase("see ", room("C0DEV"), " or ", whom("U0BOB"), ", ", whom("U0X"), ", ", who(ALICE)),
            ),
        ),
        {"C0DEV": "development", "U0BOB": "bob"},
    )
    assert shown.splitlines() == [
        """Stop it with buzzy do 'abort R1 --reason "it'"'"'s late"'""",
        "Commands: a, b · buzzy do 'help abort'",
        "see #development or @bob, @U0X, alice",
    ]
    assert to_type("/buzzy status") == "buzzy do status"


@pytest.mark.parametrize("state", sorted(ENDED))
def test_every_end_has_an_exit_code(state: State) -> None:
    """0 only when it ended as it was asked to."""
    release = replace(Teller(approval=TWO_APPROVALS).asked().release(), state=state)
    assert (exit_of(release, "go") is Exit.DONE) == (state is State.RELEASED)
    stopped = {State.ROLLED_BACK, State.CANCELLED}
    assert (exit_of(release, "stop") is Exit.DONE) == (state in stopped)


@pytest.mark.requirement("Q3")
def test_a_typed_yes_means_the_plan_that_was_there() -> None:
    """One that was proposed after the line was typed is one that its author has not seen."""
    release = Teller(approval=TWO_APPROVALS).asked().planned().release()
    assert release.planned_at is not None
    bob = Person("U0BOB", "bob", groups=frozenset({"S0APPROVERS"}))
    earlier, later = (release.planned_at + timedelta(seconds=by) for by in (-1, 1))
    refused = approval.approve(release, bob, later, via="command", digest=None, said_at=earlier)
    assert isinstance(refused, Refusal)
    assert "has changed since" in refused.problem
    given = approval.approve(release, bob, later, via="command", digest=None, said_at=later)
    assert isinstance(given, tuple)
    assert given[0].event == "approval_given"


@pytest.mark.requirement("Q1")
def test_events_of_an_earlier_version_are_still_read() -> None:
    """A request and an abort without `via`, an approval by button: they came from Slack."""
    happened = Teller(approval=TWO_APPROVALS).asked().planned().events
    texts = [e.dump_event(event).replace(',"via":"slack"', "") for event in happened]
    assert not any("via" in text for text in texts)
    given = e.ApprovalGiven(at=MONDAY, by=BOB, digest=plan().digest, via="button")
    abort = e.dump_event(e.AbortRequested(at=MONDAY, by=ALICE)).replace(',"via":"slack"', "")
    loaded = [e.load_event(text) for text in (*texts, e.dump_event(given), abort)]
    release = fold("R42", loaded)
    assert release.request.via == "slack"
    assert release.abort is not None
    assert release.abort.via == "slack"
