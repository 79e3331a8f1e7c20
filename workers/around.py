"""What is around a release beside the cluster: its images, its database, open alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import quote

from releases.checklist import Item, Outcome
from releases.compatibility import row_of
from releases.config import Check, Database
from releases.database import Applied
from releases.lifecycle import Release
from releases.plan import Plan
from releases.version import Version
from workers import checklist, database_items
from workers.checklist import Make
from workers.cluster import Cluster, ClusterError, NotFoundError, TransientError
from workers.compatible import Sources, find_out, judge
from workers.files import FileSets
from workers.images import Image
from workers.migrations import before, migrations_of
from workers.mongodb import server_version
from workers.pinning import Digests, look_up
from workers.planning import baseline, gate, gates, oldest, own_images, there, with_suites
from workers.planning.scene import Ready, Refused, Scene, ready_services
from workers.registry import Registry
from workers.room import NAME as CAPACITY
from workers.room import room
from workers.steps.validate import look
from workers.words import of_error

OpenRegistry = Callable[[], Registry]


def no_alerts(_environment: str) -> Iterable[Release]:
    """Nothing has failed."""
    return ()


@dataclass(frozen=True)
class Around:
    """How it is asked. Without a registry nothing is looked up, and images stay as unpinned as their tags.

    `registry` opens a connection of this process, `files` lie beside buzzy.yaml. `alerts` gives the releases
    of an environment whose failure nobody has put right yet.
    """

    registry: OpenRegistry | None = None
    mongodb: Callable[[Database], str] = server_version
    files: FileSets = field(default_factory=lambda: FileSets(Path()))
    alerts: Callable[[str], Iterable[Release]] = no_alerts

    @contextmanager
    def release(self, scene: Scene, cluster: Cluster, version: Version) -> Iterator[AroundRelease]:
        """What is around one release, for the length of a block. Raises `RegistryError`."""
        registry = None if self.registry is None else self.registry()
        try:
            yield AroundRelease(self, scene, cluster, version, registry)
        finally:
            if registry is not None:
                registry.close()


@dataclass(frozen=True)
class AroundRelease:
    """What is asked about one release of one version."""

    around: Around
    scene: Scene
    cluster: Cluster
    version: Version
    registry: Registry | None

    def digests(self, plan: Plan) -> Digests | Refused:
        """The digest of each image that will run; none without a registry. Raises `RegistryError`."""
        if self.registry is None:
            return {}
        images = {
            each.service.name: each.service.image
            for each in self.scene.observed.services
            if each.service.name in plan.services
        }
        return look_up(self.registry, images, self.version)

    def compatible(self, digests: Digests) -> Item | Refused | None:
        """Whether the version runs with what is there; None without a matrix.

        Raises `TransientError` and `RegistryAwayError` of what may answer in a moment.
        """
        matrix, environment = self.scene.config.matrix, self.scene.environment
        if not matrix:
            return None
        row = row_of(matrix, self.version)
        images = {
            each.service.name: (each.service.image, digests[each.service.name])
            for each in self.scene.observed.services
            if each.service.name in digests
        }
        sources = Sources(environment, self.cluster, self.registry, images, self.around.mongodb)
        found = () if row is None else find_out(row.needs, sources)
        return judge(self.version, row, found, stops=environment.not_known == "stop")

    def with_database(self, plan: Plan) -> Plan | Refused:
        """The plan with what it does to the database. Raises `RegistryError`."""
        care, has = self.scene.environment.database, self.scene.applied
        if care is None or care.migrations is None or self.registry is None:
            return there(self.scene, plan, has, None)
        new = migrations_of(self.registry, care.migrations, self.version)
        if isinstance(new, Refused):
            return new
        if has is not None:
            return there(self.scene, plan, has, new)
        running = oldest(plan.stable)
        old = None if running is None else before(self.registry, care.migrations, running)
        if running is None or old is None:
            planned = there(self.scene, plan, (), new)
            warning = f"Which migrations ran before is not known: all of {plan.new} are run, or run again."
            return planned.model_copy(update={"warnings": (warning, *planned.warnings)})
        return there(self.scene, plan, baseline(str(running), old.migrations), new)

    def with_suites(self, plan: Plan) -> Plan | Refused:
        """The plan with the suites that it has to pass. Raises `RegistryError`."""
        config, environment = self.scene.config, self.scene.environment
        images = self.suite_images(own_images(config, environment.suites))
        return images if isinstance(images, Refused) else with_suites(self.scene, plan, images)

    def suite_images(self, repositories: Mapping[str, str]) -> dict[str, str] | Refused:
        """The images of the version in these repositories, pinned where there is a registry."""
        if self.registry is None:
            return {name: str(Image(each, str(self.version), None)) for name, each in repositories.items()}
        found = look_up(self.registry, repositories, self.version)
        if isinstance(found, Refused):
            return found
        return {name: str(Image(each, str(self.version), found[name])) for name, each in repositories.items()}

    def checked(
        self, plan: Plan, compatible: Item | None, proven: Item, reviewed: tuple[Applied, ...] = ()
    ) -> Plan:
        """The plan with its checklist, and with where the notes of its version are.

        `reviewed` are the migrations that have run well where versions are proven.
        """
        services = ready_services(self.scene, plan.services)
        ready = () if isinstance(services, Refused) else services
        makers: dict[Check, Make] = {
            "proven": lambda: proven,
            "image": partial(checklist.image, plan),
            "compatible": lambda: compatible,
            "configuration": partial(self._configuration, plan),
            "backup": partial(database_items.backup, plan, self.scene.past, self.scene.observed.at),
            "migrations": partial(database_items.migrations, plan, self.scene.environment, reviewed),
            "rollback": partial(checklist.rollback, plan, ready),
            "capacity": partial(self._capacity, plan, ready),
            "alerts": lambda: checklist.alerts(plan, self.around.alerts(plan.environment)),
            "on-call": partial(checklist.on_call, self.scene.environment),
        }
        items = checklist.checklist(self.scene.environment, makers)
        items += tuple(gate(name, *look(check)) for name, check in gates(self.scene, plan.new).items())
        if compatible is not None and compatible.blocks and compatible not in items:
            items = (compatible, *items)  # a matrix is heeded, whether the environment lists it or not
        where = self.scene.config.documentation
        notes = None if where is None else where.format(version=quote(str(self.version)))
        return plan.model_copy(update={"checklist": items, "notes": notes})

    def _configuration(self, plan: Plan) -> Item:
        try:
            return checklist.configuration(plan, partial(self._has, plan.namespace))
        except TransientError:
            raise
        except ClusterError as error:
            return Item(name="configuration", outcome=Outcome.UNKNOWN, evidence=of_error(error))

    def _has(self, namespace: str, config_map: str) -> bool:
        try:
            self.cluster.config_map(namespace, config_map)
        except NotFoundError:
            return False
        return True

    def _capacity(self, plan: Plan, ready: tuple[Ready, ...]) -> Item:
        try:
            quotas = self.cluster.quotas(plan.namespace)
        except TransientError:
            raise
        except ClusterError as error:
            return Item(name=CAPACITY, outcome=Outcome.UNKNOWN, evidence=of_error(error))
        slots = [slot for each in ready for slot in (each.deployment, each.observed.beside)]
        return room(plan, (slot for slot in slots if slot is not None), quotas)
