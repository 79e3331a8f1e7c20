"""A deployment's replica sets: found, made, numbered, sized and, when they are of no more use, deleted."""

from sandbox.cluster.controllers.base import key_of
from sandbox.cluster.controllers.recorder import Recorder, Source
from sandbox.cluster.controllers.rollout import revisions, sizes
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.errors import ApiError
from sandbox.cluster.objects import (
    Json,
    controller_of,
    is_controlled_by,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import PODS, REPLICA_SETS
from sandbox.cluster.selectors import matches_selector

MANAGER = "kube-controller-manager"
SOURCE = Source("deployment-controller")


class ReplicaSets:
    """What the deployment controller does to replica sets."""

    def __init__(self, registry: Registry, recorder: Recorder) -> None:
        self._registry = registry
        self._recorder = recorder

    def of(self, deployment: Json) -> list[Json]:
        """Return the deployment's replica sets; those that match and belong to nobody are adopted first."""
        found = []
        for rs in self._registry.store.listing(REPLICA_SETS, namespace_of(deployment)):
            if is_controlled_by(rs, deployment):
                found.append(rs)
            elif _is_adoptable(deployment, rs):
                found.append(self._adopt(deployment, rs))
        return found

    def fresh(self, replica_sets: list[Json]) -> list[Json]:
        """Return the present states of replica sets that were seen before."""
        return [self._registry.get(REPLICA_SETS, *key_of(rs)) for rs in replica_sets]

    def create(self, deployment: Json, olds: list[Json], revision: int) -> Json | None:
        """Make the replica set of a new template, as large as it may be; None when its name is taken."""
        made = revisions.new_replica_set(deployment, revision)
        made["spec"]["replicas"] = size = sizes.new_size(deployment, [*olds, made], made)
        try:
            new = self._registry.create(REPLICA_SETS, made, manager=MANAGER)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            return None
        if size > 0:
            self._tell(deployment, f"Scaled up replica set {name_of(new)} from 0 to {size}")
        return new

    def renumber(self, deployment: Json, new: Json, revision: int) -> Json:
        """Bring the annotations of the present template's replica set up to date."""

        def refresh(rs: Json) -> None:
            revisions.copy_annotations(deployment, rs, revision)
            if deployment["spec"].get("minReadySeconds", 0) != rs["spec"].get("minReadySeconds", 0):
                rs["spec"]["minReadySeconds"] = deployment["spec"].get("minReadySeconds", 0)

        return self._registry.modify(REPLICA_SETS, new, refresh, manager=MANAGER)

    def resize(self, deployment: Json, rs: Json, size: int, *, annotate: bool = False) -> bool:
        """Give a replica set another size; returns whether that changed anything.

        With `annotate`, the deployment's size is noted on it even when its own size is right.
        """
        before = sizes.replicas(rs)
        if before == size and not annotate:
            return False

        def change(thing: Json) -> None:
            thing["spec"]["replicas"] = size
            revisions.size_annotations(deployment, thing)

        self._registry.modify(REPLICA_SETS, rs, change, manager=MANAGER)
        if before != size:
            way = "up" if size > before else "down"
            self._tell(deployment, f"Scaled {way} replica set {name_of(rs)} from {before} to {size}")
        return before != size

    def clean_up(self, deployment: Json, olds: list[Json]) -> None:
        """Delete what the history limit leaves no room for."""
        for rs in revisions.surplus(deployment, self.fresh(olds)):
            self._registry.delete(REPLICA_SETS, *key_of(rs), DeleteOptions())

    def have_old_pods(self, deployment: Json, new: Json | None) -> bool:
        """Say whether pods of another template than the present one are still there."""
        selector, keeper = deployment["spec"]["selector"], uid_of(new) if new else ""
        for pod in self._registry.store.listing(PODS, namespace_of(deployment)):
            owner = controller_of(pod)
            if owner is None or owner["kind"] != "ReplicaSet" or owner["uid"] == keeper:
                continue
            ended = pod["status"].get("phase") in {"Succeeded", "Failed"}
            if not ended and matches_selector(selector, labels_of(pod)):
                return True
        return False

    def _adopt(self, deployment: Json, rs: Json) -> Json:
        def own(thing: Json) -> None:
            thing["metadata"].setdefault("ownerReferences", []).append(owner_reference(deployment))

        return self._registry.modify(REPLICA_SETS, rs, own, manager=MANAGER)

    def _tell(self, deployment: Json, said: str) -> None:
        self._recorder.normal(deployment, "ScalingReplicaSet", said, SOURCE)


def _is_adoptable(deployment: Json, rs: Json) -> bool:
    if controller_of(rs) is not None or is_deleting(rs) or is_deleting(deployment):
        return False
    return matches_selector(deployment["spec"]["selector"], labels_of(rs))
