"""As much of the OpenAPI documents as kubectl needs to learn what the server can validate and dry-run."""

from sandbox.cluster.objects import Json
from sandbox.cluster.resources import STORED, Resource, groups

_WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force")


def openapi_document(path: str) -> Json | None:
    """Return the OpenAPI v3 index, or the paths of one group; there is no v2."""
    names = {"api/v1": ("", "v1")}
    names |= {
        f"apis/{group}/{version}": (group, version) for group, found in groups().items() for version in found
    }
    if path == "/openapi/v3":
        return {"paths": {name: {"serverRelativeURL": f"/openapi/v3/{name}?hash=0"} for name in names}}
    wanted = names.get(path.removeprefix("/openapi/v3/"))
    if wanted is None:
        return None
    paths: Json = {}
    for resource in STORED:
        if (resource.group, resource.version) == wanted:
            paths |= _paths(resource)
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "sandbox"}, "paths": paths}


def _paths(resource: Resource) -> Json:
    root = f"/apis/{resource.group}" if resource.group else "/api"
    place = "/namespaces/{namespace}" if resource.namespaced else ""
    collection = f"{root}/{resource.version}{place}/{resource.plural}"
    return {
        collection: {"post": _operation(resource, "post")},
        f"{collection}/{{name}}": {
            "put": _operation(resource, "put"),
            "patch": _operation(resource, "patch"),
        },
    }


def _operation(resource: Resource, action: str) -> Json:
    kind = {"group": resource.group, "kind": resource.kind, "version": resource.version}
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _WRITE_PARAMETERS]
    return {
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": kind,
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
    }
