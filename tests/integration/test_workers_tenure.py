"""One writer at the cluster as well: two installations of Buzzy, each with its own Redis, in one cluster.

And the fence: what a worker sent to the cluster before another took over, and arrives after that, changes
nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

import pytest
from rq.timeouts import JobTimeoutException

from releases import events as e
from releases.lifecycle import State
from releases.record import Store
from sandbox.cluster.access import Rule
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.resources import LEASES
from sandbox.redis_server import RedisServer
from tests.integration.workers_world import CONFIG, NAMESPACE, SERVICES, TOKEN, World, now, role, world
from workers.cluster import ClusterUnreachableError, ConflictError, TemplateWrite
from workers.cluster.connections import Connections
from workers.reaper import Reaper
from workers.tenure import LASTS, NAME

PATIENCE_SECONDS = 30.0
SHORT_LEASE_MS = 1_000
"""Of a worker that is going to be paused, so that it is noticed soon."""
NEEDED = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=3600)

SHARED = CONFIG.replace("channel: C0STAGING\n", "channel: C0STAGING\n    shared: true\n")
"""As the one says it who comes to where another is."""


@dataclass(frozen=True)
class Houses:
    """Two installations; they share the cluster and nothing else."""

    acme: World
    bright: World
    acme_redis: str


@pytest.fixture
def houses(store: Store, redis_url: str, tmp_path: Path) -> Iterator[Houses]:
    """Both at 3.2.0, neither at work."""
    how: dict[str, Any] = {"patience": timedelta()}
    with world(store, tmp_path, **how) as acme, RedisServer() as server:
        other = Store.connect(server.url, answer_seconds=10)
        bright = World(acme.cluster, acme.kubeconfig, other, config=SHARED, **how)
        acme.record.name_installation("Acme")
        bright.record.name_installation("Bright")
        yield Houses(acme, bright, redis_url)
        other.close()


def until(holds: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def change_lease(here: World, change: Callable[[dict[str, Any]], None]) -> None:
    """Somebody or something changes the Lease."""
    registry, thing = here.cluster.registry, here.lease()
    here.cluster.run(lambda: registry.modify(LEASES, thing, change, manager="kubectl"))


def let_it_run_out(here: World) -> None:
    """As if its holder had given no sign of life for as long as it lasts."""

    def change(lease: dict[str, Any]) -> None:
        long_ago = now() - LASTS - timedelta(seconds=1)
        lease["spec"]["renewTime"] = long_ago.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    change_lease(here, change)


def begun(here: World) -> str:
    """A release that has started, written its first service, and whose job is over."""
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)

    def stopping() -> bool:
        """The job ends as soon as the first service is at it."""
        return "buzzy-main" in here.load(id_).changed_services

    here.worker(stopping=stopping).advance(id_)
    here.queue.waiting.clear()
    assert here.load(id_).state is State.RUNNING
    return id_


def reap(here: World) -> None:
    """What every worker does now and then."""
    here.store.call("DEL", here.store.key("reaper"))
    Reaper(here.store, here.record, here.queue, now=now).reap()


def requests(here: World, **wanted: str) -> list[str]:
    """What was asked of the Lease, by verb, in order."""
    found = here.cluster.run(lambda: here.cluster.api.journal.requests(resource="leases", **wanted))
    return [each.verb for each in found]


# -- one has it, the other waits -------------------------------------------------------------------


@pytest.mark.requirement("Q2")
def test_the_other_is_told_who_has_it_and_may_when_that_has_ended(houses: Houses) -> None:
    """Refused while planning, in a sentence with the holder in it; the loser has touched nothing."""
    acme, bright = houses.acme, houses.bright
    id_ = begun(acme)
    before = {name: acme.deployment(name)["spec"] for name in SERVICES}
    refused = bright.release("3.2.2")
    assert refused.state is State.IMPOSSIBLE
    assert refused.reason.startswith(
        f"Another Buzzy is releasing to staging just now: {id_} (3.2.1), asked for by alice in Acme, since "
    )
    assert f"or have it stopped there: `/buzzy abort {id_}`." in refused.hint
    assert {name: acme.deployment(name)["spec"] for name in SERVICES} == before
    assert bright.record.holder("staging") is None
    acme.queue.put("deployment", "advance", id_)
    acme.work()
    assert acme.load(id_).state is State.RELEASED
    assert "holderIdentity" not in acme.lease()["spec"]
    assert bright.release("3.2.2").state is State.RELEASED
    assert set(bright.versions().values()) == {"3.2.2"}
    assert acme.lease()["spec"]["leaseTransitions"] == 3


@pytest.mark.requirement("Q2", "Q3")
def test_one_that_was_planned_before_is_refused_at_its_start(houses: Houses) -> None:
    """Approved, but another was quicker: in the same words, and nothing was touched."""
    acme, bright = houses.acme, houses.bright
    late = bright.ask("3.2.2")
    bright.jobs.plan(late)
    assert bright.load(late).state is State.APPROVED
    id_ = begun(acme)
    bright.work()
    release = bright.load(late)
    assert release.state is State.IMPOSSIBLE
    assert f"{id_} (3.2.1), asked for by alice in Acme" in release.reason
    assert "release_started" not in bright.said(late)
    assert "replan_requested" in bright.said(late)
    assert set(bright.versions().values()) == {"3.2.0", "3.2.1"}


@pytest.mark.requirement("Q2")
@pytest.mark.parametrize("end", ["abort", "fail", "mistake"])
def test_it_is_let_go_however_a_release_ends(
    houses: Houses, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Stopped and undone, failed, ended by a mistake of ours: the other may begin at once."""
    acme = houses.acme
    id_ = begun(acme)
    match end:
        case "abort":
            acme.abort(id_)
        case "fail":
            acme.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "crash"})
        case "mistake":
            monkeypatch.setattr("workers.advance.run", lambda *_: 1 / 0)
    acme.queue.put("deployment", "advance", id_)
    acme.work()
    assert acme.load(id_).state is (State.ROLLED_BACK if end == "abort" else State.FAILED)
    assert "holderIdentity" not in acme.lease()["spec"]
    assert acme.lease()["metadata"]["annotations"]["buzzy/release"] == id_


@pytest.mark.requirement("Q1", "Q2")
def test_one_that_was_not_let_go_hinders_its_own_installation_never(houses: Houses) -> None:
    """The process died between the end and letting go: ours goes on at once, others when it has run out."""
    acme, bright = houses.acme, houses.bright

    def change(lease: dict[str, Any]) -> None:
        lease["spec"]["holderIdentity"] = "a worker that died"

    first = acme.release("3.2.1", services=("buzzy-api",))
    change_lease(acme, change)
    assert first.state is State.RELEASED
    assert bright.release("3.2.2").state is State.IMPOSSIBLE
    assert acme.release("3.2.1", services=("buzzy-main",)).state is State.RELEASED
    change_lease(acme, change)
    let_it_run_out(acme)
    assert bright.release("3.2.2").state is State.RELEASED


@pytest.mark.requirement("Q1", "Q2")
def test_a_release_that_was_away_while_another_took_over_ends_and_touches_nothing(houses: Houses) -> None:
    """It says who has it; the other's work stays as it is."""
    acme, bright = houses.acme, houses.bright
    id_ = begun(acme)
    let_it_run_out(acme)
    other = bright.release("3.2.2")
    assert other.state is State.RELEASED, other.reason
    before = {name: acme.deployment(name)["metadata"]["resourceVersion"] for name in SERVICES}
    reap(acme)
    acme.work()
    release = acme.load(id_)
    assert release.state is State.FAILED
    assert release.reason.startswith(
        f"While {id_} was not at work, another Buzzy took staging over: {other.id} (3.2.2), asked for by "
        "alice in Bright, since "
    )
    assert release.reason.endswith(f"{id_} changes nothing any more; what runs now is for that one to say.")
    after = {name: acme.deployment(name)["metadata"]["resourceVersion"] for name in SERVICES}
    assert after == before
    assert acme.record.holder("staging") is None


@pytest.mark.requirement("Q2")
def test_a_release_that_waits_notices_that_it_was_taken_over(
    houses: Houses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps the Lease alive finds another there; the release ends before its step's time is over."""
    acme = houses.acme
    monkeypatch.setattr("workers.tenure.RENEW_SECONDS", 0.1)
    acme.cluster.set_behaviours({"buzzybuzz/buzzy-main:3.2.1": "never-ready"})
    id_ = acme.ask("3.2.1")
    renewed: list[str] = []

    def take(lease: dict[str, Any]) -> None:
        lease["spec"]["holderIdentity"] = "somebody"
        lease["metadata"]["annotations"] |= {"buzzy/installation": "5f3a", "buzzy/release": "R7"}

    def stopping() -> bool:
        """Asked at each tick: when it has been renewed without a write, another takes it."""
        now_renewed = acme.lease()["spec"]["renewTime"] if acme.load(id_).changed_services else ""
        if now_renewed and now_renewed not in renewed:
            renewed.append(now_renewed)
            if len(renewed) == 5:
                change_lease(acme, take)
        return False

    acme.jobs = acme.worker(stopping=stopping)
    acme.work()
    release = acme.load(id_)
    assert release.state is State.FAILED
    assert release.failure is not None
    took = release.steps[release.failure.index].took
    assert took is not None
    assert took < timedelta(seconds=30)
    assert "another Buzzy took staging over: R7 " in release.reason
    assert acme.lease()["spec"]["holderIdentity"] == "somebody"


@pytest.mark.requirement("Q2")
def test_a_release_costs_a_few_requests_and_nothing_is_polled(
    houses: Houses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look and one rehearsal to plan, one take to start, one renewal a write, one to let go.

    One job takes it to its end here, however busy the machine is: time alone costs a renewal each 20 s.
    """
    acme = houses.acme
    monkeypatch.setattr("workers.tenure.RENEW_SECONDS", 3600.0)
    acme.jobs = acme.worker(slice_seconds=600.0, lease_ms=60_000)
    acme.release("3.2.1")
    first = requests(acme)
    assert first[:2] == ["get", "create"]
    acme.cluster.run(acme.cluster.api.journal.entries.clear)
    acme.release("3.2.2")
    assert requests(acme) == ["get", "update", "get", "update", *["update"] * 5, "update"]


@pytest.mark.requirement("Q1")
def test_the_lease_is_removed_in_the_middle_and_made_again(houses: Houses) -> None:
    """Somebody tidies up; the release goes on, and holds it again before it writes."""
    acme = houses.acme
    id_ = begun(acme)
    registry = acme.cluster.registry
    acme.cluster.run(lambda: registry.delete(LEASES, NAMESPACE, NAME, DeleteOptions()))
    acme.queue.put("deployment", "advance", id_)
    acme.work()
    assert acme.load(id_).state is State.RELEASED
    assert acme.lease()["metadata"]["annotations"]["buzzy/release"] == id_


@pytest.mark.requirement("C1")
@pytest.mark.parametrize("verb", ["get", "create", "update"])
def test_a_right_that_is_missing_is_named_before_anything_is_touched(houses: Houses, verb: str) -> None:
    """At planning, for the first release and for a later one."""
    acme = houses.acme
    missing = [_without(rule, verb) for rule in role()]
    acme.cluster.add_user(TOKEN, "buzzy-worker", missing)
    release = acme.release("3.2.1")
    assert release.state is State.IMPOSSIBLE
    assert release.reason == (
        f"Buzzy may not {verb} leases in {NAMESPACE}: "
        f"its Role there needs coordination.k8s.io/leases: {verb}."
    )
    assert not acme.cluster.writes(user="buzzy-worker")


def _without(rule: Rule, verb: str) -> Rule:
    if rule.resources != ("leases",):
        return rule
    return Rule(tuple(each for each in rule.verbs if each != verb), rule.resources, rule.groups, rule.names)


# -- the fence -------------------------------------------------------------------------------------


@contextmanager
def paused_worker(houses: Houses, id_: str, before: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of Acme's that is stopped between making sure of both leases and writing a template."""
    acme = houses.acme
    arguments = [houses.acme_redis, str(acme.kubeconfig), "advance", id_, str(SHORT_LEASE_MS), before]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.integration.workers_world", *arguments],
        cwd=Path(__file__).parents[2],
    )
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        yield process
    finally:
        process.kill()
        process.wait()


def wake(process: subprocess.Popen[bytes]) -> None:
    """It goes on where it was, until it has come to its end by itself."""
    process.send_signal(signal.SIGCONT)
    assert process.wait(timeout=PATIENCE_SECONDS) == 0


def late_writes(here: World, service: str) -> list[int]:
    """How the writes of a Deployment's template were answered that came from a look before the fence."""
    found = here.cluster.run(
        lambda: here.cluster.api.journal.requests(user="buzzy-worker", verb="patch", name=service)
    )
    return [each.code for each in found if each.code == HTTPStatus.CONFLICT]


def planned(here: World) -> str:
    """A release that may start."""
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)
    here.queue.waiting.clear()
    return id_


@pytest.mark.requirement("Q1", "Q2")
@pytest.mark.parametrize("service", ["buzzy-main", "buzzy-api"])
@pytest.mark.parametrize("wish", ["abort", "go on"])
def test_a_write_that_comes_after_another_worker_took_over_changes_nothing(
    houses: Houses, service: str, wish: str
) -> None:
    """Whether the other went on or turned back; the late one finds a conflict, and goes home."""
    acme = houses.acme
    id_ = planned(acme)
    with paused_worker(houses, id_, service) as late:
        until(lambda: id_ in acme.record.idle())
        if wish == "abort":
            acme.abort(id_)
        reap(acme)
        acme.work()
        ended = State.ROLLED_BACK if wish == "abort" else State.RELEASED
        assert acme.load(id_).state is ended
        before = {name: acme.deployment(name) for name in SERVICES}
        said = acme.said(id_)
        wake(late)
    assert late_writes(acme, service) == [HTTPStatus.CONFLICT]
    assert {name: acme.deployment(name) for name in SERVICES} == before
    assert set(acme.versions().values()) == {"3.2.0" if wish == "abort" else "3.2.1"}
    assert acme.said(id_) == said


@pytest.mark.requirement("Q1", "Q2")
def test_a_write_that_comes_after_another_installation_took_over_changes_nothing(houses: Houses) -> None:
    """The other one releases only one service, and not the one that the write is for."""
    acme, bright = houses.acme, houses.bright
    id_ = planned(acme)
    with paused_worker(houses, id_, "buzzy-main") as late:
        let_it_run_out(acme)
        other = bright.release("3.2.2", services=("buzzy-api",))
        assert other.state is State.RELEASED, other.reason
        before = {name: acme.deployment(name) for name in SERVICES}
        wake(late)
    assert late_writes(acme, "buzzy-main") == [HTTPStatus.CONFLICT]
    reap(acme)
    acme.work()
    assert {name: acme.deployment(name) for name in SERVICES} == before
    release = acme.load(id_)
    assert release.state is State.FAILED
    assert f"another Buzzy took staging over: {other.id} (3.2.2)" in release.reason


class HeldUp:
    """A cluster on whose way a write of buzzy-main is held up: no answer comes, and it may arrive later."""

    def __init__(self, cluster: Any, then: Callable[[], None]) -> None:  # noqa: ANN401 - the workers' port
        """`then` is called when it is held up."""
        self._cluster = cluster
        self._then = then
        self.write: TemplateWrite | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the cluster has
        return getattr(self._cluster, name)

    def write_template(self, namespace: str, write: TemplateWrite, *, rehearse: bool = False) -> Any:  # noqa: ANN401 - as it is
        """Hold the first one up."""
        if rehearse or self.write is not None or write.deployment.name != "buzzy-main":
            return self._cluster.write_template(namespace, write, rehearse=rehearse)
        self.write = write
        self._then()
        raise ClusterUnreachableError("no answer in time")


@pytest.mark.requirement("Q1")
def test_a_write_that_is_held_up_on_its_way_changes_nothing_afterwards(houses: Houses) -> None:
    """Nobody died; the worker itself went back meanwhile, and found nothing to undo."""
    acme = houses.acme
    id_ = planned(acme)
    real = Connections(str(acme.kubeconfig))(None)
    proxy = HeldUp(real, lambda: acme.abort(id_))
    acme.worker(clusters=lambda _: proxy).advance(id_)
    acme.work()
    assert acme.load(id_).state is State.ROLLED_BACK
    assert proxy.write is not None
    with pytest.raises(ConflictError):
        real.write_template(NAMESPACE, proxy.write)
    assert set(acme.versions().values()) == {"3.2.0"}


@pytest.mark.requirement("Q1")
def test_a_job_that_is_torn_away_owes_a_fence(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    """RQ ends one that takes too long, perhaps while a write is under way."""
    acme = houses.acme
    id_ = planned(acme)

    def torn(*_: object) -> NoReturn:
        raise JobTimeoutException

    with monkeypatch.context() as patched:
        patched.setattr("workers.advance.run", torn)
        with pytest.raises(JobTimeoutException):
            acme.jobs.advance(id_)
    lease = acme.record.take(acme.load(id_), "another")
    assert lease is not None
    assert (lease.unfenced, lease.interrupted) == (True, None)


@pytest.mark.requirement("Q1")
def test_a_fence_that_could_not_be_set_is_set_by_the_next_release(houses: Houses) -> None:
    """The release ended without it, because the cluster was silent; what it owed is not forgotten."""
    acme = houses.acme
    id_ = planned(acme)
    with paused_worker(houses, id_, "buzzy-main") as late:
        until(lambda: id_ in acme.record.idle())
        lease = acme.record.take(acme.load(id_), "another", lease_ms=60_000)
        assert lease is not None
        assert (lease.unfenced, lease.interrupted is not None) == (True, True)
        acme.write(id_, e.ReleaseFailed(at=now(), reason="It could not be seen.", changed=("buzzy-main",)))
        assert acme.release("3.2.2", services=("buzzy-api",)).state is State.RELEASED
        before = {name: acme.deployment(name) for name in SERVICES}
        wake(late)
    assert late_writes(acme, "buzzy-main") == [HTTPStatus.CONFLICT]
    assert {name: acme.deployment(name) for name in SERVICES} == before
    fences = [each.name for each in acme.cluster.writes(user="buzzy-worker", verb="patch")]
    acme.release("3.2.3", services=("buzzy-api",))
    assert len(acme.cluster.writes(user="buzzy-worker", verb="patch")) == len(fences) + 1
