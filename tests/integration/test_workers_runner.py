"""The worker as a program: it runs what is on its list, hands over when asked to end, and waits for Redis."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from rq import Queue
from rq.callbacks import Callback
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

from releases.lifecycle import State
from releases.record import JobQueue, Store, queue_of
from releases.record.record import LEASE_MS
from sandbox.children import Child
from sandbox.redis_server import RedisServer
from tests.integration.workers_world import CONFIG, World, world
from workers.main import run
from workers.runner import known_jobs
from workers.settings import WorkerSettings
from workers.stopping import Stopping

PATIENCE_SECONDS = 30.0


def until(holds: Callable[[], bool], child: Child | None = None) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, child.tail() if child else "it did not happen in time"
        time.sleep(0.02)


class Program:
    """A world whose jobs are run by `buzzy worker`, in processes of its own."""

    def __init__(self, here: World, redis_url: str, folder: Path) -> None:
        self.here = here
        self.queue = JobQueue.connect(redis_url)
        self._config = folder / "buzzy.yaml"
        self._config.write_text(CONFIG)
        self._folder = folder
        self._env = {
            "REDIS_URL": redis_url,
            "KUBECONFIG": str(here.kubeconfig),
            "BUZZY_CONFIG": str(self._config),
        }
        self._count = 0

    @contextmanager
    def worker(self) -> Iterator[Child]:
        """A worker that runs for the length of a block."""
        self._count += 1
        log = self._folder / f"worker-{self._count}.log"
        with Child("worker", ["-m", "buzzy", "worker"], log=log, env=self._env) as child:
            until(lambda: '"ready"' in log.read_text(), child)
            yield child

    def ask(self, version: str) -> str:
        """Alice asks for a release, and a worker is to plan it."""
        id_ = self.here.ask(version)
        self.queue.put(queue_of(self.here.load(id_)), "plan", id_)
        return id_


@pytest.fixture
def program(store: Store, redis_url: str, tmp_path: Path) -> Iterator[Program]:
    """A world at 3.2.0, at leisure."""
    with world(store, tmp_path, speed=4.0) as here:
        yield Program(here, redis_url, tmp_path)


@pytest.mark.calm
@pytest.mark.requirement("Q1", "D3")
def test_a_worker_that_is_asked_to_end_hands_over_and_another_goes_on(program: Program) -> None:
    """At once, not when its job is done; the release is told nothing of it."""
    with program.worker() as first:
        id_ = program.ask("3.2.1")
        until(lambda: "buzzy-api" in program.here.load(id_).changed_services, first)
        began = time.monotonic()
        first.signal(signal.SIGTERM)
        assert first.wait(5) == 0
        assert time.monotonic() - began < 3
    assert program.here.load(id_).state is State.RUNNING
    assert program.queue.depth("deployment") == 1
    with program.worker() as second:
        until(lambda: program.here.load(id_).ended, second)
    assert program.here.load(id_).state is State.RELEASED
    assert "interrupted" not in program.here.said(id_)


@pytest.mark.calm
@pytest.mark.requirement("Q1", "X7")
def test_a_job_whose_process_is_killed_is_gone_on_with_at_once(program: Program) -> None:
    """The worker sees its job die, and does not wait for the lease to run out as others would have to."""
    lasts = LEASE_MS / 1000
    with program.worker() as worker:
        id_ = program.ask("3.2.1")
        until(lambda: "buzzy-api" in program.here.load(id_).changed_services, worker)
        store = program.here.store
        writer = store.call("HGET", store.key("environment", "staging"), "writer")
        began = time.monotonic()
        os.kill(int(writer.split(":")[1]), signal.SIGKILL)
        until(lambda: "interrupted" in program.here.said(id_), worker)
        assert time.monotonic() - began < lasts / 2
        until(lambda: program.here.load(id_).ended, worker)
    assert program.here.load(id_).state is State.RELEASED
    assert program.here.said(id_).count("interrupted") == 1


@pytest.mark.calm
def test_an_idle_worker_ends_at_once(program: Program) -> None:
    """It waits for jobs, not for the end of its waiting."""
    with program.worker() as worker:
        began = time.monotonic()
        worker.signal(signal.SIGTERM)
        assert worker.wait(5) == 0
        assert time.monotonic() - began < 2
        assert '"ended as asked"' in worker.tail()


@pytest.mark.calm
def test_a_job_ends_with_the_worker_that_started_it(program: Program) -> None:
    """A worker that is killed leaves no process behind that goes on for long; the job is handed over."""
    with program.worker() as worker:
        id_ = program.ask("3.2.1")
        until(lambda: bool(program.here.load(id_).changed_services), worker)
        worker.signal(signal.SIGKILL)
        worker.wait(5)
        until(lambda: program.queue.depth("deployment") == 1)
    assert program.here.load(id_).state is State.RUNNING
    assert program.here.record.idle() == (id_,)


@pytest.mark.requirement("Q1")
def test_a_worker_outlives_a_redis_that_restarts(tmp_path: Path) -> None:
    """Whether it waited for a job or ran one: it goes on with what the record says."""
    with RedisServer(folder=tmp_path) as server:
        store = Store.connect(server.url, answer_seconds=2)
        with world(store, tmp_path, speed=4.0) as here:
            program = Program(here, server.url, tmp_path)
            with program.worker() as worker:
                id_ = program.ask("3.2.1")
                until(lambda: "buzzy-api" in here.load(id_).changed_services, worker)
                server.kill()
                until(lambda: "waiting for Redis" in worker.tail(), worker)
                server.start()
                until(lambda: here.load(id_).ended, worker)
        assert here.load(id_).state is State.RELEASED
        store.close()


@pytest.fixture
def _own_logs() -> Iterator[None]:
    """What the program sets up for its logs is gone afterwards."""
    root = logging.getLogger()
    handlers, level, known = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**known)


@pytest.fixture
def queue(redis_url: str) -> Iterator[Queue]:
    """RQ's queue, as somebody has it who can write to Redis."""
    with redis.Redis.from_url(redis_url) as connection:
        yield Queue("deployment", connection=connection, serializer=JSONSerializer)


def burst(queue: Queue, table: dict[str, Any]) -> None:
    """Run what is queued, in this process."""
    worker = SimpleWorker(
        [queue], connection=queue.connection, serializer=JSONSerializer, job_class=known_jobs(table)
    )
    worker.work(burst=True)


def test_only_what_is_on_the_list_is_run(queue: Queue, tmp_path: Path) -> None:
    """Whoever can write to Redis can name any function, also as a callback: it is not even imported."""
    trap = tmp_path / "trap.py"
    trap.write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\ndef spring(*_): ...\n")
    sys.path.insert(0, str(tmp_path))
    done: list[str] = []
    try:
        refused = queue.enqueue_call("trap.spring", args=("R1",))
        good = queue.enqueue_call(
            "workers.jobs.plan",
            args=("R1",),
            on_success=Callback("trap.spring"),
            on_failure=Callback("trap.spring"),
        )
        burst(queue, {"workers.jobs.plan": done.append})
    finally:
        sys.path.remove(str(tmp_path))
    assert done == ["R1"]
    assert refused.get_status() is JobStatus.FAILED
    assert good.get_status() is JobStatus.FINISHED
    assert not (tmp_path / "sprung").exists()


def test_a_job_that_is_no_job_of_ours_does_not_stop_the_worker(queue: Queue) -> None:
    """The next one is run all the same."""
    done: list[str] = []
    odd = queue.enqueue_call("workers.jobs.plan", args=("R1", "and more"))
    queue.enqueue_call("workers.jobs.plan", args=("R2",))
    burst(queue, {"workers.jobs.plan": lambda subject: done.append(subject)})  # noqa: PLW0108 - takes exactly one
    assert done == ["R2"]
    assert Job.fetch(odd.id, connection=queue.connection, serializer=JSONSerializer).is_failed


def test_jobs_are_json_and_name_no_more_than_their_subject(program: Program, redis_url: str) -> None:
    """Nothing in the queue is code."""
    id_ = program.ask("3.2.1")
    with redis.Redis.from_url(redis_url) as connection:
        (job,) = Queue("deployment", connection=connection, serializer=JSONSerializer).jobs
        assert json.loads(job.data) == ["workers.jobs.plan", None, [id_], {}]


@pytest.mark.usefixtures("_own_logs")
def test_it_does_not_start_without_its_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says which file, and what is wrong with it."""
    missing = WorkerSettings(buzzy_config=tmp_path / "none.yaml")
    assert run(missing) == 1
    said = capsys.readouterr().err
    assert "no configuration" in said
    assert "none.yaml" in said
    assert "check BUZZY_CONFIG" in said
    (tmp_path / "bad.yaml").write_text("services: []\n")
    assert run(WorkerSettings(buzzy_config=tmp_path / "bad.yaml")) == 1
    assert "the configuration has problems" in capsys.readouterr().err


@pytest.mark.usefixtures("_own_logs")
def test_it_waits_a_while_for_redis_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts everything at once need not mind the order; a wrong address is noticed."""
    monkeypatch.setattr("workers.main.FIRST_WAIT_SECONDS", 0.5)
    monkeypatch.setattr("workers.main.PAUSE_SECONDS", 0.1)
    (tmp_path / "buzzy.yaml").write_text(CONFIG)
    settings = WorkerSettings(redis_url="redis://127.0.0.1:1/0", buzzy_config=tmp_path / "buzzy.yaml")
    assert run(settings) == 1
    said = capsys.readouterr().err
    assert "waiting for Redis" in said
    assert "is REDIS_URL right?" in said


def test_it_notices_that_it_should_end() -> None:
    """When it is asked to, or when the process that it belongs to is gone."""
    stopping = Stopping()
    assert not stopping()
    stopping.with_parent(os.getppid())
    assert not stopping()
    stopping.with_parent(1 if os.getppid() != 1 else 2)
    assert stopping()
    asked = Stopping()
    asked.ask(signal.SIGTERM, None)
    assert asked()
