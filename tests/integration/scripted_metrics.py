"""Metrics that say what a test wants, at once and without a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from workers.metrics import MetricsError, Point, Series


@dataclass
class ScriptedMetrics:
    """Answers by a part of the query: the value now, or the error instead of one; `before` of earlier.

    Counts of requests have `samples`. What no part fits has no series.
    """

    now: dict[str, float | MetricsError] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=dict)
    at_once: dict[str, float | MetricsError] = field(default_factory=dict)
    """What is asked for at one moment, of the version that runs."""
    samples: float = 500.0
    asked: list[str] = field(default_factory=list)

    def at(self, query: str, moment: datetime) -> tuple[float, ...]:  # noqa: ARG002 - as the port has it
        """Of counts the samples; else the version before, about which alone this is asked."""
        self.asked.append(query)
        if query.startswith("sum(increase("):
            return (self.samples,)
        found = {**self.before, **self.at_once}
        return tuple(_had(value) for part, value in found.items() if part in query)

    def over(self, query: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        """The same value all the time."""
        self.asked.append(query)
        return tuple(
            self._series(value, start, end, step) for part, value in self.now.items() if part in query
        )

    def _series(self, value: float | MetricsError, start: datetime, end: datetime, step: timedelta) -> Series:
        had, count = _had(value), int((end - start) / step) + 1
        return tuple(Point(start + index * step, had) for index in range(count))


def _had(value: float | MetricsError) -> float:
    if isinstance(value, MetricsError):
        raise value
    return value
