"""Scales down what a blue-green release has kept for long enough.

Nothing is held for it and nobody waits for it. That something is kept, and until when, its Deployment says
(`workers.marks.KEPT`). Whoever gives that Deployment work again writes it first and takes the note off, so a
write that was decided from an earlier look fails there. While a release is at work in the
environment, nothing is scaled down: a rollback that waits for somebody's yes shall find its pods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from releases.config import Config, Environment, UnknownEnvironment
from releases.record import JobQueue, Record, RecordUnavailableError, Store
from workers.cluster import Cluster, ClusterError, ConflictError, DeploymentSeen, NotFoundError, TemplateWrite
from workers.cluster.connections import Clusters
from workers.marks import KEPT
from workers.observe import ServiceObserved, kept_until, observe, snapshot

AGAIN_MS = 30_000
"""What could not be scaled down is tried again this often."""

UNSEEN_MS = 3_600_000
"""How often it is looked although the record knows of nothing that is kept: it may have been lost."""

log = structlog.stdlib.get_logger(__name__)


class Tidying:
    """Notices when it is time to. Looks when it is called, at the record only."""

    def __init__(
        self, config: Config, record: Record, store: Store, queue: JobQueue, now: Callable[[], datetime]
    ) -> None:
        """`queue` takes the job that looks at the cluster; `now` gives aware UTC times."""
        self._config = config
        self._record = record
        self._store = store
        self._queue = queue
        self._now = now

    def look(self) -> None:
        """Look at each environment once. Trouble with one stops it for no other."""
        for environment in self._config.environments.values():
            try:
                if self._is_due(environment):
                    self._queue.put("deployment", "tidy", environment.name)
            except RecordUnavailableError as error:
                log.info("left alone", environment=environment.name, why=str(error))
            except Exception:
                log.exception("mistake", environment=environment.name)

    def _is_due(self, environment: Environment) -> bool:
        name = environment.name
        seen = self._record.seen(name)
        if seen is not None and any(each.until <= self._now() for each in seen.kept):
            return self._record.holder(name) is None and self._first("tidied", name, AGAIN_MS)
        return "blue-green" in environment.may_go_by and self._first("looked", name, UNSEEN_MS)

    def _first(self, what: str, environment: str, pause_ms: int) -> bool:
        """Whether nobody has done so for a while."""
        return bool(self._store.call("SET", self._store.key(what, environment), "1", "NX", "PX", pause_ms))


@dataclass(frozen=True)
class Tidier:
    """Scales down. One look at one environment is one job."""

    config: Config
    record: Record
    clusters: Clusters
    now: Callable[[], datetime]

    def tidy(self, name: str) -> None:
        """Scale down what is kept no longer; what cannot be is tried again after a while."""
        try:
            environment = self.config.environment(name)
            cluster = self.clusters(environment.cluster.context)
            seen = observe(cluster, self.config, environment, self.now())
            done = [self._scaled_down(cluster, environment, each) for each in seen.services]
            if any(done):
                seen = observe(cluster, self.config, environment, self.now())
            self.record.see(snapshot(seen))
        except (ClusterError, UnknownEnvironment, RecordUnavailableError) as error:
            log.warning("what was kept is not scaled down", environment=name, why=str(error))

    def _scaled_down(self, cluster: Cluster, environment: Environment, service: ServiceObserved) -> bool:
        beside = service.beside
        if beside is None or not self._is_over(service, beside):
            return False
        if self.record.holder(environment.name) is not None:
            return False
        try:
            write = TemplateWrite(beside, beside.template, replicas=0, without=(KEPT,))
            cluster.write_template(environment.namespace, write)
        except (ConflictError, NotFoundError):
            return False  # somebody needs it, or took it away
        log.info("scaled down", environment=environment.name, deployment=beside.name)
        return True

    def _is_over(self, service: ServiceObserved, beside: DeploymentSeen) -> bool:
        """Whether it is kept no longer; where nobody can say who has the traffic, nothing is touched."""
        until, traffic = kept_until(beside), service.traffic
        if until is None or until > self.now() or traffic is None:
            return False
        return not traffic.picks(beside.template)
