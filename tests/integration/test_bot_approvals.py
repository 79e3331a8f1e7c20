"""`approvals`: what waits for whom, as a slash command and behind a mention; answered with a button."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from releases import events as e
from releases.checklist import Item, Outcome
from releases.lifecycle import State
from tests.integration.bot_house import GENERAL, PRODUCTION, STAGING, House, eventually, now, open_house

SIGNED = Item(name="acceptance signed", outcome=Outcome.WAITING, by=("S0ONCALL",))


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot at work."""
    with open_house(redis_url) as opened:
        yield opened


def two_wait(house: House) -> None:
    """R1 waits in staging for an approval, R2 in production for two, and a tick of whoever is on call."""
    staging = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.planned("R1")
    house.until(staging, "waiting for")
    production = house.ask("/buzzy release 3.2.1 production", PRODUCTION)
    house.planned("R2", checklist=(SIGNED,))
    house.until(production, "waiting for")


@pytest.mark.requirement("C8")
def test_everybody_is_told_what_waits_for_them(house: House) -> None:
    """An approver, somebody on call, and who asked for both; each with links, buttons for what counts."""
    two_wait(house)
    bob, erin, alice = (house.person(name) for name in ("bob", "erin", "alice"))
    assert bob.command("/buzzy approvals", GENERAL).acknowledged
    told = bob.wait_for_ephemeral(GENERAL, "Waiting for you")
    assert told.buttons == ["Approve R1", "Approve R2"]
    assert "archives" in str(told.blocks)
    erin.command("/buzzy approvals", GENERAL)
    told = erin.wait_for_ephemeral(GENERAL, "Waiting for you")
    assert told.buttons == ["☑ acceptance signed"]
    assert "your tick: acceptance signed" in told
    assert "Waiting for others" in told
    alice.command("/buzzy approvals", GENERAL)
    told = alice.wait_for_ephemeral(GENERAL, "Waiting for you")
    assert "Nothing." in told
    assert told.buttons == []
    assert told.shown.count("waiting for") == 2


@pytest.mark.requirement("C8", "C3")
def test_its_buttons_approve(house: House) -> None:
    """As those of the release's message do, by the same rules: not for a plan that is there no more."""
    two_wait(house)
    bob = house.person("bob")
    bob.command("/buzzy approvals", GENERAL)
    told = bob.wait_for_ephemeral(GENERAL, "Waiting for you")
    bob.click(told, "Approve R1")
    eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it was approved")
    house.append("R2", e.ReplanRequested(at=now(), because="the cluster has moved"))
    house.planned("R2", new="3.2.2")
    bob.click(told, "Approve R2")
    bob.wait_for_ephemeral(GENERAL, "The plan of R2 has changed since you opened it.")
    assert house.record.load("R2").release.approvals == ()
    bob.command("/buzzy approvals", GENERAL)
    assert bob.wait_for_ephemeral(GENERAL, "Waiting for you", after=told).buttons == ["Approve R2"]


@pytest.mark.requirement("C8", "C10")
def test_a_mention_is_answered_for_its_author_alone(house: House) -> None:
    """What waits for one is nobody else's business."""
    two_wait(house)
    bob = house.person("bob")
    bob.say("@buzzy approvals", STAGING)
    assert bob.wait_for_ephemeral(STAGING, "Waiting for you").buttons == ["Approve R1", "Approve R2"]
    assert house.person("carol").ephemerals(STAGING) == []


@pytest.mark.requirement("C11")
def test_guests_are_told_that_it_is_not_for_them(house: House) -> None:
    """As everywhere."""
    two_wait(house)
    gus = house.person("gus")
    gus.command("/buzzy approvals", STAGING)
    gus.wait_for_ephemeral(STAGING, "Guests can read along")
    assert not [each for each in gus.ephemerals(STAGING) if "Waiting" in each]


def test_what_waits_until_its_environment_opens_waits_for_others(house: House) -> None:
    """It says for what."""
    message = house.ready_for_approval()
    house.person("bob").click(message, "Approve")
    eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it was approved")
    house.append("R1", e.ReleaseHeld(at=now(), because="staging is locked by carol: audit"))
    bob = house.person("bob")
    bob.command("/buzzy approvals", STAGING)
    told = bob.wait_for_ephemeral(STAGING, "Waiting for others")
    assert "staging is locked by carol: audit" in told
    assert told.buttons == []
