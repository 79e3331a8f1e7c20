"""Pods: what the API server and its admission plug-ins add to one, and what may change afterwards."""

from sandbox.cluster.errors import Cause, forbidden_value
from sandbox.cluster.kinds.base import Kind
from sandbox.cluster.kinds.podrules import validate_pod_spec
from sandbox.cluster.kinds.podspec import CONTAINER_LISTS, default_pod_spec
from sandbox.cluster.objects import Json, clone, random_suffix

TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
IMMUTABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


class PodKind(Kind):
    """A pod: bound once, run once, its containers fixed apart from their images."""

    def default(self, thing: Json) -> None:
        """Fill in the specification; requests follow the limits."""
        spec = thing["spec"]
        default_pod_spec(spec)
        spec.setdefault("enableServiceLinks", True)
        for field in CONTAINER_LISTS:
            for container in spec.get(field) or []:
                limits = container["resources"].get("limits") or {}
                if limits:
                    container["resources"]["requests"] = limits | (
                        container["resources"].get("requests") or {}
                    )

    def prepare_create(self, thing: Json) -> None:
        """Set what admission adds: service account, its token, tolerations, priority, quality of service."""
        spec = thing["spec"]
        if not spec.get("serviceAccountName"):
            spec["serviceAccountName"] = spec["serviceAccount"] = "default"
        _mount_token(spec)
        tolerations = spec.setdefault("tolerations", [])
        for taint in ("not-ready", "unreachable"):
            key = f"node.kubernetes.io/{taint}"
            if not any(toleration.get("key") == key for toleration in tolerations):
                tolerations.append(
                    {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
                )
        spec.setdefault("priority", 0)
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
        thing["status"] = {"phase": "Pending", "qosClass": _quality_of_service(spec)}

    def validate(self, thing: Json) -> list[Cause]:
        """Check the specification."""
        return validate_pod_spec("spec", thing["spec"])

    def validate_update(self, new: Json, old: Json) -> list[Cause]:
        """Only images, tolerations and the deadline may change."""
        return [] if _fixed_part(new) == _fixed_part(old) else [forbidden_value("spec", IMMUTABLE)]


def _fixed_part(pod: Json) -> Json:
    spec: Json = clone(pod["spec"])
    for field in ("activeDeadlineSeconds", "tolerations", "nodeName"):
        spec.pop(field, None)
    for field in CONTAINER_LISTS:
        for container in spec.get(field) or []:
            container.pop("image", None)
    return spec


def _mount_token(spec: Json) -> None:
    if spec.get("automountServiceAccountToken") is False:
        return
    name = f"kube-api-access-{random_suffix()}"
    mode = {"defaultMode": 420}
    spec.setdefault("volumes", []).append({"name": name, "projected": {"sources": _token_sources()} | mode})
    for field in CONTAINER_LISTS:
        for container in spec.get(field) or []:
            mounts = container.setdefault("volumeMounts", [])
            mounts.append({"name": name, "readOnly": True, "mountPath": TOKEN_MOUNT})


def _token_sources() -> list[Json]:
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    certificate = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": certificate},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
    ]


def _quality_of_service(spec: Json) -> str:
    containers = [container for field in CONTAINER_LISTS for container in spec.get(field) or []]
    sides = [container["resources"] for container in containers]
    if not any(side.get("requests") or side.get("limits") for side in sides):
        return "BestEffort"
    guaranteed = all(
        set(side.get("limits") or {}) >= {"cpu", "memory"} and side.get("requests") == side.get("limits")
        for side in sides
    )
    return "Guaranteed" if guaranteed else "Burstable"
