"""The ledger of an environment: written into its namespace, and held against the record.

Writing is level-triggered, like a step: read the ledger, bring it up to what the record says now, store it
unless somebody else did meanwhile. A ledger that knows what the record does not is never written over: then
the record was lost, or is an old copy, and the ledger is what it is rebuilt from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from releases import chain
from releases import ledger as ledgers
from releases.config import Config, Environment
from releases.events import Event, load_event
from releases.ledger import NAME, Head, Ledger, UnreadableLedgerError
from releases.record import Record, RecordUnavailableError
from releases.record.archive import Archive
from workers.cluster import (
    Cluster,
    ClusterError,
    ConflictError,
    InvalidError,
    Kept,
    NotFoundError,
    despite_conflicts,
)
from workers.cluster.connections import Clusters

LABELS = {"app.kubernetes.io/managed-by": "buzzy"}

REBUILD = "buzzy record rebuild"
"""The command that brings a lost record back."""

_NO_DRY_RUN = "does not support dry run"

log = structlog.stdlib.get_logger(__name__)


class AheadError(Exception):
    """The ledger knows what the record does not. Its text is a sentence without a full stop."""


@dataclass(frozen=True)
class Found:
    """A namespace's ledger, if it has one, and the ConfigMap that it was read from."""

    ledger: Ledger | None
    kept: Kept


class Ledgers:
    """Ledgers of the environments of one record."""

    def __init__(self, record: Record, config: Config, clusters: Clusters) -> None:
        """Writes ledgers, and reads the record."""
        self._record = record
        self._config = config
        self._clusters = clusters

    def bring_up(self, environment: str) -> None:
        """Let the ledger know what the record says now.

        Raises `ClusterError`, `AheadError`, `UnreadableLedgerError`, `UnknownEnvironment` and
        `RecordUnavailableError`; whatever it is, the environment stays among those to be made up for.
        """
        archive, place = self._record.archive, self._config.environment(environment)
        due = archive.due(environment)
        cluster = self._clusters(place.cluster.context)
        despite_conflicts(lambda: self._write(cluster, archive, place))
        archive.remembered(environment, due)

    def check(self, environment: Environment) -> None:
        """Make sure that the record knows what the ledger does.

        Raises `AheadError` when not, `UnreadableLedgerError` and `ClusterError`.
        """
        found = find(self._clusters(environment.cluster.context), environment.namespace)
        if found.ledger is None or self._is_anothers(found.ledger, environment):
            return
        archive, newest = self._record.archive, found.ledger.newest
        if archive.rebuilding and not archive.listed(environment.name):
            raise AheadError("the record is being rebuilt")
        if newest is not None and not archive.has(newest, found.ledger.heads[newest]):
            raise AheadError(f"it does not know {newest} as the ledger in {environment.namespace} does")

    def more_of(self, environment: Environment, release: str) -> tuple[Event, ...]:
        """What the ledger has of a release behind all that the record has; nothing if they contradict.

        A Redis that crashes may forget its last second, and the last that was written is told to the ledger
        at once. Raises `ClusterError` and `UnreadableLedgerError`.
        """
        found = find(self._clusters(environment.cluster.context), environment.namespace)
        kept = self._record.archive.release(release)
        if found.ledger is None or kept is None or release not in found.ledger.releases:
            return ()
        if self._is_anothers(found.ledger, environment):
            return ()
        lines, position = found.ledger.lines(release), len(kept.lines)
        if chain.head(release, lines[:position]) != chain.head(release, kept.lines):
            return ()
        return tuple(load_event(line.text) for line in lines[position:])

    def _write(self, cluster: Cluster, archive: Archive, environment: Environment) -> None:
        found = find(cluster, environment.namespace)
        if found.ledger is not None and self._is_anothers(found.ledger, environment):
            return
        before = found.ledger or Ledger(self._record.installation(), environment.name)
        after = _brought_up(before, archive, environment.name, self._record.installation())
        if after == found.ledger:
            return
        kept = Kept(ledgers.texts(after), after.releases, found.kept.resource_version)
        try:
            cluster.keep(environment.namespace, NAME, kept, LABELS)
        except NotFoundError as error:  # somebody deleted it since it was read
            raise ConflictError(str(error)) from error

    def _is_anothers(self, ledger: Ledger, environment: Environment) -> bool:
        """Whether it is kept by another installation, as buzzy.yaml says there is.

        Where buzzy.yaml does not say so, a ledger of another record means that this one was lost.
        """
        return environment.shared and ledger.installation != self._record.installation()


def remember(ledgers: Ledgers, environment: str) -> bool:
    """Bring a ledger up to date. A failure stops nobody: it is logged, and the reaper has it made up for."""
    try:
        ledgers.bring_up(environment)
    except (ClusterError, AheadError, UnreadableLedgerError, RecordUnavailableError) as error:
        log.warning("the cluster does not remember yet", environment=environment, why=str(error))
        return False
    return True


def find(cluster: Cluster, namespace: str) -> Found:
    """A namespace's ledger. Raises `ClusterError` and `UnreadableLedgerError`."""
    try:
        kept = cluster.kept(namespace, NAME)
    except NotFoundError:
        return Found(None, Kept())
    return Found(ledgers.read_ledger(kept.texts, kept.parts), kept)


def rehearse(cluster: Cluster, namespace: str) -> None:
    """Ask whether the ledger could be written. Raises `ClusterError` when not.

    Replacing is rehearsed as well where there is none yet: a right that is missing is refused before it is
    looked whether there is something to replace.
    """
    try:
        kept = cluster.kept(namespace, NAME)
    except NotFoundError:
        _dry(cluster, namespace, Kept({"format": ledgers.FORMAT}))
        kept = Kept({"format": ledgers.FORMAT}, resource_version="1")
    _dry(cluster, namespace, kept)


def _dry(cluster: Cluster, namespace: str, kept: Kept) -> None:
    try:
        cluster.keep(namespace, NAME, kept, LABELS, rehearse=True)
    except (ConflictError, NotFoundError):
        return
    except InvalidError as error:
        if _NO_DRY_RUN not in error.message:
            raise


def _brought_up(before: Ledger, archive: Archive, environment: str, installation: str) -> Ledger:
    """The ledger as it should be now; what it has of a release that has not gone on since is left alone."""
    positions = archive.positions(environment, ledgers.MOST_RELEASES)
    _hold_against(before, positions, installation)
    heads, releases = dict(before.heads), dict(before.releases)
    for release, position in positions.items():
        known = heads.get(release)
        if known is not None and known.position == position:
            continue
        kept = archive.release(release)
        if kept is not None:
            heads[release] = ledgers.head_of(release, kept.lines)
            releases[release] = ledgers.packed(kept.lines)
    after = replace(
        before, environment=environment, counter=archive.counter(), heads=heads, releases=releases
    ).bounded()
    if releases and not after.releases:
        log.warning("the newest release is too large for the ledger", environment=environment)
    return after


def _hold_against(ledger: Ledger, positions: Mapping[str, int], installation: str) -> None:
    """Raise `AheadError` if the ledger knows what the record does not."""
    if ledger.installation != installation:
        raise AheadError(f"the ledger of {ledger.environment} is of another record than this one")
    oldest = min((ledgers.number(release) for release in positions), default=0)
    for release, head in ledger.heads.items():
        if ledgers.number(release) >= oldest and _is_less(positions.get(release), head):
            raise AheadError(
                f"the ledger of {ledger.environment} knows more of {release} than the record does"
            )


def _is_less(position: int | None, head: Head) -> bool:
    return position is None or position < head.position
