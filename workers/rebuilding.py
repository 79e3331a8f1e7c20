"""Bringing a record back that was lost: from the ledgers, and from what the clusters run now.

First everything is read and judged, then it is put back in an order that bears a crash at any line: numbers
first, so that none is given twice; each release's events before it is said that there is such a release; an
environment's history and what was under way in one step; the end last. Until then the rebuild can be run
again, and goes on. Nothing is made up: what no ledger has is not in the record afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from releases import chain
from releases.chain import Line
from releases.config import Config
from releases.keeping import Rebuilt
from releases.ledger import Ledger, UnreadableLedgerError, newest_first, number
from releases.lifecycle import Release
from releases.record import Record
from releases.record.archive import Restoring
from releases.verifying import life
from workers.cluster import ClusterError
from workers.cluster.connections import Clusters
from workers.ledger import find
from workers.marks import RELEASE
from workers.observe import Observed, observe, services_seen, snapshot
from workers.words import of_error, sentence

STILL_NEWS = timedelta(hours=1)
"""A release that ended longer ago has been told; a younger one's message may say less than there was."""

_ID = re.compile(r"R[1-9]\d*")


class NotRebuiltError(Exception):
    """Nothing was done. Its text says why, and what to do, a sentence a line."""


@dataclass(frozen=True)
class Memory:
    """What the cluster remembers of an environment, and what it runs."""

    environment: str
    ledger: Ledger | None
    observed: Observed


@dataclass(frozen=True)
class Restored:
    """A release that a ledger has."""

    release: Release
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Recovery:
    """What is put back. `counter` is behind every number that may have been given."""

    installation: str
    known: int
    counter: int
    opened: str
    environments: tuple[Restoring, ...]
    doubts: tuple[str, ...]


def remember(config: Config, clusters: Clusters, now: datetime) -> tuple[Memory, ...]:
    """Read all environments. Raises `NotRebuiltError` with a line for each that cannot be read."""
    memories, problems = [], []
    for name, environment in config.environments.items():
        try:
            cluster = clusters(environment.cluster.context)
            ledger = find(cluster, environment.namespace).ledger
            memories.append(Memory(name, ledger, observe(cluster, config, environment, now)))
        except (ClusterError, UnreadableLedgerError) as error:
            problems.append(f"{name}: {of_error(error)}")
    if problems:
        raise NotRebuiltError(
            "\n".join([*problems, "All environments have to be read. Nothing was changed."])
        )
    return tuple(memories)


def recover(memories: Sequence[Memory], now: datetime) -> Recovery:
    """What can be put back. Raises `NotRebuiltError` when the ledgers are of several records."""
    ledgers = [memory.ledger for memory in memories if memory.ledger is not None]
    installations = sorted({ledger.installation for ledger in ledgers})
    if len(installations) > 1:
        whose = "; ".join(
            f"{memory.environment}: {memory.ledger.installation}" for memory in memories if memory.ledger
        )
        raise NotRebuiltError(
            f"The ledgers are of {len(installations)} different records ({whose}).\n"
            "Leave the environments of the others out of buzzy.yaml. Nothing was changed."
        )
    restored, doubts = _restored(ledgers)
    numbers = [*(ledger.counter for ledger in ledgers), *_numbers(memories)]
    known = max(numbers, default=0)
    newest = newest_first(restored)[:1]
    opened = next(chain.proven(newest[0], restored[newest[0]].lines)).hash if newest else chain.NOTHING
    return Recovery(
        installation="".join(installations),
        known=known,
        # Each environment may have had one more, which its ledger was never told of.
        counter=known + len(memories) if known else 0,
        opened=opened,
        environments=tuple(_environments(restored, now)),
        doubts=tuple(doubts),
    )


def put_back(record: Record, recovery: Recovery, memories: Iterable[Memory], now: datetime) -> None:
    """Put it back. Raises `NotRebuiltError`, and `RecordUnavailableError`; then it can be done again."""
    archive = record.archive
    seen, drop = archive.counter(), _asked_meanwhile(record)
    installation = recovery.installation or record.installation()
    counter = max(recovery.counter, seen)
    if not archive.begin(installation, counter, recovery.opened, empty_at=seen, drop=drop):
        raise NotRebuiltError("Somebody asked for a release just now. Nothing was changed; run it again.")
    for restoring in recovery.environments:
        if not archive.put_back(restoring):
            raise NotRebuiltError(
                f"Somebody asked for a release to {restoring.environment} meanwhile.\n"
                "It will be refused in a moment; run this again then, and it goes on."
            )
    for memory in memories:
        record.see(snapshot(memory.observed))
    releases = [release for each in recovery.environments for release in each.releases]
    archive.finish(Rebuilt(at=now, counter=counter, releases=tuple(releases)))


def story(recovery: Recovery, memories: Iterable[Memory]) -> list[str]:
    """What was put back, a line for each environment, and what was not."""
    restored = {each.environment: each for each in recovery.environments}
    lines = []
    for memory in memories:
        its_own = restored.pop(memory.environment, None)
        runs = ", ".join(
            f"{each.service} {each.version or each.image or each.state}"
            f"{f' (by {each.release})' if each.release else ''}"
            for each in services_seen(memory.observed)
        )
        lines.append(f"{memory.environment}: {_history(its_own)}; runs {runs}")
    lines += [f"{name}: {_history(each)}; it is in buzzy.yaml no more" for name, each in restored.items()]
    lines += recovery.doubts
    if recovery.counter:
        lines.append(
            f"The next release is R{recovery.counter + 1}: R{recovery.known + 1} to R{recovery.counter} may "
            "have been given to releases that no ledger was told of."
        )
    return lines


def _history(restoring: Restoring | None) -> str:
    if restoring is None:
        return "its ledger has no releases"
    ids = list(restoring.releases)
    span = ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}, {len(ids)} releases"
    going = f", and {restoring.under_way} goes on where it was" if restoring.under_way else ""
    return f"{span}{going}"


def _asked_meanwhile(record: Record) -> dict[str, str]:
    """Releases that were asked for since the record was lost, with their environments.

    Raises `NotRebuiltError` when the record is not lost: one of them has changed something, or waits.
    """
    if record.archive.rebuilding:
        return {}
    kept = record.archive.whole()
    asked, there = {}, []
    for each in kept.releases.values():
        release, problem = life(each.id, [line.text for line in each.lines])
        if release is None or problem is not None or release.started_at is not None or not release.ended:
            there.append(each.id if release is None else f"{each.id} ({each.environment}, {release.state})")
        asked[each.id] = each.environment
    if there:
        raise NotRebuiltError(
            f"The record is not empty: {len(there)} of its {len(asked)} releases changed something or are "
            f"under way: {', '.join(there[-5:])}.\n"
            "A rebuild would lose them. If this record is an old copy that should give way to the ledgers, "
            "keep it by `buzzy record export`, stop bot and workers, empty this Redis, and run this again.\n"
            "If the ledgers are wrong: `kubectl delete configmap buzzy-ledger -n …` gives up what one has.\n"
            "Nothing was changed."
        )
    return asked


def _restored(ledgers: Iterable[Ledger]) -> tuple[dict[str, Restored], list[str]]:
    restored: dict[str, Restored] = {}
    doubts = []
    for ledger in ledgers:
        for id_ in sorted(ledger.releases, key=number):
            try:
                lines = ledger.lines(id_)
            except UnreadableLedgerError as error:
                doubts.append(sentence(f"{id_} is left out: {error}"))
                continue
            release, problem = life(id_, [line.text for line in lines])
            if release is None or problem is not None:
                doubts.append(sentence(f"{id_} is left out: {problem}"))
                continue
            broken = chain.broken(id_, lines, ledger.installation)
            doubts += [sentence(f"{each} (in the ledger; put back as it is)") for each in broken]
            # A namespace that an environment has left may still have an earlier state of it.
            if id_ not in restored or len(lines) > len(restored[id_].lines):
                restored[id_] = Restored(release, lines)
    return restored, doubts


def _environments(restored: dict[str, Restored], now: datetime) -> Iterable[Restoring]:
    for name in sorted({each.release.environment for each in restored.values()}):
        its_own = sorted(
            (each for each in restored.values() if each.release.environment == name),
            key=lambda each: number(each.release.id),
        )
        newest = its_own[-1].release
        is_news = newest.last_at is not None and now - newest.last_at < STILL_NEWS
        yield Restoring(
            environment=name,
            releases={each.release.id: each.lines for each in its_own},
            under_way=None if newest.ended else newest.id,
            tell=(newest.id,) if is_news or not newest.ended else (),
        )


def _numbers(memories: Iterable[Memory]) -> Iterable[int]:
    """The numbers of all releases that are named anywhere."""
    for memory in memories:
        named = list(memory.ledger.heads) if memory.ledger is not None else []
        for service in memory.observed.services:
            marked = [service.deployment, *service.revisions]
            named += [each.annotations.get(RELEASE, "") for each in marked if each is not None]
        yield from (number(release) for release in named if _ID.fullmatch(release))
