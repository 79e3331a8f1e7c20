"""Looks after the environments that follow another one, or the registry: asks for their releases in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from releases.config import Config, Environment
from releases.events import ReleaseRequested
from releases.proof import PAST, lead
from releases.record import BusyError, JobQueue, Record, RecordUnavailableError, queue_of
from releases.record.queue import JobName
from releases.record.rounds import Rounds
from releases.standby import due, follow, running

log = structlog.stdlib.get_logger(__name__)

NEWS = timedelta(minutes=1)
"""How long, at most, something that only the cluster tells (a look at it is kept) waits to be noticed."""


DRIFT = timedelta(minutes=5)
"""How often a standby is compared with what it follows."""

BUILDS = timedelta(seconds=30)
"""How often it is looked for newer builds, where an environment has the newest."""


class Standbys:
    """Looks when it is called. Costs next to nothing while the record has no news of an environment."""

    def __init__(  # noqa: PLR0913 - what a standby depends on
        self,
        record: Record,
        config: Config,
        queue: JobQueue,
        *,
        now: Callable[[], datetime],
        closed_to: Callable[[ReleaseRequested], object] = lambda _: None,
        rounds: Rounds | None = None,
    ) -> None:
        """Everything it needs to know is in the record. `closed_to`: what closes a standby; None: nothing.

        With `rounds` jobs look now and then how each differs from what it follows, and for newer builds.
        """
        self._rounds = rounds
        self._closed_to = closed_to
        self._record = record
        self._config = config
        self._queue = queue
        self._now = now
        self._known: dict[str, tuple[object, datetime]] = {}

    def look(self) -> None:
        """Look at each standby once. Trouble with one stops it for no other."""
        for environment in self._config.environments.values():
            try:
                if environment.latest is not None:
                    self._send(environment, "latest", BUILDS)
                if environment.follows is not None:
                    self._send(environment, "drift", DRIFT)
                    self._see_to(environment, environment.follows)
            except RecordUnavailableError as error:
                log.info("left alone", standby=environment.name, why=str(error))
            except Exception:
                log.exception("mistake", standby=environment.name)

    def _send(self, environment: Environment, job: JobName, every: timedelta) -> None:
        """Have a job look, if that is due: what asks others than Redis is not for a worker's heartbeat."""
        if self._rounds is not None and self._rounds.turn(job, environment.name, every):
            self._queue.put("validation", job, environment.name)

    def _see_to(self, environment: Environment, follows: str) -> None:
        news = (self._record.latest(follows), self._record.latest(environment.name))
        before, next_look = self._known.get(environment.name, (None, self._now()))
        if news == before and self._now() < next_look:
            return
        self._known[environment.name] = (news, self._ask(environment, follows))

    def _ask(self, environment: Environment, follows: str) -> datetime:
        """Ask for what is due; when to look again although nothing was written."""
        now = self._now()
        services = [service.name for service in self._config.services_of(environment)]
        leading = lead(self._record.recent(follows, PAST), services)
        if leading is None:
            return now + NEWS
        own = self._record.recent(environment.name, PAST)
        has = running(self._record.seen(environment.name), own, services)
        wanted = follow(environment, leading, own, has, now)
        if wanted is None:
            moment = due(environment, leading)
            return moment if moment is not None and moment > now else now + NEWS
        if self._closed_to(wanted.request) is not None:
            return now + NEWS  # nobody typed it, so nobody waits in line: it is asked for once it is open
        try:
            release = self._record.open(wanted.request, delivery=wanted.delivery).release
        except BusyError as error:
            log.info("busy, asked for later", standby=environment.name, holder=error.holder)
            return now
        log.info("asked for", standby=environment.name, release=release.id, follows=leading.run.release)
        if not release.ended:  # if this is lost, the reaper finds the release
            self._queue.put(queue_of(release), "plan", release.id)
        return now
