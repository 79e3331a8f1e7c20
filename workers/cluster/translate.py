"""The vendor's errors, translated once, at the edge; the original is chained for the worker's log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3.exceptions
from kubernetes.client import ApiException
from kubernetes.config import ConfigException

from workers.cluster.errors import (
    AlreadyExistsError,
    ClusterError,
    ClusterUnknownError,
    ClusterUnreachableError,
    ConflictError,
    CredentialsRefusedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooManyRequestsError,
)
from workers.cluster.parse import one_line

GONE = 410


class ExpiredError(ClusterError):
    """The place to watch from is too long ago: list again. Never leaves this package."""


@dataclass(frozen=True)
class Request:
    """What was asked, in the words of roles: verb, resource with its API group, namespace."""

    verb: str
    resource: str
    namespace: str
    name: str = ""


@contextmanager
def translated(request: Request) -> Iterator[None]:
    """Turn whatever the client raises in the block into a `ClusterError`."""
    try:
        yield
    except ApiException as error:
        raise from_status(request, error.status or 0, _body(error), _retry_after(error)) from error
    except ConfigException as error:
        raise ClusterUnknownError(one_line(str(error))) from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        # ValueError: an answer that is no JSON, from a proxy in between.
        raise ClusterUnreachableError(_why(error)) from error


def from_status(request: Request, code: int, status: dict[str, Any], retry_after: float = 0) -> ClusterError:
    """The error that an answer other than success means; `status` is its Status object, if it has one."""
    message = one_line(str(status.get("message") or ""))
    match code:
        case 0:
            return ClusterUnreachableError("its certificate is not accepted")
        case 401:
            return CredentialsRefusedError()
        case 403:
            if not message or f"cannot {request.verb} resource" in message:
                return ForbiddenError(request.verb, request.resource, request.namespace)
            return InvalidError(message)  # a quota, an admission rule: no role would help
        case 404:
            plain = request.resource.rpartition("/")[2]
            return NotFoundError(plain, request.name, request.namespace)
        case 409:
            exists = status.get("reason") == "AlreadyExists"
            return AlreadyExistsError(message) if exists else ConflictError(message)
        case 410:
            return ExpiredError(message)
        case 429:
            return TooManyRequestsError(retry_after)
        case _ if code >= 500:
            return ClusterUnreachableError(f"error {code}{': ' + message if message else ''}")
        case _:
            return InvalidError(message or f"error {code}")


def _body(error: ApiException) -> dict[str, Any]:
    try:
        status = json.loads(error.body or "{}")
    except (TypeError, ValueError):
        return {}
    return status if isinstance(status, dict) else {}


def _retry_after(error: ApiException) -> float:
    text = (error.headers or {}).get("Retry-After", "")
    return float(text) if text.isdecimal() else 0


def _why(error: Exception) -> str:
    match error:
        case urllib3.exceptions.NameResolutionError():
            return "its name is not known"
        case urllib3.exceptions.NewConnectionError() | ConnectionRefusedError():
            return "connection refused"  # before its base class, which is a timeout
        case urllib3.exceptions.TimeoutError() | TimeoutError():
            return "no answer in time"
        case ValueError():
            return "something else answers in its place"
        case _:
            return "connection lost"
