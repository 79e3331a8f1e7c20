"""What is asked of whoever keeps metrics, for one look: templates filled in with the pods that there are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from releases.monitoring import MOST_POINTS, Chart, Line, Reading, Trigger
from workers import analysis
from workers.analysis import Measured
from workers.metrics import Metrics, QueryError

LONGER = 5
"""The version before is looked back at over so many times the span: it is a number for all of the window."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
"""What names of Kubernetes' objects are; nothing else is ever put into a query."""


def new_pods(replica_sets: Iterable[str | None]) -> str:
    """A regular expression for the names of these ReplicaSets' pods; without any it matches nothing."""
    names = [_literal(name) for name in replica_sets if name is not None]
    return f"(?:{'|'.join(names)})-[a-z0-9]+" if names else "-"


def before_pods(deployments: Iterable[str]) -> str:
    """The same for all pods of Deployments, which before the release are those of the version before."""
    return f"(?:{'|'.join(_literal(name) for name in deployments)})-[a-z0-9]+-[a-z0-9]+"


def _literal(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise QueryError("the query is about something that has no name of Kubernetes")
    return name.replace(".", "[.]")


@dataclass(frozen=True)
class Queries:
    """The queries about one namespace. `new` and `before` are regular expressions for names of pods."""

    namespace: str
    new: str
    before: str
    release_began: datetime

    def measure(
        self, metrics: Metrics, trigger: Trigger, before: float | None, *, began: datetime, now: datetime
    ) -> Measured:
        """All that a verdict needs. `before` is what was found of the version before, once it was.

        Raises `MetricsError`.
        """
        step, span = analysis.step_of(trigger), analysis.range_of(trigger)
        whole = timedelta(seconds=trigger.for_seconds) + step
        # Aligned to now, so that the newest value is of now; nothing from before it is watched counts.
        steps = min(int(whole / step), max(int((now - began) / step), 0))
        series = metrics.over(self.filled(trigger.query, self.new, span), now - steps * step, now, step)
        samples = self._count(metrics, trigger, self.new, span, now)
        samples_before = None
        if trigger.times and before is None:
            long = LONGER * span
            samples_before = self._count(metrics, trigger, self.before, long, self.release_began)
            found = metrics.at(self.filled(trigger.query, self.before, long), self.release_began)
            before = (max if trigger.above is not None else min)(found, default=None)
        return Measured(analysis.worst(series, trigger), before, samples, samples_before)

    def chart(self, metrics: Metrics, trigger: Trigger, reading: Reading, now: datetime) -> Chart | None:
        """The metric since the release began, and for as long before that. Raises `MetricsError`."""
        span = analysis.range_of(trigger)
        whole = max(now - self.release_began, span)
        step = max(timedelta(seconds=1), whole / (MOST_POINTS - 1))

        def line(pods: str, start: datetime) -> Line:
            series = metrics.over(self.filled(trigger.query, pods, span), start, start + whole, step)
            return analysis.line_of(analysis.worst(series, trigger), start, start + whole, step)

        new = line(self.new, self.release_began)
        before = line(self.before, self.release_began - whole)
        known = any(value is not None for value in before.values)
        return analysis.chart_of(trigger, reading, new, before if known else None)

    def _count(
        self, metrics: Metrics, trigger: Trigger, pods: str, span: timedelta, moment: datetime
    ) -> float | None:
        if not trigger.samples:
            return None
        return sum(metrics.at(self.filled(trigger.samples, pods, span), moment))

    def filled(self, template: str, pods: str, span: timedelta) -> str:
        """A template about these pods, looking back over that span."""
        values = {
            "labels": f'namespace="{self.namespace}",pod=~"{pods}"',
            "namespace": self.namespace,
            "pods": pods,
            "range": f"{span.total_seconds():.0f}s",
        }
        return analysis.filled(template, values)
