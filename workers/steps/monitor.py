"""Watch what was released for a while: it is good, it is ill, or nobody can say.

A look takes seconds; between two of them no worker is held, unless they follow each other closely. The window
is counted from when the step was begun, and since when a limit is passed is read from the measured values, so
whoever goes on after a crash goes on in the middle.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from releases.events import Evidence
from releases.monitoring import MEASURED, Chart, Monitor, Reading, Trigger, Verdict, tripped_in_words
from releases.plan import digest_of
from workers import analysis
from workers.cluster import Cluster, DeploymentSeen, PodSeen, RolloutSeen, TransientError
from workers.describe import pods_of
from workers.metrics import Metrics, MetricsAwayError, MetricsError, probe
from workers.steps.evidence import PODS, evidence, witnesses
from workers.steps.queries import Queries, before_pods, new_pods
from workers.steps.work import Done, Failed, Outcome, Undecided, Unfinished, Work
from workers.troubles import Trouble, in_short, troubles

IN_PLACE_SECONDS = 5
"""Looks that follow each other this closely are made by one job; else it ends, and is queued again."""

PAUSE_SECONDS = 0.2

LOOK_SECONDS = 45.0
"""A look comes to its end whatever does not answer: after this long nothing more is asked for."""


class Looking(Protocol):
    """What one look needs. `since` is when the step was begun."""

    @property
    def cluster(self) -> Cluster:
        """Where it is looked."""

    @property
    def namespace(self) -> str:
        """The environment's."""

    @property
    def since(self) -> datetime:
        """When the step was begun."""

    @property
    def metrics(self) -> Metrics | None:
        """Where metrics are asked for; None when that is not said."""

    @property
    def release_began(self) -> datetime:
        """When the release was started."""

    def now(self) -> datetime:
        """The time, aware."""

    def readings(self) -> tuple[Reading, ...]:
        """How the triggers stood last."""


class Watching(Work, Looking, Protocol):
    """What is needed beside a place to work."""

    metrics: Metrics | None
    release_began: datetime

    def still(self) -> bool:
        """To be called at least every few seconds during a look; False: return `Unfinished` now."""

    def told_at(self) -> datetime:
        """When that was put on record; the beginning, if it was not yet."""

    def measured(self) -> frozenset[str]:
        """The triggers of which something could be said so far."""

    def tell(self, readings: tuple[Reading, ...], news: tuple[str, ...]) -> None:
        """Put on record how they stand now, and which of them otherwise than before."""


@dataclass(frozen=True)
class Service:
    """One service as it was just seen; its pods are those of the new template."""

    name: str
    deployment: DeploymentSeen
    pods: tuple[PodSeen, ...]
    replica_set: str | None


def monitor(step: Monitor, work: Watching) -> Outcome:
    """Look, as often as is due now; what was seen goes on record when it is news."""
    while True:
        outcome = _look(step, work)
        if not isinstance(outcome, Unfinished) or step.every_seconds > IN_PLACE_SECONDS:
            return outcome
        due = work.now() + timedelta(seconds=step.every_seconds)
        while work.now() < due:
            if not work.go_on():
                return Unfinished()
            time.sleep(PAUSE_SECONDS)


def look_at(step: Monitor, work: Looking) -> Look | str:
    """A look at what runs, or why it is not what was released any more. Raises `ClusterError`."""
    try:
        services, silent = _seen(step, work), ""
    except TransientError as error:
        services, silent = (), str(error)
    strangers = [
        each.name for each in services if digest_of(each.deployment.template) != step.deployments[each.name]
    ]
    if strangers:
        return f"{strangers[0]} was changed by somebody else meanwhile"
    if not silent and len(services) < len(step.names):
        gone = next(name for name in step.names if name not in {each.name for each in services})
        return f"The Deployment {step.names[gone]} was deleted meanwhile"
    return Look(step, work, services, silent)


def _look(step: Monitor, work: Watching) -> Outcome:
    look = look_at(step, work)
    if isinstance(look, str):
        return Failed(look)
    readings = []
    for trigger in step.triggers:
        if not work.still():
            return Unfinished()
        readings.append(look.reading(trigger))
    return _decide(step, work, look, tuple(readings))


def _decide(step: Monitor, work: Watching, look: Look, readings: tuple[Reading, ...]) -> Outcome:
    passed, window = work.now() - work.since, timedelta(seconds=step.window_seconds)
    told_at = work.told_at()
    news = analysis.news(work.readings(), readings)
    progressed = analysis.fifths(passed, window) > analysis.fifths(told_at - work.since, window)
    if news or progressed:
        work.tell(readings, news)
    by_name = {trigger.name: trigger for trigger in step.triggers}
    tripped = next((each for each in readings if each.verdict is Verdict.FAILED), None)
    if tripped is not None:
        trigger = by_name[tripped.trigger]
        reason = tripped_in_words(trigger, tripped)
        return Failed(reason, look.evidence(), ill=True, chart=look.chart(trigger, tripped))
    if passed < window or any(each.verdict is Verdict.FAILING for each in readings):
        return Unfinished()
    said = work.measured() | {each.trigger for each in readings if each.verdict in MEASURED}
    unsaid = [f"{each.trigger}: {each.why}" for each in readings if each.trigger not in said]
    if unsaid:
        return Undecided(f"Nothing could be said of {'; '.join(unsaid)}")
    return Done(changed=False)


def _seen(step: Monitor, work: Looking) -> tuple[Service, ...]:
    """The services as they are now; those whose Deployment is gone are left out."""
    cluster, namespace = work.cluster, work.namespace
    deployments = {each.name: each for each in cluster.deployments(namespace)}
    replica_sets, pods = cluster.replica_sets(namespace), cluster.pods(namespace)

    def services() -> Iterator[Service]:
        for name, deployed in step.names.items():
            deployment = deployments.get(deployed)
            if deployment is None:
                continue
            revisions = tuple(each for each in replica_sets if each.owner == deployment.uid)
            picture = RolloutSeen(deployment, revisions, pods, complete=True)
            its_own = pods_of(deployment, picture)
            owner = next((pod.owner for pod in its_own), None)
            yield Service(name, deployment, its_own, owner)

    return tuple(services())


class Look:
    """One look at everything that is watched. `silent` says why the cluster could not be seen."""

    def __init__(self, step: Monitor, work: Looking, services: tuple[Service, ...], silent: str) -> None:
        """Nothing is measured yet."""
        self._work = work
        self._services = services
        self._silent = silent
        self._before = {each.trigger: each for each in work.readings()}
        self._away = ""
        self._until = time.monotonic() + LOOK_SECONDS
        new = new_pods(each.replica_set for each in services)
        self._queries = Queries(
            work.namespace, new, before_pods({**step.names, **step.before}.values()), work.release_began
        )

    def reading(self, trigger: Trigger) -> Reading:
        """How a trigger stands now."""
        if time.monotonic() > self._until:
            return analysis.error(trigger, "there was no time to measure it", self._known(trigger))
        match trigger.kind:
            case "health":
                return self._health(trigger)
            case "kubernetes":
                return self._kubernetes(trigger)
            case "http":
                wrong = probe(trigger.url, status=trigger.status, within_seconds=trigger.within_seconds)
                return self._lasting(trigger, f"{trigger.name} {wrong}" if wrong else "")
            case "query":
                return self._query(trigger)

    def evidence(self) -> tuple[Evidence, ...]:
        """What the pods say: those in trouble, else those that are not ready, else a few of all."""
        cluster, namespace = self._work.cluster, self._work.namespace
        found = [
            one
            for each in self._services
            for one in evidence(cluster, namespace, each.name, self._troubles(each), _unready(each))
        ]
        if found:
            return tuple(found[: 2 * PODS])
        return witnesses(
            cluster, namespace, [(each.name, each.pods[0]) for each in self._services if each.pods][:PODS]
        )

    def chart(self, trigger: Trigger, reading: Reading) -> Chart | None:
        """The metric that tripped, if it was one; None as well when it cannot be measured once more."""
        metrics = self._work.metrics
        if trigger.kind != "query" or metrics is None:
            return None
        try:
            return self._queries.chart(metrics, trigger, reading, self._work.now())
        except MetricsError:
            return None

    # -- the kinds of triggers -------------------------------------------------------------------------

    def _health(self, trigger: Trigger) -> Reading:
        if self._silent:
            return analysis.error(trigger, self._silent)
        for each in self._services:
            found = self._troubles(each)
            if found and analysis.firmly_ill(found):
                why = f"{each.name}: {in_short(found)}"
                return Reading(trigger=trigger.name, verdict=Verdict.FAILED, why=why)
        ill = [f"{each.name}: {what}" for each in self._services if (what := self._unwell(each, trigger))]
        return self._lasting(trigger, "; ".join(ill[:3]))

    def _unwell(self, service: Service, trigger: Trigger) -> str:
        """What is wrong with a service's pods. Young ones may be starting, after a node was drained."""
        found = self._troubles(service)
        if found:
            return in_short(found)
        born = self._work.now() - timedelta(seconds=trigger.for_seconds)
        ill = [pod for pod in _unready(service) if pod.created_at is None or pod.created_at <= born]
        return f"{len(ill)} of {len(service.pods)} pods are not ready" if ill else ""

    def _kubernetes(self, trigger: Trigger) -> Reading:
        if self._silent:
            return analysis.error(trigger, self._silent)
        count = float(self._count(trigger))
        past = trigger.passes(count, None)
        since = self._work.now() if past else None
        return analysis.lasting(trigger, since, self._work.now(), value=count)

    def _count(self, trigger: Trigger) -> int:
        """How often it happened to the new pods: since they are there or, of events, since it is watched."""
        pods = [pod for each in self._services for pod in each.pods]
        containers = [each for pod in pods for each in pod.containers]
        match trigger.condition:
            case "restarts":
                return sum(each.restarts for each in containers)
            case "oom-kills":
                ends = [
                    end for each in containers for end in (each.ended, each.ended_before) if end is not None
                ]
                return sum(end.reason == "OOMKilled" for end in ends)
            case _:
                return sum(
                    event.count
                    for pod in pods
                    for event in self._work.cluster.warnings(self._work.namespace, pod.name)
                    if (not trigger.reasons or event.reason in trigger.reasons)
                    and analysis.is_of(event.at, self._work.since)
                )

    def _query(self, trigger: Trigger) -> Reading:
        before = self._known(trigger)
        metrics = self._work.metrics
        if metrics is None:
            return analysis.error(trigger, "it is not said where metrics are", before)
        if self._silent or self._away:
            return analysis.error(trigger, self._silent or self._away, before)
        now = self._work.now()
        try:
            measured = self._queries.measure(metrics, trigger, before, began=self._work.since, now=now)
        except MetricsAwayError as error:
            self._away = str(error)  # the other triggers need not wait for the same
            return analysis.error(trigger, str(error), before)
        except MetricsError as error:
            return analysis.error(trigger, str(error), before)
        return analysis.judge_values(trigger, measured, now)

    # -- small things ----------------------------------------------------------------------------------

    def _lasting(self, trigger: Trigger, wrong: str) -> Reading:
        """A trigger that has no history to be asked for: since when it is so, the record remembers."""
        now, known = self._work.now(), self._before.get(trigger.name)
        if not wrong:
            return analysis.lasting(trigger, None, now)
        failing = known is not None and known.verdict in {Verdict.FAILING, Verdict.FAILED}
        since = known.since if failing and known is not None else None
        return analysis.lasting(trigger, since or now, now, why=wrong)

    def _known(self, trigger: Trigger) -> float | None:
        """What was found of the version before, once it was."""
        known = self._before.get(trigger.name)
        return None if known is None else known.before

    def _troubles(self, service: Service) -> tuple[Trouble, ...]:
        return troubles(service.pods, self._work.since)


def _unready(service: Service) -> tuple[PodSeen, ...]:
    return tuple(pod for pod in service.pods if not pod.ready)
