"""What contracts make: as small as Kubernetes takes it."""

from typing import Any

from tests.e2e.contracts.worlds import Json

IMAGE = "buzzybuzz/buzzy-main"
REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"


def deployment(
    tag: str = "3.2.0",
    *,
    name: str = "web",
    annotations: Json | None = None,
    **spec: Any,  # noqa: ANN401 - JSON
) -> Json:
    """A Deployment of three; keywords are fields of its spec."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "annotations": annotations or {}},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container(tag)]}},
        }
        | spec,
    }


def container(tag: str) -> Json:
    """A container whose image's tag says what it does."""
    probe = {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1}
    return {"name": "app", "image": f"{IMAGE}:{tag}", "readinessProbe": probe}


def image(tag: str) -> Json:
    """A patch to another tag."""
    return {"spec": {"template": {"spec": {"containers": [container(tag)]}}}}


def pod(name: str, tag: str) -> Json:
    """A pod of its own."""
    return {"metadata": {"name": name}, "spec": {"containers": [container(tag)]}}


def config_map(name: str = "settings", **data: str) -> Json:
    """A ConfigMap as the workers make it."""
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"app": "web"}}}
    return head | {"data": data or {"key": "value"}, "immutable": True}


def lease(holder: str) -> Json:
    """A Lease with a holder."""
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 30}
    head = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "release"}}
    return head | {"spec": spec}


def job(name: str, tag: str) -> Json:
    """A Job that runs one pod to its end."""
    spec = {"restartPolicy": "Never", "containers": [container(tag)]}
    head = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}}
    return head | {"spec": {"backoffLimit": 0, "template": {"spec": spec}}}
