"""The checklist in Slack: on the message, in the thread, behind its button; ticked by those who may."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from releases import events as e
from releases.checklist import Item, Outcome
from releases.lifecycle import State
from tests.integration.bot_house import PRODUCTION, STAGING, House, eventually, now, open_house

IMAGE = Item(name="image", outcome=Outcome.GREEN, evidence="buzzy-main sha256:0123456789ab")
ROOM = Item(name="capacity", outcome=Outcome.UNKNOWN, evidence="there is no quota to go by")
NOTES = Item(name="release notes read", outcome=Outcome.WAITING, by=("S0APPROVERS",))
SIGNED = Item(name="acceptance signed", outcome=Outcome.WAITING, by=("S0ONCALL",))
ALERT = Item(
    name="alerts", outcome=Outcome.RED, evidence="the alert of R3 is open", fix="`/buzzy rollback staging`"
)


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot and its workspace; the tests play the worker."""
    with open_house(redis_url) as opened:
        yield opened


@pytest.mark.requirement("D1")
def test_an_item_is_ticked_by_a_button_and_then_it_starts(house: House) -> None:
    """The message says what is open, who ticked it stands in the thread, and the approval starts it."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.planned("R1", checklist=(IMAGE, ROOM, NOTES))
    shown = house.until(message, "waiting for approval and 1 tick").shown
    assert "Checklist 1/3 — ⬜ release notes read (tick) · ⚪ capacity: not known" in shown
    bob = house.person("bob")
    bob.click(message, "☑ release notes read")
    house.until(message, "Checklist 2/3")
    house.person("alice").wait_for_reply(message, "ticked “release notes read”")
    assert house.record.load("R1").release.state is State.WAITING
    bob.click(message, "Approve")
    eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it was approved")
    eventually(lambda: house.queue.holds("deployment", "advance", "R1"), "a worker is to start it")


@pytest.mark.requirement("D1")
def test_the_last_tick_starts_what_is_approved(house: House) -> None:
    """Each item has a button of its own and people of its own."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.planned("R1", checklist=(NOTES, SIGNED))
    house.until(message, "waiting for approval and 2 ticks")
    bob, erin = house.person("bob"), house.person("erin")
    bob.click(message, "Approve")
    house.until(message, "waiting for 2 ticks")
    bob.click(message, "☑ acceptance signed")
    bob.wait_for_ephemeral(STAGING, "confirmed by others")
    erin.click(message, "☑ acceptance signed")
    house.until(message, "waiting for 1 tick")
    bob.click(message, "☑ release notes read")
    eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it was approved")
    ticks = [(tick.by.name, tick.item) for tick in house.record.load("R1").release.ticks]
    assert ticks == [("erin", "acceptance signed"), ("bob", "release notes read")]


@pytest.mark.requirement("D1", "Q3")
def test_the_last_tick_counts_only_approvals_of_those_who_still_may(house: House) -> None:
    """Bob approved and left the group: the tick stands, and somebody has to agree anew."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.planned("R1", checklist=(SIGNED,))
    house.until(message, "waiting for approval and 1 tick")
    house.person("bob").click(message, "Approve")
    house.until(message, "waiting for 1 tick")
    house.workspace.set_group("S0APPROVERS", ["U0CAROL"])
    house.person("erin").click(message, "☑ acceptance signed")
    house.person("carol").wait_for_reply(message, "bob may not approve any more")
    house.until(message, "waiting for approval")
    assert house.record.load("R1").release.state is State.WAITING
    house.person("carol").click(message, "Approve")
    eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it was approved")


@pytest.mark.requirement("D1")
def test_a_red_item_blocks_until_it_was_looked_at_again(house: House) -> None:
    """It says what would make it green; an approval is refused; the button has it planned again."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.planned("R1", checklist=(IMAGE, ALERT))
    shown = house.until(message, "cannot start yet: 1 thing to mend").shown
    assert "🔴 alerts · the alert of R3 is open · to mend it: \n/buzzy rollback staging" in shown
    bob = house.person("bob")
    bob.click(message, "Approve")
    bob.wait_for_ephemeral(STAGING, "cannot start as it is")
    assert house.record.load("R1").release.approvals == ()
    bob.click(message, "Look again")
    eventually(lambda: house.record.load("R1").release.state is State.REQUESTED, "it is planned again")
    eventually(lambda: house.queue.holds("deployment", "plan", "R1"), "a worker is to plan it")
    house.planned("R1", checklist=(IMAGE, ALERT.model_copy(update={"outcome": Outcome.GREEN, "fix": ""})))
    house.until(message, "Checklist 2/2")
    bob.click(message, "Approve")
    eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it was approved")


@pytest.mark.requirement("D1")
def test_all_of_it_stands_in_the_thread_and_behind_the_button(house: House) -> None:
    """Each item with its evidence, in one line."""
    message = house.ask("/buzzy release 3.2.1 production", PRODUCTION)
    house.planned("R1", checklist=(IMAGE, ROOM, NOTES))
    house.until(message, "waiting for 2 of 2 approvals and 1 tick")
    lines = (
        "✅ image · buzzy-main sha256:0123456789ab",
        "⚪ capacity · not known · there is no quota to go by",
        "⬜ release notes read · ",
    )
    alice = house.person("alice")
    told = alice.wait_for_reply(message, "Checklist").shown
    alice.click(message, "Checklist")
    answer = alice.wait_for_ephemeral(PRODUCTION, "Checklist of R1: 1 of 3").shown
    for line in lines:
        assert line in told
        assert line in answer


@pytest.mark.requirement("D1")
def test_where_nobody_approves_a_tick_lets_it_go(house: House) -> None:
    """Until then it can be stopped."""
    message = house.ask("/buzzy release 3.2.1 development", "C0DEV")
    house.planned("R1", checklist=(NOTES,))
    shown = house.until(message, "waiting for 1 tick").shown
    assert shown.endswith("☑ release notes read\nAbort")
    house.person("bob").click(message, "☑ release notes read")
    eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it may start")
    assert any(isinstance(event, e.ItemTicked) for event in house.record.events("R1"))
    assert now() >= house.record.load("R1").release.ticks[0].at
