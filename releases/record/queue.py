"""The queues between those who ask for work and those who do it.

Jobs are JSON (never pickle) and name a function of the workers' list; a worker runs nothing else. A job
says only which release or question wants attention: what is to be done is read from the record when the
job runs. So a job that is queued twice does no harm, and one that is lost is queued again by the reaper.

An entry carries no epoch, and needs none, because it gives no right to write: whoever runs it takes the
lease first, which raises the epoch, and works only where the record then says that there is work. However
late an entry is run, it finds a release that has moved on, another worker's lease or no release at all.
"""

from __future__ import annotations

from typing import Literal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from releases.lifecycle import Release, State
from releases.record.store import ANSWER_SECONDS, CONNECT_SECONDS, RecordUnavailableError

QueueName = Literal["rollback", "deployment", "validation"]
QUEUES: tuple[QueueName, ...] = ("rollback", "deployment", "validation")
"""In the order in which a worker serves them: going back comes before going on."""

JobName = Literal["plan", "advance", "answer", "notes", "ledger", "drift", "latest", "tidy", "watch"]
JOB_SECONDS = 120
"""A job takes a release as far as it can go in well under this; RQ ends one that hangs."""

RESULT_SECONDS = 60
FAILURE_SECONDS = 24 * 3600

_GOING_BACK = frozenset({State.ABORTING, State.TURNING_BACK})


def queue_of(release: Release) -> QueueName:
    """The queue for a release's jobs: whatever goes back goes first."""
    if release.request.kind == "rollback" or release.state in _GOING_BACK:
        return "rollback"
    return "validation" if release.request.kind == "validation" else "deployment"


class JobQueue:
    """Puts jobs on RQ's queues."""

    def __init__(self, connection: redis.Redis) -> None:
        """`connection` must not decode responses: RQ reads bytes."""
        self._queues = {
            name: Queue(name, connection=connection, serializer=JSONSerializer) for name in QUEUES
        }

    @classmethod
    def connect(cls, url: str) -> JobQueue:
        """The queues at a `redis://` address."""
        return cls(
            redis.Redis.from_url(
                url,
                socket_connect_timeout=CONNECT_SECONDS,
                socket_timeout=ANSWER_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        )

    def put(self, queue: QueueName, job: JobName, subject: str) -> None:
        """Queue a job about a release or a question. Raises `RecordUnavailableError`."""
        try:
            self._queues[queue].enqueue_call(
                f"workers.jobs.{job}",
                args=(subject,),
                timeout=JOB_SECONDS,
                result_ttl=RESULT_SECONDS,
                failure_ttl=FAILURE_SECONDS,
                description=f"{job} {subject}",
            )
        except redis.RedisError as error:
            raise RecordUnavailableError("Redis does not take the job") from error

    def holds(self, queue: QueueName, job: JobName, subject: str) -> bool:
        """Whether such a job waits already. Raises `RecordUnavailableError`."""
        try:
            waiting = self._queues[queue].get_jobs()
        except redis.RedisError as error:
            raise RecordUnavailableError("Redis cannot be reached") from error
        return any(each.description == f"{job} {subject}" for each in waiting)

    def depth(self, queue: QueueName) -> int:
        """How many jobs wait."""
        try:
            return len(self._queues[queue])
        except redis.RedisError as error:
            raise RecordUnavailableError("Redis cannot be reached") from error
