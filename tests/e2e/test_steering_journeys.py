"""A release that is paused and goes on, and one that failed and is retried, from end to end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.arenas import STABLE
from tests.e2e.houses import CHANNELS, ON_CALL, PATIENCE, House

pytestmark = pytest.mark.timeout(180)
OpenHouse = Callable[..., House]
NEW = "3.2.1"


@pytest.mark.requirement("C6")
def test_paused_looked_at_and_resumed(open_house: OpenHouse) -> None:
    """It stays between two services for as long as somebody wants to look, and then does the rest."""
    house = open_house("development")
    house.hold("buzzy-api", NEW)
    message = house.ask(f"/buzzy release {NEW} development", "development")
    house.until(message, "service 2 of 4")
    house.alice.command('/buzzy pause R1 --reason "looking at an error"', CHANNELS["development"])
    house.until(message, "service 2 of 4, then it pauses")
    house.let_go("development", "buzzy-api", NEW)
    message = house.until(message, "paused before step ")
    images = house.images("development")
    assert (images["buzzy-api"], images["buzzy-files"]) == (NEW, STABLE)
    house.alice.click(message, "Resume")
    house.until(message, "🟢")
    assert set(house.images("development").values()) == {NEW}


@pytest.mark.requirement("C6", "M3")
def test_retried_from_the_step_that_failed(open_house: OpenHouse) -> None:
    """What had been in its way is mended; the same release goes on, and on-call sees how that ended."""
    house = open_house("staging")
    house.arena.behave(f"buzzybuzz/buzzy-api:{NEW}", "crash")
    message = house.ask(f"/buzzy release {NEW} staging", "staging")
    house.until(message, "waiting for approval")
    house.bob.click(message, "Approve")
    message = house.until(message, "failed at buzzy-api")
    alert = house.erin.wait_for_message(ON_CALL, "R1", timeout=PATIENCE)
    house.let_go("staging", "buzzy-api", NEW)
    house.alice.click(message, "Retry")
    house.until(message, "🟢", timeout=2 * PATIENCE)
    assert set(house.images("staging").values()) == {NEW}
    thread = house.told(message, "retries: going on with 3/")
    assert thread.count("buzzy-main to 3.2.1 ·") == 1
    house.until(alert, "Put right by a retry")
