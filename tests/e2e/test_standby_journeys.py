"""Environments that Buzzy looks after by itself: a standby that is drilled and drifts, the newest build."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from sandbox.registry import push_image
from tests.e2e.houses import CHANNELS, ON_CALL, PATIENCE, House

OpenHouse = Callable[..., House]
STANDBY, ROOM = "disaster-recovery", CHANNELS["disaster-recovery"]
ROOM_OF_DEVELOPMENT = CHANNELS["development"]


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
    assert "drill of buzzy 3.2.0 · disaster-recovery" in message
    assert "passed in" in message
    assert "the quarterly drill" in message
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
    house.erin.wait_until_shows(alert, "Put right by R3", PATIENCE)
    status(house, "(R3)")
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


@pytest.mark.requirement("S3", "V2")
def test_development_has_the_newest_build(open_house: OpenHouse) -> None:
    """What is pushed is released by Buzzy itself, once all services have it; status says what is newest."""
    house = open_house("development", registry=True, rules={"development": {"latest": "3.x"}})
    first = house.alice.wait_for_message(ROOM_OF_DEVELOPMENT, "3.3.0", timeout=PATIENCE)
    house.until(first, "🟢")
    assert "3.3.0 is the newest build of 3.x in the registry" in first
    with httpx.Client(base_url=house.registry_url) as client:
        for service in house.deployments("development"):
            push_image(client, f"buzzybuzz/{service}", "3.4.0-rc.1", env={"NODE_VERSION": "14.21.3"})
    second = house.alice.wait_for_message(
        ROOM_OF_DEVELOPMENT, "3.4.0-rc.1", after=house.until(first, "🟢"), timeout=PATIENCE
    )
    house.until(second, "🟢")
    assert set(house.images("development").values()) == {"3.4.0-rc.1"}
    house.alice.command("/buzzy status development", ROOM_OF_DEVELOPMENT)
    house.alice.wait_for_ephemeral(ROOM_OF_DEVELOPMENT, "newest build 3.4.0-rc.1", timeout=PATIENCE)
