"""Times as people type them: `17:00`, `tomorrow 10:00`, `in 2 hours`, `Mon 8:00`, `3 Dec 9:00`.

What was understood is always shown before it counts, in words and in the reader's own time, because such
times can mean two things. A time that the clocks skip means the moment as long after the jump; one that they
show twice means the first of the two.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dateparser

LONGEST = timedelta(days=366)
"""Nothing is planned here for longer; what is further away is a slip of the pen."""

_SECONDS = {"s": 1, "m": 60, "h": 3_600}
_PART = r"(\d{1,6}) ?(s|m|h)(?:ec|econd|in|inute|r|our)?s?(?![a-z])"
_CLOCK = re.compile(r"(?:at )?(?:\d{1,2}(?:[:.]\d\d)?(?: ?[ap]\.?m\.?)?|noon|midnight)", re.IGNORECASE)
_LENGTH = re.compile(rf"(?:in )?{_PART}(?: ?{_PART})*", re.IGNORECASE)
_BARE_HOUR = re.compile(r"\b(at |@ ?)(\d{1,2})(?![\d:.]|\s*[ap]\.?m)", re.IGNORECASE)
_END_HOUR = re.compile(r"(?<=[a-z]{3} )(\d{1,2})$", re.IGNORECASE)
_MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d{1,2}$", re.IGNORECASE)


class UnclearTimeError(ValueError):
    """A text that is no time that can be meant; its message is a sentence for who typed it."""


def read_moment(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) that somebody in a time zone means, in the future. Raises `UnclearTimeError`."""
    moment = _length(text, now) or _wall_clock(text, now, zone)
    if moment is None:
        raise UnclearTimeError(f'"{text}" is no time that I understand.')
    if moment <= now:
        raise UnclearTimeError(f'"{text}" was {moment.astimezone(zone):%a %d %b %Y %H:%M %Z}: that is over.')
    if moment > now + LONGEST:
        raise UnclearTimeError(f'"{text}" is more than a year away.')
    return moment


def _length(text: str, now: datetime) -> datetime | None:
    """Hours, minutes and seconds from now: they are as long as they are, whatever the clocks do."""
    if not _LENGTH.fullmatch(text.strip()):
        return None
    parts = re.findall(_PART, text, re.IGNORECASE)
    seconds = sum(int(number) * _SECONDS[unit.lower()] for number, unit in parts)
    return now + timedelta(seconds=seconds)


def _wall_clock(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    there = now.astimezone(zone)
    found = dateparser.parse(
        _with_minutes(text.strip()),
        languages=["en"],
        settings={
            "TIMEZONE": "UTC",
            "PREFER_DATES_FROM": "future",
            "RELATIVE_BASE": there.replace(tzinfo=None),
        },
    )
    if found is None:
        return None
    if found.tzinfo is not None:
        return found.astimezone(UTC)  # the text said in which zone it is
    # The library stumbles over times that a clock shows twice: it is kept on a clock without such.
    found = found.replace(tzinfo=zone, fold=0)
    if found.astimezone(UTC) <= now and _CLOCK.fullmatch(text.strip()):
        found += timedelta(days=1)  # a time of day alone is the next one; on the wall clock
    return found.astimezone(UTC)


def _with_minutes(text: str) -> str:
    """`tomorrow at 10` and `friday 10` with their minutes, without which the library passes the hour over."""
    text = _BARE_HOUR.sub(r"\g<1>\g<2>:00", text)
    return text if _MONTH.search(text) else _END_HOUR.sub(r"\1:00", text)
