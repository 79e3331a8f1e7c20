"""The moment before a start, and the approvals that are read again: a workspace, a real bot and Redis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from releases import events as e
from releases.lifecycle import State
from sandbox.workspace import Message
from sandbox.workspace.settings import SUBSCRIPTIONS, Settings
from tests.integration.bot_house import (
    CONFIG,
    PRODUCTION,
    STAGING,
    TICK,
    House,
    eventually,
    now,
    open_house,
)

LONG = CONFIG.replace("from: [S0APPROVERS]}", "from: [S0APPROVERS]}\n    grace: 5m")
"""Staging has a moment that no test outlasts."""

SHORT = CONFIG.replace("from: [S0APPROVERS]}", "from: [S0APPROVERS]}\n    grace: 3s")


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot whose staging has a long moment."""
    with open_house(redis_url, config=LONG) as opened:
        yield opened


def about_to_start(house: House) -> Message:
    """A release to staging that Bob has approved by reaction."""
    message = house.ready_for_approval()
    house.person("bob").react(message, TICK)
    return house.until(message, "starts in a moment")


def state(house: House) -> State:
    """Where the first release stands."""
    return house.record.load("R1").release.state


def over(house: House) -> None:
    """The moment passes: it began five minutes ago, as far as the record knows."""
    moment = house.record.load("R1").release.moment
    assert moment is not None
    house.append("R1", e.ApprovalWithdrawn(at=now(), by=e.Actor(id="U0BOB", name="bob")))
    given = e.ApprovalGiven(
        at=now(), by=e.Actor(id="U0BOB", name="bob"), digest=moment.digest, via="reaction"
    )
    past = e.MomentBegan(at=now() - timedelta(minutes=5), digest=moment.digest, starts_at=now())
    house.append("R1", given, past)


@pytest.mark.requirement("X5", "C2")
def test_the_message_says_when_it_starts_and_has_one_button_to_stop_it(house: House) -> None:
    """The reader's own time; no question before the click; the thread has it as well."""
    message = about_to_start(house)
    moment = house.record.load("R1").release.moment
    assert moment is not None
    assert str(int(moment.starts_at.timestamp())) in str(message.blocks)
    assert "Stop" in message.buttons
    assert "Abort" not in message.buttons
    stop = next(
        each
        for block in message.blocks
        for each in block.get("elements", [])
        if each.get("action_id") == "abort"
    )
    assert "confirm" not in stop
    house.person("alice").wait_for_reply(message, "unless somebody stops it")


@pytest.mark.requirement("X5", "C11")
@pytest.mark.parametrize("who", ["alice", "carol"])
def test_one_click_stops_it_and_nothing_was_changed(house: House, who: str) -> None:
    """Alice asked for it, Carol is another approver."""
    message = about_to_start(house)
    house.person(who).click(message, "Stop")
    house.until(message, "cancelled, nothing was changed")
    assert state(house) is State.CANCELLED
    assert house.record.holder("staging") is None
    assert "approved" not in [event.event for event in house.record.events("R1")]


@pytest.mark.requirement("X5", "C11")
def test_a_guest_stops_nothing(house: House) -> None:
    """They are told why, and it goes on."""
    message = about_to_start(house)
    house.person("gus").click(message, "Stop")
    house.person("gus").wait_for_ephemeral(STAGING, "members of this workspace")
    assert state(house) is State.ABOUT_TO_START


@pytest.mark.requirement("Q3", "C3", "X5")
def test_a_reaction_taken_back_in_the_moment_takes_the_approval_back(house: House) -> None:
    """It waits again, with the buttons that it had; another approver begins another moment."""
    message = about_to_start(house)
    house.person("bob").unreact(message, TICK)
    house.until(message, "waiting for approval")
    house.person("alice").wait_for_reply(message, "took the approval back")
    house.person("carol").react(message, TICK)
    house.until(message, "starts in a moment")


@pytest.mark.requirement("Q3")
def test_a_reaction_whose_removal_nobody_heard_of_is_missed_before_the_start(redis_url: str) -> None:
    """Slack lost the event; what stands on the message when the moment has passed is what counts."""
    deaf = Settings(subscriptions=SUBSCRIPTIONS - {"reaction_removed"})
    with open_house(redis_url, config=SHORT, workspace_settings=deaf) as house:
        message = about_to_start(house)
        house.person("bob").unreact(message, TICK)
        house.until(message, "waiting for approval")
        assert "approved" not in [event.event for event in house.record.events("R1")]


@pytest.mark.requirement("Q3", "C11")
@pytest.mark.parametrize("change", ["left the group", "deactivated"])
def test_who_may_not_approve_any_more_lets_nothing_start(house: House, change: str) -> None:
    """Bob's reaction is still there, and Bob is no approver now."""
    message = about_to_start(house)
    if change == "left the group":
        house.workspace.set_group("S0APPROVERS", ["U0CAROL"])
    else:
        house.workspace.deactivate("U0BOB")
    over(house)
    house.until(message, "waiting for approval")
    house.person("alice").wait_for_reply(message, "bob may not approve any more")


@pytest.mark.requirement("Q3", "X5")
def test_what_still_stands_starts_by_itself_when_the_moment_has_passed(redis_url: str) -> None:
    """Read from Slack once more, then approved: not earlier than the message said."""
    with open_house(redis_url, config=SHORT) as house:
        about_to_start(house)
        eventually(lambda: state(house) is State.APPROVED, "it is approved")
        release = house.record.load("R1").release
        assert release.moment is not None
        assert release.approved is not None
        assert release.approved.at >= release.moment.starts_at
        assert not release.approved.unread
        eventually(lambda: house.queue.holds("deployment", "advance", "R1"), "a worker is told")


@pytest.mark.requirement("Q1", "X5")
def test_a_bot_that_died_in_the_moment_is_replaced_by_any_other(redis_url: str) -> None:
    """What is about to start stands in the record; whoever comes next confirms it."""
    with open_house(redis_url, config=SHORT) as house:
        about_to_start(house)
        house.stop()
        moment = house.record.load("R1").release.moment
        assert moment is not None
        eventually(lambda: now() > moment.starts_at, "the moment has passed")
        assert state(house) is State.ABOUT_TO_START
        house.start()
        eventually(lambda: state(house) is State.APPROVED, "it is approved")


@pytest.mark.requirement("Q1", "Q3")
def test_a_slack_that_does_not_answer_is_asked_again(house: House) -> None:
    """Nothing starts on what nobody has read; it starts as soon as it could be."""
    about_to_start(house)
    house.workspace.fail("reactions.get", status=500, times=2)
    over(house)
    eventually(lambda: state(house) is State.APPROVED, "it is approved", seconds=20)
    calls = [call["ok"] for call in house.workspace.calls("reactions.get")]
    assert calls[-3:] == [False, False, True]


@pytest.mark.requirement("X2", "C2")
def test_a_gate_reminds_its_approvers_then_tells_on_call_and_takes_that_back(house: House) -> None:
    """On a phone at night: what waits, whose it is, until when, how to answer; and that it is answered."""
    message = house.ready_for_approval("/buzzy release 3.2.1 production", PRODUCTION)
    house.append("R1", e.GateReminded(at=now()))
    told = house.person("bob").wait_for_reply(message, "R1 · buzzy 3.2.0 → 3.2.1 · production")
    assert "S0APPROVERS" in str(told.blocks)
    for words in ("waiting for 2 of 2 approvals", "asked by", "expires", "/buzzy approve R1"):
        assert words in told.shown
    house.append("R1", e.GateEscalated(at=now()))
    alert = house.person("erin").wait_for_message("C0ONCALL", "waiting for 2 of 2 approvals")
    assert "S0ONCALL" in str(alert.blocks)
    assert "S0APPROVERS" in str(alert.blocks)
    assert {"Approve", "Refuse", "Plan"} <= set(alert.buttons)
    house.person("bob").click(alert, "Approve")
    house.person("erin").wait_until_shows(alert, "waiting for 1 of 2 approvals")
    house.person("carol").click(alert, "Refuse")
    house.person("erin").wait_until_shows(alert, "refused, nothing was changed")
    assert len(house.person("erin").messages("C0ONCALL")) == 1


@pytest.mark.requirement("X2", "Q1")
@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 500}, {"cut": "after"}, {"cut": "before"}], ids=str
)
def test_on_call_is_told_once_also_when_slack_stumbles(house: House, fault: dict[str, object]) -> None:
    """Not at all would leave a gate to the night; twice would wake somebody twice."""
    house.ready_for_approval("/buzzy release 3.2.1 production", PRODUCTION)
    house.workspace.fail("chat.postMessage", channel="C0ONCALL", **fault)
    house.append("R1", e.GateEscalated(at=now()))
    erin = house.person("erin")
    erin.wait_for_message("C0ONCALL", "waiting for 2 of 2 approvals", timeout=20)
    eventually(lambda: house.record.behind() == (), "everything is told", seconds=20)
    assert len(erin.messages("C0ONCALL")) == 1


@pytest.mark.requirement("X2", "Q1")
def test_a_bot_that_comes_later_tells_what_is_still_true(house: House) -> None:
    """On-call is not woken for a gate that was answered while no bot was there."""
    message = house.ready_for_approval("/buzzy release 3.2.1 production", PRODUCTION)
    house.stop()
    house.append("R1", e.GateReminded(at=now()), e.GateEscalated(at=now()))
    refused = e.ReleaseRefused(at=now(), by=e.Actor(id="U0BOB", name="bob"), via="command line")
    house.append("R1", refused)
    house.start()
    house.until(message, "refused, nothing was changed")
    eventually(lambda: house.record.behind() == (), "everything is told")
    assert house.person("erin").messages("C0ONCALL") == []
