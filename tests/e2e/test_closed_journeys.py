"""When an environment is closed and when releases are due, from end to end on a Kubernetes API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.arenas import STABLE
from tests.e2e.houses import CHANNELS, PATIENCE, TICK, House

OpenHouse = Callable[..., House]
STAGING, DEVELOPMENT = CHANNELS["staging"], CHANNELS["development"]


@pytest.mark.requirement("C7", "X3")
def test_a_lock_its_waiting_list_and_a_release_that_meets_it(open_house: OpenHouse) -> None:
    """It holds one back before it is asked for, another at its start; it runs out, the next is called."""
    house = open_house("staging")
    message = house.ask("/buzzy release 3.2.1 staging", "staging")
    house.until(message, "waiting for approval")
    house.carol.command('/buzzy lock staging --reason "audit"', STAGING)
    house.alice.wait_for_message(STAGING, "staging is locked by", timeout=PATIENCE)
    house.bob.react(message, TICK)
    house.until(message, "waits until the environment opens")
    assert "it waits: staging is locked by carol: “audit”." in house.told(message, "it waits")
    assert set(house.images("staging").values()) == {STABLE}
    house.bob.command("/buzzy release 3.2.2 staging", STAGING)
    refused = house.bob.wait_for_ephemeral(STAGING, "is locked by", timeout=PATIENCE)
    house.bob.click(refused, "Tell me when it opens")
    house.bob.wait_for_ephemeral(STAGING, "You are next for staging.", timeout=PATIENCE)
    house.carol.command('/buzzy lock staging --reason "nearly done" --for 3s', STAGING)
    house.alice.wait_for_message(STAGING, "has run out", timeout=PATIENCE)
    house.until(message, "🟢")
    assert set(house.images("staging").values()) == {"3.2.1"}
    turn = house.bob.wait_for_message(STAGING, "staging is open, and you are next", timeout=PATIENCE)
    assert "/buzzy release 3.2.2 staging" in turn
    assert "U0BOB" in str(turn.blocks)


@pytest.mark.requirement("C7", "S2")
def test_a_freeze_that_is_passed_with_a_reason_and_a_release_for_later(open_house: OpenHouse) -> None:
    """Refused with who could; released by them, on the record; what is due is refused, and that is told."""
    windows = [{"deny": "0 0 * * *", "for": "1d", "reason": "stocktaking"}]
    house = open_house("development", settings={"freezes": {"managers": ["U0CAROL"], "windows": windows}})
    house.alice.command("/buzzy release 3.2.1 development", DEVELOPMENT)
    refused = house.alice.wait_for_ephemeral(DEVELOPMENT, "development is frozen", timeout=PATIENCE)
    assert "--override-freeze" in refused
    line = '/buzzy release 3.2.1 development --override-freeze --reason "CVE-2026-1"'
    message = house.until(house.ask(line, "development", who=house.carol), "🟢")
    assert "“CVE-2026-1”" in house.told(message, "It passes the calendar's freeze (stocktaking)")
    assert set(house.images("development").values()) == {"3.2.1"}
    house.alice.command("/buzzy schedule 3.2.2 development in 5 seconds", DEVELOPMENT)
    due = house.alice.wait_for_message(DEVELOPMENT, "S1 · 3.2.2 to development is due", timeout=PATIENCE)
    assert "⚠️ development is frozen" in due
    house.alice.wait_for_message(DEVELOPMENT, "was due and was refused", timeout=PATIENCE)
    assert set(house.images("development").values()) == {"3.2.1"}


@pytest.mark.requirement("C7", "S2")
def test_a_release_for_later_goes_by_itself_when_it_is_due(open_house: OpenHouse) -> None:
    """Nobody types when its time has come."""
    house = open_house("development")
    house.alice.command("/buzzy schedule 3.2.1 development in 5 seconds", DEVELOPMENT)
    due = house.alice.wait_for_message(DEVELOPMENT, "S1 · 3.2.1 to development is due", timeout=PATIENCE)
    message = house.alice.wait_for_message(DEVELOPMENT, "R1 · buzzy", after=due, timeout=PATIENCE)
    house.until(message, "🟢")
    assert "asked for buzzy" in house.told(message, "released")
    assert set(house.images("development").values()) == {"3.2.1"}
