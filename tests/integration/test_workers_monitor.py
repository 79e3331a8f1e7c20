"""What is watched before a release counts as released: good, ill, or not to be said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path

import pytest

from releases import events as e
from releases.lifecycle import State
from releases.monitoring import Verdict
from releases.record import Store
from sandbox.children import free_port
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.resources import PODS
from tests.integration.scripted_metrics import ScriptedMetrics
from tests.integration.test_workers_crash import reap, until
from tests.integration.workers_world import CONFIG, NAMESPACE, World, now, world
from workers.metrics import MetricsAwayError
from workers.resting import rest_of

pytestmark = pytest.mark.timeout(240)  # several releases of four services, beside other tests

METRICS = "prometheus: {address: http://prometheus.example}\n"
ERRORS = "{error_rate: {above: 2%, for: 1s}}"
SLOW = "{latency_p95: {above: 1.3x, for: 1s}}"


def config(*triggers: str, window: str = "2s", every: str = "1s", more: str = "") -> str:
    """The usual file, with a monitor for staging."""
    rule = f"    monitor: {{window: {window}, every: {every}, triggers: [{', '.join(triggers)}]}}\n{more}"
    return METRICS + CONFIG.replace("  development:", f"{rule}  development:")


@pytest.fixture
def metrics() -> ScriptedMetrics:
    """Errors and latency as they should be, now and before."""
    return ScriptedMetrics(
        now={"http_requests_total": 0.001, "duration": 0.180}, before={"duration": 0.190, "requests": 0.001}
    )


@contextmanager
def watched(
    store: Store, folder: Path, metrics: ScriptedMetrics, *triggers: str, **how: str
) -> Iterator[World]:
    """A world whose staging is watched so."""
    with world(store, folder, config=config(*triggers, **how), metrics=lambda _: metrics) as made:
        yield made


def delete_pods(here: World, service: str) -> None:
    """They come again at once, as after a node was drained."""
    registry = here.cluster.registry
    for pod in here.cluster.run(lambda: here.cluster.store.listing(PODS, NAMESPACE)):
        if pod["metadata"]["labels"]["app"] == service:
            name = pod["metadata"]["name"]
            here.cluster.run(partial(registry.delete, PODS, NAMESPACE, name, DeleteOptions(grace_seconds=0)))


@contextmanager
def while_watched(here: World, id_: str, action: Callable[[], None]) -> Iterator[None]:
    """Do something as soon as a release is watched, which the block waits for."""

    def act() -> None:
        until(lambda: here.load(id_).watching is not None, 90)
        action()

    thread = threading.Thread(target=act)
    thread.start()
    yield
    thread.join()


@pytest.fixture
def watching(
    store: Store, tmp_path: Path, metrics: ScriptedMetrics
) -> Callable[..., AbstractContextManager[World]]:
    """Worlds whose staging is watched, with these metrics."""
    return partial(watched, store, tmp_path, metrics)


@pytest.mark.requirement("M1")
def test_a_healthy_release_is_released_after_the_window(
    store: Store, tmp_path: Path, metrics: ScriptedMetrics
) -> None:
    """No trigger trips; it ends no sooner than the window does, and what was measured is on record."""
    with watched(store, tmp_path, metrics, "health", ERRORS, SLOW) as here:
        release = here.release("3.2.1")
        assert release.state is State.RELEASED
        step = release.forward[-1]
        assert step.took is not None
        assert step.took >= timedelta(seconds=2)
        readings = {each.trigger: each for each in release.readings}
        assert {each.verdict for each in readings.values()} == {Verdict.PASSED}
        assert (readings["error rate"].value, readings["latency p95"].before) == (0.001, 0.190)
        assert sum(isinstance(event, e.Monitored) for event in here.events(release.id)) <= 6
        assert '{namespace="buzzy-staging",pod=~"(?:buzzy-api-' in metrics.asked[0]


@pytest.mark.requirement("B2", "B3", "X9")
@pytest.mark.parametrize(
    "tripping",
    [
        ("http_requests_total", 0.048, "error rate 4.8 % (limit 2 %) for 1 s."),
        ("duration", 0.300, "latency p95 300 ms (limit 1.3 times 190 ms) for 1 s."),
    ],
    ids=["errors", "slower than before"],
)
def test_what_trips_is_undone_once_and_whole(
    store: Store, tmp_path: Path, metrics: ScriptedMetrics, tripping: tuple[str, float, str]
) -> None:
    """All services go back to the templates that they had, and nobody is asked; there is data for a chart."""
    with watched(store, tmp_path, metrics, "health", ERRORS, SLOW) as here:
        part, value, says = tripping
        before = {name: here.deployment(name)["spec"]["template"] for name in here.versions()}
        metrics.now[part] = value
        release = here.release("3.2.1")
        assert release.state is State.ROLLED_BACK
        assert (release.by_itself, release.turned_back_because) == (True, says)
        assert {name: here.deployment(name)["spec"]["template"] for name in before} == before
        assert here.said(release.id).count("turned_back") == 1
        assert release.failure is not None
        assert release.failure.chart is not None
        assert release.failure.chart.new.values[-1] == value
        assert release.failure.evidence


@pytest.mark.requirement("B1")
def test_a_service_that_does_not_come_up_goes_back_by_itself(
    store: Store, tmp_path: Path, metrics: ScriptedMetrics
) -> None:
    """A health check that fails in the rollout: only what was begun is undone."""
    with watched(store, tmp_path, metrics, "health") as here:
        here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "crash"})
        release = here.release("3.2.1")
        assert release.state is State.ROLLED_BACK
        assert release.by_itself
        assert release.changed_services == ("buzzy-main", "buzzy-api")
        assert set(here.versions().values()) == {"3.2.0"}
        assert here.revision("buzzy-files") == 2


@pytest.mark.requirement("B1")
def test_a_service_that_falls_ill_while_it_is_watched_goes_back(
    store: Store, tmp_path: Path, metrics: ScriptedMetrics
) -> None:
    """Pods that are not ready for as long as the trigger says, after all came up well."""
    with watched(store, tmp_path, metrics, "{health: {for: 1s}}", window="30s") as here:
        here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "flaky"})
        release = here.release("3.2.1")
        assert release.state is State.ROLLED_BACK
        assert "buzzy-api" in (release.turned_back_because or "")
        assert set(here.versions().values()) == {"3.2.0"}


@pytest.mark.requirement("B1")
def test_where_nothing_is_watched_a_failed_release_waits_for_a_person(store: Store, tmp_path: Path) -> None:
    """As before: it stops where it is."""
    with world(store, tmp_path) as here:
        here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "crash"})
        assert here.release("3.2.1").state is State.FAILED


@pytest.mark.requirement("X9")
def test_a_rollback_is_neither_watched_nor_rolled_back(
    store: Store, tmp_path: Path, metrics: ScriptedMetrics
) -> None:
    """It ends when all services are back, or fails and stays; it has no way back of its own."""
    with watched(store, tmp_path, metrics, ERRORS) as here:
        here.release("3.2.1")
        metrics.now["http_requests_total"] = 0.5
        assert here.rollback().state is State.RELEASED
        here.cluster.set_behaviours({"buzzybuzz/buzzy-main:3.1.4": "crash"})
        failed = here.rollback(target=e.Target(version="3.1.4"))
        assert failed.state is State.FAILED


@pytest.mark.requirement("B1")
def test_what_somebody_else_changed_is_no_illness(
    store: Store, tmp_path: Path, metrics: ScriptedMetrics
) -> None:
    """A person at work beside the bot is not fought: the release stops and says so."""
    with watched(store, tmp_path, metrics, "health", window="30s") as here:
        id_ = here.ask("3.2.1")
        with while_watched(here, id_, lambda: here.set_tag("buzzy-files", "3.2.7")):
            here.work()
        release = here.load(id_)
        assert (release.state, release.by_itself) == (State.FAILED, False)
        assert "buzzy-files was changed by somebody else" in release.reason


@pytest.mark.requirement("B2")
@pytest.mark.parametrize("how", ["away", "too few"])
def test_what_cannot_be_measured_asks_a_person(
    store: Store, tmp_path: Path, metrics: ScriptedMetrics, how: str
) -> None:
    """Nothing goes back for that. It waits, reminds, and ends well once somebody says so."""
    if how == "away":
        metrics.now["http_requests_total"] = MetricsAwayError("Prometheus is away")
    else:
        metrics.samples = 3
    with watched(store, tmp_path, metrics, "health", ERRORS) as here:
        release = here.release("3.2.1")
        assert release.state is State.UNDECIDED
        assert release.undecided is not None
        assert "error rate: " in release.undecided.because
        assert here.record.holder("staging") == release.id
        later = here.worker(now=lambda: now() + timedelta(minutes=31))
        for _ in range(2):
            later.table["workers.jobs.advance"](release.id)
        assert here.load(release.id).reminders == 1
        here.write(release.id, e.MonitorSettled(at=now(), by=e.Actor(id="U0BOB", name="bob"), via="button"))
        here.queue.put("deployment", "advance", release.id)
        here.work()
        assert here.load(release.id).state is State.RELEASED


@pytest.mark.requirement("B3")
def test_a_person_who_is_asked_may_send_it_back(
    store: Store, tmp_path: Path, metrics: ScriptedMetrics
) -> None:
    """With `on_failure: ask` what trips asks, with the evidence, and an abort takes the way back."""
    with watched(store, tmp_path, metrics, ERRORS, more="    on_failure: ask\n") as here:
        metrics.now["http_requests_total"] = 0.048
        release = here.release("3.2.1")
        assert release.state is State.UNDECIDED
        assert release.undecided is not None
        assert release.undecided.chart is not None
        here.abort(release.id)
        here.queue.put("deployment", "advance", release.id)
        here.work()
        release = here.load(release.id)
        assert (release.state, release.by_itself) == (State.ROLLED_BACK, False)


@pytest.mark.requirement("Q1")
def test_between_two_looks_no_worker_is_held(store: Store, tmp_path: Path, metrics: ScriptedMetrics) -> None:
    """The job ends after a look; the reaper queues the next when it is due, and the window goes on."""
    with watched(store, tmp_path, metrics, ERRORS, window="1m", every="20s") as here:
        id_ = here.ask("3.2.1")
        here.work()
        release = here.load(id_)
        assert release.state is State.RUNNING
        assert rest_of(release) == 16
        reap(here)
        assert not here.queue.waiting
        store.call("DEL", store.key("rest", id_), store.key("reaper"))
        reap(here)
        assert here.queue.holds("deployment", "advance", id_)
        here.queue.waiting.clear()
        later = here.worker(now=lambda: now() + timedelta(minutes=2))
        later.table["workers.jobs.advance"](id_)
        assert here.load(id_).state is State.RELEASED


@pytest.mark.requirement("B4")
@pytest.mark.parametrize(
    ("trigger", "behaviour", "says"),
    [
        ("{promql: sum(failures_total), above: 5, name: checkout}", "ready", "checkout 9 (limit 5)."),
        ("{kubernetes: restarts, above: 0}", "crash", "restarts"),
        ("{kubernetes: oom-kills}", "oom", "oom-kills"),
        ("{kubernetes: events, reasons: [Unhealthy]}", "never-ready", "Unhealthy"),
    ],
    ids=["promql", "restarts", "oom kills", "events"],
)
def test_triggers_of_ones_own(
    watching: Callable[..., AbstractContextManager[World]],
    metrics: ScriptedMetrics,
    trigger: str,
    behaviour: str,
    says: str,
) -> None:
    """PromQL, and what Kubernetes tells of the new pods; while all is well, none of them trips."""
    with watching(trigger, window="5s") as here:
        metrics.now["failures_total"] = 1
        assert here.release("3.2.1").state is State.RELEASED
        metrics.now["failures_total"] = 9
        id_ = here.ask("3.2.2")
        with while_watched(here, id_, lambda: fall_ill(here, behaviour)):
            here.work()
        release = here.load(id_)
        assert release.state is State.ROLLED_BACK
        assert says in (release.turned_back_because or "")


def fall_ill(here: World, behaviour: str) -> None:
    """The pods of a service come anew, and are worse than before."""
    here.cluster.set_behaviours({"buzzybuzz/buzzy-worker:3.2.2": behaviour})
    delete_pods(here, "buzzy-worker")


class Answering(BaseHTTPRequestHandler):
    """Answers with the status that is set."""

    status = 200

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(type(self).status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.requirement("B4")
def test_a_probe_that_is_not_answered_as_it_should_be(
    watching: Callable[..., AbstractContextManager[World]],
) -> None:
    """Another status for as long as is said; the right one trips nothing."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=partial(server.serve_forever, 0.01))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/health"
    try:
        with watching(f"{{http: {{url: '{url}'}}, for: 2s, name: shop}}") as here:
            Answering.status = 200
            assert here.release("3.2.1").state is State.RELEASED
            Answering.status = 503
            release = here.release("3.2.2")
            assert release.turned_back_because == "shop answers HTTP 503, not 200 for 2 s."
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.requirement("B4")
def test_a_probe_that_nobody_answers(watching: Callable[..., AbstractContextManager[World]]) -> None:
    """Nobody there is no answer, and as bad as a wrong one."""
    with watching(f"{{http: {{url: 'http://127.0.0.1:{free_port()}'}}, for: 1s, name: shop}}") as here:
        assert "shop does not answer (ConnectError)" in (here.release("3.2.1").turned_back_because or "")


@pytest.mark.requirement("B1")
def test_pods_that_are_made_anew_are_no_alarm(store: Store, tmp_path: Path, metrics: ScriptedMetrics) -> None:
    """They are not ready for a moment, which is shorter than the trigger waits."""
    with watched(store, tmp_path, metrics, "{health: {for: 20s}}", window="3s") as here:
        id_ = here.ask("3.2.1")
        with while_watched(here, id_, lambda: delete_pods(here, "buzzy-api")):
            here.work()
        assert here.load(id_).state is State.RELEASED


@pytest.mark.requirement("Q1")
def test_a_look_ends_whatever_does_not_answer(
    store: Store, tmp_path: Path, metrics: ScriptedMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What there was no time for is not known, which is no reason to go back; a person is asked."""
    monkeypatch.setattr(import_module("workers.steps.monitor"), "LOOK_SECONDS", -1.0)
    with watched(store, tmp_path, metrics, ERRORS) as here:
        metrics.now["http_requests_total"] = 0.5
        release = here.release("3.2.1")
        assert release.state is State.UNDECIDED
        assert release.undecided is not None
        assert "there was no time to measure it" in release.undecided.because
