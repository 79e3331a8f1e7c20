"""Times as people type them, in their own time zone, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine

from releases.moments import UnclearTimeError, read_moment

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
FRIDAY = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
SPRING = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # 1:30 in Berlin, half an hour before the gap
AUTUMN = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # 0:30 in Berlin, before the hour that comes twice


@pytest.mark.requirement("C7")
@pytest.mark.parametrize(
    ("text", "now", "zone", "meant"),
    [
        ("17:00", FRIDAY, BERLIN, "2026-11-27T17:00+01:00"),
        ("14:00", FRIDAY, BERLIN, "2026-11-28T14:00+01:00"),
        ("9am", FRIDAY, NEW_YORK, "2026-11-28T09:00-05:00"),
        ("tomorrow 10:00", FRIDAY, BERLIN, "2026-11-28T10:00+01:00"),
        ("tomorrow at 10", FRIDAY, BERLIN, "2026-11-28T10:00+01:00"),
        ("friday 10", FRIDAY, BERLIN, "2026-12-04T10:00+01:00"),
        ("Mon 8:00", FRIDAY, NEW_YORK, "2026-11-30T08:00-05:00"),
        ("3 Dec 9:00", FRIDAY, BERLIN, "2026-12-03T09:00+01:00"),
        ("2 January 8:00", FRIDAY, BERLIN, "2027-01-02T08:00+01:00"),
        ("2026-12-03 09:00", FRIDAY, BERLIN, "2026-12-03T09:00+01:00"),
        ("2026-12-03T09:00:00Z", FRIDAY, BERLIN, "2026-12-03T09:00+00:00"),
        ("in 2 hours", FRIDAY, BERLIN, "2026-11-27T17:00+01:00"),
        ("2h", FRIDAY, BERLIN, "2026-11-27T17:00+01:00"),
        ("1h30m", FRIDAY, BERLIN, "2026-11-27T16:30+01:00"),
        ("in 5 seconds", FRIDAY, BERLIN, "2026-11-27T15:00:05+01:00"),
        # the clocks go forward: an hour that is not there, and one that is an hour later for it
        ("2:30", SPRING, BERLIN, "2026-03-29T03:30+02:00"),
        ("in 2 hours", SPRING, BERLIN, "2026-03-29T04:30+02:00"),
        ("tomorrow 2:30", SPRING, BERLIN, "2026-03-30T02:30+02:00"),
        ("2026-03-08 02:30", datetime(2026, 3, 7, tzinfo=UTC), NEW_YORK, "2026-03-08T03:30-04:00"),
        # and back: of two the first, and hours that are hours
        ("2:30", AUTUMN, BERLIN, "2026-10-25T02:30+02:00"),
        ("in 3 hours", AUTUMN, BERLIN, "2026-10-25T02:30+01:00"),
        ("2026-11-01 01:30", FRIDAY.replace(month=10), NEW_YORK, "2026-11-01T01:30-04:00"),
    ],
)
def test_a_time_is_what_its_person_means(text: str, now: datetime, zone: str, meant: str) -> None:
    """Whatever the machine's own clock says."""
    with time_machine.travel(datetime(2025, 6, 1, tzinfo=UTC)):
        moment = read_moment(text, now, ZoneInfo(zone))
    assert moment == datetime.fromisoformat(meant)


@pytest.mark.requirement("C9")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("whenever", '"whenever" is no time that I understand.'),
        ("3.2.1", '"3.2.1" is no time that I understand.'),
        ("yesterday", "that is over"),
        ("2020-01-01 10:00", "was Wed 01 Jan 2020 10:00 CET: that is over."),
        ("2036-01-01", "is more than a year away"),
    ],
)
def test_what_is_no_time_to_come_is_said(text: str, says: str) -> None:
    """With what was understood, where something was."""
    with pytest.raises(UnclearTimeError) as caught:
        read_moment(text, FRIDAY, ZoneInfo(BERLIN))
    assert says in str(caught.value)
