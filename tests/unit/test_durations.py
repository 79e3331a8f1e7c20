"""Lengths of time, as they are written in files and as people read them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.config import format_duration, parse_duration, write_duration

seconds = st.integers(min_value=1, max_value=366 * 86_400).map(lambda count: timedelta(seconds=count))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("2d", timedelta(days=2)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("1d 2h 3m 4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    """Days, hours, minutes and seconds, alone or together."""
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("90", "needs a unit"),
        ("1" * 5_000, "needs a unit"),
        ("0s", "longer than nothing"),
        ("0h0m", "longer than nothing"),
        ("-5m", "no length of time"),
        ("30m1h", "no length of time"),
        ("5 minutes", "no length of time"),
        ("1.5h", "no length of time"),
        ("never", "no length of time"),
        ("", "no length of time"),
        ("367d", "at most 366 days"),
        ("999999999d", "at most 366 days"),
        ("\u0665m", "no length of time"),
    ],
    ids=lambda text: text[:12] or "empty",
)
def test_wrong_durations(text: str, said: str) -> None:
    """Nothing, less than nothing and what has no unit are refused, each with its reason."""
    with pytest.raises(ValueError, match=said):
        parse_duration(text)


@given(seconds)
def test_durations_round_trip(duration: timedelta) -> None:
    """What is written for a length of time is read as the same one."""
    assert parse_duration(write_duration(duration)) == duration


@pytest.mark.parametrize(
    ("duration", "shown"),
    [
        (timedelta(hours=3, minutes=58, seconds=59), "3 h 58 min"),
        (timedelta(minutes=1, seconds=12), "1 min 12 s"),
        (timedelta(seconds=21, milliseconds=900), "21 s"),
        (timedelta(hours=23, minutes=40), "23 h 40 min"),
        (timedelta(days=6), "6 d"),
        (timedelta(days=2, minutes=5), "2 d"),
        (timedelta(hours=4), "4 h"),
        (timedelta(milliseconds=200), "0 s"),
        (timedelta(0), "0 s"),
        (timedelta(seconds=-5), "0 s"),
    ],
    ids=str,
)
def test_durations_as_people_read_them(duration: timedelta, shown: str) -> None:
    """Two units at most, rounded down, never less than nothing."""
    assert format_duration(duration) == shown


@given(seconds)
def test_shown_durations_are_never_too_long(duration: timedelta) -> None:
    """What people read falls short of the true length by less than the unit below the largest."""
    units = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
    words = format_duration(duration).split()
    total = sum(int(count) * units[unit] for count, unit in zip(words[::2], words[1::2], strict=True))
    below = [seconds for seconds in units.values() if seconds < units[words[1]]]
    assert 0 <= duration.total_seconds() - total < max(below, default=1)
    assert len(words) <= 4
