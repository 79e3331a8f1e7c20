"""What is asked of whoever keeps metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class MetricsError(Exception):
    """It could not be measured. Its text says why, without a full stop."""


class MetricsAwayError(MetricsError):
    """Nobody answers, or not in time: it may be otherwise in a moment."""


class QueryError(MetricsError):
    """What was asked is not understood, or not allowed: asking again does not help."""


@dataclass(frozen=True)
class Point:
    """A value at a moment; always a number, never NaN or infinite."""

    at: datetime
    value: float


Series = tuple[Point, ...]
"""Points of one series in the order of time; where nothing was measured there is none."""


class Metrics(Protocol):
    """Keeps metrics. Every call is bounded in time and raises `MetricsError`s only."""

    def at(self, query: str, moment: datetime) -> tuple[float, ...]:
        """The values of all series that a query has at a moment; none when nothing was measured."""
        ...

    def over(self, query: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        """All series that a query has, from `start` to `end`, a point each `step`."""
        ...
