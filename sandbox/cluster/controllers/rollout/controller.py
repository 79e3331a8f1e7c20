"""The Deployment controller: brings the pods from one template to the next, within the strategy's limits."""

from collections.abc import Iterable

from sandbox.cluster.controllers.base import Controller, Key, key_of, owner_key
from sandbox.cluster.controllers.recorder import Recorder
from sandbox.cluster.controllers.rollout import revisions, sizes, status
from sandbox.cluster.controllers.rollout.replicas import MANAGER, ReplicaSets
from sandbox.cluster.objects import (
    Json,
    annotations_of,
    clone,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
)
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from sandbox.cluster.selectors import matches_selector
from sandbox.cluster.store import Change


class DeploymentController(Controller):
    """Level-triggered: each look at a deployment takes it one step further."""

    resource = DEPLOYMENTS

    def __init__(self, registry: Registry, recorder: Recorder) -> None:
        super().__init__(registry)
        self._sets = ReplicaSets(registry, recorder)

    def keys_for(self, change: Change) -> Iterable[Key]:
        """A deployment is concerned by its replica sets, and, when it recreates, by the end of their pods."""
        if change.resource == REPLICA_SETS:
            return owner_key(change.object, "Deployment") or self._adopters(change.object)
        if change.resource == PODS and change.type == "DELETED":
            return self._recreators(namespace_of(change.object))
        return super().keys_for(change)

    def sync(self, key: Key) -> None:
        """Take one deployment a step further."""
        deployment = self.store.get(DEPLOYMENTS, *key)
        if deployment is None:
            return
        owned = self._sets.of(deployment)
        if is_deleting(deployment):
            self._write_counts(deployment)
            return
        deployment = self._note_pause(deployment)
        if deployment["spec"].get("paused") or _was_scaled(deployment, owned):
            self._scale(deployment)
        elif sizes.is_rolling(deployment):
            self._roll(deployment)
        else:
            self._recreate(deployment)

    # -- the two strategies ------------------------------------------------------------------------

    def _roll(self, deployment: Json) -> None:
        deployment, new, olds = self._sync_revision(deployment, create=True)
        if new is None:
            return
        if self._grow_new(deployment, new, olds) or self._shrink_old(deployment, new, olds):
            self._write_progress(deployment)
            return
        self._clean_up_when_complete(deployment, olds)
        self._write_progress(deployment)

    def _recreate(self, deployment: Json) -> None:
        deployment, new, olds = self._sync_revision(deployment, create=False)
        running = sizes.active(olds)
        for rs in running:
            self._sets.resize(deployment, rs, 0)
        if running or self._sets.have_old_pods(deployment, new):
            self._write_progress(deployment)
            return
        deployment, new, olds = self._sync_revision(deployment, create=True)
        if new is not None:
            self._sets.resize(deployment, new, sizes.replicas(deployment))
        self._clean_up_when_complete(deployment, olds)
        self._write_progress(deployment)

    def _grow_new(self, deployment: Json, new: Json, olds: list[Json]) -> bool:
        wanted = sizes.replicas(deployment)
        if sizes.replicas(new) > wanted:
            return self._sets.resize(deployment, new, wanted)
        return self._sets.resize(deployment, new, sizes.new_size(deployment, [*olds, new], new))

    def _shrink_old(self, deployment: Json, new: Json, olds: list[Json]) -> bool:
        olds = sizes.active(olds)
        room = sizes.can_go(deployment, olds, new)
        if not olds or room <= 0:
            return False
        cleaned = self._shrink(deployment, olds, room, unhealthy_only=True)
        olds = sizes.active(self._sets.fresh(olds))
        minimum = sizes.replicas(deployment) - sizes.max_unavailable(deployment)
        spare = sum(sizes.available(rs) for rs in [*olds, new]) - minimum
        return self._shrink(deployment, olds, spare) or cleaned

    def _shrink(self, deployment: Json, olds: list[Json], room: int, *, unhealthy_only: bool = False) -> bool:
        shrunk = False
        for rs in revisions.oldest_first(olds):
            most = sizes.replicas(rs) - (sizes.available(rs) if unhealthy_only else 0)
            step = min(room, most)
            if step > 0:
                shrunk = self._sets.resize(deployment, rs, sizes.replicas(rs) - step) or shrunk
                room -= step
        return shrunk

    # -- pausing and scaling -----------------------------------------------------------------------

    def _note_pause(self, deployment: Json) -> Json:
        current = status.condition(deployment.get("status", {}), status.PROGRESSING)
        if not status.has_deadline(deployment) or (current and current["reason"] == status.TIMED_OUT):
            return deployment
        noted = current is not None and current["reason"] == "DeploymentPaused"
        paused = bool(deployment["spec"].get("paused"))
        if paused == noted:
            return deployment
        word = "paused" if paused else "resumed"
        reason = "DeploymentPaused" if paused else "DeploymentResumed"
        verdict = status.Verdict(status.PROGRESSING, "Unknown", reason, f"Deployment is {word}")
        return self._write_condition(deployment, verdict)

    def _scale(self, deployment: Json) -> None:
        deployment, new, olds = self._sync_revision(deployment, create=False)
        running = sizes.active([*olds, new] if new else olds)
        latest = running or ([new] if new else revisions.oldest_first(olds)[-1:])
        if len(latest) == 1:
            self._sets.resize(deployment, latest[0], sizes.replicas(deployment))
        elif _is_saturated(deployment, new):
            for rs in sizes.active(olds):
                self._sets.resize(deployment, rs, 0)
        elif sizes.is_rolling(deployment):
            by_name = {name_of(rs): rs for rs in running}
            for name, size in sizes.proportional_sizes(deployment, running).items():
                self._sets.resize(deployment, by_name[name], size, annotate=True)
        if deployment["spec"].get("paused"):
            self._sets.clean_up(deployment, olds)
        self._write_counts(deployment)

    # -- revisions ---------------------------------------------------------------------------------

    def _sync_revision(self, deployment: Json, *, create: bool) -> tuple[Json, Json | None, list[Json]]:
        """Find or make the replica set of the present template, and number it; returns it with the others."""
        owned = self._sets.of(deployment)
        new = revisions.find_new(deployment, owned)
        olds = [rs for rs in owned if new is None or name_of(rs) != name_of(new)]
        revision = max((revisions.revision_of(rs) for rs in olds), default=0) + 1
        if new is not None:
            return *self._renumber(deployment, new, revision), olds
        if not create:
            return deployment, None, olds
        return *self._create_new(deployment, olds, revision), olds

    def _renumber(self, deployment: Json, new: Json, revision: int) -> tuple[Json, Json]:
        new = self._sets.renumber(deployment, new, revision)
        known = status.condition(deployment.get("status", {}), status.PROGRESSING)
        said = f'Found new replica set "{name_of(new)}"'
        verdict = status.Verdict(status.PROGRESSING, "True", "FoundNewReplicaSet", said)
        missing = status.has_deadline(deployment) and known is None
        number = annotations_of(new).get(revisions.REVISION, "")
        return self._write_condition(deployment, verdict if missing else None, number), new

    def _create_new(self, deployment: Json, olds: list[Json], revision: int) -> tuple[Json, Json | None]:
        new = self._sets.create(deployment, olds, revision)
        if new is None:
            self._count_collision(deployment)
            return deployment, None
        said = f'Created new replica set "{name_of(new)}"'
        verdict = status.Verdict(status.PROGRESSING, "True", "NewReplicaSetCreated", said)
        known = verdict if status.has_deadline(deployment) else None
        return self._write_condition(deployment, known, str(revision)), new

    def _count_collision(self, deployment: Json) -> None:
        def count(thing: Json) -> None:
            thing["status"]["collisionCount"] = thing["status"].get("collisionCount", 0) + 1

        self.registry.modify(DEPLOYMENTS, deployment, count, manager=MANAGER, subresource="status")

    def _clean_up_when_complete(self, deployment: Json, olds: list[Json]) -> None:
        if status.is_complete(deployment, deployment.get("status", {})):
            self._sets.clean_up(deployment, olds)

    # -- status ------------------------------------------------------------------------------------

    def _write_progress(self, deployment: Json) -> None:
        deployment = self.registry.get(DEPLOYMENTS, *key_of(deployment))
        owned = self._sets.of(deployment)
        new = revisions.find_new(deployment, owned)
        counted = status.counted(deployment, owned, new)
        written = self._write(deployment, status.judged(deployment, counted, new))
        seconds = status.seconds_to_deadline(written)
        if seconds is not None:
            self.enqueue_after(key_of(written), seconds)

    def _write_counts(self, deployment: Json) -> None:
        deployment = self.registry.get(DEPLOYMENTS, *key_of(deployment))
        owned = self._sets.of(deployment)
        self._write(deployment, status.counted(deployment, owned, revisions.find_new(deployment, owned)))

    def _write_condition(self, deployment: Json, verdict: status.Verdict | None, revision: str = "") -> Json:
        new = clone(deployment)
        if verdict is not None:
            status.set_condition(new.setdefault("status", {}), verdict)
        if revision:
            new["metadata"].setdefault("annotations", {})[revisions.REVISION] = revision
        return self.registry.update(DEPLOYMENTS, new, manager=MANAGER, subresource="status")

    def _write(self, deployment: Json, counted: Json) -> Json:
        new = {**deployment, "status": counted}
        return self.registry.update(DEPLOYMENTS, new, manager=MANAGER, subresource="status")

    # -- who is concerned --------------------------------------------------------------------------

    def _adopters(self, rs: Json) -> list[Key]:
        labels, namespace = labels_of(rs), namespace_of(rs)
        everyone = self.store.listing(DEPLOYMENTS, namespace)
        return [key_of(d) for d in everyone if matches_selector(d["spec"]["selector"], labels)]

    def _recreators(self, namespace: str) -> list[Key]:
        return [key_of(d) for d in self.store.listing(DEPLOYMENTS, namespace) if not sizes.is_rolling(d)]


def _was_scaled(deployment: Json, owned: list[Json]) -> bool:
    noted = (annotations_of(rs).get(sizes.DESIRED) for rs in sizes.active(owned))
    return any(number is not None and number != str(sizes.replicas(deployment)) for number in noted)


def _is_saturated(deployment: Json, new: Json | None) -> bool:
    if new is None:
        return False
    wanted = sizes.replicas(deployment)
    noted = annotations_of(new).get(sizes.DESIRED)
    return sizes.replicas(new) == wanted == sizes.available(new) and noted == str(wanted)
