"""What was released is looked at for a while longer: what trips is told once, and stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from releases import events as e
from releases.lifecycle import Release, State
from releases.notices import Tripped
from releases.record import Store
from releases.record.closures import Closures
from releases.record.rounds import Rounds
from tests.integration.scripted_metrics import ScriptedMetrics
from tests.integration.test_workers_crash import until
from tests.integration.workers_world import CONFIG, World, now, world
from workers.afterwards import Afterwards, Watcher
from workers.cluster.connections import Connections
from workers.metrics import MetricsAwayError
from workers.reaper import Reaper

pytestmark = pytest.mark.timeout(240)  # releases of four services, beside other tests

RULE = (
    "    monitor: {window: 1s, every: 1s, after: 1h, triggers: [{error_rate: {above: 2%, for: 1s}}]}\n"
    "    alerts: {critical: C0ONCALL, on_call: S0ONCALL}\n"
)
WATCHED = "prometheus: {address: http://prometheus.example}\n" + CONFIG.replace(
    "  development:", f"{RULE}  development:"
)
ERRORS = "http_requests_total"
ONE = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=600)


class Stage(World):
    """A world whose staging is looked at after a release."""

    def send(self, later: timedelta = timedelta(0)) -> list[str]:
        """What the reaper sends to be looked at, at a moment from now."""
        afterwards = Afterwards(
            self.config, self.record, Rounds(self.store), self.queue, lambda: now() + later
        )
        self.store.call("DEL", "buzzy:reaper", *(self.store.call("KEYS", "buzzy:round:*") or ["none"]))
        Reaper(self.store, self.record, self.queue, now=now, afterwards=afterwards).reap()
        sent = [subject for _, job, subject in self.queue.waiting if job == "watch"]
        self.queue.waiting.clear()
        return sent

    def watch(self, release: Release, metrics: ScriptedMetrics) -> None:
        """Look once, as a worker of its own would."""
        clusters = Connections(str(self.kubeconfig))
        Watcher(self.config, self.record, self.store, clusters, lambda _: metrics, now).watch(release.id)

    def trips(self, release: Release, metrics: ScriptedMetrics) -> bool:
        """Look once; whether anything has been told by then."""
        self.watch(release, metrics)
        return bool(self.told())

    def told(self) -> list[Tripped]:
        """All alerts so far."""
        closures = Closures(self.store)
        notices = [closures.notice(subject) for subject in self.record.behind() if subject.startswith("N")]
        return [each for each in notices if isinstance(each, Tripped)]


@pytest.fixture
def metrics() -> ScriptedMetrics:
    """Hardly any errors."""
    return ScriptedMetrics(now={ERRORS: 0.001}, before={ERRORS: 0.001})


@pytest.fixture
def stage(store: Store, tmp_path: Path, metrics: ScriptedMetrics) -> Iterator[Stage]:
    """A stage, before its first release."""
    with ExitStack() as ends:
        made = ends.enter_context(world(store, tmp_path, config=WATCHED))
        yield Stage(made.cluster, made.kubeconfig, store, config=WATCHED, metrics=lambda _: metrics)


@pytest.mark.requirement("M1", "M3")
def test_what_trips_later_is_one_alert_and_goes_back_not_by_itself(
    stage: Stage, metrics: ScriptedMetrics
) -> None:
    """Healthy at first; then with the chart, the pods' words, and who is on call; once, whoever looks."""
    release = stage.release("3.2.1")
    assert release.state is State.RELEASED
    assert stage.send() == [release.id]
    stage.watch(release, metrics)
    assert stage.told() == []
    metrics.now[ERRORS] = 0.048
    until(lambda: stage.trips(release, metrics), 20)
    stage.watch(release, metrics)
    (alert,) = stage.told()
    assert (alert.release, alert.trigger, alert.channel) == (release.id, "error rate", "C0ONCALL")
    assert alert.reason == "error rate 4.8 % (limit 2 %) for 1 s"
    assert (alert.version, alert.stable, alert.on_call) == ("3.2.1", "3.2.0", "S0ONCALL")
    assert alert.chart is not None
    assert alert.chart.new.values[-1] == 0.048
    assert alert.evidence
    assert stage.load(release.id) == release
    assert set(stage.versions().values()) == {"3.2.1"}


@pytest.mark.requirement("M1")
def test_it_ends_with_its_time_and_when_something_else_begins_there(stage: Stage) -> None:
    """A validation and what waits for approval change nothing; a rollback that has begun ends it."""
    release = stage.release("3.2.1")
    assert stage.send(timedelta(minutes=59)) == [release.id]
    assert stage.send(timedelta(minutes=61)) == []
    waiting = stage.ask("3.2.2", approval=ONE)
    stage.work()
    assert stage.load(waiting).state is State.WAITING
    assert stage.send() == [release.id]
    stage.abort(waiting)
    stage.queue.put("deployment", "advance", waiting)
    stage.work()
    assert stage.send() == [release.id]
    assert stage.rollback().state is State.RELEASED
    assert stage.send() == []


@pytest.mark.requirement("M1", "Q5")
def test_a_look_that_comes_late_or_finds_something_else_tells_nothing(
    stage: Stage, metrics: ScriptedMetrics
) -> None:
    """A job from before the next release, metrics that are away, and what somebody changed with kubectl."""
    first = stage.release("3.2.1")
    metrics.now[ERRORS] = MetricsAwayError("Prometheus cannot be reached")
    stage.watch(first, metrics)
    metrics.now[ERRORS] = 0.001
    second = stage.release("3.2.2")
    assert second.state is State.RELEASED
    metrics.now[ERRORS] = 0.048
    stage.watch(first, metrics)
    stage.set_tag("buzzy-api", "3.2.1")
    stage.watch(second, metrics)
    assert stage.told() == []


@pytest.mark.requirement("M1", "Q1")
def test_how_often_it_is_looked_holds_for_all_workers(stage: Stage) -> None:
    """Of two that notice it, one sends the job; the next look is due when the span is over."""
    release = stage.release("3.2.1")
    both = [Afterwards(stage.config, stage.record, Rounds(stage.store), stage.queue, now) for _ in range(2)]
    for each in both:
        each.look()
    assert list(stage.queue.waiting) == [("validation", "watch", release.id)]

    def is_sent_again() -> bool:
        both[1].look()
        return len(stage.queue.waiting) > 1

    until(is_sent_again, 20)
