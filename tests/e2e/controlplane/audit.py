"""What was asked of the API server, and by whom, from its audit log."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, order=True)
class Request:
    """A kind of request, in the words of a Role's rules."""

    verb: str
    group: str
    """Empty for the core group."""
    resource: str
    """With its subresource, such as `pods/log`; the path, for what is no resource."""
    namespace: str
    """Empty for what belongs to the whole cluster."""
    was_allowed: bool


def requests_of(user: str, audit_log: Path) -> set[Request]:
    """Return the different kinds of requests that a user has made so far.

    Args:
        user: As the API server knows it: for a service account `system:serviceaccount:<namespace>:<name>`.
        audit_log: The log of the API server.
    """
    with audit_log.open(encoding="utf-8") as lines:
        entries = [_entry(line) for line in lines]
    return {_request(entry) for entry in entries if entry and entry["user"].get("username") == user}


def _entry(line: str) -> dict[str, Any] | None:
    """One entry; None for a line that is still being written, or that was when the server was killed."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return entry


def _request(entry: dict[str, Any]) -> Request:
    about = entry.get("objectRef")
    about = about if isinstance(about, dict) else {"resource": str(entry["requestURI"]).partition("?")[0]}
    resource = "/".join(part for part in (about.get("resource"), about.get("subresource")) if part)
    annotations = entry.get("annotations")
    decision = annotations.get("authorization.k8s.io/decision") if isinstance(annotations, dict) else None
    where = about.get("apiGroup", ""), resource, about.get("namespace", "")
    return Request(str(entry["verb"]), *where, was_allowed=decision == "allow")
