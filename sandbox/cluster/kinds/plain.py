"""The kinds without a controller of consequence: configuration, services, namespaces, leases, budgets."""

import base64
import itertools
import re

from sandbox.cluster.errors import Cause, forbidden_value, invalid_value, required
from sandbox.cluster.kinds.base import Kind
from sandbox.cluster.objects import Json, name_of
from sandbox.cluster.quantities import canonical_quantities

WHOLE_SECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
MICRO_TIME = WHOLE_SECONDS + r"\.\d{6}(Z|[+-]\d\d:\d\d)"
SEALED = "field is immutable when `immutable` is set"
KEY_MESSAGE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


class NamespaceKind(Kind):
    """A namespace: goes only when its content has gone."""

    def default(self, thing: Json) -> None:
        """A namespace can be selected by its name."""
        labels = thing["metadata"].setdefault("labels", {})
        labels["kubernetes.io/metadata.name"] = name_of(thing)
        thing.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])

    def prepare_create(self, thing: Json) -> None:
        """A new namespace is open."""
        thing["status"] = {"phase": "Active"}

    def prepare_update(self, new: Json, old: Json) -> None:
        """Only the namespace controller takes the finalizer away, through the subresource."""
        new["spec"] = old["spec"]


class ConfigMapKind(Kind):
    """A config map, which can be sealed."""

    def default(self, thing: Json) -> None:
        """Values are texts; another kind of value cannot be read at all."""
        for value in (thing.get("data") or {}).values():
            if not isinstance(value, str):
                kind = {bool: "bool", int: "number", float: "number", list: "array"}.get(
                    type(value), "object"
                )
                raise TypeError(
                    f"json: cannot unmarshal {kind} into Go struct field ConfigMap.data of type string"
                )

    def validate(self, thing: Json) -> list[Cause]:
        """Keys are file names."""
        return _key_causes("data", thing.get("data")) + _key_causes("binaryData", thing.get("binaryData"))

    def validate_update(self, new: Json, old: Json) -> list[Cause]:
        """Once immutable, always immutable."""
        return _sealed_causes(new, old, ("data", "binaryData"))


class SecretKind(Kind):
    """A secret; stringData is a way of writing only."""

    def default(self, thing: Json) -> None:
        """Encode what came as plain text."""
        thing.setdefault("type", "Opaque")
        for key, value in (thing.pop("stringData", None) or {}).items():
            thing.setdefault("data", {})[key] = base64.b64encode(str(value).encode()).decode()
        for value in (thing.get("data") or {}).values():
            good = re.match(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", value)
            if good and good.end() != len(value):
                raise ValueError(f"illegal base64 data at input byte {good.end()}")

    def validate(self, thing: Json) -> list[Cause]:
        """Keys are file names."""
        return _key_causes("data", thing.get("data"))

    def validate_update(self, new: Json, old: Json) -> list[Cause]:
        """A secret keeps its type, and a sealed one its data."""
        causes = _sealed_causes(new, old, ("data",))
        if new["type"] != old["type"]:
            causes.append(invalid_value("type", new["type"], "field is immutable"))
        return causes


class ServiceKind(Kind):
    """A service: a stable address in front of pods."""

    def __init__(self) -> None:
        self._addresses = itertools.count(2)
        self._node_ports = itertools.count(30_000)

    def default(self, thing: Json) -> None:
        """Fill in type and ports."""
        spec = thing["spec"]
        spec.setdefault("type", "ClusterIP")
        spec.setdefault("sessionAffinity", "None")
        for port in spec.get("ports") or []:
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port.get("port"))
        if spec["type"] != "ExternalName":
            spec.setdefault("ipFamilies", ["IPv4"])
            spec.setdefault("ipFamilyPolicy", "SingleStack")
            spec.setdefault("internalTrafficPolicy", "Cluster")
        if spec["type"] in {"NodePort", "LoadBalancer"}:
            spec.setdefault("externalTrafficPolicy", "Cluster")

    def prepare_create(self, thing: Json) -> None:
        """Give the service its address."""
        self._allocate(thing["spec"])
        thing["status"] = {"loadBalancer": {}}

    def prepare_update(self, new: Json, old: Json) -> None:
        """An update that does not name the address keeps it."""
        for field in ("clusterIP", "clusterIPs"):
            if not new["spec"].get(field) and field in old["spec"]:
                new["spec"][field] = old["spec"][field]
        self._allocate(new["spec"])

    def validate(self, thing: Json) -> list[Cause]:
        """A service needs ports, unless it is headless or only another name."""
        spec = thing["spec"]
        ports = spec.get("ports") or []
        causes = [] if ports or spec["type"] == "ExternalName" else [required("spec.ports")]
        for index, port in enumerate(ports):
            if len(ports) > 1 and not port.get("name"):
                causes.append(required(f"spec.ports[{index}].name"))
            if not 0 < int(port.get("port") or 0) <= 65_535:
                message = "must be between 1 and 65535, inclusive"
                causes.append(invalid_value(f"spec.ports[{index}].port", port.get("port", 0), message))
        return causes

    def validate_update(self, new: Json, old: Json) -> list[Cause]:
        """The address stays."""
        before, after = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
        if before and after != before:
            return [
                invalid_value("spec.clusterIPs[0]", new["spec"].get("clusterIPs"), "may not change once set")
            ]
        return []

    def _allocate(self, spec: Json) -> None:
        if spec["type"] == "ExternalName":
            return
        if not spec.get("clusterIP"):
            number = next(self._addresses)
            spec["clusterIP"] = f"10.96.{number // 250}.{number % 250 + 1}"
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
        if spec["type"] in {"NodePort", "LoadBalancer"}:
            for port in spec.get("ports") or []:
                port.setdefault("nodePort", next(self._node_ports))


class LeaseKind(Kind):
    """A lease: who holds something, and since when."""

    def default(self, thing: Json) -> None:
        """Times without a fraction of six digits cannot be read at all."""
        for field in ("acquireTime", "renewTime"):
            text = (thing.get("spec") or {}).get(field)
            if text is not None and not re.fullmatch(MICRO_TIME, text):
                rest = re.sub(WHOLE_SECONDS, "", text)
                raise ValueError(
                    f'parsing time "{text}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "{rest}" as '
                    '".000000"'
                )

    def validate(self, thing: Json) -> list[Cause]:
        """Numbers of a lease make sense."""
        spec = thing.get("spec") or {}
        causes = []
        duration = spec.get("leaseDurationSeconds")
        if duration is not None and duration <= 0:
            causes.append(invalid_value("spec.leaseDurationSeconds", duration, "must be greater than 0"))
        if (spec.get("leaseTransitions") or 0) < 0:
            message = "must be greater than or equal to 0"
            causes.append(invalid_value("spec.leaseTransitions", spec["leaseTransitions"], message))
        return causes


class EventKind(Kind):
    """An event; what it leaves out is there as nothing."""

    def default(self, thing: Json) -> None:
        """Write the fields that are always there."""
        for field in ("eventTime", "firstTimestamp", "lastTimestamp"):
            thing.setdefault(field, None)
        for field in ("reportingComponent", "reportingInstance"):
            thing.setdefault(field, "")
        thing.setdefault("source", {})


class DisruptionBudgetKind(Kind):
    """A disruption budget: stored, it holds nothing back."""

    def prepare_create(self, thing: Json) -> None:
        """Nothing has been counted."""
        counts = ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")
        thing["status"] = dict.fromkeys(counts, 0)


class QuotaKind(Kind):
    """A resource quota: stored, not enforced."""

    def default(self, thing: Json) -> None:
        """Write quantities in the server's form."""
        spec = thing.setdefault("spec", {})
        if spec.get("hard"):
            spec["hard"] = canonical_quantities(spec["hard"])


class AutoscalerKind(Kind):
    """A horizontal autoscaler: stored, it scales nothing."""

    def default(self, thing: Json) -> None:
        """At least one replica, and most of the processor in use."""
        spec = thing["spec"]
        spec.setdefault("minReplicas", 1)
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": 80}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]

    def prepare_create(self, thing: Json) -> None:
        """Nothing has been measured."""
        thing["status"] = {"currentMetrics": None, "desiredReplicas": 0}

    def validate(self, thing: Json) -> list[Cause]:
        """The upper bound must be there."""
        if (thing["spec"].get("maxReplicas") or 0) < 1:
            message = "must be greater than 0"
            return [invalid_value("spec.maxReplicas", thing["spec"].get("maxReplicas", 0), message)]
        return []


def _key_causes(field: str, data: Json | None) -> list[Cause]:
    bad = [key for key in data or {} if not re.fullmatch(r"[-._a-zA-Z0-9]+", key)]
    return [invalid_value(f"{field}[{key}]", key, KEY_MESSAGE) for key in bad]


def _sealed_causes(new: Json, old: Json, fields: tuple[str, ...]) -> list[Cause]:
    if not old.get("immutable"):
        return []
    causes = [] if new.get("immutable") else [forbidden_value("immutable", SEALED)]
    return causes + [forbidden_value(f, SEALED) for f in fields if (new.get(f) or {}) != (old.get(f) or {})]
