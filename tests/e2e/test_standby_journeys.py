"""A standby from Slack: it is drilled, drifts, fails its drill, wakes on-call, and is in step again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.houses import CHANNELS, ON_CALL, PATIENCE, House

OpenHouse = Callable[..., House]
STANDBY, ROOM = "disaster-recovery", CHANNELS["disaster-recovery"]


def status(house: House, says: str) -> None:
    """Alice asks how the standby stands, until a worker has seen that."""
    house.alice.command(f"/buzzy status {STANDBY}", ROOM)
    house.alice.wait_for_ephemeral(ROOM, says, timeout=PATIENCE)


@pytest.mark.requirement("S3")
def test_a_standby_is_drilled_and_what_is_wrong_with_it_is_told(open_house: OpenHouse) -> None:
    """Who drilled it and how that went is on the record, in the channel, in status and in history."""
    house = open_house("production", STANDBY)
    status(house, "never drilled")
    message = house.ask(f'/buzzy drill {STANDBY} --reason "the quarterly drill"', STANDBY)
    message = house.until(message, "🟢")
    assert "drill of buzzy 3.2.0 · disaster-recovery — passed in" in message
    assert "asked by @alice" in message
    thread = house.told(message, "passed in")
    assert "the versions of production" in thread
    assert "none is needed: a drill changes nothing" in thread
    status(house, "drill passed")

    house.scale(STANDBY, "buzzy-api", 1)
    status(house, "buzzy-api asks for 1 pod, production for 3")
    drift = house.alice.wait_for_message(ROOM, "is not in step with production", timeout=PATIENCE)
    assert "buzzy-api asks for 1 pod, production for 3" in drift
    failing = house.alice.command(f"/buzzy drill {STANDBY}", ROOM)
    assert failing.acknowledged
    failed = house.alice.wait_for_message(ROOM, "failed at every pod is there and ready", timeout=PATIENCE)
    assert "buzzy-api asks for 1 pod" in failed
    alert = house.erin.wait_for_message(ON_CALL, "drill of buzzy 3.2.0", timeout=PATIENCE)
    assert "Nothing was changed." in alert

    house.scale(STANDBY, "buzzy-api", 3)
    status(house, "drill failed")
    house.alice.command(f"/buzzy drill {STANDBY}", ROOM)
    house.erin.wait_until_shows(alert, "put right by R3", PATIENCE)
    status(house, "drill passed")
    house.alice.wait_for_message(ROOM, "in step with production again", timeout=PATIENCE)
    assert sum("is not in step" in each for each in house.alice.messages(ROOM)) == 1
    house.alice.command(f"/buzzy history {STANDBY}", ROOM)
    history = house.alice.wait_for_ephemeral(ROOM, "drill of 3.2.0", timeout=PATIENCE)
    assert "passed" in history
    assert "failed" in history


@pytest.mark.requirement("S3")
def test_only_a_standby_is_drilled(open_house: OpenHouse) -> None:
    """Production is asked nothing, and whoever asks is told what a drill is for."""
    house = open_house("production", STANDBY)
    house.alice.command("/buzzy drill production", CHANNELS["production"])
    told = house.alice.wait_for_ephemeral(CHANNELS["production"], "production is no standby")
    assert "follows" in told
    assert house.alice.messages(CHANNELS["production"]) == []
