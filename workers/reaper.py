"""Finds releases that should be moving and that no worker is at work on, and queues their job again.

Nothing else brings a release back whose worker was killed or whose job was lost: RQ notices an abandoned job
after minutes, and one that was taken from the queue just before a crash never.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from releases import events as e
from releases import gates
from releases.lifecycle import WORKING, Release, State, apply
from releases.record import (
    JobQueue,
    MovedError,
    Record,
    RecordUnavailableError,
    StaleError,
    Store,
    UnknownReleaseError,
    queue_of,
)
from workers.afterwards import Afterwards
from workers.jobs import next_job, process_name
from workers.resting import rest_of
from workers.standbys import Standbys
from workers.tidying import Tidying
from workers.timekeeper import Timekeeper

log = structlog.stdlib.get_logger(__name__)

EVERY_SECONDS = 4.5
"""A little less than the five seconds between two heartbeats of a worker, so that each of them counts. With a
lease of 15 s, a release whose worker has died is found after 20 s at the latest."""

_ALONE_MS = 4_000
"""Of several workers one reaps; a little less than the span, so that the next time finds the mark gone."""

REMIND_MS = 30_000
"""A ledger that cannot be written is tried again this often, and each time there is a line in the log."""


class Reaper:
    """Looks when it is called and it is time to. Each worker's parent process has one."""

    def __init__(  # noqa: PLR0913 - what is looked after
        self,
        store: Store,
        record: Record,
        queue: JobQueue,
        *,
        now: Callable[[], datetime],
        timekeeper: Timekeeper | None = None,
        standbys: Standbys | None = None,
        tidying: Tidying | None = None,
        afterwards: Afterwards | None = None,
    ) -> None:
        """Everything it needs to know is in the record.

        `timekeeper` looks at what time brings, and `standbys`, what is kept and what was released are looked
        after, at the same times.
        """
        self._store = store
        self._record = record
        self._queue = queue
        self._now = now
        self._timekeeper = timekeeper
        self._standbys = standbys
        self._tidying = tidying
        self._afterwards = afterwards

    def reap(self) -> None:
        """Look once, unless another worker does. Trouble with one release does not stop it for the others."""
        try:
            if not self._store.call("SET", self._store.key("reaper"), "1", "NX", "PX", _ALONE_MS):
                return
            idle = self._record.idle()
            self._remind()
        except RecordUnavailableError:
            return  # whoever takes jobs from the queue says so
        if self._timekeeper is not None:
            self._timekeeper.look()
        for release_id in idle:
            try:
                self._see_to(self._record.load(release_id).release)
            except (MovedError, StaleError, RecordUnavailableError) as error:
                log.info("left alone", release=release_id, why=str(error))
            except Exception:
                log.exception("mistake", release=release_id)
        if self._standbys is not None:
            self._standbys.look()
        if self._tidying is not None:
            self._tidying.look()
        if self._afterwards is not None:
            self._afterwards.look()

    def bury(self, release_id: str, pid: int) -> None:
        """A job's process has died before its end: its release need not wait for the lease to run out."""
        try:
            release = self._record.load(release_id).release
            if self._record.bury(release, process_name(pid)):
                log.warning("a job's process died", release=release_id, pid=pid)
                self._see_to(release)
        except (UnknownReleaseError, MovedError, StaleError, RecordUnavailableError) as error:
            log.info("left alone", release=release_id, why=str(error))

    def _remind(self) -> None:
        """Let ledgers be written that could not be when it was time to, each now and then."""
        for environment in self._record.archive.forgotten():
            tried = self._store.key("ledgers", "tried", environment)
            if self._store.call("SET", tried, "1", "NX", "PX", REMIND_MS):
                self._queue.put("validation", "ledger", environment)

    def _see_to(self, release: Release) -> None:
        if release.state in {State.WAITING, State.SIGNING}:
            self._settle(release)
        elif release.state is State.ABOUT_TO_START:
            self._start(release)
        elif release.state is State.HELD:
            self._settle(release)
            self._let_go(release)
        elif release.state in WORKING or release.state is State.CANCELLING:
            if rest_of(release) is not None and self._record.rests(release.id):
                return
            queue, job = queue_of(release), next_job(release)
            if not self._queue.holds(queue, job, release.id):
                log.info("queued again", release=release.id, job=job)
                self._queue.put(queue, job, release.id)

    def _let_go(self, release: Release) -> None:
        """Let a release start that was held back, once its environment is open."""
        held = self._record.load(release.id)
        if self._timekeeper is None or held.release.state is not State.HELD:
            return
        if self._timekeeper.holds_back(held.release) is None:
            open_again = e.HoldEnded(at=self._now())
            again = apply(held.release, open_again)
            if again.approval is None and not again.grace:
                after = self._record.append(held, [open_again]).release
                self._queue.put(queue_of(after), next_job(after), after.id)
            else:
                self._record.append(held, [open_again, *gates.go_once_read(again, self._now())])

    def _start(self, release: Release) -> None:
        """Let a release start whose moment has passed, if no bot has seen to it."""
        held = self._record.load(release.id)
        if happened := gates.overdue(held.release, self._now()):
            after = self._record.append(held, happened).release
            self._queue.put(queue_of(after), next_job(after), after.id)

    def _settle(self, release: Release) -> None:
        """What time decides about a release that waits for people."""
        happened = gates.settle(release, self._now())
        if happened:
            held = self._record.load(release.id)
            if held.release.position == release.position:
                after = self._record.append(held, happened).release
                if after.state in WORKING:
                    self._queue.put(queue_of(after), next_job(after), after.id)
