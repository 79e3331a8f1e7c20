"""From Slack to the pods: what runs is what was looked up, if it fits and was ticked."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from sandbox.registry import push_image
from tests.e2e.houses import House

OpenHouse = Callable[..., House]
pytestmark = pytest.mark.timeout(240)


@pytest.mark.requirement("V2", "D1", "D4")
def test_a_release_runs_what_was_looked_up(open_house: OpenHouse) -> None:
    """Pinned in the pod templates, read as the version that it is, and gone back from."""
    house = open_house("staging", registry=True)
    with httpx.Client(base_url=house.registry_url) as client:
        digest = push_image(client, "buzzybuzz/buzzy-api", "3.2.1", env={"NODE_VERSION": "14.21.1"})
    message = house.released("/buzzy release 3.2.1 staging", "staging", house.bob)
    assert set(house.images("staging").values()) == {"3.2.1"}
    container = house.deployments("staging")["buzzy-api"]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == f"buzzybuzz/buzzy-api:3.2.1@{digest}"
    thread = house.thread(message)
    assert f"buzzy-api {digest[:19]}" in thread
    assert "✅ compatible · Kubernetes v1." in thread
    back = house.released("/buzzy rollback staging", "staging", house.bob)
    assert "3.2.1 → 3.2.0" in back.shown
    assert set(house.images("staging").values()) == {"3.2.0"}


@pytest.mark.requirement("V2", "V6")
def test_what_is_not_there_or_does_not_fit_is_refused_in_the_channel(open_house: OpenHouse) -> None:
    """Before anything is touched: which image and which are near; which row, what it needs, what runs."""
    house = open_house("staging", registry=True)
    before = house.images("staging")
    message = house.ask("/buzzy release 3.2.9 staging", "staging")
    shown = house.until(message, "cannot be done, nothing was changed").shown
    assert "There is no image buzzybuzz/buzzy-main:3.2.9, buzzybuzz/buzzy-api:3.2.9" in shown
    assert "3.2.2" in shown
    message = house.ask("/buzzy release 4.0.0 staging", "staging")
    shown = house.until(message, "cannot be done, nothing was changed").shown
    assert "it needs Node.js 18.x, and the image of buzzy-main, buzzy-api" in shown
    assert "The row 4.x of compatibility" in shown
    assert house.images("staging") == before


@pytest.mark.requirement("D1")
def test_production_waits_for_a_word_about_the_release_notes(open_house: OpenHouse) -> None:
    """Approved by two, it starts when somebody who may has ticked."""
    house = open_house("production", registry=True)
    message = house.ask("/buzzy release 3.2.1 production", "production")
    house.until(message, "waiting for 2 of 2 approvals and 1 tick")
    house.bob.react(message, "white_check_mark")
    house.carol.react(message, "white_check_mark")
    house.until(message, "waiting for 1 tick")
    house.bob.click(message, "☑ release notes read")
    house.until(message, "🟢")
    assert set(house.images("production").values()) == {"3.2.1"}
