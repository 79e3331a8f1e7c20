"""Which lists and maps of an object are merged item by item, and which are replaced as a whole.

Facts of Kubernetes' schema. Strategic merge and server-side apply each have their own list keys: a container
port is found by its number in the first, by number and protocol in the second.
"""

from sandbox.cluster.objects import Json

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "secrets": "name",
    "hostAliases": "ip",
    "podIPs": "ip",
    "topologySpreadConstraints": "topologyKey",
    "conditions": "type",
    "addresses": "type",
    "ownerReferences": "uid",
}
MERGED_PRIMITIVES = frozenset({"finalizers"})
ATOMIC_MAPS = frozenset(
    {
        "selector",
        "labelSelector",
        "nodeSelector",
        "fieldRef",
        "resourceFieldRef",
        "configMapKeyRef",
        "secretKeyRef",
        "involvedObject",
        "targetRef",
        "scaleTargetRef",
    }
)
_ATOMIC_FOR_APPLY = {"EndpointSlice": {"ports"}, "Endpoints": {"ports", "addresses"}, "Job": {"conditions"}}
_APPLY_KEYS = {"topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable")}
_KEY_DEFAULTS = {"protocol": "TCP", "whenUnsatisfiable": "DoNotSchedule"}


def merge_key(kind: str, field: str) -> str | None:
    """Return the field by which strategic merge finds an item of a list; None where lists are replaced."""
    if field == "ports":
        return {"Service": "port", "EndpointSlice": None, "Endpoints": None}.get(kind, "containerPort")
    return MERGE_KEYS.get(field)


def apply_keys(kind: str, field: str) -> tuple[str, ...]:
    """Return the fields by which server-side apply finds an item of a list; empty where lists are atomic."""
    if field in _ATOMIC_FOR_APPLY.get(kind, ()):
        return ()
    if field in _APPLY_KEYS:
        return _APPLY_KEYS[field]
    key = merge_key(kind, field)
    if field == "ports" and key:
        return (key, "protocol")
    return (key,) if key else ()


def key_of(item: Json, keys: tuple[str, ...]) -> Json:
    """Return the part of a list item that names it, with what a client may leave out."""
    return {key: item.get(key, _KEY_DEFAULTS.get(key)) for key in sorted(keys)}
