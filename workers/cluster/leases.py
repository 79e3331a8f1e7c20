"""A Lease as it is written. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from workers.cluster.port import LeaseWrite
from workers.cluster.seen import Json


def body(metadata: Json, write: LeaseWrite) -> Json:
    """The whole object, as it is created or put in the place of what was read."""
    annotations = {**(metadata.get("annotations") or {}), **write.annotations}
    spec: dict[str, Any] = {
        "leaseDurationSeconds": int(write.lasts.total_seconds()),
        "acquireTime": _micro_time(write.acquired_at),
        "renewTime": _micro_time(write.renewed_at),
        "leaseTransitions": write.transitions,
    }
    if write.holder:
        spec["holderIdentity"] = write.holder
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {**metadata, "annotations": annotations},
        "spec": spec,
    }


def _micro_time(at: datetime) -> str:
    """Kubernetes' MicroTime, which has a fraction of six digits.

    The client makes a time of our text and leaves a fraction of zero out, which the server does not take: a
    microsecond more hurts nobody.
    """
    return max(at, at.replace(microsecond=1)).astimezone(UTC).isoformat()
