"""A worker that is asked to end does so within seconds, whatever it does, and another one goes on.

Kubernetes gives a pod 30 s, an upgrade of ten workers should take no longer than one, and a release must not
be told of any of it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from releases import events as e
from releases.lifecycle import State
from releases.record import Questions, Store
from releases.snapshot import Question
from sandbox.children import Child
from sandbox.cluster.api.faults import Fault
from sandbox.redis_server import RedisServer
from tests.integration.test_workers_runner import Program, until
from tests.integration.workers_world import ALICE, World, now, world

pytestmark = pytest.mark.calm

BOUND_SECONDS, BUSY_SECONDS = 5.0, 8.0
"""How long it may take: on a calm machine, and on one that has more to do than it can, where a process needs
a while to end at all. Both are less than what the calls that hang would be waited for."""


def bound() -> float:
    """How long it may take now."""
    crowd = os.getloadavg()[0] / (os.cpu_count() or 1)
    return min(BUSY_SECONDS, BOUND_SECONDS * max(1.0, crowd))


@dataclass
class Scene:
    """A world, its worker program, and the Redis that can be hung."""

    here: World
    program: Program
    server: RedisServer

    def hang_cluster(self, **which: str) -> None:
        """From now on the API takes requests and never answers."""
        self.here.cluster.add_fault(Fault("hang", count=1_000_000, **which))  # type: ignore[arg-type]

    def hangs(self, path: str) -> bool:
        """Whether a request that hangs has come in."""
        faults = self.here.cluster.run(lambda: list(self.here.cluster.api.faults.waiting))
        return any(fault.count < 1_000_000 and fault.path == path for fault in faults)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Everything at 3.2.0, and a Redis of the test's own."""
    with ExitStack() as ends:
        server = ends.enter_context(RedisServer(folder=tmp_path))
        store = Store.connect(server.url, answer_seconds=10)
        ends.callback(store.close)
        here = ends.enter_context(world(store, tmp_path, speed=4.0))
        yield Scene(here, Program(here, server.url, tmp_path), server)


Begin = Callable[[Scene, Child], str]
"""Brings a worker to where it is to be asked to end; the release, or the question, that it is at work on."""


def planning(scene: Scene, worker: Child) -> str:
    """The cluster does not answer while a plan is made."""
    scene.hang_cluster(path="/deployments")
    id_ = scene.program.ask("3.2.1")
    until(lambda: scene.hangs("/deployments"), worker)
    return id_


def waiting(scene: Scene, worker: Child) -> str:
    """A service takes its time to get ready."""
    scene.here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "slow"})
    id_ = scene.program.ask("3.2.1")
    until(lambda: "buzzy-api" in scene.here.load(id_).changed_services, worker)
    return id_


def turning_back(scene: Scene, worker: Child) -> str:
    """It is stopped, and goes back slowly."""
    scene.here.cluster.set_behaviours(
        {"buzzybuzz/buzzy-api:3.2.1": "never-ready", "buzzybuzz/buzzy-api:3.2.0": "slow"}
    )
    id_ = scene.program.ask("3.2.1")
    until(lambda: scene.here.load(id_).changed_services == ("buzzy-main", "buzzy-api"), worker)
    until(lambda: scene.here.versions()["buzzy-api"] == "3.2.1", worker)
    scene.here.abort(id_)
    until(lambda: scene.here.load(id_).state is State.TURNING_BACK, worker)
    return id_


def writing(scene: Scene, worker: Child) -> str:
    """The cluster takes a change, and its answer never comes."""
    scene.hang_cluster(method="PATCH", path="/deployments/buzzy-api")
    id_ = scene.program.ask("3.2.1")
    until(lambda: scene.hangs("/deployments/buzzy-api"), worker)
    return id_


def cluster_hanging(scene: Scene, worker: Child) -> str:
    """In the middle of a step nothing is answered any more."""
    id_ = waiting(scene, worker)
    scene.hang_cluster(path="")
    scene.here.cluster.set_behaviours({})
    return id_


def redis_hanging(scene: Scene, worker: Child) -> str:
    """In the middle of a step the record is away."""
    id_ = waiting(scene, worker)
    os.kill(scene.server.pid, signal.SIGSTOP)
    return id_


def answering(scene: Scene, worker: Child) -> str:
    """Somebody asks what runs where, and the cluster does not answer."""
    scene.hang_cluster(path="/deployments")
    question = Question(
        kind="status",
        environments=("staging",),
        line="status staging",
        by=ALICE,
        channel="C0STAGING",
        response_url="",
        asked_at=now(),
    )
    id_ = Questions(scene.here.store).ask(question)
    scene.program.queue.put("validation", "answer", id_)
    until(lambda: scene.hangs("/deployments"), worker)
    return id_


Measured = Callable[[Child], AbstractContextManager[None]]


@pytest.fixture
def measured(request: pytest.FixtureRequest, tell: Callable[[str], None]) -> Measured:
    """Asks a worker to end, and holds it to the bound."""

    @contextmanager
    def ends(worker: Child) -> Iterator[None]:
        began = time.monotonic()
        worker.signal(signal.SIGTERM)
        yield
        assert worker.wait(bound()) == 0, f"it did not end in time: {worker.tail()}"
        tell(f"{request.node.name}: {time.monotonic() - began:.1f} s")

    return ends


@pytest.mark.requirement("Q1", "X7")
@pytest.mark.parametrize(
    "begin",
    [planning, waiting, turning_back, writing, cluster_hanging, redis_hanging],
    ids=lambda begin: begin.__name__,
)
def test_a_worker_ends_in_seconds_and_another_goes_on(scene: Scene, begin: Begin, measured: Measured) -> None:
    """At a safe point, or by giving up a call that is not answered: nothing of it is told to anybody."""
    with scene.program.worker() as first:
        id_ = begin(scene, first)
        with measured(first):
            pass
    if begin is redis_hanging:
        os.kill(scene.server.pid, signal.SIGCONT)
    scene.here.cluster.clear_faults()
    scene.here.cluster.set_behaviours({})
    with scene.program.worker() as second:
        until(lambda: scene.here.load(id_).ended, second)
    expected = State.ROLLED_BACK if begin is turning_back else State.RELEASED
    assert scene.here.load(id_).state is expected
    told = [event.found for event in scene.here.events(id_) if isinstance(event, e.Interrupted)]
    # What is sent to a Redis that hangs is read when it wakes up, or never: then the next says what it found.
    assert len(told) <= (1 if begin is redis_hanging else 0)
    began = [event.index for event in scene.here.events(id_) if isinstance(event, e.StepStarted)]
    assert began == sorted(set(began))


@pytest.mark.requirement("Q1")
def test_a_worker_that_answers_hands_the_question_over(scene: Scene, measured: Measured) -> None:
    """Nobody looks for lost questions, so it is queued again before the process ends."""
    with scene.program.worker() as first:
        id_ = answering(scene, first)
        with measured(first):
            pass
    assert scene.program.queue.depth("validation") == 1
    scene.here.cluster.clear_faults()
    with scene.program.worker() as second:
        until(lambda: Questions(scene.here.store).answered(id_) is not None, second)


@pytest.mark.requirement("Q1")
def test_an_idle_worker_ends_although_redis_hangs(scene: Scene, measured: Measured) -> None:
    """It has nothing to hand over, and nobody to tell."""
    with scene.program.worker() as worker:
        os.kill(scene.server.pid, signal.SIGSTOP)
        try:
            with measured(worker):
                pass
        finally:
            os.kill(scene.server.pid, signal.SIGCONT)


@pytest.mark.requirement("Q1")
def test_a_worker_ends_although_redis_is_gone(scene: Scene, measured: Measured) -> None:
    """It waits for it to come back, and is not kept by that."""
    with scene.program.worker() as worker:
        scene.server.kill()
        until(lambda: "Redis" in worker.tail(), worker)
        with measured(worker):
            pass
