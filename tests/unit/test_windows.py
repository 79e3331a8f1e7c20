"""Freezes by the calendar: which moments they close, until when, and what the clocks' changes do to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from releases.config import Config, ConfigError, Freeze, freeze_at, parse_config, zone_of

WEEKEND = '{deny: "0 16 * * FRI", for: 64h, reason: weekend}'
HOURS = '{allow: "0 9 * * MON-FRI", for: 8h, reason: working hours}'
YEAR_END = '{deny: "0 18 18 12 *", for: 16d, reason: year-end freeze, owner: U0CAROL}'


def config(*own: str, zone: str = "Europe/Berlin", everywhere: str = "") -> Config:
    """A configuration whose production has these windows."""
    return parse_config(
        f"""
        time_zone: {zone}
        freezes: {{windows: [{everywhere}]}}
        services: [{{name: buzzy-main, image: buzzybuzz/buzzy-main}}]
        environments:
          production:
            namespace: buzzy-production
            channel: C0RELEASES
            freezes: {{windows: [{", ".join(own)}]}}
        """
    )


def frozen(settings: Config, local: str) -> Freeze | None:
    """The freeze at a time of the environment's own clock."""
    environment = settings.environment("production")
    at = datetime.fromisoformat(local).replace(tzinfo=zone_of(settings, environment))
    return freeze_at(settings, environment, at.astimezone(UTC))


def until(settings: Config, local: str) -> str:
    """When it opens, on the environment's own clock; `open` when it is open."""
    freeze = frozen(settings, local)
    if freeze is None:
        return "open"
    assert freeze.until is not None
    return f"{freeze.until.astimezone(zone_of(settings)):%Y-%m-%d %H:%M}"


@pytest.mark.requirement("C7", "S2")
@pytest.mark.parametrize(
    ("windows", "local", "opens"),
    [
        ((), "2026-11-27 20:00", "open"),
        ((WEEKEND,), "2026-11-27 15:59", "open"),
        ((WEEKEND,), "2026-11-27 16:00", "2026-11-30 08:00"),
        ((WEEKEND,), "2026-11-30 07:59", "2026-11-30 08:00"),
        ((WEEKEND,), "2026-11-30 08:00", "open"),
        ((HOURS,), "2026-11-27 12:00", "open"),
        ((HOURS,), "2026-11-27 17:00", "2026-11-30 09:00"),
        ((HOURS,), "2026-11-27 08:59", "2026-11-27 09:00"),
        ((HOURS, WEEKEND), "2026-11-27 16:30", "2026-11-30 09:00"),
        ((YEAR_END,), "2026-12-24 12:00", "2027-01-03 18:00"),
        ((YEAR_END, HOURS), "2026-12-24 12:00", "2027-01-04 09:00"),
    ],
)
def test_a_denial_wins_and_an_allowance_has_to_be_open(
    windows: tuple[str, ...], local: str, opens: str
) -> None:
    """Argo CD's rule; what follows on each other without a gap is one freeze to whoever waits."""
    assert until(config(*windows), local) == opens


@pytest.mark.requirement("C7")
def test_windows_for_all_count_with_the_environments_own() -> None:
    """The reason, and who can be asked, come from the one that closes."""
    settings = config(HOURS, everywhere=YEAR_END)
    freeze = frozen(settings, "2026-12-21 12:00")
    assert freeze is not None
    assert (freeze.reason, freeze.owner) == ("year-end freeze", "U0CAROL")


@pytest.mark.requirement("C7", "S2")
@pytest.mark.parametrize(
    ("zone", "friday"),
    [
        ("Europe/Berlin", "2026-03-27"),  # the clocks go forward that weekend
        ("Europe/Berlin", "2026-10-23"),  # and back
        ("America/New_York", "2026-03-06"),
        ("America/New_York", "2026-10-30"),
    ],
)
def test_a_weekend_ends_on_the_wall_clock_whatever_the_clocks_did(zone: str, friday: str) -> None:
    """64 hours on the clock at the wall, which are 63 or 65 of a stopwatch."""
    settings = config(WEEKEND, zone=zone)
    monday = (datetime.fromisoformat(friday) + timedelta(days=3)).date()
    assert until(settings, f"{friday} 16:00") == f"{monday} 08:00"
    assert until(settings, f"{monday} 07:59") == f"{monday} 08:00"
    assert until(settings, f"{monday} 08:00") == "open"
    freeze = frozen(settings, f"{friday} 16:00")
    assert freeze is not None
    assert freeze.until is not None
    begun = datetime.fromisoformat(f"{friday} 16:00").replace(tzinfo=zone_of(settings)).astimezone(UTC)
    assert (freeze.until - begun) in {timedelta(hours=63), timedelta(hours=65)}


@pytest.mark.requirement("C7", "S2")
@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        ("Europe/Berlin", (2026, 3, 29), "01:00", "02:00"),  # 2:30 is not there: it begins at 3:00
        ("America/New_York", (2026, 3, 8), "07:00", "08:00"),
        ("Europe/Berlin", (2026, 10, 25), "00:30", "02:30"),  # 2:30 comes twice: it begins at the first
        ("America/New_York", (2026, 11, 1), "07:30", "08:30"),  # 2:30 comes once, after the change
    ],
)
def test_a_window_in_the_hour_that_the_clocks_change(
    zone: str, day: tuple[int, int, int], begins: str, ends: str
) -> None:
    """It begins right after the gap, and once in the fold; times here are UTC."""
    settings = config('{deny: "30 2 * * *", for: 1h}', zone=zone)
    environment = settings.environment("production")
    midnight = datetime(*day, tzinfo=UTC)
    closed = [
        minute
        for number in range(24 * 60)
        if freeze_at(settings, environment, minute := midnight + timedelta(minutes=number))
    ]
    assert f"{closed[0]:%H:%M}" == begins
    assert f"{closed[-1] + timedelta(minutes=1):%H:%M}" == ends
    assert len(closed) == (closed[-1] - closed[0]).seconds / 60 + 1


@pytest.mark.requirement("C7")
def test_the_machines_own_zone_plays_no_part() -> None:
    """Wherever the bot runs, and whatever its clock says."""
    settings = config(WEEKEND)
    for machine in ("Asia/Tokyo", "America/New_York"):
        with time_machine.travel(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)):
            assert until(settings, "2026-10-25 02:30") == "2026-10-26 08:00", machine


@pytest.mark.requirement("C7")
def test_an_environment_that_is_never_open_says_no_end() -> None:
    """Nor does looking for one take for ever."""
    freeze = frozen(config('{deny: "* * * * *", for: 2m}'), "2026-11-27 12:00")
    assert freeze is not None
    assert freeze.until is None


@pytest.mark.requirement("C7")
@pytest.mark.parametrize(
    ("window", "says"),
    [
        ("{for: 1h}", "needs either allow or deny, one of them"),
        ('{allow: "0 9 * * *", deny: "0 9 * * *", for: 1h}', "needs either allow or deny"),
        ('{deny: "0 9 * *", for: 1h}', "has five fields"),
        ('{deny: "0 25 * * *", for: 1h}', "is no calendar rule"),
        ('{deny: "0 9 * * *"}', "is missing"),
    ],
)
def test_a_window_that_cannot_be_is_refused_with_its_place(window: str, says: str) -> None:
    """By `buzzy check`, before anybody relies on it."""
    with pytest.raises(ConfigError, match=says) as caught:
        config(window)
    assert "environments.production.freezes.windows[0]" in str(caught.value)


@pytest.mark.requirement("C7")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("time_zone: Berlin", "time_zone: is no time zone, such as Europe/Berlin"),
        (
            "trains: {monthly: {leaves: '0 10 * * TUE#1', environment: prodution, owner: U0CAROL}}",
            "trains.monthly.environment: is no environment of this file; did you mean production?",
        ),
    ],
)
def test_zones_and_trains_are_checked(line: str, says: str) -> None:
    """A slip of the pen is named with what was meant."""
    with pytest.raises(ConfigError) as caught:
        parse_config(
            f"""
            {line}
            services: [{{name: buzzy-main, image: buzzybuzz/buzzy-main}}]
            environments: {{production: {{namespace: buzzy-production, channel: C0RELEASES}}}}
            """
        )
    assert str(caught.value) == says
