"""What the server takes of a client's object: checked, filled in, and joined with what only it writes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.cluster.errors import (
    ApiError,
    bad_request,
    conflict,
    forbidden,
    forbidden_value,
    invalid,
    unversioned,
)
from sandbox.cluster.kinds import Kind
from sandbox.cluster.kinds.metadata import validate_metadata
from sandbox.cluster.objects import (
    Json,
    JsonValue,
    annotations_of,
    clone,
    is_deleting,
    name_of,
    namespace_of,
    uid_of,
)
from sandbox.cluster.resources import DEPLOYMENTS, Resource

_MAPS_OF_PAIRS = frozenset(
    {
        "labels",
        "annotations",
        "matchLabels",
        "nodeSelector",
        "data",
        "binaryData",
        "limits",
        "requests",
        "hard",
    }
)
SERVER_METADATA = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


def fill_in(resource: Resource, kind: Kind, new: Json) -> None:
    """Fill in what the client left out, and drop what it set to nothing.

    Raises:
        ApiError: The object has not the shape of its kind (400).
    """
    _drop_nothings(new)
    if resource.has_status:
        new.setdefault("spec", {})
    with _shape_of(resource):
        kind.default(new)


def admit_new(resource: Resource, kind: Kind, new: Json) -> None:
    """Add to a new object what only the server writes, and check it.

    Raises:
        ApiError: It has not the shape of its kind (400), or breaks its rules (422).
    """
    if resource.has_status:
        new["status"] = {}
    with _shape_of(resource):
        kind.prepare_create(new)
        causes = validate_metadata(resource, new) + kind.validate(new)
    if causes:
        raise invalid(resource, new["metadata"].get("name", ""), causes)


def admit_change(resource: Resource, kind: Kind, new: Json, old: Json) -> None:
    """Check a new state of an object, and count its generation.

    Raises:
        ApiError: As for a new object.
    """
    with _shape_of(resource):
        kind.prepare_update(new, old)
        causes = validate_metadata(resource, new) + kind.validate(new) + kind.validate_update(new, old)
    if causes:
        raise invalid(resource, name_of(new), causes)
    if resource.counts_generations:
        # A Deployment's annotations count as well: they are copied to its ReplicaSets.
        noted = resource is DEPLOYMENTS and annotations_of(new) != annotations_of(old)
        moved = new["spec"] != old["spec"] or noted
        new["metadata"]["generation"] = old["metadata"]["generation"] + (1 if moved else 0)


def check_identity(resource: Resource, new: Json, old: Json | None) -> None:
    """Refuse an update that was made from another state, or for another object of the same name.

    There may be none (any more): `old` is None then.
    """
    version, uid = new["metadata"].get("resourceVersion"), new["metadata"].get("uid")
    known = "" if old is None else uid_of(old)
    if old is not None and not version and not resource.unconditional_update:
        raise unversioned(resource, name_of(new))
    if uid and uid != known:
        key = f"/registry/{resource.plural}/{namespace_of(new)}/{name_of(new)}".replace("//", "/")
        why = (
            f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
            f"Precondition failed: UID in precondition: {uid}, UID in object meta: {known}"
        )
        raise conflict(resource, name_of(new), why)
    if old is not None and version and version != old["metadata"]["resourceVersion"]:
        raise conflict(resource, name_of(new))


def carry_over(resource: Resource, new: Json, old: Json, subresource: str) -> None:
    """Put back what the client cannot change through this part of the object."""
    metadata = new["metadata"]
    for field in SERVER_METADATA:
        metadata.pop(field, None)
        if field in old["metadata"]:
            metadata[field] = old["metadata"][field]
    if subresource == "status":
        _keep_all_but_status(new, old)
    elif resource.has_status:
        new["status"] = clone(old.get("status", {}))
    if is_deleting(old):
        _refuse_new_finalizers(resource, new, old)


def check_open(resource: Resource, namespace: Json, name: str) -> None:
    """Refuse to put something new into a namespace that is going."""
    if not is_deleting(namespace):
        return
    place = name_of(namespace)
    why = f"unable to create new content in namespace {place} because it is being terminated"
    error = forbidden(resource, name, why)
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {place} is being terminated",
        "field": "metadata.namespace",
    }
    raise ApiError(403, "Forbidden", error.message, details=(error.details or {}) | {"causes": [cause]})


def _drop_nothings(thing: JsonValue) -> None:
    """Drop nulls, empty lists and empty maps of pairs: they are stored as if they had not been written."""
    if isinstance(thing, list):
        for item in thing:
            _drop_nothings(item)
    elif isinstance(thing, dict):
        for key, value in list(thing.items()):
            _drop_nothings(value)
            if value is None or value == [] or (value == {} and key in _MAPS_OF_PAIRS):
                del thing[key]


def _keep_all_but_status(new: Json, old: Json) -> None:
    status = new.get("status", {})
    for field in set(new) - {"metadata", "apiVersion", "kind"}:
        del new[field]
    new |= {field: clone(value) for field, value in old.items() if field not in {"metadata", "status"}}
    new["status"] = status
    if "labels" in old["metadata"]:
        new["metadata"]["labels"] = old["metadata"]["labels"]


def _refuse_new_finalizers(resource: Resource, new: Json, old: Json) -> None:
    added = set(new["metadata"].get("finalizers") or []) - set(old["metadata"].get("finalizers") or [])
    if added:
        why = "no new finalizers can be added if the object is being deleted, found new finalizers "
        shown = "[]string{" + ", ".join(json.dumps(name) for name in sorted(added)) + "}"
        raise invalid(resource, name_of(new), [forbidden_value("metadata.finalizers", why + shown)])


@contextmanager
def _shape_of(resource: Resource) -> Iterator[None]:
    """Turn the failure to take an object apart into a bad request."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        kind = resource.kind
        said = f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {error}'
        raise bad_request(said) from error
