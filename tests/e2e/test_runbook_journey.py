"""Going back as the runbook has it: what changed and what is ill; what is under way stops, and goes back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.e2e.arenas import STABLE
from tests.e2e.houses import CHANNELS, PATIENCE, House

OpenHouse = Callable[..., House]


@pytest.mark.requirement("B5", "C6")
def test_a_rollback_of_what_is_under_way_stops_it_and_takes_it_back(open_house: OpenHouse) -> None:
    """One line while the second service is not ready: it is said what happens, and it happens."""
    house = open_house("development")
    before = house.deployments("development")
    house.hold("buzzy-api", "3.4.0")
    message = house.ask("/buzzy release 3.4.0 development", "development")
    house.until(message, "service 2 of 4")
    house.erin.command('/buzzy rollback development --reason "exports fail"', CHANNELS["development"])
    told = house.erin.wait_for_ephemeral(CHANNELS["development"], "R1 is under way", timeout=PATIENCE)
    assert f"it stops at its next safe point and goes back to {STABLE}" in told
    house.until(message, f"back at {STABLE}")
    assert "exports fail" in house.thread(message)
    after = house.deployments("development")
    assert all(after[name]["spec"]["template"] == each["spec"]["template"] for name, each in before.items())
    assert len(house.alice.messages(CHANNELS["development"])) == 1


@pytest.mark.requirement("B5", "B6", "D4")
@pytest.mark.kubectl
def test_a_rollback_says_what_changed_since_when_by_whom_and_what_is_ill(open_house: OpenHouse) -> None:
    """A release, and a hand on kubectl that broke it: both are named before anything goes back."""
    house = open_house("development")
    house.released("/buzzy release 3.2.1 development", "development")
    house.arena.behave("3.3.0", "crash")
    house.kubectl(
        "development", "set", "image", "deployment/buzzy-api", "buzzy-api=buzzybuzz/buzzy-api:3.3.0"
    )
    house.alice.wait(
        lambda: house.images("development")["buzzy-api"] == "3.3.0", PATIENCE, "kubectl has changed it"
    )
    message = house.ask(f"/buzzy rollback development --to {STABLE}", "development")
    house.until(message, "🟢")
    thread = house.told(message, "all services verified ·")
    assert re.search(rf"buzzy-main: {re.escape(STABLE)} → 3\.2\.1, since .* UTC, by R1 \(alice\)", thread)
    assert re.search(r"buzzy-api: .* → 3\.3\.0, since .* UTC, by kubectl-set, beside Buzzy", thread)
    assert "buzzy-api is ill: " in thread
    assert thread.index("buzzy-api is ill: ") < thread.index(f"buzzy-worker to {STABLE} ·")
    assert set(house.images("development").values()) == {STABLE}
