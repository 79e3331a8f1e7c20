"""What changed in the workspace, in order: what the page shows live and what `Person.wait` waits for."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]

REMEMBERED = 5_000
"""Changes that are kept for readers that were away; who was away for longer reads everything anew."""


@dataclass(frozen=True)
class Change:
    """One change. `readers` are the people who may see it; none named means everybody."""

    number: int
    kind: str
    data: Json
    readers: frozenset[str]

    def as_json(self) -> Json:
        """The change as readers get it."""
        return {"seq": self.number, "kind": self.kind, **self.data}


@dataclass
class Changes:
    """An ever-growing, bounded list of changes with numbers, and a way to wait for the next one.

    The numbers begin with the time, so that a page that was open before the workspace was started anew
    asks for a number that never was, and is told to read everything again.
    """

    latest: int = field(default_factory=lambda: int(time.time() * 1_000))
    _kept: deque[Change] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, kind: str, readers: Iterable[str] = (), **data: object) -> None:
        """Record a change and wake everybody who waits for one."""
        self.latest += 1
        self._kept.append(Change(self.latest, kind, data, frozenset(readers)))
        self._news.set()
        self._news = asyncio.Event()

    def since(self, number: int, user: str) -> list[Json]:
        """The changes after `number` that `user` may see; a single `reset` if some are no longer kept."""
        first = self._kept[0].number - 1 if self._kept else self.latest
        if not first <= number <= self.latest:
            return [{"seq": self.latest, "kind": "reset"}]
        return [
            change.as_json()
            for change in self._kept
            if change.number > number and (not change.readers or user in change.readers)
        ]

    async def wait(self, number: int, seconds: float) -> None:
        """Return when there is a change after `number`, or after `seconds`."""
        if self.latest != number:
            return
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return
