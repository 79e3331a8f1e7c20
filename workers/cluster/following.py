"""Something as it is now, such as a rollout: a Deployment, its revisions, its pods, from lists kept current.

Whoever waits for it gets the whole picture each time, never a change: a picture that was missed is
made good by the next one.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Generic, Self, TypeVar

from workers.cluster import parse
from workers.cluster.errors import TransientError
from workers.cluster.reader import Changed, Heard, Listed, Lost, News, Reader, Refused, Source
from workers.cluster.seen import JobPicture, Json, RolloutSeen

TICK_SECONDS = 1.0
JOIN_SECONDS = 1.0

T = TypeVar("T")
P = TypeVar("P")


@dataclass(frozen=True)
class Known:
    """What is known of all that is followed: by source, each thing as the cluster has it."""

    things: Mapping[str, Mapping[str, Json]]
    complete: bool
    watched: bool
    trouble: TransientError | None

    def read(self, kind: str, read: Callable[[Json], T | None]) -> tuple[T, ...]:
        """The things of one source as our values, without those that are none of ours."""
        found = (read(thing) for thing in self.things.get(kind, {}).values())
        return tuple(each for each in found if each is not None)


class Following(Generic[P]):
    """Follows something while the `with` block lasts; iterating gives the pictures."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        paint: Callable[[Known], P],
        *,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        """`paint` makes a picture of what is known from the `sources`."""
        self._sources = sources
        self._paint = paint
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

    def __iter__(self) -> Iterator[P]:
        """The picture at each change and at least once a second."""
        while True:
            self._absorb()
            yield self._paint(self._known())

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

    def _known(self) -> Known:
        lost = next(iter(self._lost.values()), None)
        return Known(
            self._things,
            complete=self._things.keys() == self._sources.keys(),
            watched=self._heard == self._sources.keys(),
            trouble=None if lost is None else lost.error,
        )


def rollout(known: Known) -> RolloutSeen:
    """A Deployment with its revisions and pods, from `deployments`, `replicasets` and `pods`."""
    deployment = next(iter(known.read("deployments", parse.deployment)), None)
    replica_sets = known.read("replicasets", parse.replica_set)
    if deployment is not None:
        replica_sets = tuple(each for each in replica_sets if each.owner == deployment.uid)
    names = {each.name for each in replica_sets}
    return RolloutSeen(
        deployment=deployment,
        replica_sets=replica_sets,
        pods=tuple(pod for pod in known.read("pods", parse.pod) if pod.owner in names),
        complete=known.complete,
        watched=known.watched,
        trouble=known.trouble,
    )


def job(known: Known) -> JobPicture:
    """A Job with its pods, from `jobs` and `pods`."""
    pods = known.read("pods", partial(parse.pod, owner_kind="Job"))
    return JobPicture(
        job=next(iter(known.read("jobs", parse.job)), None),
        pods=tuple(sorted(pods, key=lambda pod: (str(pod.created_at or ""), pod.name))),
        complete=known.complete,
        watched=known.watched,
        trouble=known.trouble,
    )
