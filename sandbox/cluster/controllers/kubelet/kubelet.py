"""The kubelets of all nodes in one: play every pod's containers and report how they are."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.cluster.behaviour import Behaviours
from sandbox.cluster.controllers.base import Controller, Key, key_of
from sandbox.cluster.controllers.kubelet.containers import Container
from sandbox.cluster.controllers.kubelet.narrator import Narrator
from sandbox.cluster.controllers.kubelet.status import pod_status
from sandbox.cluster.controllers.recorder import Recorder
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.objects import Json, is_deleting, uid_of
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import NODES, PODS
from sandbox.cluster.store import Change

MANAGER = "kubelet"
STOP_SECONDS = 0.15
"""How long a container takes to end when it is asked to, at speed 1."""
_EARLY = 1e-4


@dataclass
class _Pod:
    """A pod as its kubelet knows it."""

    uid: str
    ip: str
    inits: list[Container]
    mains: list[Container]
    stopping_since: float | None = None

    @property
    def containers(self) -> list[Container]:
        """All of its containers."""
        return [*self.inits, *self.mains]

    def awake(self) -> list[Container]:
        """The containers whose turn it is: init containers run one after the other, before all else."""
        for init in self.inits:
            if not init.has_succeeded:
                return [] if init.has_failed else [init]
        return self.mains


class Kubelet(Controller):
    """Knows the containers of every pod that has a node; what it knows outlives an outage of the API."""

    resource = PODS

    def __init__(
        self, registry: Registry, recorder: Recorder, behaviours: Behaviours, *, speed: float
    ) -> None:
        super().__init__(registry)
        self.speed = speed
        self._tell = Narrator(recorder)
        self._behaviours = behaviours
        self._pods: dict[Key, _Pod] = {}
        self._pulled: set[tuple[str, str]] = set()
        self._addresses = 0

    def keys_for(self, change: Change) -> Iterable[Key]:
        """A kubelet looks at pods that have a node."""
        mine = change.resource == PODS and change.object["spec"].get("nodeName")
        return [key_of(change.object)] if mine else []

    def sync(self, key: Key) -> None:
        """Let time pass for one pod, and report."""
        pod, known = self.store.get(PODS, *key), self._pods.get(key)
        if known is not None and (pod is None or uid_of(pod) != known.uid):
            del self._pods[key]
            known = None
        if pod is None or not pod["spec"].get("nodeName"):
            return
        if known is None:
            known = self._pods[key] = self._meet(pod)
        if is_deleting(pod):
            self._stop(key, pod, known)
            return
        moment = self._advance(pod, known)
        self._report(pod, known)
        if moment is not None:
            self.enqueue_after(key, moment - time.monotonic())

    def container(self, pod: Json, name: str) -> Container | None:
        """Return what is known of a container, for its log."""
        known = self._pods.get(key_of(pod))
        if known is None or known.uid != uid_of(pod):
            return None
        return next((c for c in known.containers if c.name == name), None)

    def _meet(self, pod: Json) -> _Pod:
        spec, start = pod["spec"], time.monotonic()
        policy = spec.get("restartPolicy", "Always")
        again = {"Always": ("success", "failure"), "OnFailure": ("failure",)}.get(policy, ())
        self._addresses += 1
        address = f"10.244.{self._addresses // 250}.{self._addresses % 250 + 2}"

        def made(specs: list[Json] | None, restarts_on: tuple[str, ...], *, once: bool) -> list[Container]:
            return [Container(c["name"], c, once, restarts_on, self.speed, start) for c in specs or []]

        inits = made(spec.get("initContainers"), ("failure",) if again else (), once=True)
        return _Pod(uid_of(pod), address, inits, made(spec["containers"], again, once=policy != "Always"))

    def _advance(self, pod: Json, known: _Pod) -> float | None:
        """Let everything happen that is due; returns the moment of what will happen next by itself."""
        while True:
            dues = [(c.due(), c) for c in known.awake()]
            late = [c for due, c in dues if due is not None and due <= time.monotonic() + _EARLY]
            if not late:
                return min((due for due, _ in dues if due is not None), default=None)
            for container in late:
                self._step(pod, container)

    def _step(self, pod: Json, c: Container) -> None:
        at = time.monotonic()
        match c.stage:
            case "creating" | "pull-backoff":
                self._begin_pull(pod, c, at)
            case "pulling":
                self._finish_pull(pod, c, at)
            case "unpulled":
                c.enter("pull-backoff", at)
                self._tell.pull_backs_off(pod, c)
            case "running":
                for _ in range(c.look(at)):
                    self._tell.probe_failed(pod, c)
            case "exited" if c.restarts == 0:
                self._start(pod, c, at)
            case "exited":
                c.enter("backoff", at)
                self._tell.start_backs_off(pod, c)
            case "backoff":
                self._start(pod, c, at)

    def _begin_pull(self, pod: Json, c: Container, at: float) -> None:
        present = (pod["spec"]["nodeName"], c.image) in self._pulled
        if present and c.spec["imagePullPolicy"] != "Always":
            self._tell.image_present(pod, c)
            self._start(pod, c, at)
            return
        c.enter("pulling", at)
        self._tell.pulling(pod, c)

    def _finish_pull(self, pod: Json, c: Container, at: float) -> None:
        if not self._behaviours.of(c.image, runs_once=c.runs_once).pullable:
            c.failed_pulls += 1
            c.enter("unpulled", at)
            self._tell.pull_failed(pod, c)
            return
        self._pulled.add((pod["spec"]["nodeName"], c.image))
        self._tell.pulled(pod, c)
        self._start(pod, c, at)

    def _start(self, pod: Json, c: Container, at: float) -> None:
        if c.runs:
            c.restarts += 1
            self._tell.image_present(pod, c)
        c.start(self._behaviours.of(c.image, runs_once=c.runs_once), at)
        self._tell.started(pod, c)

    def _stop(self, key: Key, pod: Json, known: _Pod) -> None:
        at = time.monotonic()
        if known.stopping_since is None:
            known.stopping_since = at
            for c in known.containers:
                if c.stage == "running":
                    self._tell.killing(pod, c)
        left = known.stopping_since + STOP_SECONDS / self.speed - at
        if left > 0:
            self.enqueue_after(key, left)
            return
        for c in known.containers:
            if c.stage == "running":
                c.restarts_on = ()
                c.end(at, 0, "Completed")
        self._report(pod, known)
        self.registry.delete(PODS, *key, DeleteOptions(grace_seconds=0, uid=known.uid))

    def _report(self, pod: Json, known: _Pod) -> None:
        node = self.store.get(NODES, "", pod["spec"]["nodeName"])
        addresses = node["status"]["addresses"] if node else [{"address": "127.0.0.1"}]
        status = pod_status(pod, known.mains, known.inits, host_ip=addresses[0]["address"], pod_ip=known.ip)
        self.registry.update(PODS, {**pod, "status": status}, manager=MANAGER, subresource="status")
