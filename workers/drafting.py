"""Making a release's plan: look, plan, ask the cluster whether it would agree, go through the checklist."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from releases.config import Config, Environment
from releases.events import ReleaseRequested, Target
from releases.plan import Plan
from releases.record import Record
from releases.version import Version
from workers.around import Around, AroundRelease
from workers.cluster import ClusterError, TransientError
from workers.cluster.connections import Clusters
from workers.observe import Observed, observe
from workers.planning import Refused, Scene, Wanted, plan_release, plan_rollback
from workers.registry import RegistryAwayError, RegistryError
from workers.rehearsal import rehearse
from workers.words import of_error

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
        self,
        record: Record,
        config: Config,
        clusters: Clusters,
        clock: Callable[[], datetime] = now,
        around: Around | None = None,
    ) -> None:
        """Reads the record, the clusters and what is `around` them; changes nothing."""
        self._record = record
        self._config = config
        self._clusters = clusters
        self._clock = clock
        self._around = around or Around()

    def look(self, environment: Environment) -> Observed:
        """An environment as it is now. Raises `ClusterError`."""
        cluster = self._clusters(environment.cluster.context)
        return observe(cluster, self._config, environment, self._clock())

    def of_request(self, request: ReleaseRequested) -> Draft:
        """The plan that a request leads to. Raises `UnknownEnvironment`, `ClusterError`, `RegistryError`."""
        wanted = Wanted(request.strategy, request.services)
        if request.kind == "rollback":
            return self.rollback(request.environment, request.target, wanted)
        return self.release(request.environment, Version.parse(request.version or ""), wanted)

    def patiently(
        self, request: ReleaseRequested, *, until: datetime, go_on: Callable[[], bool]
    ) -> Draft | None:
        """The plan of a request, also if the cluster is silent at first; None when `go_on` says no.

        Raises `UnknownEnvironment` and, when `until` has passed, `ClusterError` or `RegistryError`.
        """
        while go_on():
            try:
                return self.of_request(request)
            except (TransientError, RegistryAwayError):
                if self._clock() >= until:
                    raise
            time.sleep(PAUSE_SECONDS)
        return None

    def release(self, environment: str, version: Version, wanted: Wanted) -> Draft:
        """The plan of a release."""

        def draw(scene: Scene) -> Plan | Refused:
            plan = plan_release(scene, version, wanted)
            if isinstance(plan, Refused):
                return plan
            cluster = self._clusters(scene.environment.cluster.context)
            with self._around.release(scene, cluster, version) as around:
                return self._with_what_is_around(around, plan, scene, version, wanted)

        return self._draft(environment, draw)

    def rollback(self, environment: str, target: Target | None, wanted: Wanted) -> Draft:
        """The plan of a rollback."""

        def draw(scene: Scene) -> Plan | Refused:
            plan = plan_rollback(scene, target, wanted)
            return plan if isinstance(plan, Refused) else self._rehearsed(scene.environment, plan)

        return self._draft(environment, draw)

    def _draft(self, name: str, draw: Callable[[Scene], Plan | Refused]) -> Draft:
        environment = self._config.environment(name)
        observed = self.look(environment)
        scene = Scene(self._config, environment, observed, self._record.recent(name, PAST))
        return Draft(draw(scene), observed)

    def _with_what_is_around(
        self, around: AroundRelease, plan: Plan, scene: Scene, version: Version, wanted: Wanted
    ) -> Plan | Refused:
        """The plan again, its images pinned; rehearsed; with its checklist. Or what stops it."""
        try:
            digests = around.digests(plan)
            if isinstance(digests, Refused):
                return digests
            compatible = around.compatible(digests)
        except RegistryAwayError:
            raise
        except RegistryError as error:
            return Refused(of_error(error), "Nothing was changed.")
        if isinstance(compatible, Refused):
            return compatible
        pinned = plan_release(scene, version, wanted, digests)
        if isinstance(pinned, Plan):
            pinned = self._rehearsed(scene.environment, pinned)
        if isinstance(pinned, Refused):
            return pinned
        return around.checked(pinned, compatible)

    def _rehearsed(self, environment: Environment, plan: Plan) -> Plan | Refused:
        try:
            return rehearse(self._clusters(environment.cluster.context), plan)
        except TransientError:
            raise
        except ClusterError as error:
            return Refused(of_error(error), "Nothing was changed.")
