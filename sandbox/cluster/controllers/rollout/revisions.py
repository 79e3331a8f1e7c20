"""Templates and revisions: which replica set belongs to which template, and what number it has."""

import hashlib
import json

from sandbox.cluster.controllers.rollout.sizes import DESIRED, MAXIMUM, max_surge, replicas
from sandbox.cluster.objects import (
    Json,
    JsonValue,
    annotations_of,
    clone,
    is_deleting,
    name_of,
    namespace_of,
    owner_reference,
)

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
HASH_LABEL = "pod-template-hash"
LONGEST_HISTORY = 2000

# What the Deployment's annotations say about the Deployment itself is not copied to its replica sets.
_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        HISTORY,
        DESIRED,
        MAXIMUM,
    }
)
_HASH_ALPHABET = "456789bcdf"


def revision_of(thing: Json) -> int:
    """Return the revision that an object is annotated with; 0 when it has none."""
    text = annotations_of(thing).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def oldest_first(replica_sets: list[Json]) -> list[Json]:
    """Sort replica sets by age, those of the same second by name."""
    return sorted(replica_sets, key=lambda rs: (rs["metadata"]["creationTimestamp"], name_of(rs)))


def find_new(deployment: Json, replica_sets: list[Json]) -> Json | None:
    """Find the replica set that has the deployment's template."""
    wanted = _comparable(deployment["spec"]["template"])
    for rs in oldest_first(replica_sets):
        if _comparable(rs["spec"]["template"]) == wanted:
            return rs
    return None


def new_replica_set(deployment: Json, revision: int) -> Json:
    """Make the replica set of a template that was never rolled out; its size is still to be decided."""
    template = clone(deployment["spec"]["template"])
    hashed = template_hash(template, deployment.get("status", {}).get("collisionCount", 0))
    template.setdefault("metadata", {}).setdefault("labels", {})[HASH_LABEL] = hashed
    selector = clone(deployment["spec"]["selector"])
    selector.setdefault("matchLabels", {})[HASH_LABEL] = hashed
    spec: Json = {"replicas": 0, "selector": selector, "template": template}
    if deployment["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
    metadata: Json = {
        "name": f"{name_of(deployment)}-{hashed}",
        "namespace": namespace_of(deployment),
        "labels": dict(template["metadata"]["labels"]),
        "ownerReferences": [owner_reference(deployment)],
    }
    rs: Json = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}
    copy_annotations(deployment, rs, revision)
    size_annotations(deployment, rs)
    return rs


def copy_annotations(deployment: Json, rs: Json, revision: int) -> None:
    """Bring a replica set's annotations up to date: the deployment's own, the revision and its history."""
    annotations = rs["metadata"].setdefault("annotations", {})
    annotations |= {k: v for k, v in annotations_of(deployment).items() if k not in _NOT_COPIED}
    old = annotations.get(REVISION, "")
    if (int(old) if old.isdigit() else 0) >= revision:
        return
    annotations[REVISION] = str(revision)
    if old:
        past = [past for past in annotations.get(HISTORY, "").split(",") if past] + [old]
        while len(",".join(past)) > LONGEST_HISTORY:
            past.pop(0)
        annotations[HISTORY] = ",".join(past)


def size_annotations(deployment: Json, rs: Json) -> None:
    """Note on a replica set how large the deployment was when it was sized: a later change is a scaling."""
    annotations = rs["metadata"].setdefault("annotations", {})
    annotations[DESIRED] = str(replicas(deployment))
    annotations[MAXIMUM] = str(replicas(deployment) + max_surge(deployment))


def surplus(deployment: Json, olds: list[Json]) -> list[Json]:
    """Return the old replica sets that the history limit leaves no room for."""
    limit = deployment["spec"].get("revisionHistoryLimit")
    cleanable = [rs for rs in olds if not is_deleting(rs)]
    excess = 0 if limit is None else len(cleanable) - limit
    by_revision = sorted(cleanable, key=revision_of)[: max(excess, 0)]
    return [rs for rs in by_revision if _is_idle(rs)]


def template_hash(template: Json, collisions: int) -> str:
    """Name a template: the same template always gives the same ten letters."""
    text = json.dumps([_comparable(template), collisions], sort_keys=True)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:5], "big") % 10**10
    return "".join(_HASH_ALPHABET[int(digit)] for digit in f"{number:010d}")


def _comparable(template: Json) -> JsonValue:
    copy = clone(template)
    metadata = copy.get("metadata") or {}
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH_LABEL}
    copy["metadata"] = {k: v for k, v in metadata.items() if v and k != "labels"} | {"labels": labels}
    return copy


def _is_idle(rs: Json) -> bool:
    status = rs.get("status", {})
    seen = status.get("observedGeneration", 0) >= rs["metadata"]["generation"]
    return seen and not replicas(rs) and not status.get("replicas", 0)
