"""How an object goes: at once, after a grace period, or when its last finalizer is gone."""

from dataclasses import dataclass
from datetime import timedelta

from sandbox.cluster.errors import precondition_failed
from sandbox.cluster.objects import Json, name_of, now, stamp, uid_of
from sandbox.cluster.resources import JOBS, NAMESPACES, PODS, Resource

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_FINALIZER_OF = {"Foreground": FOREGROUND, "Orphan": ORPHAN}


@dataclass(frozen=True)
class DeleteOptions:
    """How an object is to be deleted."""

    propagation: str = ""
    """Background, Foreground or Orphan; the kind decides when nothing is said."""
    grace_seconds: int | None = None
    uid: str = ""
    resource_version: str = ""


def check_preconditions(resource: Resource, old: Json, options: DeleteOptions) -> None:
    """Refuse to delete another object, or another state of it, than the client meant."""
    version = old["metadata"]["resourceVersion"]
    if options.uid and options.uid != uid_of(old):
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({uid_of(old)}). "
            "The object might have been deleted and then recreated"
        )
        raise precondition_failed(resource, name_of(old), why)
    if options.resource_version and options.resource_version != version:
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
            f"ResourceVersion in record ({version}). The object might have been modified"
        )
        raise precondition_failed(resource, name_of(old), why)


def begin_deletion(resource: Resource, thing: Json, options: DeleteOptions) -> bool:
    """Mark an object as going, if it cannot go at once; returns whether it stays for now."""
    metadata = thing["metadata"]
    finalizers = metadata.get("finalizers") or []
    # Jobs are the one kind whose pods stay unless the client says otherwise.
    wanted = _FINALIZER_OF.get(options.propagation or ("Orphan" if resource is JOBS else "Background"))
    if wanted and wanted not in finalizers:
        finalizers = metadata["finalizers"] = [*finalizers, wanted]
    grace = _grace_seconds(resource, thing, options)
    if not (resource is NAMESPACES or finalizers or grace):
        if "deletionGracePeriodSeconds" in metadata:
            metadata["deletionGracePeriodSeconds"] = grace
        return False
    if "deletionTimestamp" not in metadata:
        metadata["deletionTimestamp"] = stamp(now() + timedelta(seconds=grace))
        if resource is not NAMESPACES:
            metadata["deletionGracePeriodSeconds"] = grace
        if resource.counts_generations:
            metadata["generation"] += 1
    elif grace < metadata.get("deletionGracePeriodSeconds", 0):
        metadata["deletionGracePeriodSeconds"] = grace
    if resource is NAMESPACES:
        thing["status"] = {**thing["status"], "phase": "Terminating"}
    return True


def holds_on(resource: Resource, thing: Json) -> bool:
    """Say whether a going object waits for more than finalizers: for its content, or for its kubelet."""
    if resource is NAMESPACES:
        return True
    return resource is PODS and bool(thing["metadata"].get("deletionGracePeriodSeconds"))


def _grace_seconds(resource: Resource, thing: Json, options: DeleteOptions) -> int:
    """Return how long a pod has to end; nothing else needs time, nor a pod that never ran or has ended."""
    if resource is not PODS or not thing["spec"].get("nodeName"):
        return 0
    if thing["status"].get("phase") in {"Succeeded", "Failed"}:
        return 0
    if options.grace_seconds is not None:
        return options.grace_seconds
    return int(thing["spec"].get("terminationGracePeriodSeconds", 30))
