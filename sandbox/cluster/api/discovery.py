"""What a client may ask before it asks for anything: versions, groups, resources, health."""

from typing import Any

from sandbox.cluster.api.openapi import openapi_document
from sandbox.cluster.objects import Json
from sandbox.cluster.resources import CATALOGUE, Resource, groups

_HEALTH = ("/healthz", "/livez", "/readyz")


def document(path: str, git_version: str, address: str) -> Json | str | None:
    """Return what stands at a path outside the resources; None where nothing does."""
    path = path.rstrip("/") or "/"
    if path.startswith("/openapi/"):
        return openapi_document(path)
    known: dict[str, Any] = dict.fromkeys(_HEALTH, "ok")
    known |= {"/version": _version(git_version), "/api": _core_versions(address), "/apis": _group_list()}
    known["/"] = {"paths": ["/api", "/api/v1", "/apis", *_HEALTH, "/openapi/v3", "/version"]}
    if path in known:
        found: Json | str = known[path]
        return found
    parts = path.split("/")[1:]
    if parts == ["api", "v1"]:
        return _resource_list("", "v1")
    if parts[0] == "apis" and len(parts) == 2 and parts[1] in groups():
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1])}
    if parts[0] == "apis" and len(parts) == 3 and parts[2] in groups().get(parts[1], []):
        return _resource_list(parts[1], parts[2])
    return None


def _version(git_version: str) -> Json:
    major, minor = git_version.removeprefix("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": git_version,
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "go1.22.12",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def _core_versions(address: str) -> Json:
    clients = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": clients}


def _group(name: str) -> Json:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in groups()[name]]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _group_list() -> Json:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in groups()]}


def _resource_list(group: str, version: str) -> Json:
    found = [resource for resource in CATALOGUE if (resource.group, resource.version) == (group, version)]
    entries = [entry for resource in found for entry in _entries(resource)]
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": entries}


def _entries(resource: Resource) -> list[Json]:
    entry: Json = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short:
        entry["shortNames"] = list(resource.short)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    return [entry, *(_subresource(resource, name) for name in resource.subresources)]


def _subresource(resource: Resource, name: str) -> Json:
    verbs = {"log": ["get"], "finalize": ["update"]}.get(name, ["get", "patch", "update"])
    entry: Json = {"name": f"{resource.plural}/{name}", "singularName": "", "namespaced": resource.namespaced}
    if name == "scale":
        entry |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    else:
        entry["kind"] = resource.kind
    return entry | {"verbs": verbs}
