"""What a cluster itself says about a namespace: whose pods get its requests, and when that changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.e2e.contracts.worlds import Json
from tests.e2e.traffic import ready_pods
from tests.e2e.watching import Following

Serving = Mapping[str, frozenset[str]]
"""The versions whose pods get requests, by Service."""

PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class _Pod:
    image: str
    ready: bool


class Sight:
    """Looks for the length of a block, by watches. Moments are seconds since 1970, as they were seen."""

    def __init__(self, kubeconfig: Path, namespace: str, services: Sequence[str]) -> None:
        """Nothing is seen yet."""
        self._following = Following(kubeconfig)
        self._namespace = namespace
        self._services = tuple(services)
        self._lock = threading.Lock()
        self._pods: dict[str, _Pod] = {}
        self._slices: dict[str, Json] = {}
        self._first: dict[tuple[str, str], float] = {}
        self._serving: list[tuple[float, Serving]] = []

    def __enter__(self) -> Self:
        """Begin."""
        self._following.follow(f"/api/v1/namespaces/{self._namespace}/pods", self._note_pod)
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{self._namespace}/endpointslices"
        self._following.follow(slices, self._note_slice)
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._following.__exit__()

    def first(self, what: str, image: str) -> float | None:
        """When a pod of an image first was `made`, `ready` or, after that, `unready`; None: never."""
        with self._lock:
            return self._first.get((what, image))

    def served_first(self, version: str) -> float | None:
        """When pods of a version first got requests; None: never."""
        with self._lock:
            return next(
                (at for at, serving in self._serving if any(version in each for each in serving.values())),
                None,
            )

    def serves_only(self, version: str) -> bool:
        """Whether now every service is answered by pods of this version and by no others."""
        with self._lock:
            return bool(self._serving) and self._only(self._serving[-1][1], version)

    def only_since(self, version: str) -> float:
        """Since when that is so without a break; it must be so."""
        with self._lock:
            since, serving = self._serving[-1]
            assert self._only(serving, version), serving
            for at, each in reversed(self._serving):
                if not self._only(each, version):
                    break
                since = at
            return since

    def until_only(self, version: str, *, timeout: float) -> None:
        """Wait until it is so."""
        deadline = time.monotonic() + timeout
        while not self.serves_only(version):
            assert time.monotonic() < deadline, f"{version} alone should answer: {self._serving[-1:]}"
            time.sleep(PAUSE_SECONDS)

    def _only(self, serving: Serving, version: str) -> bool:
        return all(serving.get(name) == frozenset({version}) for name in self._services)

    def _note_pod(self, _what: str, pod: Json) -> None:
        name, now = pod["metadata"]["name"], time.time()
        image = pod["spec"]["containers"][0]["image"].partition("@")[0]
        conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions") or ()}
        ready = conditions.get("Ready") == "True"
        with self._lock:
            before = self._pods.get(name)
            self._pods[name] = _Pod(image, ready)
            self._first.setdefault(("made", image), now)
            if ready:
                self._first.setdefault(("ready", image), now)
            elif before is not None and before.ready and "deletionTimestamp" not in pod["metadata"]:
                self._first.setdefault(("unready", image), now)
            self._see(now)

    def _note_slice(self, what: str, found: Json) -> None:
        with self._lock:
            self._slices[found["metadata"]["name"]] = {} if what == "DELETED" else found
            self._see(time.time())

    def _see(self, now: float) -> None:
        """Note whom requests reach now, if that is another than before."""
        serving: dict[str, frozenset[str]] = {}
        for name in self._services:
            slices = [each for each in self._slices.values() if _service(each) == name]
            pods = [self._pods.get(pod) for pod in ready_pods(slices)]
            serving[name] = frozenset(pod.image.rpartition(":")[2] for pod in pods if pod is not None)
        if not self._serving or self._serving[-1][1] != serving:
            self._serving.append((now, serving))


def _service(found: Json) -> str:
    """The Service that an EndpointSlice is of."""
    labels: dict[str, str] = found.get("metadata", {}).get("labels", {})
    return labels.get("kubernetes.io/service-name", "")
