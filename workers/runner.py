"""The process that takes jobs from the queues: RQ's worker, with what production asks of it changed.

- It runs the jobs of a fixed table and nothing else. RQ imports whatever a job or its callback names, and
  whoever can write to Redis could name anything.
- When it is asked to end, the job that runs is asked as well, and hands over within a second or two. RQ
  would wait for it, and for Redis. It ends within seconds even if nothing answers any more.
- It listens to no commands over Redis (RQ's can kill a job), so it needs no thread, and forks safely.
- While it waits, and while a job runs, it looks for releases that nobody is at work on. When the process of a
  job dies (killed for its memory, most likely), what it was at is queued again at once.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import redis
import structlog
from redis.client import Pipeline
from rq import Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from releases.record.queue import QUEUES
from workers.jobs import Job as Run
from workers.reaper import EVERY_SECONDS, Reaper
from workers.stopping import Stopping, end_at_last

log = structlog.stdlib.get_logger(__name__)

WORKER_SECONDS = 20
"""RQ waits for a job 15 s less than this at a time, and looks after itself in between."""

WATCH_SECONDS = 5
"""How often it looks up while a job runs."""


class UnknownJobError(Exception):
    """A job names something that is not on the list."""


def known_jobs(table: Mapping[str, Run]) -> type[Job]:
    """RQ's job, which can run these functions only and calls nobody back."""

    class KnownJob(Job):
        """A job whose function is looked up, never imported."""

        @property
        def func(self) -> Callable[..., Any]:
            run = table.get(self.func_name or "")
            if run is None:
                log.error("refused a job that is not on the list", name=self.func_name, job=self.id)
                raise UnknownJobError(self.func_name)
            return run

        @property
        def success_callback(self) -> None:
            return None

        @property
        def failure_callback(self) -> None:
            return None

        @property
        def stopped_callback(self) -> None:
            return None

        def send_webhooks(self, status: object, *, exc_string: str | None = None) -> None:
            """A job's hash may name addresses to call; none is called."""

    return KnownJob


class Runner(Worker):
    """RQ's forking worker, as the module says."""

    max_connection_wait_time = 5.0
    """Seconds between looks for a Redis that is away; RQ would come to a minute."""

    def __init__(
        self, connection: redis.Redis, table: Mapping[str, Run], reaper: Reaper, stopping: Stopping
    ) -> None:
        """`connection` must not decode responses. It registers in Redis, so Redis must answer."""
        self._reaper = reaper
        self._stopping = stopping
        self._reaped_at = 0.0
        self.asked_to_end = False
        super().__init__(
            list(QUEUES),
            connection=connection,
            serializer=JSONSerializer,
            job_class=known_jobs(table),
            worker_ttl=WORKER_SECONDS,
            job_monitoring_interval=WATCH_SECONDS,
            log_job_description=False,
        )

    def subscribe(self) -> None:
        """Listen to no commands."""

    def unsubscribe(self) -> None:
        """See `subscribe`."""

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call] # so shipped
        log.info("ready", queues=self.queue_names(), worker=self.name)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """What RQ calls every few seconds, whether a job runs or not."""
        super().heartbeat(timeout, pipeline)
        if not self.is_horse and time.monotonic() - self._reaped_at >= EVERY_SECONDS:
            self._reaped_at = time.monotonic()
            self._reaper.reap()

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: object) -> None:
        """The process of a job is dead, which this one knows at once and all others by its silence only."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call] # so shipped
        for subject in job.args:
            self._reaper.bury(str(subject), retpid)

    def handle_warm_shutdown_request(self) -> None:
        """Pass it on to the job that runs, or is about to."""
        self.asked_to_end = True
        self._stopping.ask()
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)
        end_at_last(self._end)

    def _end(self) -> None:
        """Nothing else has ended this process: a Redis that hangs keeps RQ for as long as it likes."""
        log.info("ended at last, without a word to Redis")
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGKILL)
        os._exit(0)

    def setup_work_horse_signals(self) -> None:
        """In the process of the job: take the wish to end, and end with the worker if that is killed."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._stopping.ask_job)
        if self.pid is not None:
            self._stopping.with_parent(self.pid)
