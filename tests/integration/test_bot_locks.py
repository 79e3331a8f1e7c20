"""Locks and the line of those who wait, from what is typed to what the channel is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from releases.record.closures import Closures
from tests.integration.bot_house import GENERAL, PRODUCTION, STAGING, House, eventually, now, open_house


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot at work."""
    with open_house(redis_url) as opened:
        yield opened


@pytest.fixture
def locked(house: House) -> House:
    """Carol has locked staging."""
    carol = house.person("carol")
    carol.command('/buzzy lock staging --reason "audit" --for 2h', STAGING)
    carol.wait_for_message(STAGING, "staging is locked by")
    return house


@pytest.mark.requirement("C7", "X3")
def test_a_lock_keeps_others_out_and_says_who_why_and_until_when(locked: House) -> None:
    """Its owner is told what it means; the refused one what to do. Nothing is opened."""
    told = locked.person("carol").wait_for_ephemeral(STAGING, "staging is locked until")
    assert "Your own releases pass; rollbacks pass." in told
    assert "/buzzy unlock staging" in told
    alice = locked.person("alice")
    alice.command("/buzzy release 3.2.1 staging", STAGING)
    refused = alice.wait_for_ephemeral(STAGING, "is locked by")
    assert "U0CAROL" in str(refused.blocks)
    assert "“audit”" in refused
    assert "until" in refused
    assert '/buzzy lock staging --take-over --reason "…"' in refused
    assert refused.buttons == ["Tell me when it opens"]
    assert locked.record.recent("staging", 5) == ()


@pytest.mark.requirement("X3")
def test_who_waits_in_line_is_told_when_it_opens(locked: House) -> None:
    """By button or by --wait; the first is mentioned with the line to copy, the other when it is free."""
    alice, dan, carol = (locked.person(name) for name in ("alice", "dan", "carol"))
    alice.command("/buzzy release 3.2.1 staging", GENERAL)
    alice.click(alice.wait_for_ephemeral(GENERAL, "is locked by"), "Tell me when it opens")
    alice.wait_for_ephemeral(GENERAL, "You are next for staging.")
    dan.command('/buzzy release 3.2.2 staging --wait --reason "the other one"', STAGING)
    dan.wait_for_ephemeral(STAGING, "You are number 2 in line for staging.")
    carol.command("/buzzy unlock staging", STAGING)
    turn = alice.wait_for_message(STAGING, "staging is open, and you are next")
    assert "U0ALICE" in str(turn.blocks)
    assert "/buzzy release 3.2.1 staging" in turn
    assert "U0DAN" in str(turn.blocks)
    assert Closures(locked.store).board("staging").waiting[0].by.name == "dan"
    message = locked.ask("/buzzy release 3.2.1 staging", STAGING)
    locked.timekeeper().look()  # it is Dan's turn only when that has ended
    locked.planned("R1")
    locked.until(message, "waiting for")
    carol.click(message, "Refuse")
    locked.until(message, "refused")
    locked.timekeeper().look()
    assert '/buzzy release 3.2.2 staging --reason "the other one"' in dan.wait_for_message(
        STAGING, "staging is open, and you are next", after=message
    )


@pytest.mark.requirement("X3")
def test_taking_a_lock_over_tells_its_owner_and_goes_on_with_what_was_wanted(locked: House) -> None:
    """One line: the lock changes hands, its owner is mentioned, and what was refused is opened."""
    alice = locked.person("alice")
    alice.command('/buzzy release 3.2.1 staging --reason "fix export"', STAGING)
    alice.wait_for_ephemeral(STAGING, "is locked by")
    alice.command('/buzzy lock staging --take-over --reason "customers are waiting"', STAGING)
    told = alice.wait_for_message(STAGING, "your lock was taken over")
    assert "U0CAROL" in str(told.blocks)
    assert "customers are waiting" in told
    message = alice.wait_for_message(STAGING, "R1 · buzzy 3.2.1 · staging")
    assert "It passes alice's lock of staging" in alice.wait_for_reply(message, "asked for buzzy 3.2.1")
    request = locked.record.load("R1").release.request
    assert (request.reason, request.passed[0].right) == ("fix export", "it is their own")


@pytest.mark.requirement("C7")
def test_somebody_elses_lock_is_not_opened_nor_replaced_in_passing(locked: House) -> None:
    """Neither by unlock nor by another lock: taking over is a word of its own, with a reason."""
    dan = locked.person("dan")
    dan.command("/buzzy unlock staging", STAGING)
    assert "--take-over" in dan.wait_for_ephemeral(STAGING, "staging is locked by carol")
    dan.command('/buzzy lock staging --reason "mine"', STAGING)
    assert '/buzzy lock staging --take-over --reason "mine"' in dan.wait_for_ephemeral(
        STAGING, "Take it over, with your reason"
    )
    lock = Closures(locked.store).board("staging").made[0]
    assert getattr(lock, "reason", "") == "audit"


@pytest.mark.requirement("C7")
def test_a_lock_of_all_closes_every_environment_and_is_told_in_each(house: House) -> None:
    """It is looked at before the environment's own; its owner passes."""
    carol, alice = house.person("carol"), house.person("alice")
    carol.command("/buzzy lock all --reason incident", GENERAL)
    for channel in (STAGING, PRODUCTION, "C0DEV"):
        assert "incident" in alice.wait_for_message(channel, "Every environment is locked by")
    alice.command("/buzzy release 3.2.1 production", PRODUCTION)
    alice.wait_for_ephemeral(PRODUCTION, "Every environment is locked by")
    house.ask("/buzzy release 3.2.1 staging", STAGING, who="carol")
    carol.command("/buzzy unlock all", GENERAL)
    alice.wait_for_message(PRODUCTION, "ended the lock of all environments")


@pytest.mark.requirement("C7")
def test_a_rollback_passes_a_lock_and_says_so_unless_the_lock_is_for_rollbacks_too(house: House) -> None:
    """Going back must not wait for somebody who has gone home; a lock that means it has to say it."""
    carol, bob = house.person("carol"), house.person("bob")
    carol.command("/buzzy lock staging --reason audit", STAGING)
    carol.wait_for_message(STAGING, "staging is locked by")
    message = house.ask("/buzzy rollback staging", STAGING, who="bob")
    assert "a rollback does not wait" in bob.wait_for_reply(message, "It passes carol's lock of staging")
    assert house.record.load("R1").release.request.passed[0].kind == "lock"
    bob.command("/buzzy abort R1", STAGING)
    house.until(message, "cancelled")
    carol.command('/buzzy lock staging --reason "restore runs" --rollbacks-too', STAGING)
    carol.wait_for_message(STAGING, "Rollbacks are kept back as well.")
    bob.command("/buzzy rollback staging", STAGING)
    bob.wait_for_ephemeral(STAGING, "This lock keeps rollbacks back as well.")
    assert house.record.holder("staging") is None


@pytest.mark.requirement("X3")
def test_a_lock_that_runs_out_is_told_once_and_the_next_in_line_is_called(house: House) -> None:
    """Without anybody typing, however many workers look."""
    carol, alice = house.person("carol"), house.person("alice")
    carol.command("/buzzy lock staging --reason audit --for 1h", STAGING)
    carol.wait_for_message(STAGING, "staging is locked by")
    alice.command("/buzzy release 3.2.1 staging --wait", STAGING)
    alice.wait_for_ephemeral(STAGING, "You are next for staging.")
    later = now() + timedelta(hours=1)
    for _ in range(3):
        house.timekeeper(later).look()
    alice.wait_for_message(STAGING, "has run out")
    alice.wait_for_message(STAGING, "staging is open, and you are next")
    said = [message.shown for message in alice.messages(STAGING)]
    assert sum("has run out" in each for each in said) == 1
    assert sum("you are next" in each for each in said) == 1


@pytest.mark.requirement("X3")
def test_a_lock_without_an_end_is_reminded_of_once_a_day(house: House) -> None:
    """Its owner is mentioned, with the line that opens it."""
    carol = house.person("carol")
    carol.command("/buzzy lock staging --reason audit", STAGING)
    carol.wait_for_message(STAGING, "staging is locked by")
    for hours in (23, 25, 26, 48, 50):
        house.timekeeper(now() + timedelta(hours=hours)).look()
    reminder = carol.wait_for_message(STAGING, "still locked by you")
    assert "U0CAROL" in str(reminder.blocks)
    assert "/buzzy unlock staging" in reminder
    reminders = [each for each in Closures(house.store).notices() if each.notice == "reminded"]
    assert len(reminders) == 2


@pytest.mark.requirement("X3")
def test_a_lock_that_cannot_be_read_closes_and_says_so(house: House) -> None:
    """Whatever wrote it meant something; it can be taken over."""
    house.store.call("SET", "buzzy:closing:lock:staging", "{half a lo")
    alice = house.person("alice")
    alice.command("/buzzy release 3.2.1 staging", STAGING)
    alice.wait_for_ephemeral(STAGING, "closed by a lock that cannot be read")
    alice.command('/buzzy lock staging --take-over --reason "it is broken"', STAGING)
    alice.wait_for_message(STAGING, "R1 · buzzy 3.2.1 · staging")


@pytest.mark.requirement("C7", "Q1")
def test_a_lock_that_is_delivered_again_is_the_same_lock(house: House) -> None:
    """Slack delivers twice, or the bot dies before it says that it acted: one lock, told once."""
    carol = house.person("carol")
    delivery = carol.command("/buzzy lock staging --reason audit", STAGING)
    carol.wait_for_message(STAGING, "staging is locked by")
    house.store.call("DEL", f"buzzy:delivery:{delivery.payload['trigger_id']}")
    house.workspace.deliver_again(delivery)
    eventually(
        lambda: sum("staging is locked until" in each.shown for each in carol.ephemerals(STAGING)) == 2,
        "it was acted on again",
    )
    carol.command("/buzzy status staging", STAGING)
    assert "🔒 @carol: “audit”" in carol.wait_for_ephemeral(STAGING, "🔒")
    assert len(Closures(house.store).notices()) == 1


@pytest.mark.requirement("C7")
def test_status_shows_a_lock_with_its_end(locked: House) -> None:
    """In its row among all environments."""
    alice = locked.person("alice")
    alice.command("/buzzy status", STAGING)
    row = alice.wait_for_ephemeral(STAGING, "What runs where").shown
    assert "🔒 @carol: “audit” until " in row
    assert "UTC" in row


@pytest.mark.requirement("C9")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/buzzy unlock staging", "staging is not locked."),
        ("/buzzy unlock all", "Not all environments are locked."),
        ("/buzzy lock staging --reason x --until yesterday", "that is over"),
        ("/buzzy lock staging --reason x --until nonsense", "is no time that I understand"),
    ],
)
def test_what_cannot_be_done_is_said(house: House, line: str, says: str) -> None:
    """And nothing is locked."""
    dan = house.person("dan")
    dan.command(line, STAGING)
    dan.wait_for_ephemeral(STAGING, says)
    assert Closures(house.store).board("staging").made == ()


@pytest.mark.requirement("C11")
def test_guests_and_strangers_lock_nothing_and_wait_for_nothing(locked: House) -> None:
    """A line and a lock are for members."""
    for name in ("gus", "mallory"):
        person = locked.person(name)
        person.command('/buzzy lock staging --take-over --reason "mine"', STAGING)
        person.wait_for_ephemeral(STAGING, "members of this")
        person.command("/buzzy release 3.2.1 staging --wait", STAGING)
        person.wait_for_ephemeral(STAGING, "members of this")
    assert Closures(locked.store).board("staging").waiting == ()
