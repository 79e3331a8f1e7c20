"""Release trains: dates by a calendar rule on which a release leaves, if one is scheduled on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from pydantic import Field

from releases.config.durations import Duration
from releases.config.section import PersonOrGroup, Section
from releases.config.windows import Rule, Zone, occurrences


class Train(Section):
    """A train: when it leaves, and where it goes."""

    leaves: Rule = Field(
        description="minute, hour, day, month, weekday; TUE#1 is the first Tuesday",
        examples=["0 10 * * TUE#1"],
    )
    environment: str = Field(description="where it goes", examples=["production"])
    time_zone: Zone | None = Field(
        default=None,
        description="the time zone of its rule; the environment's if left out",
        examples=["Europe/Berlin"],
    )
    owner: PersonOrGroup = Field(
        description="who is reminded when nothing is scheduled on it", examples=["U0CAROL"]
    )
    remind: Duration = Field(
        default=timedelta(days=1), description="how long before it leaves", examples=["1d"]
    )

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """The next departure (UTC); `zone` is the environment's."""
        found = next(self._times(moment, zone), None)
        return None if found is None else found.astimezone(UTC)

    def between(self, after: datetime, until: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
        """The departures after one moment, up to another (UTC)."""
        times = (time.astimezone(UTC) for time in self._times(after, zone))
        return tuple(takewhile(lambda time: time <= until, times))

    def _times(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        return occurrences(self.leaves, after, ZoneInfo(self.time_zone) if self.time_zone else zone)
