"""The scheduler: binds a pod to the node with the most room, or says why there is none."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from sandbox.cluster.controllers.base import Controller, Key, key_of
from sandbox.cluster.controllers.recorder import Recorder, Source
from sandbox.cluster.objects import (
    Json,
    clone,
    condition_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    stamp,
)
from sandbox.cluster.quantities import parse_quantity
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import NODES, PODS
from sandbox.cluster.store import Change

MANAGER = "kube-scheduler"
SOURCE = Source("default-scheduler")
_COUNTED = ("cpu", "memory")


class Scheduler(Controller):
    """Looks at pods without a node; those that found no room are looked at again when room may have come."""

    resource = PODS

    def __init__(self, registry: Registry, recorder: Recorder) -> None:
        super().__init__(registry)
        self._recorder = recorder

    def keys_for(self, change: Change) -> Iterable[Key]:
        """A pod that went, or a node that changed, may have made room for any waiting pod."""
        if change.resource == NODES or (change.resource == PODS and change.type == "DELETED"):
            return self.all_keys()
        return [key_of(change.object)] if change.resource == PODS and _waits(change.object) else []

    def all_keys(self) -> Iterable[Key]:
        """All pods that wait for a node."""
        return [key_of(pod) for pod in self.store.listing(PODS) if _waits(pod)]

    def sync(self, key: Key) -> None:
        """Bind one pod, or note that it cannot be."""
        pod = self.store.get(PODS, *key)
        if pod is None or not _waits(pod):
            return
        nodes = self.store.listing(NODES)
        pods = [p for p in self.store.listing(PODS) if p["spec"].get("nodeName") and _holds_room(p)]
        obstacles: Counter[str] = Counter()
        hopeless = 0
        fitting = []
        for node in nodes:
            here = [p for p in pods if p["spec"]["nodeName"] == name_of(node)]
            why = _obstacle(pod, node, here)
            if why:
                obstacles[why] += 1
                hopeless += _obstacle(pod, node, []) != ""
            else:
                fitting.append((len(here), name_of(node)))
        if fitting:
            self._bind(pod, min(fitting)[1])
        else:
            self._refuse(pod, (len(nodes), hopeless), obstacles)

    def _bind(self, pod: Json, node: str) -> None:
        bound = clone(pod)
        bound["spec"]["nodeName"] = node
        _set_scheduled(bound, {"status": "True"})
        self.store.write(PODS, bound)
        said = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {node}"
        self._recorder.once(bound, ("Normal", "Scheduled", "Binding"), said, SOURCE)

    def _refuse(self, pod: Json, counts: tuple[int, int], obstacles: Counter[str]) -> None:
        """Note why none of so many nodes takes the pod; on so many of them no eviction would help."""
        count, hopeless = counts
        why = ", ".join(sorted(f"{number} {reason}" for reason, number in obstacles.items()))
        none = f"0/{count} nodes are available"
        evictions = {
            "No preemption victims found for incoming pod": count - hopeless,
            "Preemption is not helpful for scheduling": hopeless,
        }
        no_help = ", ".join(f"{number} {reason}" for reason, number in evictions.items() if number)
        said = f"{none}: {why}. preemption: {none}: {no_help}."
        known = condition_of(pod, "PodScheduled")
        if known and known.get("message") == said:
            return
        refused = clone(pod)
        _set_scheduled(refused, {"status": "False", "reason": "Unschedulable", "message": said})
        self.registry.update(PODS, refused, manager=MANAGER, subresource="status")
        self._recorder.once(pod, ("Warning", "FailedScheduling", "Scheduling"), said, SOURCE)


def requests_of(pod: Json) -> dict[str, Decimal]:
    """Return how much cpu and memory a pod asks for."""
    total = dict.fromkeys(_COUNTED, Decimal(0))
    for container in pod["spec"]["containers"]:
        requests = container["resources"].get("requests") or {}
        for name in _COUNTED:
            total[name] += parse_quantity(requests.get(name, "0"))
    return total


def _waits(pod: Json) -> bool:
    return not pod["spec"].get("nodeName") and not is_deleting(pod)


def _holds_room(pod: Json) -> bool:
    return pod["status"].get("phase") not in {"Succeeded", "Failed"}


def _obstacle(pod: Json, node: Json, here: list[Json]) -> str:
    if node["spec"].get("unschedulable"):
        return "node(s) were unschedulable"
    selector = pod["spec"].get("nodeSelector") or {}
    if not selector.items() <= labels_of(node).items():
        return "node(s) didn't match Pod's node affinity/selector"
    allocatable = node["status"]["allocatable"]
    if len(here) >= int(allocatable["pods"]):
        return "Too many pods"
    for name in _COUNTED:
        used = sum((requests_of(other)[name] for other in here), Decimal(0))
        if used + requests_of(pod)[name] > parse_quantity(allocatable[name]):
            return f"Insufficient {name}"
    return ""


def _set_scheduled(pod: Json, verdict: Json) -> None:
    conditions = [c for c in pod["status"].get("conditions") or [] if c["type"] != "PodScheduled"]
    condition = {"type": "PodScheduled", "lastProbeTime": None, "lastTransitionTime": stamp(), **verdict}
    pod["status"]["conditions"] = [*conditions, condition]
