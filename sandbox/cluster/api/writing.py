"""POST, PUT, PATCH and DELETE."""

from collections.abc import Callable

from sandbox.cluster.admission import check_identity
from sandbox.cluster.api.requests import Call
from sandbox.cluster.api.views import View
from sandbox.cluster.errors import (
    bad_request,
    invalid_options,
    invalid_scale,
    misnamed,
    misplaced,
    required,
    unsupported_patch,
)
from sandbox.cluster.objects import Json, clone, name_of, uid_of
from sandbox.cluster.patching.jsonpatch import json_patch, merge_patch
from sandbox.cluster.patching.strategic import strategic_merge
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import Resource

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)


def create(registry: Registry, call: Call) -> tuple[int, Json]:
    """Store a new object."""
    thing = call.document()
    created = registry.create(call.target.resource, thing, manager=call.manager, dry_run=call.dry_run)
    return 201, created


def update(registry: Registry, call: Call) -> tuple[int, Json]:
    """Replace an object, or the part of it that the subresource is."""
    target = call.target
    if target.subresource == "scale":
        return 200, _scale_to(registry, call, call.document())
    new = call.document()
    missing = registry.store.get(target.resource, target.namespace, target.name) is None
    if missing and target.resource.created_by_update:
        check_identity(target.resource, new, None)
        return 201, registry.create(target.resource, new, manager=call.manager, dry_run=call.dry_run)
    return 200, _store(registry, call, new)


def patch(registry: Registry, call: Call) -> tuple[int, Json]:
    """Change part of an object by one of the four kinds of patch."""
    target = call.target
    if call.content_type == APPLY_PATCH:
        return _apply(registry, call)
    change = _patcher(call)
    old = registry.get(target.resource, target.namespace, target.name)
    if target.subresource == "scale":
        return 200, _scale_to(registry, call, change(scale_of(old)))
    new = change(clone(old))
    if not isinstance(new.get("metadata"), dict):
        raise bad_request("the patch leaves no metadata")
    _check_place(new, old)
    return 200, _store(registry, call, new)


def delete(registry: Registry, call: Call) -> tuple[int, Json]:
    """Delete an object; what is answered depends on the kind and on whether it is gone already."""
    target = call.target
    options = call.delete_options()
    last, gone = registry.delete(
        target.resource, target.namespace, target.name, options, dry_run=call.dry_run
    )
    if target.resource.returns_deleted or not gone:
        return 200, last
    return 200, _success(target.resource, last)


def delete_collection(registry: Registry, call: Call) -> tuple[int, Json]:
    """Delete all objects that the selectors choose; answers with them as they were."""
    target, options, selection = call.target, call.delete_options(), call.selection
    things = [t for t in registry.store.listing(target.resource, target.namespace) if selection.matches(t)]
    for thing in things:
        place = thing["metadata"].get("namespace", "")
        registry.delete(target.resource, place, name_of(thing), options, dry_run=call.dry_run)
    return 200, View(target.resource).listing(things, {"resourceVersion": str(registry.store.version)})


def scale_of(thing: Json) -> Json:
    """Show how many replicas a workload has and wants, as the scale subresource does."""
    metadata = thing["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = (thing["spec"].get("selector") or {}).get("matchLabels") or {}
    status: Json = {"replicas": thing.get("status", {}).get("replicas", 0)}
    status["selector"] = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: metadata[field] for field in kept if field in metadata},
        "spec": {"replicas": thing["spec"].get("replicas", 0)},
        "status": status,
    }


def _scale_to(registry: Registry, call: Call, scale: Json) -> Json:
    target = call.target
    new = clone(registry.get(target.resource, target.namespace, target.name))
    version = scale.get("metadata", {}).get("resourceVersion")
    if version:
        new["metadata"]["resourceVersion"] = version
    wanted = (scale.get("spec") or {}).get("replicas", 0)
    if wanted < 0:
        raise invalid_scale(target.name, wanted)
    new["spec"]["replicas"] = wanted
    stored = registry.update(
        target.resource, new, manager=call.manager, subresource="scale", dry_run=call.dry_run
    )
    return scale_of(stored)


def _store(registry: Registry, call: Call, new: Json) -> Json:
    target = call.target
    return registry.update(
        target.resource, new, manager=call.manager, subresource=target.subresource, dry_run=call.dry_run
    )


def _patcher(call: Call) -> Callable[[Json], Json]:
    if call.content_type not in PATCH_TYPES:
        raise unsupported_patch()
    body = call.parsed()
    if call.content_type == JSON_PATCH:
        if not isinstance(body, list):
            said = "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
            raise bad_request(f"error decoding patch: {said}")
        return lambda old: json_patch(old, body)
    if not isinstance(body, dict):
        said = "json: cannot unmarshal array into Go value of type map[string]interface {}"
        raise bad_request(f"error decoding patch: {said}")
    merge = merge_patch if call.content_type == MERGE_PATCH else strategic_merge
    return lambda old: merge(old, body)


def _check_place(new: Json, old: Json) -> None:
    if new["metadata"].get("name") != name_of(old):
        raise misnamed(new["metadata"].get("name", ""), name_of(old))
    if new["metadata"].get("namespace") != old["metadata"].get("namespace"):
        raise misplaced()


def _apply(registry: Registry, call: Call) -> tuple[int, Json]:
    if not call.query.get("fieldManager"):
        raise invalid_options("PatchOptions", [required("fieldManager", "is required for apply patch")])
    return registry.apply(
        call.target.resource,
        call.document(),
        manager=call.manager,
        force=call.flag("force"),
        subresource=call.target.subresource,
        dry_run=call.dry_run,
    )


def _success(resource: Resource, last: Json) -> Json:
    details = {"name": name_of(last), "kind": resource.plural, "uid": uid_of(last)}
    if resource.group:
        details["group"] = resource.group
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
