"""Freezes by the calendar: windows in which releases may go, or may not.

Argo CD's rule: without a window that is open or closed now, all may go; if there is any window that allows,
one of them must be open; one that denies wins. Rules are cron's, read in a time zone. Where the clocks are
put forward, what would begin in the hour that is missing begins right after it; where they are put back, it
begins once. A window's length counts on the wall clock: from Friday 16:00 for 64 h is until Monday 8:00 on
every weekend of the year.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, model_validator

from releases.config.durations import Duration
from releases.config.section import PersonOrGroup, Section

if TYPE_CHECKING:
    from releases.config.models import Config, Environment

MOST_STEPS = 200
"""Windows that follow upon each other without a gap, until no end is looked for any more."""


def _rule(text: str) -> str:
    if len(text.split()) != 5:
        raise ValueError("has five fields: minute, hour, day, month, weekday, such as 0 16 * * FRI")
    try:
        next(CronSim(text, datetime(2026, 1, 1)))  # noqa: DTZ001 - whether it can be read depends on no zone
    except StopIteration:
        raise ValueError("never comes") from None
    except CronSimError as error:
        raise ValueError(f"is no calendar rule: {error}") from None
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (LookupError, ValueError, OSError):
        raise ValueError("is no time zone, such as Europe/Berlin") from None
    return text


Rule = Annotated[str, AfterValidator(_rule)]
Zone = Annotated[str, AfterValidator(_zone)]


def occurrences(rule: str, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The times of a rule after a moment.

    In the hour that the clocks show twice, a rule's own clock would give those of its first pass again.
    """
    return (time for time in CronSim(rule, after.astimezone(zone)) if time > after)


class Window(Section):
    """A time that comes again: in it releases may go (`allow`) or may not (`deny`)."""

    allow: Rule | None = Field(
        default=None,
        description="when it begins: minute, hour, day, month, weekday",
        examples=["0 9 * * MON-FRI"],
    )
    deny: Rule | None = Field(
        default=None, description="the same, for a time without releases", examples=["0 16 * * FRI"]
    )
    length: Duration = Field(alias="for", description="how long it is, on the wall clock", examples=["64h"])
    reason: str = Field(default="", max_length=120, description="what it is for", examples=["weekend"])
    owner: PersonOrGroup | None = Field(
        default=None, description="who can be asked about it", examples=["U0CAROL"]
    )

    @model_validator(mode="after")
    def _one(self) -> Window:
        if (self.allow is None) == (self.deny is None):
            raise ValueError("needs either allow or deny, one of them")
        return self

    def times(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """When it begins, again and again, after a moment."""
        return occurrences(self.allow or self.deny or "", after, zone)

    def open_until(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When the one that has begun ends (UTC); None when none has, or it has ended."""
        start = (now + timedelta(minutes=1)).astimezone(zone).replace(second=0, microsecond=0)
        if start.fold:  # the rule's own clock reads as an hour ago: what began since would be passed over
            start += timedelta(hours=1)
        times = CronSim(self.allow or self.deny or "", start, reverse=True)
        begun = next((time for time in times if time <= now), None)
        if begun is None:
            return None
        end = (begun + self.length).astimezone(UTC)  # a zone's own arithmetic is the wall clock's
        return end if now < end else None


class Freezes(Section):
    """When releases may go and when not, and who may decide otherwise."""

    managers: tuple[PersonOrGroup, ...] = Field(
        default=(),
        description="who may freeze and unfreeze, and release in spite of a freeze, with a reason",
        examples=[["S0MANAGERS"]],
    )
    windows: tuple[Window, ...] = Field(
        default=(), description="the calendar", examples=[[{"deny": "0 16 * * FRI", "for": "64h"}]]
    )


@dataclass(frozen=True)
class Freeze:
    """A freeze of the calendar. `until` is None when no end can be foreseen."""

    reason: str
    until: datetime | None
    owner: str | None


def zone_of(config: Config, environment: Environment | None = None) -> ZoneInfo:
    """The time zone in which an environment's times are meant."""
    own = environment.time_zone if environment is not None else None
    return ZoneInfo(own or config.time_zone)


def freeze_at(config: Config, environment: Environment, at: datetime) -> Freeze | None:
    """The freeze in which a moment lies, by the windows for all and the environment's own."""
    windows, zone = (*config.freezes.windows, *environment.freezes.windows), zone_of(config, environment)
    now = _denied(windows, zone, at)
    if now is None:
        return None
    until: datetime | None = now.until
    for _ in range(MOST_STEPS):
        following = _denied(windows, zone, until) if until is not None else None
        if following is None:
            return Freeze(now.reason, until, now.owner)
        until = following.until
    return Freeze(now.reason, None, now.owner)


def _denied(windows: tuple[Window, ...], zone: ZoneInfo, at: datetime) -> Freeze | None:
    """What keeps releases back at a moment, until the first moment at which that one thing does not."""
    for window in windows:
        if window.deny is not None and (end := window.open_until(at, zone)) is not None:
            return Freeze(window.reason or "by the calendar", end, window.owner)
    allowing = [window for window in windows if window.allow is not None]
    if not allowing or any(window.open_until(at, zone) is not None for window in allowing):
        return None
    starts = [start for window in allowing if (start := next(window.times(at, zone), None)) is not None]
    hours = ", ".join(dict.fromkeys(window.reason for window in allowing if window.reason))
    reason = f"outside of {hours}" if hours else "outside of the times for releases"
    return Freeze(reason, min(starts).astimezone(UTC) if starts else None, allowing[0].owner)
