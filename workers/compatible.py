"""Whether a version runs with what is around it: the compatibility matrix against what really runs.

Reading and judging are apart: `find_out` asks, `judge` is pure. What could not be found out is neither good
nor bad; what that does to a release is the environment's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from releases.checklist import Item, Outcome
from releases.compatibility import NAMES, Requirements, Row, fits
from releases.config import Database, Environment
from releases.version import Version
from workers.cluster import Cluster, ClusterError, TransientError
from workers.images import Image
from workers.mongodb import MongoDbError
from workers.planning.scene import Refused, listed
from workers.registry import ImageConfiguration, Registry, RegistryAwayError, RegistryError

BASE = "org.opencontainers.image.base.name"
NODE_LABEL = "org.nodejs.version"


@dataclass(frozen=True)
class Found:
    """What runs, or will run: `version`, or why it is not known. `where` is a service, if it is one's own."""

    what: str
    version: str | None = None
    why: str = ""
    where: str = ""

    def __str__(self) -> str:
        name = f"{NAMES[self.what]} in {self.where}" if self.where else NAMES[self.what]
        return f"{name} {self.version}" if self.version else f"{name}: {self.why}"


@dataclass(frozen=True)
class Sources:
    """What can be asked. `images` are the new ones: service → repository and digest."""

    environment: Environment
    cluster: Cluster
    registry: Registry | None
    images: Mapping[str, tuple[str, str]]
    mongodb: Callable[[Database], str]


def find_out(needs: Requirements, sources: Sources) -> tuple[Found, ...]:
    """The versions of all that is needed. Raises errors only of what may answer in a moment."""
    found: list[Found] = []
    for what in needs:
        match what:
            case "kubernetes":
                found.append(_kubernetes(sources.cluster))
            case "mongodb":
                found.append(_mongodb(sources))
            case _:
                found += _node(sources)
    return tuple(found)


def _kubernetes(cluster: Cluster) -> Found:
    try:
        return Found("kubernetes", cluster.version())
    except TransientError:
        raise
    except ClusterError as error:
        return Found("kubernetes", why=str(error))


def _mongodb(sources: Sources) -> Found:
    database = sources.environment.mongodb
    if database is None:
        return Found("mongodb", why=f"buzzy.yaml does not say where that of {sources.environment.name} is")
    try:
        return Found("mongodb", sources.mongodb(database))
    except MongoDbError as error:
        return Found("mongodb", why=str(error))


def _node(sources: Sources) -> list[Found]:
    """Of each image; all services that say the same are one."""
    if sources.registry is None:
        return [Found("node", why="no registry is configured, so nobody can look into the images")]
    found: dict[tuple[str | None, str], list[str]] = {}
    for service, (image, digest) in sources.images.items():
        try:
            version = node_version(sources.registry.configuration(image, digest))
            said = (version, "" if version else "the image does not say")
        except RegistryAwayError:
            raise
        except RegistryError as error:
            said = (None, str(error))
        found.setdefault(said, []).append(service)
    return [Found("node", *said, where=listed(services)) for said, services in found.items()]


def node_version(configuration: ImageConfiguration) -> str | None:
    """The version of Node.js that an image says it has: Node's own images set NODE_VERSION."""
    told = configuration.env.get("NODE_VERSION") or configuration.labels.get(NODE_LABEL)
    if told:
        return told
    base = Image.parse(configuration.labels.get(BASE, ""))
    if base.tag is None or not base.is_of("node"):
        return None
    return base.tag.partition("-")[0]


def judge(version: Version, row: Row | None, found: Iterable[Found], *, stops: bool) -> Item | Refused:
    """The item of the checklist, or the refusal that a mismatch is. `stops`: what is not known stops, too."""
    if row is None:
        return Item(
            name="compatible",
            outcome=Outcome.UNKNOWN,
            stops=stops,
            evidence=f"the matrix of buzzy.yaml has no row for {version}",
            fix=f"write what {version} needs into compatibility",
        )
    judged = [
        (each, None if each.version is None else fits(row.needs[each.what], each.version)) for each in found
    ]
    wrong = [each for each, fit in judged if fit is False]
    if wrong:
        needs = [f"{NAMES[each.what]} {row.needs[each.what]}, and {_runs(each)}" for each in wrong]
        return Refused(
            f"{version} does not run with what is there: it needs {'; '.join(dict.fromkeys(needs))}.",
            f"The row {row.versions} of compatibility in buzzy.yaml says so. Nothing was changed.",
        )
    unclear = [each for each, fit in judged if fit is None]
    if unclear:
        return Item(
            name="compatible",
            outcome=Outcome.UNKNOWN,
            stops=stops,
            evidence="; ".join(
                str(each) if each.version is None else f"{each} says no version that could be compared"
                for each in unclear
            ),
            fix="when it can be found out, look again" if stops else "",
        )
    evidence = ", ".join(f"{each} ({row.needs[each.what]})" for each, _ in judged)
    return Item(name="compatible", outcome=Outcome.GREEN, evidence=evidence)


def _runs(found: Found) -> str:
    if found.what == "node":
        return f"the image of {found.where} has {found.version}"
    return f"{found.version} runs"
