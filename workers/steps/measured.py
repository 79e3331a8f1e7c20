"""A suite that is a metric: measured over the pods that serve, until it is good or its time is up."""

from __future__ import annotations

import time
from datetime import timedelta

from releases.validation import MetricCheck
from workers.describe import pods_of
from workers.metrics import Metrics, MetricsError
from workers.steps.monitor import Watching
from workers.steps.queries import Queries, new_pods
from workers.steps.work import Done, Failed, Outcome, Unfinished

PAUSE_SECONDS = 1.0


def measured(suite: str, check: MetricCheck, work: Watching) -> Outcome:
    """Good at last, or not good when its time is up. What could not be measured is not ill."""
    metrics = work.metrics
    if metrics is None:
        return Failed(f"The suite {suite} has not passed: it is not said where metrics are")
    while True:
        said, is_measured, good = _look(check, metrics, work)
        if good:
            return Done(changed=True, result=said)
        if work.now() >= work.deadline:
            return Failed(f"The suite {suite} has not passed: {said}", ill=is_measured)
        if not work.go_on():
            return Unfinished()
        time.sleep(PAUSE_SECONDS)


def _look(check: MetricCheck, metrics: Metrics, work: Watching) -> tuple[str, bool, bool]:
    """What it says in a few words, whether it could be measured, and whether it is good."""
    queries, span = _queries(work), timedelta(seconds=check.over_seconds)
    try:
        if check.samples:
            count = sum(metrics.at(queries.filled(check.samples, queries.new, span), work.now()))
            if count < check.fewest:
                return f"{check.name}: {count:.0f} requests, of {check.fewest} that are needed", False, False
        values = metrics.at(queries.filled(check.query, queries.new, span), work.now())
    except MetricsError as error:
        return f"{check.name}: {error}", False, False
    if not values:
        return f"{check.name}: nothing is measured", False, False
    good, said = check.judge(max(values) if check.at_most is not None else min(values))
    return said, True, good


def _queries(work: Watching) -> Queries:
    """Queries about the pods that serve now. Raises `ClusterError`."""
    owners = [
        next((pod.owner for pod in pods_of(each.deployment, each.seen)), None)
        for each in work.observe().services
        if each.deployment is not None
    ]
    return Queries(work.namespace, new_pods(owners), "-", work.now())
