"""From Slack to the suites: behind a release, and on their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.houses import CHANNELS, PATIENCE, TICK, House

OpenHouse = Callable[..., House]
pytestmark = pytest.mark.timeout(300)

SMOKE, LOAD = "buzzybuzz/smoke-tests:2", "buzzybuzz/load-tests:2"
SUITES: dict[str, Any] = {
    "smoke": {"job": {"image": SMOKE, "deadline": "1m"}},
    "load": {"job": {"image": LOAD, "deadline": "1m"}},
}
ACCEPTANCE = {"acceptance": {"person": {"question": "Is {version} good?", "by": ["S0APPROVERS"]}}}
RULES = {"staging": {"before": ["load"], "validate": ["smoke"]}}


@pytest.mark.requirement("T1", "T2", "T3", "T4", "S3")
def test_a_release_is_good_when_its_suites_have_passed(open_house: OpenHouse) -> None:
    """One before it, one behind it; one that fails fails the release; on their own they change nothing."""
    house = open_house("staging", settings={"suites": SUITES}, rules=RULES)
    message = house.released("/buzzy release 3.2.1 staging", "staging", house.bob)
    thread = house.told(message, "🟢")
    order = [thread.index(f"{step} ·") for step in ("suite load", "buzzy-main to 3.2.1", "suite smoke")]
    assert order == sorted(order)

    alone = house.ask("/buzzy validate staging", "staging")
    shown = house.until(alone, "🟢").shown
    assert "validation of buzzy 3.2.1 · staging" in shown
    assert "passed in" in shown
    assert "suites smoke" in shown
    house.arena.behave(SMOKE, "fail")
    failed = house.ask("/buzzy validate staging smoke", "staging")
    shown = house.until(failed, "🔴").shown
    assert "The suite smoke failed (exit code 1)." in shown
    assert "Nothing was changed." in shown

    message = house.ask("/buzzy release 3.2.2 staging", "staging")
    house.until(message, "waiting for approval")
    house.bob.react(message, TICK)
    shown = house.until(message, "failed at suite smoke").shown
    assert "were changed and left as they are" in shown
    house.alice.command("/buzzy validate staging smok", CHANNELS["staging"])
    told = house.alice.wait_for_ephemeral(CHANNELS["staging"], "There is no suite", timeout=PATIENCE)
    assert "/buzzy validate staging smoke" in told


APDEX = {"name": "user_experience", "at_least": "85%", "over": "10s", "deadline": "1m", "samples": 1}
RECOVERY: dict[str, Any] = {
    "recovery": {"job": {"image": "buzzybuzz/restore:1", "deadline": "1m", "backup": "newest"}},
    "experience": {"metric": APDEX},
}


@pytest.mark.requirement("T2", "T3", "T4")
def test_backups_are_restored_and_what_people_feel_is_measured(open_house: OpenHouse) -> None:
    """Behind a release the backup that it made goes into a Job, and a metric has to be good."""
    database = {"backup": {"image": "buzzybuzz/backup:1.4", "deadline": "1m"}}
    rules = {"staging": {"database": database, "validate": ["recovery", "experience"]}}
    house = open_house("staging", settings={"suites": RECOVERY}, rules=rules, metrics={}, deadline="90s")
    message = house.released("/buzzy release 3.2.1 staging", "staging", house.bob)
    thread = house.told(message, "suite experience ·")
    assert re.search(r"suite recovery · .* with the backup \S.* of R1", thread)
    assert re.search(r"suite experience · .*user experience [0-9.]+ % \(at least 85 %\)", thread)
    alone = house.ask("/buzzy validate staging recovery", "staging")
    house.until(alone, "🟢")
    assert "of R1" in house.told(alone, "with the backup")
    house.arena.behave("buzzybuzz/restore:1", "fail")
    failed = house.ask("/buzzy validate staging recovery", "staging")
    assert "The suite recovery failed (exit code 1)." in house.until(failed, "🔴").shown


@pytest.mark.requirement("T2", "S3")
def test_a_person_signs_off_in_slack(open_house: OpenHouse) -> None:
    """Behind the services a release waits for a word, by button; who is not asked cannot give it."""
    rules = {"staging": {"validate": ["acceptance"]}}
    house = open_house("staging", settings={"suites": ACCEPTANCE}, rules=rules)
    message = house.ask("/buzzy release 3.2.1 staging", "staging")
    house.until(message, "waiting for approval")
    house.bob.react(message, TICK)
    message = house.until(message, "waiting for a sign-off")
    assert "Is 3.2.1 good?" in message
    assert set(house.images("staging").values()) == {"3.2.1"}
    house.alice.click(message, "Sign off")
    house.alice.wait_for_ephemeral(CHANNELS["staging"], "is answered by others", timeout=PATIENCE)
    house.carol.click(message, "Sign off")
    house.until(message, "🟢")
    assert "signed it off" in house.told(message, "signed it off")
