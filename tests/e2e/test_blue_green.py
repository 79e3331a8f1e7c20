"""Blue-green from Slack, from end to end: beside what runs, one switch there, one switch back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.arenas import STABLE
from tests.e2e.houses import CHANNELS, ON_CALL, PATIENCE, House
from tests.e2e.traffic import Traffic

OpenHouse = Callable[..., House]
SERVICES = ["buzzy-main", "buzzy-api", "buzzy-files", "buzzy-worker"]
BLUE, GREEN = SERVICES, [f"{name}-green" for name in SERVICES]


def by(**settings: Any) -> dict[str, Any]:  # noqa: ANN401 - keys of an environment
    """How a house goes about it."""
    return {"development": {"strategy": "blue-green", "strategies": ["rolling"], "blue_green": settings}}


def picked(house: House) -> list[str]:
    """Whose pods the Services pick, in the order of the services."""
    return [house.selectors("development")[name]["app"] for name in SERVICES]


def scaled_to_0(house: House, *names: str) -> None:
    """Wait until Deployments ask for no pods."""
    deadline = time.monotonic() + PATIENCE
    while True:
        there = house.deployments("development")
        if not any(there[name]["spec"]["replicas"] for name in names):
            return
        assert time.monotonic() < deadline, house.logs()
        time.sleep(0.2)


@pytest.mark.requirement("D2", "X9")
def test_a_release_beside_what_runs_and_back_by_one_switch(open_house: OpenHouse) -> None:
    """The message shows it, the status says what stands by, and a rollback touches no pod."""
    house = open_house("development", rules=by(monitor="1s", delay="1h"))
    before = house.deployments("development")
    message = house.ask("/buzzy release 3.2.1 development", "development")
    message = house.until(message, "🟢")
    thread = house.told(message, "released")
    order = ["prepared in buzzy-main-green", "preview at", "validated", "buzzy-main: traffic to 3.2.1"]
    order += ["buzzy-worker: traffic to 3.2.1", "watched for 1 s", "buzzy-main kept for 1 h"]
    finished = thread[thread.index("Started") :]
    assert [finished.index(each) for each in order] == sorted(finished.index(each) for each in order)
    assert "blue-green" in message
    assert picked(house) == GREEN
    house.alice.command("/buzzy status development", CHANNELS["development"])
    house.alice.wait_for_ephemeral(CHANNELS["development"], "going back is one switch", timeout=PATIENCE)

    between = house.deployments("development")
    back = house.ask("/buzzy rollback development", "development")
    house.until(back, "rolled back in")
    assert picked(house) == BLUE
    after = house.deployments("development")
    for name in SERVICES:
        assert after[name]["spec"] == before[name]["spec"]
        assert after[f"{name}-green"]["spec"] == between[f"{name}-green"]["spec"]


@pytest.mark.requirement("D2")
def test_a_version_that_crashes_gets_no_traffic_and_wakes_on_call(open_house: OpenHouse) -> None:
    """The release goes back by itself, before anybody's request met it."""
    rules = {"staging": {"approval": {"quorum": 1, "from": ["U0BOB"]}, **by(monitor="1s")["development"]}}
    house = open_house("staging", rules=rules)
    house.arena.behave("3.3.0", "crash")
    message = house.ask("/buzzy release 3.3.0 staging", "staging")
    house.bob.react(house.until(message, "waiting for approval"), "white_check_mark")
    house.until(message, f"rolled back to {STABLE} by itself")
    house.erin.wait_for_message(ON_CALL, f"services are back at {STABLE}", timeout=PATIENCE)
    assert list(house.selectors("staging")["buzzy-main"].values()) == ["buzzy-main"]
    assert "exit code 1" in house.told(message, "Going back")


@pytest.mark.requirement("D2")
def test_what_had_the_traffic_goes_when_its_time_is_over(open_house: OpenHouse) -> None:
    """By itself, and the Deployment stays, with its history; then the next release is prepared in it."""
    house = open_house("development", rules=by(monitor="1s", delay="1s"))
    house.released("/buzzy release 3.2.1 development", "development")

    scaled_to_0(house, *SERVICES)
    house.released("/buzzy release 3.2.2 development", "development")
    assert picked(house) == BLUE
    there = house.deployments("development")
    assert [there[name]["spec"]["replicas"] for name in SERVICES] == [3, 3, 3, 3]
    refused = house.alice.command(
        "/buzzy release 3.2.3 development --strategy canary", CHANNELS["development"]
    )
    assert refused.acknowledged
    house.alice.wait_for_ephemeral(CHANNELS["development"], "There is no strategy", timeout=PATIENCE)


@pytest.mark.requirement("D2", "X9")
@pytest.mark.timeout(240)
def test_no_request_is_lost_there_and_back_and_there_again(open_house: OpenHouse) -> None:
    """From rolling to blue-green, back by one switch, and on: each request is answered, by one of the two."""
    house = open_house("development", rules=by(monitor="1s", delay="1s"))
    with Traffic(house.kubeconfig, house.namespaces["development"], "buzzy-main") as traffic:
        traffic.until("buzzy-main", timeout=PATIENCE)
        house.released("/buzzy release 3.2.1 development", "development")
        traffic.until("buzzy-main-green", timeout=PATIENCE)
        house.until(house.ask("/buzzy rollback development", "development"), "rolled back in")
        traffic.until("buzzy-main", timeout=PATIENCE)
        house.released("/buzzy release 3.2.2 development", "development")
        traffic.until("buzzy-main-green", timeout=PATIENCE)
        scaled_to_0(house, "buzzy-main")
        house.released("/buzzy release 3.2.3 development", "development")
        traffic.until("buzzy-main", timeout=PATIENCE)
    assert traffic.failures == []
    assert len(traffic.answers) > 1_000


def test_the_traffic_of_these_tests_can_fail(open_house: OpenHouse) -> None:
    """Without a pod that is ready there is nobody to answer, and each such request is counted."""
    house = open_house("development", rules=by(monitor="1s"))
    with Traffic(house.kubeconfig, house.namespaces["development"], "buzzy-main") as traffic:
        traffic.until("buzzy-main", timeout=PATIENCE)
        assert traffic.failures == []
        house.scale("development", "buzzy-main", 0)
        deadline = time.monotonic() + PATIENCE
        while not traffic.failures:
            assert time.monotonic() < deadline
            time.sleep(0.05)
