"""Failures as the API server reports them: Status objects with Kubernetes' own wording.

Clients tell failures apart by `reason` and `code`, people by `message`; both belong to the interface.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.cluster.objects import Json
from sandbox.cluster.resources import Resource

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class ApiError(Exception):
    """A request that is answered with a Status of failure."""

    def __init__(self, code: int, reason: str, message: str, *, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Json:
        """Return the body of the answer."""
        body: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        body["message"] = self.message
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        return body | {"code": self.code}


@dataclass(frozen=True)
class Cause:
    """One field that keeps an object from being valid."""

    reason: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def as_json(self) -> Json:
        """Write the cause as a Status has it."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


def required(field: str, detail: str = "") -> Cause:
    """Name a field that must be there."""
    return Cause("FieldValueRequired", field, f"Required value: {detail}" if detail else "Required value")


def invalid_value(field: str, value: object, detail: str) -> Cause:
    """Name a field whose value is wrong, and say why."""
    shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Cause("FieldValueInvalid", field, f"Invalid value: {shown}: {detail}")


def unsupported(field: str, value: object, supported: Sequence[str]) -> Cause:
    """Name a field whose value is none of those that are understood."""
    listed = ", ".join(f'"{choice}"' for choice in supported)
    shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Cause("FieldValueNotSupported", field, f"Unsupported value: {shown}: supported values: {listed}")


def forbidden_value(field: str, detail: str) -> Cause:
    """Name a field that may not be set or changed here."""
    return Cause("FieldValueForbidden", field, f"Forbidden: {detail}")


def duplicate(field: str, value: object) -> Cause:
    """Name a list entry that is there twice."""
    return Cause("FieldValueDuplicate", field, f"Duplicate value: {json.dumps(value)}")


def _details(resource: Resource, name: str) -> Json:
    details: Json = {}
    if name:
        details["name"] = name
    if resource.group:
        details["group"] = resource.group
    return details | {"kind": resource.plural}


def not_found(resource: Resource, name: str) -> ApiError:
    """There is no such object."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, details=_details(resource, name))


def already_exists(resource: Resource, name: str, *, going: bool = False) -> ApiError:
    """An object of that name is there, or not quite gone."""
    message = f'{resource.qualified} "{name}" already exists'
    if going:
        message = f"object is being deleted: {message}"
    return ApiError(409, "AlreadyExists", message, details=_details(resource, name))


def conflict(resource: Resource, name: str, why: str = MODIFIED) -> ApiError:
    """The writer's idea of the object is out of date."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, details=_details(resource, name))


def precondition_failed(resource: Resource, name: str, why: str) -> ApiError:
    """A deletion was meant for another object, or another state of it."""
    message = f'Operation cannot be fulfilled on {resource.qualified_kind} "{name}": {why}'
    return ApiError(409, "Conflict", message, details=_details(resource, name) | {"kind": resource.kind})


def invalid(resource: Resource, name: str, causes: Sequence[Cause]) -> ApiError:
    """The object breaks the rules of its kind."""
    seen = list(dict.fromkeys(str(cause) for cause in causes))
    said = seen[0] if len(seen) == 1 else f"[{', '.join(seen)}]"
    details: Json = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    details["kind"] = resource.kind
    details["causes"] = [cause.as_json() for cause in causes]
    message = f'{resource.qualified_kind} "{name}" is invalid: {said}'
    return ApiError(422, "Invalid", message, details=details)


def unversioned(resource: Resource, name: str) -> ApiError:
    """The resource can only be updated by who has seen its present state."""
    cause = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
    details = _details(resource, name) | {"causes": [cause.as_json()]}
    return ApiError(422, "Invalid", f'{resource.qualified} "{name}" is invalid: {cause}', details=details)


def invalid_scale(name: str, wanted: int) -> ApiError:
    """No workload can be scaled to that size."""
    cause = invalid_value("spec.replicas", wanted, "must be greater than or equal to 0")
    details = {"name": name, "group": "autoscaling", "kind": "Scale", "causes": [cause.as_json()]}
    return ApiError(422, "Invalid", f'Scale.autoscaling "{name}" is invalid: {cause}', details=details)


def invalid_options(kind: str, causes: Sequence[Cause]) -> ApiError:
    """The parameters of the request break their rules."""
    said = "; ".join(str(cause) for cause in causes)
    details = {"group": "meta.k8s.io", "kind": kind, "causes": [cause.as_json() for cause in causes]}
    return ApiError(422, "Invalid", f'{kind}.meta.k8s.io "" is invalid: {said}', details=details)


def forbidden(resource: Resource, name: str, why: str) -> ApiError:
    """The user, or the state of the namespace, does not allow it."""
    shown = f'{resource.qualified} "{name}"' if name else resource.qualified
    return ApiError(403, "Forbidden", f"{shown} is forbidden: {why}", details=_details(resource, name))


def unauthorized() -> ApiError:
    """The token is nobody's."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def unknown_path() -> ApiError:
    """Nothing is served there."""
    message = "the server could not find the requested resource"
    return ApiError(404, "NotFound", message, details={})


def bad_request(message: str) -> ApiError:
    """The request cannot be understood."""
    return ApiError(400, "BadRequest", message)


def misnamed(name: str, expected: str) -> ApiError:
    """The body is about another object than the path."""
    return bad_request(f"the name of the object ({name}) does not match the name on the URL ({expected})")


def misplaced() -> ApiError:
    """The body is about another namespace than the path."""
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request"
    )


def expired(message: str) -> ApiError:
    """The history that the request builds on has been compacted away."""
    return ApiError(410, "Expired", message)


def method_not_allowed() -> ApiError:
    """The resource has no such verb."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, details={})


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    """The body is in a format that the verb does not take."""
    listed = ", ".join(accepted)
    message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return ApiError(415, "UnsupportedMediaType", message)


def unsupported_patch() -> ApiError:
    """The patch is of none of the known kinds."""
    return ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", details={})


def unmergeable(message: str) -> ApiError:
    """A strategic merge patch cannot be applied; the API server has no reason for it, only a code."""
    return ApiError(500, "", message)


def unprocessable_patch(cause: str) -> ApiError:
    """The patch is well formed but does not fit the object."""
    message = "the server rejected our request due to an error in our request"
    details = {"causes": [{"reason": "UnexpectedServerResponse", "message": cause}]} if cause else {}
    return ApiError(422, "Invalid", message, details=details)


def too_large_version(asked: int, current: int) -> ApiError:
    """The request wants a state that has not come yet."""
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return ApiError(504, "Timeout", message, details={"causes": [cause], "retryAfterSeconds": 1})
