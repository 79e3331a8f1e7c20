"""What a request asks for: the verb, the resource and the object, read from method, path and query."""

import json
from dataclasses import dataclass, field

import yaml

from sandbox.cluster.access import User
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.errors import (
    bad_request,
    invalid_options,
    method_not_allowed,
    misnamed,
    misplaced,
    unsupported,
    unsupported_media_type,
)
from sandbox.cluster.objects import Json
from sandbox.cluster.resources import Resource, resource_at
from sandbox.cluster.selectors import Selection, parse_selection

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
JSON_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_COLLECTION_METHODS = {"GET", "HEAD", "POST", "DELETE"}
_OBJECT_METHODS = {"GET", "HEAD", "PUT", "PATCH", "DELETE"}
_SUBRESOURCE_METHODS = {"GET", "HEAD", "PUT", "PATCH"}
_OPTIONS_OF = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}


@dataclass(frozen=True)
class Target:
    """Verb and resource of a path, as authorization sees them."""

    verb: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(frozen=True)
class Call:
    """One request, understood."""

    target: Target
    user: User
    query: dict[str, str]
    accept: str
    content_type: str
    agent: str
    body: bytes = field(repr=False)

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be kept."""
        asked = self.query.get("dryRun", "")
        if asked not in {"", "All"}:
            options = _OPTIONS_OF.get(self.target.verb, "DeleteOptions")
            raise invalid_options(options, [unsupported("dryRun", [asked], ("All",))])
        return asked == "All"

    @property
    def manager(self) -> str:
        """The name under which field ownership is noted: what the client says, else its program's name."""
        return self.query.get("fieldManager") or self.agent.partition("/")[0] or "unknown"

    @property
    def selection(self) -> Selection:
        """What the selectors choose."""
        labels, fields = self.query.get("labelSelector", ""), self.query.get("fieldSelector", "")
        return parse_selection(self.target.resource, labels, fields)

    def flag(self, name: str) -> bool:
        """Read a query parameter that is true or false."""
        return self.query.get(name, "").lower() in {"1", "true"}

    def number(self, name: str) -> int | None:
        """Read a query parameter that is a number."""
        text = self.query.get(name, "")
        if not text:
            return None
        if not text.lstrip("-").isdigit():
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
        return int(text)

    def document(self) -> Json:
        """Read the body as an object of the request's resource."""
        thing = self.parsed()
        if not isinstance(thing, dict):
            raise bad_request("couldn't get version/kind; json parse error: the body is no object")
        resource = self.target.resource
        kind, version = resource.kind, resource.api_version
        if self.target.subresource == "scale":
            kind, version = "Scale", "autoscaling/v1"
        given = (thing.setdefault("kind", kind), thing.setdefault("apiVersion", version))
        if given != (kind, version):
            said = f'{given[0]} in version "{given[1].rpartition("/")[2]}" cannot be handled as a {kind}: '
            raise bad_request(said + f'no kind "{given[0]}" is registered for version "{given[1]}" here')
        return self._placed(thing)

    def parsed(self) -> object:
        """Read the body: JSON or YAML."""
        if self.content_type and not self.content_type.endswith(("json", "yaml")):
            raise unsupported_media_type(JSON_TYPES)
        try:
            return yaml.safe_load(self.body) if self.content_type.endswith("yaml") else json.loads(self.body)
        except (ValueError, yaml.YAMLError) as error:
            said = f"the object provided is unrecognized (must be of type {self.target.resource.kind}): "
            raise bad_request(f"{said}couldn't get version/kind; json parse error: {error}") from error

    def delete_options(self) -> DeleteOptions:
        """Read how to delete, from the body or the query."""
        body = self.parsed() if self.body else {}
        options: Json = body if isinstance(body, dict) else {}
        preconditions = options.get("preconditions") or {}
        grace = options.get("gracePeriodSeconds", self.number("gracePeriodSeconds"))
        orphan = options.get("orphanDependents", self.query.get("orphanDependents") == "true")
        policy = options.get("propagationPolicy") or self.query.get("propagationPolicy")
        return DeleteOptions(
            propagation=policy or ("Orphan" if orphan else ""),
            grace_seconds=grace,
            uid=preconditions.get("uid") or "",
            resource_version=preconditions.get("resourceVersion") or "",
        )

    def _placed(self, thing: Json) -> Json:
        metadata = thing.setdefault("metadata", {}) or {}
        thing["metadata"] = metadata
        target = self.target
        if target.name and metadata.setdefault("name", target.name) != target.name:
            raise misnamed(metadata["name"], target.name)
        if (
            target.resource.namespaced
            and metadata.setdefault("namespace", target.namespace) != target.namespace
        ):
            raise misplaced()
        return thing


def parse_target(method: str, path: str, query: dict[str, str]) -> Target | None:
    """Read what a path under /api or /apis is about; None when it is no resource of this cluster."""
    parts = [part for part in path.split("/") if part]
    group, parts = ("", parts[1:]) if parts[0] == "api" else (parts[1], parts[2:])
    version, parts = parts[0], parts[1:]
    namespace = ""
    if len(parts) > 2 and parts[0] == "namespaces" and parts[2] not in {"status", "finalize"}:
        namespace, parts = parts[1], parts[2:]
    plural, name, subresource = [*parts, "", "", ""][:3]
    resource = resource_at(group, version, plural)
    if resource is None or len(parts) > 3 or (subresource and subresource not in resource.subresources):
        return None
    if (namespace and not resource.namespaced) or (name and resource.namespaced and not namespace):
        return None
    allowed = _SUBRESOURCE_METHODS if subresource else _OBJECT_METHODS if name else _COLLECTION_METHODS
    if method not in allowed or (not namespace and resource.namespaced and method not in {"GET", "HEAD"}):
        raise method_not_allowed()
    return Target(_verb(method, name, query), resource, namespace, name, subresource)


def _verb(method: str, name: str, query: dict[str, str]) -> str:
    if method in {"GET", "HEAD"}:
        if name:
            return "get"
        return "watch" if query.get("watch", "").lower() in {"1", "true"} else "list"
    if method == "DELETE":
        return "delete" if name else "deletecollection"
    return _VERBS.get(method, method.lower())
