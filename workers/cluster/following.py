"""A rollout as it is now: one Deployment, its revisions and its pods, from three lists kept up to date.

Whoever waits for a rollout gets the whole picture each time, never a change: a picture that was missed is
made good by the next one.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from workers.cluster import parse
from workers.cluster.reader import Changed, Heard, Listed, Lost, News, Reader, Refused, Source
from workers.cluster.seen import Json, RolloutSeen

TICK_SECONDS = 1.0
JOIN_SECONDS = 1.0

T = TypeVar("T")


class Following:
    """Follows a rollout while the `with` block lasts; iterating gives the pictures."""

    def __init__(self, sources: Mapping[str, Source], *, tick_seconds: float = TICK_SECONDS) -> None:
        """`sources` are those of `deployments`, `replicasets` and `pods`."""
        self._sources = sources
        self._tick = tick_seconds
        self._news: queue.SimpleQueue[tuple[str, News]] = queue.SimpleQueue()
        self._things: dict[str, dict[str, Json]] = {}
        self._heard: set[str] = set()
        self._lost: dict[str, Lost] = {}
        self._readers: list[Reader] = []

    def __enter__(self) -> Self:
        """Begin to read."""
        self._readers = [Reader(source, partial(self._hear, kind)) for kind, source in self._sources.items()]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading."""
        for reader in self._readers:
            reader.close()
        until = time.monotonic() + JOIN_SECONDS
        for reader in self._readers:
            reader.join(max(0, until - time.monotonic()))

    def __iter__(self) -> Iterator[RolloutSeen]:
        """The picture at each change and at least once a second."""
        while True:
            self._absorb()
            yield self._picture()

    def _hear(self, kind: str, news: News) -> None:
        self._news.put((kind, news))

    def _absorb(self) -> None:
        """Take in all there is to be heard; wait for something, but not longer than a tick."""
        try:
            self._note(*self._news.get(timeout=self._tick))
            while True:
                self._note(*self._news.get_nowait())
        except queue.Empty:
            return

    def _note(self, kind: str, news: News) -> None:
        match news:
            case Listed(items):
                self._things[kind] = {item["metadata"]["uid"]: item for item in items}
                self._lost.pop(kind, None)
            case Changed(item, gone=True):
                self._things[kind].pop(item["metadata"]["uid"], None)
            case Changed(item):
                self._things[kind][item["metadata"]["uid"]] = item
            case Heard():
                self._heard.add(kind)
                self._lost.pop(kind, None)
            case Lost():
                self._lost[kind] = news
            case Refused(error):
                raise error

    def _picture(self) -> RolloutSeen:
        deployment = next(iter(self._read("deployments", parse.deployment)), None)
        replica_sets = self._read("replicasets", parse.replica_set)
        if deployment is not None:
            replica_sets = tuple(each for each in replica_sets if each.owner == deployment.uid)
        names = {each.name for each in replica_sets}
        lost = next(iter(self._lost.values()), None)
        return RolloutSeen(
            deployment=deployment,
            replica_sets=replica_sets,
            pods=tuple(pod for pod in self._read("pods", parse.pod) if pod.owner in names),
            complete=self._things.keys() == self._sources.keys(),
            watched=self._heard == self._sources.keys(),
            trouble=None if lost is None else lost.error,
        )

    def _read(self, kind: str, read: Callable[[Json], T | None]) -> tuple[T, ...]:
        found = (read(thing) for thing in self._things.get(kind, {}).values())
        return tuple(each for each in found if each is not None)
