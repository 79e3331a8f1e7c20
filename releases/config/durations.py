"""Lengths of time: as people write them in a file (`1h30m`), and as people read them (`1 h 30 min`)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

LONGEST = timedelta(days=366)
"""Nothing that is waited for here takes longer; a longer one is a slip of the pen."""

_WRITTEN = r"^(?=[0-9])(?:[0-9]{1,9}d)?(?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?$"
_PARTS = re.compile(r"([0-9]{1,9})([dhms])")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SHOWN = {"d": "d", "h": "h", "m": "min", "s": "s"}


def parse_duration(text: str) -> timedelta:
    """A length of time from text such as `90s`, `15m`, `1h30m` or `2d`.

    Raises `ValueError` with a sentence for the person who wrote it.
    """
    bare = text.replace(" ", "")
    if bare.isdecimal():
        raise ValueError(
            f"needs a unit, such as {bare}s or {bare}m" if len(bare) < 10 else "needs a unit, such as 90s"
        )
    if not re.fullmatch(_WRITTEN, bare):
        raise ValueError("is no length of time: it takes days, hours, minutes and seconds, such as 1h30m")
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PARTS.findall(bare))
    if seconds == 0:
        raise ValueError("must be longer than nothing, such as 5m")
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"must be at most {LONGEST.days} days")
    return timedelta(seconds=seconds)


def write_duration(duration: timedelta) -> str:
    """The text that `parse_duration` reads back, for files; whole seconds."""
    return "".join(f"{count}{unit}" for unit, count in _counts(duration) if count)


def format_duration(duration: timedelta) -> str:
    """A short text for people: the two largest units, rounded down, such as `3 h 58 min`.

    What is less than a second, or lies in the past because clocks differ, is `0 s`.
    """
    counts = _counts(duration)
    first = next((index for index, (_, count) in enumerate(counts) if count), len(counts) - 1)
    shown = [f"{count} {_SHOWN[unit]}" for unit, count in counts[first : first + 2] if count]
    return " ".join(shown) or "0 s"


def format_seconds(seconds: int) -> str:
    """The same of a number of seconds."""
    return format_duration(timedelta(seconds=seconds))


def _counts(duration: timedelta) -> list[tuple[str, int]]:
    rest = max(int(duration.total_seconds()), 0)
    counts = []
    for unit, seconds in _SECONDS.items():
        count, rest = divmod(rest, seconds)
        counts.append((unit, count))
    return counts


def _read(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _read_or_off(value: object) -> object:
    return timedelta(0) if value in {"off", "0", "0s"} else _read(value)


def _write_or_off(duration: timedelta) -> str:
    return write_duration(duration) or "off"


Duration = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _WRITTEN, "examples": ["90s", "15m", "1h30m", "2d"]}),
]
"""A length of time in a model."""

DurationOrOff = Annotated[
    timedelta,
    BeforeValidator(_read_or_off),
    PlainSerializer(_write_or_off, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": _WRITTEN}, {"enum": ["off", 0, False]}],
            "examples": ["10s", "2h", "off"],
        }
    ),
]
"""A length of time in a model, or none at all, which is written `off`."""
