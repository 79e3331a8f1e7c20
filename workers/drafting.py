"""Making a release's plan: look at the cluster, plan, and ask the cluster whether it would agree.

Where another installation of Buzzy is at work there is no plan: what it would be made from is in motion.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from releases.config import Config, Environment
from releases.events import ReleaseRequested
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
from workers.tenant import Tenant
from workers.tenure import HeldError, Tenure
from workers.words import lost, of_error

PAST = 30
"""How many releases of an environment are read to know what it ran before."""

PAUSE_SECONDS = 0.5

REHEARSAL = "rehearsal"
"""Nobody holds anything under this name."""


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

    def of_request(self, request: ReleaseRequested, *, take: Callable[[], None] | None = None) -> Draft:
        """The plan that a request leads to. Raises `UnknownEnvironment` and `ClusterError`.

        `take` takes the environment at the cluster first; without it that is only rehearsed.
        """
        if take is not None:
            take()
        wanted = Wanted(request.strategy, request.services)

        def draw(scene: Scene) -> Plan | Refused:
            if request.kind == "rollback":
                return plan_rollback(scene, request.target, wanted)
            return plan_release(scene, Version.parse(request.version or ""), wanted)

        return self._draft(request.environment, draw, held=take is not None)

    def patiently(
        self,
        request: ReleaseRequested,
        *,
        until: datetime,
        go_on: Callable[[], bool],
        take: Callable[[], None] | None = None,
    ) -> Draft | None:
        """The plan of a request, also if the cluster is silent at first; None when `go_on` says no.

        Raises what `take` does, `UnknownEnvironment` and, when `until` has passed, `ClusterError`.
        """
        while go_on():
            try:
                return self.of_request(request, take=take)
            except TransientError:
                if self._clock() >= until:
                    raise
            time.sleep(PAUSE_SECONDS)
        return None

    def release(self, environment: str, version: Version, wanted: Wanted) -> Draft:
        """The plan of a release."""
        return self._draft(environment, lambda scene: plan_release(scene, version, wanted))

    def _draft(self, name: str, draw: Callable[[Scene], Plan | Refused], *, held: bool = False) -> Draft:
        environment = self._config.environment(name)
        observed = self.look(environment)
        cluster = self._clusters(environment.cluster.context)
        own = Tenant(self._record.installation(), name)
        tenure = Tenure(cluster, environment.namespace, own, REHEARSAL, self._clock)
        try:
            lease = None if held else tenure.look()
            self.ledgers.check(environment)
            plan = draw(Scene(self._config, environment, observed, self._record.recent(name, PAST)))
            if isinstance(plan, Plan):
                if lease is not None:
                    tenure.rehearse(lease)
                plan = rehearse(cluster, plan)
        except TransientError:
            raise
        except HeldError as error:
            plan = Refused(str(error), error.hint)
        except (AheadError, UnreadableLedgerError) as error:
            plan = Refused(*lost(name, error))
        except ClusterError as error:
            plan = Refused(of_error(error), "Nothing was changed.")
        return Draft(plan, observed)
