"""Defaults of a pod's specification, wherever it stands: in a Pod, or in the template of a workload."""

from typing import Any

from sandbox.cluster.objects import Json
from sandbox.cluster.quantities import canonical_quantities

CONTAINER_LISTS = ("initContainers", "containers")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def default_pod_spec(spec: Json) -> None:
    """Fill in what a pod specification leaves out."""
    for field in CONTAINER_LISTS:
        for container in spec.get(field) or []:
            _default_container(container)
    for volume in spec.get("volumes") or []:
        _default_volume(volume)
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account


def pull_policy(image: str) -> str:
    """Return how often an image is pulled when nobody says: always when its tag can move."""
    name = image.rpartition("/")[2]
    if "@" in name:
        return "IfNotPresent"
    tag = name.partition(":")[2] or "latest"
    return "Always" if tag == "latest" else "IfNotPresent"


def _default_container(container: Json) -> None:
    container.setdefault("resources", {})
    for field in ("limits", "requests"):
        if isinstance(container["resources"].get(field), dict):
            container["resources"][field] = canonical_quantities(container["resources"][field])
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", pull_policy(container.get("image", "")))
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or []:
        _default_variable(variable)
    for probe in PROBES:
        if container.get(probe):
            _default_probe(container[probe])
    for hook in (container.get("lifecycle") or {}).values():
        _default_http_get(hook)


def _default_variable(variable: Json) -> None:
    source = variable.get("valueFrom") or {}
    if "fieldRef" in source:
        source["fieldRef"].setdefault("apiVersion", "v1")
    if "resourceFieldRef" in source:
        source["resourceFieldRef"].setdefault("divisor", "0")


def _default_probe(probe: Json) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)
    _default_http_get(probe)


def _default_http_get(handler: Json) -> None:
    if handler.get("httpGet"):
        handler["httpGet"].setdefault("path", "/")
        handler["httpGet"].setdefault("scheme", "HTTP")


def _default_volume(volume: Json) -> None:
    sources: dict[str, dict[str, Any]] = {
        "configMap": {"defaultMode": 420},
        "secret": {"defaultMode": 420},
        "projected": {"defaultMode": 420},
        "downwardAPI": {"defaultMode": 420},
        "hostPath": {"type": ""},
    }
    for source, defaults in sources.items():
        if source in volume:
            volume[source] = defaults | (volume[source] or {})
    if not set(volume) - {"name"}:
        volume["emptyDir"] = {}
