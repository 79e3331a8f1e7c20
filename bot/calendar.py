"""What is closed and what is due, read from the record and the calendar of `buzzy.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from bot.messages.calendar import Entry
from bot.messages.closing import in_brief
from releases.closing import Closure, Standing, closing, local
from releases.config import Config, Environment, Window, zone_of
from releases.record.closures import Closures
from releases.record.schedules import Schedules
from releases.schedule import Scheduled

AHEAD = timedelta(days=14)
MOST_OF_A_WINDOW = 4
"""How often one window is listed that comes again and again."""


class Calendar:
    """Answers from what is known; nothing here looks at a cluster."""

    def __init__(self, config: Config, closures: Closures, schedules: Schedules) -> None:
        """Reads, and changes nothing."""
        self._config = config
        self._closures = closures
        self._schedules = schedules

    def brief(self, name: str, now: datetime) -> tuple[str, ...]:
        """What closes an environment now and what is due next, each in a few words for a table."""
        environment = self._config.environment(name)
        zone = zone_of(self._config, environment)
        parts = [in_brief(each, now, zone) for each in self._standing(environment, now)]
        due = [
            (each.due, f"next: {each.version} {local(each.due, now, zone)}") for each in self._due(name, now)
        ]
        trains = [
            (leaves, f"next: train {local(leaves, now, zone)}")
            for train in self._config.trains.values()
            if train.environment == name and (leaves := train.next_after(now, zone)) is not None
        ]
        soon = [each for each in (*due, *trains) if each[0] <= now + AHEAD]
        return (*parts, *(text for _, text in sorted(soon)[:1]))

    def entries(self, name: str, now: datetime) -> tuple[Entry, ...]:
        """What is closed now, and what comes in the next two weeks, in order."""
        environment = self._config.environment(name)
        found = [*self._closed(environment, now), *self._releases(environment, now)]
        found += self._windows(environment, now)
        return tuple(sorted(found, key=lambda entry: entry.at))

    def _standing(self, environment: Environment, now: datetime) -> tuple[Standing, ...]:
        return closing(self._config, environment, self._closures.board(environment.name).made, now)

    def _closed(self, environment: Environment, now: datetime) -> Iterator[Entry]:
        for each in self._standing(environment, now):
            at = each.at if isinstance(each, Closure) else now
            yield Entry(at, closed=each)

    def _due(self, name: str, now: datetime) -> list[Scheduled]:
        there = [each for each in self._schedules.all() if each.environment == name]
        return [each for each in there if each.due <= now + AHEAD]

    def _releases(self, environment: Environment, now: datetime) -> Iterator[Entry]:
        due = self._due(environment.name, now)
        for each in due:
            yield Entry(each.due, schedule=each)
        zone = zone_of(self._config, environment)
        for name, train in self._config.trains.items():
            if train.environment != environment.name:
                continue
            for leaves in train.between(now, now + AHEAD, zone):
                if not any(each.train == name and each.due == leaves for each in due):
                    yield Entry(leaves, text=f"🚆 train {name} leaves, nothing on it yet")

    def _windows(self, environment: Environment, now: datetime) -> Iterator[Entry]:
        zone = zone_of(self._config, environment)
        for window in (*self._config.freezes.windows, *environment.freezes.windows):
            if window.allow is not None:
                continue
            for begins in islice(window.times(now, zone), MOST_OF_A_WINDOW):
                if begins - now > AHEAD:
                    break
                until = (begins + window.length).astimezone(now.tzinfo)
                yield Entry(begins.astimezone(now.tzinfo), text=f"❄️ frozen{_for(window)}", until=until)

    def open_times(self, name: str) -> tuple[str, ...]:
        """The times to which releases are bound, in words."""
        environment = self._config.environment(name)
        windows = (*self._config.freezes.windows, *environment.freezes.windows)
        return tuple(window.reason or "the times of buzzy.yaml" for window in windows if window.allow)


def _for(window: Window) -> str:
    return f" ({window.reason})" if window.reason else ""
