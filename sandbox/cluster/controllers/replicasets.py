"""The ReplicaSet controller: as many pods as wanted, and a choice of which go first."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sandbox.cluster.controllers.base import Controller, Key, key_of, owner_key
from sandbox.cluster.controllers.recorder import Recorder, Source
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.objects import (
    Json,
    annotations_of,
    clone,
    condition_of,
    controller_of,
    is_controlled_by,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    now,
    owner_reference,
    parse_time,
)
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import PODS, REPLICA_SETS
from sandbox.cluster.selectors import matches_selector
from sandbox.cluster.store import Change

MANAGER = "kube-controller-manager"
SOURCE = Source("replicaset-controller")
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


class ReplicaSetController(Controller):
    """Creates and deletes pods, and counts those that are ready."""

    resource = REPLICA_SETS

    def __init__(self, registry: Registry, recorder: Recorder) -> None:
        super().__init__(registry)
        self._recorder = recorder

    def keys_for(self, change: Change) -> Iterable[Key]:
        """A replica set is concerned by its pods."""
        if change.resource == PODS:
            return owner_key(change.object, "ReplicaSet")
        return super().keys_for(change)

    def sync(self, key: Key) -> None:
        """Create or delete what is missing or too much, then count."""
        rs = self.store.get(REPLICA_SETS, *key)
        if rs is None:
            return
        pods = self._pods(rs)
        if not is_deleting(rs):
            excess = len(pods) - int(rs["spec"]["replicas"])
            for _ in range(-excess):
                self._create(rs)
            for pod in sorted(pods, key=lambda pod: _rank(pod, pods))[: max(excess, 0)]:
                self._delete(rs, pod)
        self._count(self.registry.get(REPLICA_SETS, *key))

    def _pods(self, rs: Json) -> list[Json]:
        everything = self.store.listing(PODS, namespace_of(rs))
        for pod in everything:
            orphan = controller_of(pod) is None and not is_deleting(pod) and not is_deleting(rs)
            if orphan and matches_selector(rs["spec"]["selector"], labels_of(pod)):
                self._adopt(rs, pod)
        return [pod for pod in self._owned(rs) if is_active(pod)]

    def _owned(self, rs: Json) -> list[Json]:
        return [pod for pod in self.store.listing(PODS, namespace_of(rs)) if is_controlled_by(pod, rs)]

    def _adopt(self, rs: Json, pod: Json) -> None:
        def own(thing: Json) -> None:
            thing["metadata"].setdefault("ownerReferences", []).append(owner_reference(rs))

        self.registry.modify(PODS, pod, own, manager=MANAGER)

    def _create(self, rs: Json) -> None:
        template = clone(rs["spec"]["template"])
        metadata = {**(template.get("metadata") or {}), "generateName": f"{name_of(rs)}-"}
        metadata |= {"namespace": namespace_of(rs), "ownerReferences": [owner_reference(rs)]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        made = self.registry.create(PODS, pod, manager=MANAGER)
        self._recorder.normal(rs, "SuccessfulCreate", f"Created pod: {name_of(made)}", SOURCE)

    def _delete(self, rs: Json, pod: Json) -> None:
        self.registry.delete(PODS, *key_of(pod), DeleteOptions())
        self._recorder.normal(rs, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", SOURCE)

    def _count(self, rs: Json) -> None:
        pods = self._pods(rs)
        wait = timedelta(seconds=rs["spec"].get("minReadySeconds") or 0)
        since = [ready_since(pod) for pod in pods]
        ready = [moment for moment in since if moment is not None]
        available = [moment for moment in ready if not wait or moment + wait <= now()]
        labels = labels_of(rs["spec"]["template"])
        counts = {
            "fullyLabeledReplicas": sum(labels.items() <= labels_of(pod).items() for pod in pods),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
        }
        status = {"replicas": len(pods), "observedGeneration": rs["metadata"]["generation"]}
        status |= {name: count for name, count in counts.items() if count}
        status["terminatingReplicas"] = sum(is_terminating(pod) for pod in self._owned(rs))
        self.registry.update(REPLICA_SETS, {**rs, "status": status}, manager=MANAGER, subresource="status")
        pending = [moment + wait for moment in ready if moment + wait > now()]
        if pending:
            self.enqueue_after(key_of(rs), (min(pending) - now()).total_seconds())


def is_active(pod: Json) -> bool:
    """Say whether a pod counts as one of its owner's: neither ended nor on its way out."""
    return pod["status"].get("phase") not in {"Succeeded", "Failed"} and not is_deleting(pod)


def is_terminating(pod: Json) -> bool:
    """Say whether a pod is on its way out, and has not ended yet."""
    return pod["status"].get("phase") not in {"Succeeded", "Failed"} and is_deleting(pod)


def ready_since(pod: Json) -> datetime | None:
    """Return since when a pod has been ready; None when it is not."""
    ready = condition_of(pod, "Ready")
    return parse_time(ready["lastTransitionTime"]) if ready and ready["status"] == "True" else None


def _rank(pod: Json, pods: list[Json]) -> tuple[object, ...]:
    """Order pods for deletion: those that do least, are least healthy or youngest go first."""
    node = pod["spec"].get("nodeName", "")
    neighbours = sum(1 for other in pods if node and other["spec"].get("nodeName") == node)
    since = ready_since(pod)
    restarts = sum(s.get("restartCount", 0) for s in pod["status"].get("containerStatuses") or [])
    cost = annotations_of(pod).get(DELETION_COST, "0")
    return (
        bool(node),
        _PHASES.get(pod["status"].get("phase", ""), 1),
        since is not None,
        int(cost) if cost.lstrip("-").isdigit() else 0,
        -neighbours,
        -since.timestamp() if since else 0,
        -restarts,
        -parse_time(pod["metadata"]["creationTimestamp"]).timestamp(),
    )
