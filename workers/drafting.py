"""Making a release's plan: look at the cluster, plan, and ask the cluster whether it would agree."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from releases.config import Config, Environment
from releases.events import ReleaseRequested, Target
from releases.ledger import UnreadableLedgerError
from releases.plan import Plan
from releases.record import Record
from releases.version import Version
from workers.cluster import ClusterError, TransientError
from workers.cluster.connections import Clusters
from workers.ledger import AheadError, Ledgers
from workers.observe import Observed, observe
from workers.planning import Refused, Scene, Wanted, plan_release, plan_rollback
from workers.rehearsal import rehearse
from workers.words import lost, of_error

PAST = 30
"""How many releases of an environment are read to know what it ran before."""

PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Draft:
    """A plan or why there is none, and what was seen."""

    plan: Plan | Refused
    observed: Observed


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Drafts:
    """Makes plans."""

    def __init__(
        self, record: Record, config: Config, clusters: Clusters, clock: Callable[[], datetime] = now
    ) -> None:
        """Reads the record and the clusters, changes neither; `ledgers` is for those who do."""
        self._record = record
        self._config = config
        self._clusters = clusters
        self._clock = clock
        self.ledgers = Ledgers(record, config, clusters)

    def look(self, environment: Environment) -> Observed:
        """An environment as it is now. Raises `ClusterError`."""
        cluster = self._clusters(environment.cluster.context)
        return observe(cluster, self._config, environment, self._clock())

    def of_request(self, request: ReleaseRequested) -> Draft:
        """The plan that a request leads to. Raises `UnknownEnvironment` and `ClusterError`."""
        wanted = Wanted(request.strategy, request.services)
        if request.kind == "rollback":
            return self.rollback(request.environment, request.target, wanted)
        return self.release(request.environment, Version.parse(request.version or ""), wanted)

    def patiently(
        self, request: ReleaseRequested, *, until: datetime, go_on: Callable[[], bool]
    ) -> Draft | None:
        """The plan of a request, also if the cluster is silent at first; None when `go_on` says no.

        Raises `UnknownEnvironment` and, when `until` has passed, `ClusterError`.
        """
        while go_on():
            try:
                return self.of_request(request)
            except TransientError:
                if self._clock() >= until:
                    raise
            time.sleep(PAUSE_SECONDS)
        return None

    def release(self, environment: str, version: Version, wanted: Wanted) -> Draft:
        """The plan of a release."""
        return self._draft(environment, lambda scene: plan_release(scene, version, wanted))

    def rollback(self, environment: str, target: Target | None, wanted: Wanted) -> Draft:
        """The plan of a rollback."""
        return self._draft(environment, lambda scene: plan_rollback(scene, target, wanted))

    def _draft(self, name: str, draw: Callable[[Scene], Plan | Refused]) -> Draft:
        environment = self._config.environment(name)
        observed = self.look(environment)
        try:
            self.ledgers.check(environment)
        except (AheadError, UnreadableLedgerError) as error:
            return Draft(Refused(*lost(name, error)), observed)
        scene = Scene(self._config, environment, observed, self._record.recent(name, PAST))
        plan = draw(scene)
        if isinstance(plan, Plan):
            plan = self._rehearsed(environment, plan)
        return Draft(plan, observed)

    def _rehearsed(self, environment: Environment, plan: Plan) -> Plan | Refused:
        try:
            return rehearse(self._clusters(environment.cluster.context), plan)
        except TransientError:
            raise
        except ClusterError as error:
            return Refused(of_error(error), "Nothing was changed.")
