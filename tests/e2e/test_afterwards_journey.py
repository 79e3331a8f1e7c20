"""A release that turns ill a while after its end: on-call hears of it, and goes back with one click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.serving import serve
from tests.e2e.arenas import STABLE
from tests.e2e.houses import CHANNELS, ON_CALL, PATIENCE, House

pytestmark = pytest.mark.timeout(240)
OpenHouse = Callable[..., House]


class Shop:
    """Something that is probed, and that a test makes ill."""

    def __init__(self) -> None:
        """All is well."""
        self.status = 200
        self.app = Starlette(routes=[Route("/health", self._answer)])
        self.url = ""

    async def _answer(self, _request: Request) -> Response:
        return Response(status_code=self.status)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Served for the length of a test."""
    made = Shop()
    with serve(made.app) as served:
        made.url = f"{served.url}/health"
        yield made


@pytest.mark.requirement("M1", "M3", "B5")
def test_what_turns_ill_after_a_release_is_told_and_taken_back_by_a_click(
    open_house: OpenHouse, shop: Shop
) -> None:
    """Nothing goes back by itself any more: an alert says so, once, and its button goes back."""
    trigger: dict[str, Any] = {"http": {"url": shop.url}, "for": "1s", "name": "shop"}
    monitor = {"window": "2s", "every": "1s", "after": "1h", "triggers": [trigger]}
    rules = {"development": {"monitor": monitor, "alerts": {"critical": ON_CALL, "on_call": "S0ONCALL"}}}
    house = open_house("development", rules=rules, deadline="90s")
    message = house.released("/buzzy release 3.2.1 development", "development")
    assert "watched until" in message
    shop.status = 500
    alert = house.erin.wait_for_message(ON_CALL, "shop answers HTTP 500, not 200", timeout=2 * PATIENCE)
    assert "It does not go back by itself any more" in alert
    assert set(house.images("development").values()) == {"3.2.1"}
    house.erin.click(alert, "Roll back")
    rollback = house.erin.wait_for_message(
        CHANNELS["development"], "rollback of buzzy", after=message, timeout=PATIENCE
    )
    house.until(rollback, "🟢")
    assert set(house.images("development").values()) == {STABLE}
    assert len(house.erin.messages(ON_CALL)) == 1
