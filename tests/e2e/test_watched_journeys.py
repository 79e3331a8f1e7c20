"""Releases that are watched, as people see them: what was measured, what went back and why, and who decides.

That every trigger trips, and none falsely, is in `test_alarms`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.workspace import Message
from tests.e2e.arenas import STABLE
from tests.e2e.houses import CHANNELS, ON_CALL, PATIENCE, House

pytestmark = pytest.mark.timeout(240)
OpenHouse = Callable[..., House]

ALERTS = {"critical": ON_CALL, "on_call": "S0ONCALL"}
ALL = (
    {"health": {"for": "3s"}},
    {"error_rate": {"above": "2%", "for": "2s"}},
    {"latency_p95": {"above": "1.3x", "for": "2s"}},
    {"throughput": {"below": "0.5x", "for": "2s"}},
    {"memory": {"above": "512Mi", "for": "2s"}},
    {"kubernetes": "restarts"},
)
BAD = "3.2.1"


def watched(*triggers: Any, **more: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - as the file has it
    """A rule for development, which is watched for a few seconds."""
    monitor = {"window": "6s", "every": "1s", "triggers": list(triggers or ALL)}
    return {"development": {"monitor": monitor, "alerts": ALERTS, **more}}


def went_back(house: House, message: Message, says: str) -> None:
    """It is back at what it was, whole, for this reason, which on-call has heard of."""
    shown = house.until(message, f"rolled back to {STABLE} by itself in", timeout=2 * PATIENCE).shown
    assert says in shown
    assert "Promotion of 3.2.1 to and from development is held" in shown
    assert set(house.images("development").values()) == {STABLE}
    assert "Going back by itself" in house.told(message, f"Rolled back to {STABLE}")
    alert = house.erin.wait_for_message(ON_CALL, "R1", timeout=PATIENCE)
    house.until(alert, f"All services are back at {STABLE}")


def chart_stands(house: House, message: Message, says: str) -> None:
    """The thread has one chart, of this metric, with the version before beside it."""

    def chart() -> list[dict[str, Any]]:
        return [file for reply in house.alice.thread(message) for file in reply.data.get("files", [])]

    house.alice.wait(lambda: bool(chart()), PATIENCE, "the chart is there")
    (picture,) = chart()
    assert picture["alt_txt"].startswith(f"{says} of {BAD}: from ")
    assert f"; {STABLE} had " in picture["alt_txt"]


@pytest.mark.requirement("M1", "T3")
def test_a_healthy_release_says_what_was_measured(open_house: OpenHouse) -> None:
    """For the whole window, beside the limits; nothing goes back."""
    house = open_house("development", rules=watched(), metrics={})
    message = house.ask(f"/buzzy release {BAD} development", "development")
    house.until(message, "watching, ", timeout=2 * PATIENCE)
    shown = house.until(message, "🟢").shown
    assert re.search(r"✔ error rate 0[.]\d+ % \(limit 2 %\)", shown)
    assert re.search(r"✔ latency p95 1\d\d ms \(limit 1.3 times 1\d\d ms\)", shown)
    assert set(house.images("development").values()) == {BAD}
    assert "by itself" not in house.thread(message).replace("or, by itself, once it is seen to be ill", "")


@pytest.mark.requirement("X8", "X9", "C4")
def test_what_went_back_is_held_until_a_person_asks_again(open_house: OpenHouse) -> None:
    """There is a chart. It proves nothing; asked for again it goes, and the plan says what was before."""
    images = {f"buzzybuzz/buzzy-main:{BAD}": "slow-answers"}
    rules = watched() | {
        "staging": {
            "requires": {"proven_in": "development"},
            "approval": {"quorum": 1, "from": ["S0APPROVERS"]},
        }
    }
    house = open_house("development", "staging", rules=rules, metrics=images)
    message = house.ask(f"/buzzy release {BAD} development", "development")
    went_back(house, message, "because latency p95")
    chart_stands(house, message, "latency p95")
    house.alice.command(f"/buzzy release {BAD} staging", CHANNELS["staging"])
    told = house.alice.wait_for_ephemeral(
        CHANNELS["staging"], f"{BAD} was given up in development", timeout=PATIENCE
    )
    assert "went back by itself (latency p95" in told
    again = house.ask(f"/buzzy release {BAD} development", "development")
    house.told(again, f"{BAD} went back by itself here before, in R1: latency p95")


@pytest.mark.requirement("B2", "X9")
def test_metrics_that_cannot_be_had_ask_a_person(open_house: OpenHouse) -> None:
    """Nothing goes back for that; the person who asked says that it is good."""
    nowhere = {"prometheus": {"address": "http://127.0.0.1:9"}}
    house = open_house(
        "development", rules=watched({"error_rate": {"above": "2%", "for": "2s"}}), settings=nowhere
    )
    message = house.ask(f"/buzzy release {BAD} development", "development")
    message = house.until(message, "is it good? Somebody has to say")
    assert "Prometheus cannot be reached" in message.shown
    house.alice.click(message, "It is good")
    house.until(message, "🟢")
    assert set(house.images("development").values()) == {BAD}


@pytest.mark.requirement("Q1", "B3")
def test_a_worker_that_is_killed_while_it_watches(open_house: OpenHouse) -> None:
    """Another goes on in the middle of the window, and what trips then goes back all the same."""
    images = {f"buzzybuzz/buzzy-main:{BAD}": "errors"}
    rules = watched({"error_rate": {"above": "2%", "for": "8s"}})
    rules["development"]["monitor"]["window"] = "30s"
    house = open_house("development", rules=rules, metrics=images)
    message = house.ask(f"/buzzy release {BAD} development", "development")
    house.until(message, "⚠️ error rate")
    house.workers[0].kill()
    house.start_worker()
    went_back(house, message, "because error rate")
    assert house.thread(message).count("Going back by itself:") == 1
