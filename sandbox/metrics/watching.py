"""The pods that there were, with their images: remembered, because queries are about the past as well."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.metrics.numbers import Numbers, numbers_of
from workers.cluster import Cluster, ClusterError

LOOK_SECONDS = 0.3


@dataclass
class _Life:
    namespace: str
    image: str
    began: float
    seen: float


class Watched:
    """Looks at namespaces again and again, in a thread of its own, for the length of a block."""

    def __init__(
        self, cluster: Cluster, namespaces: Iterable[str], table: dict[str, str], speed: float = 1.0
    ) -> None:
        """`table` says what is wrong with images, by tag or whole name."""
        self._cluster = cluster
        self._namespaces = tuple(namespaces)
        self._table = table
        self._speed = speed
        self._lives: dict[str, _Life] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="metrics", daemon=True)

    def __enter__(self) -> Watched:  # noqa: PYI034 - it has no subclasses
        """Begin."""
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def pods(self, namespace: str, names: re.Pattern[str], moment: float) -> Sequence[Numbers]:
        """The numbers of the pods that were there at a moment."""
        return [
            numbers_of(life.image, moment - life.began, self._table, self._speed)
            for name, life in list(self._lives.items())
            if life.namespace == namespace
            and life.began <= moment <= life.seen + 2 * LOOK_SECONDS
            and names.fullmatch(name)
        ]

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        for namespace in self._namespaces:
            try:
                images = {
                    each.name: str(each.template["spec"]["containers"][0]["image"])
                    for each in self._cluster.replica_sets(namespace)
                }
                pods = self._cluster.pods(namespace)
            except ClusterError:  # as with metrics in life: there is a gap
                continue
            now = time.time()
            for pod in pods:
                if pod.ready and pod.owner in images:
                    life = self._lives.setdefault(pod.name, _Life(namespace, images[pod.owner], now, now))
                    life.seen = now
