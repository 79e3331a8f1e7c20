"""The bodies of what Buzzy writes to Deployments and Services. Pure.

Each patch of one names the version that it was decided from, so that the server refuses it, with 409, once
the object has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.cluster.port import DeploymentMade, TemplateWrite, TrafficWrite
from workers.cluster.seen import AutoscalerSeen, Json

Patch = list[dict[str, Any]]


def template(write: TemplateWrite) -> Patch:
    """Replaces the whole template: a merge would keep what the template before had and this one has not."""
    deployment = write.deployment
    patch = _decided_from(deployment.resource_version)
    patch.append({"op": "replace", "path": "/spec/template", "value": write.template})
    if write.replicas is not None:
        patch.append({"op": "replace", "path": "/spec/replicas", "value": write.replicas})
    gone = [key for key in write.without if key in deployment.annotations]
    return patch + _annotated(deployment.annotations, write.annotations, gone)


def traffic(write: TrafficWrite) -> Patch:
    """Replaces the whole selector, in one write: nobody may see half of it."""
    service = write.service
    patch = _decided_from(service.resource_version)
    patch.append({"op": "replace", "path": "/spec/selector", "value": dict(write.selector)})
    return patch + _annotated(service.annotations, write.annotations, [])


def autoscaler(seen: AutoscalerSeen, scales: str) -> Patch:
    """Replaces the name of what it scales."""
    patch = _decided_from(seen.resource_version)
    return [*patch, {"op": "replace", "path": "/spec/scaleTargetRef/name", "value": scales}]


def deployment(made: DeploymentMade) -> Json:
    """A Deployment like another."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": made.name,
            "labels": {**_own(made.like.labels), **made.match_labels},
            "annotations": dict(made.annotations),
        },
        "spec": {
            **made.like.manners,
            "replicas": made.replicas,
            "selector": {"matchLabels": dict(made.match_labels)},
            "template": made.template,
        },
    }


def service(name: str, write: TrafficWrite, labels: Mapping[str, str]) -> Json:
    """A Service like another, inside the cluster only."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": dict(labels), "annotations": dict(write.annotations)},
        "spec": {"selector": dict(write.selector), "ports": list(write.service.ports)},
    }


def _own(labels: Mapping[str, str]) -> dict[str, str]:
    """Without what Buzzy has noted on that one."""
    return {key: value for key, value in labels.items() if not key.startswith("buzzy/fence")}


def _decided_from(version: str) -> Patch:
    return [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}]


def _annotated(there: Mapping[str, str], wanted: Mapping[str, str], gone: list[str]) -> Patch:
    patch: Patch = [] if there else [{"op": "add", "path": "/metadata/annotations", "value": {}}]
    patch += [{"op": "add", "path": _annotation(key), "value": value} for key, value in wanted.items()]
    return patch + [{"op": "remove", "path": _annotation(key)} for key in gone]


def _annotation(key: str) -> str:
    return f"/metadata/annotations/{key.replace('/', '~1')}"  # JSON Pointer's way; a key has no tilde
