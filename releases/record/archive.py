"""The record as it is kept: read as a whole to be proven, exported and remembered, and put back when lost.

Who is at work on releases uses `Record`; nothing in here changes one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from releases import chain
from releases.chain import Line
from releases.keeping import KeptRecord, KeptRelease, Rebuilt
from releases.ledger import Head
from releases.record import archive_scripts as scripts
from releases.record.store import Store

LOST = "the record that was lost"
"""The writer of a release that was under way when the record was lost: it is found dead at once."""

_PART = 500
"""How many events go to Redis at a time."""


@dataclass(frozen=True)
class Restoring:
    """An environment's releases, to be put back; `tell`: those whose message is to be brought up to date."""

    environment: str
    releases: Mapping[str, Sequence[Line]]
    under_way: str | None
    tell: tuple[str, ...]


class Archive:
    """All releases in Redis. All methods raise `RecordUnavailableError` when Redis does not answer."""

    def __init__(self, store: Store) -> None:
        """The archive of the record in this store."""
        self._store = store
        self._key = store.key

    # -- reading -----------------------------------------------------------------------------------

    def installation(self) -> str | None:
        """What this record is called; None when nothing was recorded yet."""
        name = self._store.call("GET", self._key("installation"))
        return str(name) if name else None

    def counter(self) -> int:
        """The number of the release that was opened last."""
        return int(self._store.call("GET", self._key("releases")) or 0)

    def release(self, release: str) -> KeptRelease | None:
        """A release; None when there is none of this id."""
        key = self._key
        answer = self._store.run(
            scripts.READ,
            [key("release", release, "events"), key("release", release, "environment")],
            [release, key("environment", "")],
        )
        if not answer:
            return None
        environment, holds, stored = answer
        return KeptRelease(release, environment, tuple(chain.read_line(each) for each in stored), holds == 1)

    def listed(self, environment: str) -> tuple[str, ...]:
        """An environment's releases, as its history has them."""
        return tuple(self._store.call("LRANGE", self._key("environment", environment, "releases"), 0, -1))

    def whole(self) -> KeptRecord:
        """All of it. Releases that are opened meanwhile are not in it."""
        counter = self.counter()
        numbers = range(1, counter + 1)
        found = {each.id: each for number in numbers if (each := self.release(f"R{number}")) is not None}
        environments = sorted({each.environment for each in found.values()})
        listed = {
            name: tuple(release for release in self.listed(name) if int(release[1:]) <= counter)
            for name in environments
        }
        return KeptRecord(self.installation() or "", counter, found, listed, self.rebuilt())

    def positions(self, environment: str, count: int) -> dict[str, int]:
        """How many events each of an environment's newest releases has."""
        key = self._key
        answer = self._store.run(
            scripts.POSITIONS, [key("environment", environment, "releases")], [count, key("release", "")]
        )
        return {str(release): int(position) for release, position in answer}

    def has(self, release: str, head: Head) -> bool:
        """Whether the record has a release up to this head, with the same hash."""
        kept = self.release(release)
        return kept is not None and chain.head(release, kept.lines[: head.position]) == head.hash

    def rebuilt(self) -> Rebuilt | None:
        """That the record was rebuilt, if it was."""
        text = self._store.call("GET", self._key("rebuilt"))
        try:
            return Rebuilt.model_validate_json(text) if text else None
        except ValidationError:
            return None

    # -- what the ledgers should know --------------------------------------------------------------

    def due(self, environment: str) -> int:
        """A number that grows with each event that an environment's ledger should know of."""
        return int(self._store.call("HGET", self._key("ledgers", "due"), environment) or 0)

    def remembered(self, environment: str, due: int) -> None:
        """Say that the ledger knows all that was recorded when `due` was this."""
        self._store.call("HSET", self._key("ledgers", "kept"), environment, due)

    def forgotten(self) -> tuple[str, ...]:
        """Environments whose ledger should know more than it does."""
        due = self._store.call("HGETALL", self._key("ledgers", "due"))
        kept = self._store.call("HGETALL", self._key("ledgers", "kept"))
        return tuple(sorted(each for each, number in dict(due).items() if dict(kept).get(each) != number))

    # -- putting back what was lost ----------------------------------------------------------------

    @property
    def rebuilding(self) -> bool:
        """Whether a rebuild was begun that has not come to its end."""
        return bool(self._store.call("EXISTS", self._key("rebuilding")))

    def begin(
        self, installation: str, counter: int, opened: str, *, empty_at: int, drop: Mapping[str, str]
    ) -> bool:
        """Begin a rebuild: from now on releases get numbers behind `counter`, and follow the hash `opened`.

        `drop` has releases (with their environments) that asked meanwhile and changed nothing. False, and
        nothing is done, when the record's counter is not `empty_at` any more or a release is under way.
        """
        key = self._key
        arguments: list[str | int] = [
            installation,
            counter,
            empty_at,
            key(""),
            json.dumps(dict(drop)),
            opened,
        ]
        names = ("releases", "installation", "rebuilding", "rebuilt", "opened", "behind", "active")
        return bool(self._store.run(scripts.BEGIN, [key(name) for name in names], arguments))

    def put_back(self, restoring: Restoring) -> bool:
        """Put an environment's releases back; False when another release holds it just now.

        May be done again: what is back already, and may have gone on since, is left alone.
        """
        if set(restoring.releases) <= set(self.listed(restoring.environment)):
            return True
        for release, lines in restoring.releases.items():
            self._put_release(release, restoring.environment, lines)
        key, environment = self._key, restoring.environment
        told = [f"{release} {len(restoring.releases[release])}" for release in restoring.tell]
        done = self._store.run(
            scripts.PUT_BACK,
            [
                *(key("environment", environment), key("environment", environment, "releases")),
                *(key("active"), key("behind"), key("wake"), key("rebuilding")),
            ],
            [restoring.under_way or "", LOST, key("told", ""), len(told), *told, *restoring.releases],
        )
        return bool(done)

    def finish(self, rebuilt: Rebuilt) -> None:
        """End the rebuild."""
        names = [self._key("rebuilding"), self._key("rebuilt")]
        self._store.run(scripts.FINISH, names, [rebuilt.model_dump_json()])

    def _put_release(self, release: str, environment: str, lines: Sequence[Line]) -> None:
        """Its events first; that there is such a release is said when all are there."""
        events = self._key("release", release, "events")
        self._store.call("DEL", events)
        for start in range(0, len(lines), _PART):
            self._store.call("RPUSH", events, *(line.stored() for line in lines[start : start + _PART]))
        self._store.call("SET", self._key("release", release, "environment"), environment)
