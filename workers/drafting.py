"""Making a release's plan: look, plan, ask the cluster whether it would agree, go through the checklist.

Where another installation of Buzzy is at work there is no plan: what it would be made from is in motion.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from releases.config import Config, Environment
from releases.database import Applied
from releases.events import ReleaseRequested
from releases.ledger import UnreadableLedgerError
from releases.migrations import applied
from releases.plan import EnsureFiles, Plan
from releases.record import Record
from releases.record.database import applied_in
from releases.version import Version
from workers.around import Around
from workers.cluster import Cluster, ClusterError, NotFoundError, TransientError
from workers.cluster.connections import Clusters
from workers.files import Contents, FilesError, digests, joined
from workers.ledger import AheadError, Ledgers
from workers.mongodb import MongoDbError
from workers.observe import Observed, observe
from workers.planning import (
    Refused,
    Scene,
    Wanted,
    back,
    identified,
    nothing_to_go_back_to,
    oldest,
    own_images,
    plan_drill,
    plan_release,
    plan_rollback,
    plan_validation,
)
from workers.planning.release import files_prefix, files_step
from workers.proving import Proving
from workers.registry import RegistryAwayError, RegistryError
from workers.rehearsal import rehearse
from workers.templates import files_of
from workers.tenant import Tenant
from workers.tenure import HeldError, Tenure
from workers.twins import Twins
from workers.words import lost, of_error

PAST = 30
"""How many releases of an environment are read to know what it ran before."""

PAUSE_SECONDS = 0.5

REHEARSAL = "rehearsal"
"""Nobody holds anything under this name."""


class Rehearsed(Protocol):
    """Lets the cluster say whether it would carry a plan out, which names these files.

    Raises `ClusterError` where it would not.
    """

    def __call__(self, plan: Plan | Refused, files: Contents | None = None) -> Plan | Refused:
        """The plan as it would be carried out."""


Draw = Callable[[Scene, Rehearsed], Plan | Refused]
"""Makes a plan of what was seen."""


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
        """Reads the record, the clusters and what is `around` them; `ledgers` is for those who write."""
        self._record = record
        self._config = config
        self._clusters = clusters
        self._clock = clock
        self._around = around or Around()
        self._proving = Proving(record, config, self.look, clock)
        self.ledgers = Ledgers(record, config, clusters)
        self.twins = Twins(record, config, clusters, clock)
        self.files = self._around.files

    def look(self, environment: Environment) -> Observed:
        """An environment as it is now. Raises `ClusterError`."""
        cluster = self._clusters(environment.cluster.context)
        return observe(cluster, self._config, environment, self._clock())

    def config_map(self, environment: Environment, name: str) -> Mapping[str, str]:
        """A ConfigMap of an environment's namespace. Raises `ClusterError`."""
        return self._clusters(environment.cluster.context).config_map(environment.namespace, name)

    def of_request(
        self,
        request: ReleaseRequested,
        *,
        before: Plan | None = None,
        take: Callable[[], None] | None = None,
    ) -> Draft:
        """The plan that a request leads to; `before` is the one that it led to earlier, if any.

        `take` takes the environment at the cluster first; without it that is only rehearsed.
        Raises what `take` does, `UnknownEnvironment`, `ClusterError` and `RegistryError`.
        """
        if take is not None:
            take()
        wanted = Wanted(request.strategy, request.services, request.urgency, request.target, request.database)
        held = take is not None

        def draw(scene: Scene, rehearsed: Rehearsed) -> Plan | Refused:
            if request.kind == "drill":
                return self._drill(scene)
            if request.kind == "rollback":
                return rehearsed(_gone_back(scene, wanted))
            if request.kind == "validation":
                return rehearsed(self._validated(scene, request.suites))
            if request.source is None:
                version: Version | Refused = Version.parse(request.version or "")
            else:
                version = self._proving.promoted(request, request.source, wanted, before)
            return version if isinstance(version, Refused) else self._drawn(scene, rehearsed, version, wanted)

        return self._draft(request.environment, draw, held=held)

    def _drill(self, scene: Scene) -> Plan | Refused:
        if scene.environment.follows is None:  # no more, since it was asked for
            return Refused(f"{scene.environment.name} is no standby: it follows no other environment.")
        return plan_drill(scene, self.twins.asked(scene.environment))

    def _files(
        self, scene: Scene, version: Version, cluster: Cluster, plan: Plan
    ) -> tuple[EnsureFiles, Contents] | None:
        """The files of a version, beside those that the services have now. Raises `FilesError`."""
        if scene.environment.files is None:
            return None
        found = self.files.of(scene.environment.files, version)
        present = (files_of(step.stable.spec, files_prefix(scene)) for step in plan.rollouts())
        name, before = next((each for each in present if each is not None), None), {}
        if name is not None:
            with suppress(NotFoundError):
                kept = cluster.kept(plan.namespace, name)
                before = digests(joined(kept.texts, kept.parts))
        step = files_step(scene, version, found.folder, digests(found.contents), before)
        return step, found.contents

    def database(self, environment: Environment) -> str:
        """The version of an environment's MongoDB. Raises `MongoDbError`."""
        if environment.mongodb is None:
            raise MongoDbError(f"buzzy.yaml does not say any more where the MongoDB of {environment.name} is")
        return self._around.mongodb(environment.mongodb)

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

        Raises what `take` does, `UnknownEnvironment` and, when `until` has passed, `ClusterError` or
        `RegistryError`.
        """
        while go_on():
            try:
                return self.of_request(request, before=before, take=take)
            except (TransientError, RegistryAwayError):
                if self._clock() >= until:
                    raise
            time.sleep(PAUSE_SECONDS)
        return None

    def release(self, environment: str, version: Version, wanted: Wanted) -> Draft:
        """The plan of a release; refused while the version has not shown what the environment requires."""
        return self._draft(
            environment, lambda scene, rehearsed: self._drawn(scene, rehearsed, version, wanted)
        )

    def _draft(self, name: str, draw: Draw, *, held: bool = False) -> Draft:
        """The plan that `draw` makes of an environment where nobody else is at work and nothing is lost."""
        environment = self._config.environment(name)
        observed = self.look(environment)
        cluster = self._clusters(environment.cluster.context)
        own = Tenant(self._record.installation(), name)
        tenure = Tenure(cluster, environment.namespace, own, REHEARSAL, self._clock)
        try:
            lease = None if held else tenure.look()
            self.ledgers.check(environment)

            def rehearsed(plan: Plan | Refused, files: Contents | None = None) -> Plan | Refused:
                if isinstance(plan, Refused):
                    return plan
                if lease is not None:
                    tenure.rehearse(lease)
                return rehearse(cluster, plan, files)

            scene = self._scene(environment, observed)
            plan = draw(scene, rehearsed)
        except (TransientError, RegistryAwayError):
            raise
        except HeldError as error:
            plan = Refused(str(error), error.hint)
        except (AheadError, UnreadableLedgerError) as error:
            plan = Refused(*lost(name, error))
        except (ClusterError, RegistryError) as error:
            plan = Refused(of_error(error), "Nothing was changed.")
        return Draft(plan, observed)

    def _scene(self, environment: Environment, observed: Observed) -> Scene:
        """What a plan is made from; what the database has may be long ago."""
        past = self._record.recent(environment.name, PAST)
        has = applied(past)
        if has is None and environment.database is not None:
            has = applied_in(self._record, environment.name)
        scene = Scene(self._config, environment, observed, past, has)
        if "blue-green" not in environment.may_go_by:
            return scene
        cluster, namespace = self._clusters(environment.cluster.context), environment.namespace
        return replace(scene, autoscalers=cluster.autoscalers(namespace), budgets=cluster.budgets(namespace))

    def _drawn(self, scene: Scene, rehearsed: Rehearsed, version: Version, wanted: Wanted) -> Plan | Refused:
        """The plan of a release: of what is proven; its images pinned; rehearsed; with its checklist."""
        plan = plan_release(scene, version, wanted)
        if isinstance(plan, Refused):
            return plan
        proven = self._proving.proven(scene, plan, wanted)
        if isinstance(proven, Refused):
            return proven
        cluster = self._clusters(scene.environment.cluster.context)
        with self._around.release(scene, cluster, version) as around:
            digests = around.digests(plan)
            if isinstance(digests, Refused):
                return digests
            compatible = around.compatible(digests)
            if isinstance(compatible, Refused):
                return compatible
            try:
                found = self._files(scene, version, cluster, plan)
            except FilesError as error:
                return Refused(of_error(error), "Nothing was changed.")
            step, contents = found or (None, None)
            pinned = plan_release(scene, version, wanted, digests, step)
            migrated = pinned if isinstance(pinned, Refused) else around.with_database(pinned)
            whole = migrated if isinstance(migrated, Refused) else around.with_suites(migrated)
            planned = rehearsed(whole, contents)
            if isinstance(planned, Refused):
                return planned
            return around.checked(planned, compatible, proven, self._reviewed(scene.environment))

    def _validated(self, scene: Scene, suites: tuple[str, ...]) -> Plan | Refused:
        """The plan of a validation of what runs, which has to be one version."""
        plan = plan_validation(scene, suites, {})
        if isinstance(plan, Refused):
            return plan
        version = oldest(plan.new)
        if version is None or str(version) != plan.new:
            return Refused(
                f"{scene.environment.name} does not run one version, but {plan.new}.",
                "Release or roll back first, so that it is clear what is validated.",
            )
        cluster = self._clusters(scene.environment.cluster.context)
        with self._around.release(scene, cluster, version) as around:
            images = around.suite_images(own_images(self._config, suites))
        return images if isinstance(images, Refused) else plan_validation(scene, suites, images)

    def _reviewed(self, environment: Environment) -> tuple[Applied, ...]:
        """The migrations that ran well where versions for this environment are proven."""
        if environment.requires is None or environment.database is None:
            return ()
        has = applied_in(self._record, environment.requires.proven_in) or ()
        return tuple(each for each in has if not each.unclear)


def _gone_back(scene: Scene, wanted: Wanted) -> Plan | Refused:
    plan = plan_rollback(scene, wanted)
    whole = plan if isinstance(plan, Refused) else back(scene, plan, wanted)
    if isinstance(whole, Plan) and not whole.steps:  # what the database has more may stay
        return nothing_to_go_back_to(scene, whole.new)
    return whole if isinstance(whole, Refused) else identified(scene, whole)
