"""What Slack last said of people and user groups, so that the rules go on while Slack is away.

Written by whoever has just asked Slack, read by those who cannot. Each fact knows how old it is, by Redis'
own clock; what may still be gone by is for the reader to decide.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from releases.people import Person, Standing
from releases.record.store import Store

KEEP_SECONDS = 90 * 24 * 3600


@dataclass(frozen=True)
class KnownPerson:
    """Somebody as Slack last had them, without their groups."""

    person: Person
    age: timedelta


@dataclass(frozen=True)
class KnownGroup:
    """Who was in a user group when Slack was last asked."""

    members: frozenset[str]
    age: timedelta


class LastKnown:
    """The memory in Redis. All methods raise `RecordUnavailableError` when it does not answer."""

    def __init__(self, store: Store) -> None:
        """The memory that lives in this store."""
        self._store = store

    def remember_person(self, person: Person) -> None:
        """Slack has just said this of somebody."""
        self._set("person", person.id, {"name": person.name, "standing": person.standing.value})

    def remember_group(self, group: str, members: frozenset[str]) -> None:
        """Slack has just said who is in a group."""
        self._set("group", group, {"members": sorted(members)})

    def person(self, id_: str) -> KnownPerson | None:
        """Somebody by id; None when Slack was never asked, or too long ago to be remembered."""
        fact = self._get("person", id_)
        if fact is None:
            return None
        found, age = fact
        return KnownPerson(Person(id_, str(found["name"]), Standing(found["standing"])), age)

    def group(self, id_: str) -> KnownGroup | None:
        """A group by id; None when Slack was never asked, or too long ago to be remembered."""
        fact = self._get("group", id_)
        if fact is None:
            return None
        found, age = fact
        return KnownGroup(frozenset(found["members"]), age)

    def _set(self, kind: str, id_: str, fact: dict[str, Any]) -> None:
        text = json.dumps({**fact, "at_ms": self._store.now_ms()})
        self._store.call("SET", self._store.key("known", kind, id_), text, "EX", KEEP_SECONDS)

    def _get(self, kind: str, id_: str) -> tuple[dict[str, Any], timedelta] | None:
        text = self._store.call("GET", self._store.key("known", kind, id_))
        if not text:
            return None
        fact: dict[str, Any] = json.loads(text)
        return fact, timedelta(milliseconds=max(0, self._store.now_ms() - int(fact["at_ms"])))
