"""Gates with a clock and the moment before a start, from end to end on a Kubernetes API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.arenas import STABLE
from tests.e2e.houses import CHANNELS, ON_CALL, PATIENCE, TICK, House

OpenHouse = Callable[..., House]
APPROVERS = {"quorum": 1, "from": ["S0APPROVERS"]}


@pytest.mark.requirement("X5", "Q3")
def test_an_approved_release_can_be_stopped_or_taken_back_before_it_starts(open_house: OpenHouse) -> None:
    """One click in the moment, and nothing was touched; a yes taken back in it waits for another."""
    house = open_house("staging", rules={"staging": {"grace": "5m"}})
    message = house.ask("/buzzy release 3.2.1 staging", "staging")
    house.until(message, "waiting for approval")
    house.bob.react(message, TICK)
    house.until(message, "starts in a moment")
    house.bob.unreact(message, TICK)
    house.until(message, "waiting for approval")
    house.carol.react(message, TICK)
    house.until(message, "starts in a moment")
    house.alice.click(message, "Stop")
    house.until(message, "cancelled, nothing was changed")
    house.told(message, "Cancelled; nothing was changed")
    assert set(house.images("staging").values()) == {STABLE}
    assert house.kubectl("staging", "get", "leases", "-o", "name").strip() == ""


@pytest.mark.requirement("X5", "Q3")
def test_what_nobody_stops_starts_when_its_moment_has_passed(open_house: OpenHouse) -> None:
    """Read once more, then released; the thread says when it was to start."""
    house = open_house("staging", rules={"staging": {"grace": "3s"}})
    message = house.ask("/buzzy release 3.2.1 staging", "staging")
    house.until(message, "waiting for approval")
    house.bob.react(message, TICK)
    house.until(message, "🟢")
    thread = house.told(message, "released in")
    assert "unless somebody stops it" in thread
    assert thread.index("unless somebody stops it") < thread.index("Started: everything is still")
    assert set(house.images("staging").values()) == {"3.2.1"}


@pytest.mark.requirement("X2")
def test_a_gate_that_nobody_answers_reminds_tells_on_call_and_expires(open_house: OpenHouse) -> None:
    """Each once; then the environment is free, and the same release gets through."""
    clock = {"remind": "2s", "escalate": "12s", "expires": "24s"}
    house = open_house("staging", rules={"staging": {"approval": APPROVERS | clock}})
    message = house.ask("/buzzy release 3.2.1 staging", "staging")
    house.told(message, "⏰")
    alert = house.erin.wait_for_message(ON_CALL, "🔔 R1 · buzzy 3.2.0 → 3.2.1 · staging", timeout=PATIENCE)
    assert "Approve" in alert.buttons
    house.until(message, "expired: nobody decided in time, nothing was changed")
    house.erin.wait_until_shows(alert, "expired: nobody decided in time", PATIENCE)
    assert house.erin.read_again(alert).buttons == []
    thread = house.told(message, "Expired: nobody decided in time")
    assert (thread.count("⏰"), thread.count("🔔")) == (1, 1)
    assert set(house.images("staging").values()) == {STABLE}
    again = house.ask("/buzzy release 3.2.1 staging", "staging")
    house.until(again, "waiting for approval")
    house.carol.command("/buzzy approve R2", CHANNELS["staging"])
    house.until(again, "🟢")
