"""Making a release's plan: look at the cluster, plan, and ask the cluster whether it would agree.

Where another installation of Buzzy is at work there is no plan: what it would be made from is in motion.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from releases.config import Config, Environment
from releases.events import ReleaseRequested, ServiceSeen
from releases.ledger import UnreadableLedgerError
from releases.plan import Plan
from releases.policy import Refusal
from releases.promotion import Candidate, unproven, version_of, went_back
from releases.proof import PAST as PROVEN_PAST
from releases.proof import proof_of
from releases.record import Record
from releases.version import ReleaseType, Version
from workers.cluster import ClusterError, TransientError
from workers.cluster.connections import Clusters
from workers.ledger import AheadError, Ledgers
from workers.observe import Observed, observe, services_seen
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

    def of_request(
        self,
        request: ReleaseRequested,
        *,
        before: Plan | None = None,
        take: Callable[[], None] | None = None,
    ) -> Draft:
        """The plan that a request leads to; `before` is the one that it led to earlier, if any.

        `take` takes the environment at the cluster first; without it that is only rehearsed.
        Raises what `take` does, `UnknownEnvironment` and `ClusterError`.
        """
        if take is not None:
            take()
        wanted = Wanted(request.strategy, request.services, request.urgency)

        def draw(scene: Scene) -> Plan | Refused:
            if request.kind == "rollback":
                return plan_rollback(scene, request.target, wanted)
            if request.source is not None:
                return self._promotion(scene, request, request.source, wanted, before)
            return self._proven(scene, Version.parse(request.version or ""), wanted)

        return self._draft(request.environment, draw, held=take is not None)

    def patiently(
        self,
        request: ReleaseRequested,
        *,
        until: datetime,
        go_on: Callable[[], bool],
        before: Plan | None = None,
        take: Callable[[], None] | None = None,
    ) -> Draft | None:
        """The plan of a request, also if the cluster is silent at first; None when `go_on` says no.

        Raises what `take` does, `UnknownEnvironment` and, when `until` has passed, `ClusterError`.
        """
        while go_on():
            try:
                return self.of_request(request, before=before, take=take)
            except TransientError:
                if self._clock() >= until:
                    raise
            time.sleep(PAUSE_SECONDS)
        return None

    def release(self, environment: str, version: Version, wanted: Wanted) -> Draft:
        """The plan of a release; refused while the version has not shown what the environment requires."""
        return self._draft(environment, lambda scene: self._proven(scene, version, wanted))

    def _promotion(
        self, scene: Scene, request: ReleaseRequested, source: str, wanted: Wanted, before: Plan | None
    ) -> Plan | Refused:
        """The plan of releasing what another environment runs.

        Which version that is, is settled when it is planned for the first time: people approve that one.
        Later it may have been replaced there, but not given up.
        """
        seen = self._looked_at(source, self._names(request.environment, wanted))
        found: Version | Refusal
        if before is not None:
            found = Version.parse(before.new)
            found = went_back(source, found, seen) or found
        else:
            found = version_of(source, seen)
        if isinstance(found, Version) and request.version not in {None, str(found)}:
            found = Refusal(f"{source} runs {found} now, not {request.version}.", "Nothing was changed.")
        if isinstance(found, Refusal):
            return Refused.of(found)
        return self._proven(scene, found, wanted)

    def _proven(self, scene: Scene, version: Version, wanted: Wanted) -> Plan | Refused:
        """The plan of a release, if the version has shown what it has to."""
        plan, rule = plan_release(scene, version, wanted), scene.environment.requires
        if rule is None or isinstance(plan, Refused):
            return plan
        names = self._names(scene.environment.name, wanted)
        past = self._record.recent(rule.proven_in, PROVEN_PAST)
        proof = proof_of(str(version), names, past)
        seen = None if proof.run is None else self._looked_at(rule.proven_in, names)
        types = (plan.type,) if plan.type is not None else tuple(ReleaseType)
        refusal = unproven(Candidate(version, scene.environment, types, proof, seen), self._clock())
        return plan if refusal is None else Refused.of(refusal)

    def _names(self, environment: str, wanted: Wanted) -> tuple[str, ...]:
        """The services that a release to an environment is about."""
        services = self._config.services_of(self._config.environment(environment))
        return wanted.services or tuple(service.name for service in services)

    def _looked_at(self, name: str, services: tuple[str, ...]) -> tuple[ServiceSeen, ...]:
        """What runs now in the environment that a release comes from. Raises `ClusterError`, naming it."""
        try:
            seen = services_seen(self.look(self._config.environment(name)))
        except TransientError as error:
            raise TransientError(f"{name} cannot be seen: {error}") from error
        except ClusterError as error:
            raise ClusterError(f"{name} cannot be seen: {error}") from error
        return tuple(each for each in seen if each.service in services)

    def _draft(self, name: str, draw: Callable[[Scene], Plan | Refused], *, held: bool = False) -> Draft:
        """The plan that `draw` makes of an environment where nobody else is at work and nothing is lost."""
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
