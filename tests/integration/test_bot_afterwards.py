"""What people are told of what trips once it was released, and how they go back from there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from releases.monitoring import Chart, Line
from releases.notices import Tripped
from releases.record.closures import Closures
from tests.integration.bot_house import ON_CALL, STAGING, House, eventually, now, open_house


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot at work."""
    with open_house(redis_url) as opened:
        yield opened


def tripped(*, chart: bool = True) -> Tripped:
    """Errors of R1, which was released half an hour ago."""
    begun = now() - timedelta(minutes=30)
    line = Line(start=begun, step_seconds=60.0, values=(0.001, 0.002, 0.048))
    return Tripped(
        at=now(),
        channel=ON_CALL,
        environment="staging",
        release="R1",
        version="3.2.1",
        stable="3.2.0",
        released_at=begun,
        trigger="error rate",
        reason="error rate 4.8 % (limit 2 %) for 1 min",
        on_call="S0ONCALL",
        chart=Chart(trigger="error rate", unit="share", limit=0.02, new=line) if chart else None,
    )


@pytest.mark.requirement("M1", "M3", "X8")
def test_an_alert_has_a_chart_and_its_button_goes_back(house: House) -> None:
    """Told once, with the chart below; on-call presses, and a rollback is asked for."""
    house.ready_for_approval()
    house.person("bob").command("/buzzy approve R1", STAGING)
    eventually(lambda: house.record.load("R1").release.approved, "it is approved")
    house.run_steps("R1")
    for _ in range(2):
        Closures(house.store).once("tripped:R1:error rate", 60, [tripped()])
    erin = house.person("erin")
    alert = erin.wait_for_message(ON_CALL, "error rate 4.8 % (limit 2 %) for 1 min")
    assert "It does not go back by itself any more" in alert
    assert "S0ONCALL" in str(alert.blocks)
    eventually(lambda: len(erin.thread(alert)) == 1, "the chart is below it", seconds=30)
    eventually(lambda: not house.record.behind(), "all is told")
    assert len(erin.messages(ON_CALL)) == 1
    erin.click(alert, "Roll back")
    rollback = erin.wait_for_message(STAGING, "rollback of buzzy")
    assert "R1: Roll back was pressed" in erin.wait_for_reply(rollback, "asked for").shown
    assert house.record.load("R2").release.request.approval is None


@pytest.mark.requirement("M1")
def test_an_alert_without_a_metric_has_no_chart(house: House) -> None:
    """Such as one about pods."""
    Closures(house.store).once("tripped:R1:health", 60, [tripped(chart=False)])
    erin = house.person("erin")
    alert = erin.wait_for_message(ON_CALL, "error rate 4.8 %")
    eventually(lambda: not house.record.behind(), "all is told")
    assert erin.thread(alert) == []
