"""Looks for newer builds in the registry, and asks for the releases of environments that have the newest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime

import structlog

from releases.config import Config, Environment
from releases.events import ReleaseRequested
from releases.latest import Newest, ask, newest
from releases.proof import PAST
from releases.record import BusyError, JobQueue, Record, queue_of
from releases.record.rounds import Rounds
from releases.standby import running
from releases.version import Version
from workers.around import OpenRegistry
from workers.cluster import ClusterError
from workers.observe import Observed, snapshot
from workers.registry import RegistryError

log = structlog.stdlib.get_logger(__name__)


class Builds:
    """Looks when it is called; a job, because a registry may be slow."""

    def __init__(  # noqa: PLR0913 - what a look touches
        self,
        record: Record,
        config: Config,
        queue: JobQueue,
        rounds: Rounds,
        *,
        registry: OpenRegistry | None,
        look: Callable[[Environment], Observed],
        now: Callable[[], datetime],
        closed_to: Callable[[ReleaseRequested], object] = lambda _: None,
    ) -> None:
        """`look` sees an environment (raises `ClusterError`); `closed_to`: what closes it; None: nothing."""
        self._record = record
        self._config = config
        self._queue = queue
        self._rounds = rounds
        self._registry = registry
        self._look = look
        self._now = now
        self._closed_to = closed_to

    def look(self, name: str) -> None:
        """See what is the newest for an environment, and ask for its release if it is due."""
        environment = self._config.environments.get(name)
        if environment is None or environment.latest is None or self._registry is None:
            return
        try:
            with closing(self._registry()) as registry:
                images = {service.image for service in self._config.services_of(environment)}
                tags = [registry.tags(image) for image in sorted(images)]
        except RegistryError as error:
            log.warning("newer builds are not seen", environment=name, why=str(error))
            self._rounds.found(name, Newest(at=self._now(), problem=str(error)))
            return
        version = newest(tags, environment.latest, prerelease=environment.prerelease)
        self._rounds.found(name, Newest(at=self._now(), version=None if version is None else str(version)))
        if version is not None and self._record.holder(name) is None:
            self._ask(environment, version)

    def _ask(self, environment: Environment, version: Version) -> None:
        own = self._record.recent(environment.name, PAST)
        if ask(environment, version, own, frozenset(), self._now()) is None:
            return  # it was tried: nobody has to look what runs
        try:
            seen = snapshot(self._look(environment))
        except ClusterError as error:
            log.info("left alone", environment=environment.name, why=str(error))
            return
        self._record.see(seen)
        services = [service.name for service in self._config.services_of(environment)]
        wanted = ask(environment, version, own, running(seen, own, services), self._now())
        if wanted is None or self._closed_to(wanted.request) is not None:
            return  # nobody typed it, so nobody waits in line: it is asked for once it is open
        try:
            release = self._record.open(wanted.request, delivery=wanted.delivery).release
        except BusyError as error:
            log.info("busy, asked for later", environment=environment.name, holder=error.holder)
            return
        log.info("asked for", environment=environment.name, release=release.id, version=str(version))
        if not release.ended:  # if this is lost, the reaper finds the release
            self._queue.put(queue_of(release), "plan", release.id)
