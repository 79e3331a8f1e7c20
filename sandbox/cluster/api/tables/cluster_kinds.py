"""Columns of what stands around the workloads: services, configuration, nodes, events, leases."""

from sandbox.cluster.api.tables.column import NONE, Column, age, joined, number, pairs, since, wide
from sandbox.cluster.objects import Json, is_deleting, labels_of, name_of

_NAME = Column("Name", name_of, format="name")
_AGE = Column("Age", age)
_ROLE = "node-role.kubernetes.io/"
_SHOWN_ADDRESSES = 3


def _service_ports(service: Json) -> str:
    ports = service["spec"].get("ports") or []
    return joined(
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if port.get("nodePort")
        else f"{port['port']}/{port['protocol']}"
        for port in ports
    )


def _addresses(endpoints: Json) -> str:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in endpoints.get("subsets") or []
        for port in subset.get("ports") or []
        for address in subset.get("addresses") or []
    ]
    more = f" + {len(found) - _SHOWN_ADDRESSES} more..." if len(found) > _SHOWN_ADDRESSES else ""
    return joined(found[:_SHOWN_ADDRESSES]) + more


def _slice_addresses(endpoint_slice: Json) -> str:
    found = [address for end in endpoint_slice.get("endpoints") or [] for address in end["addresses"]]
    more = f" + {len(found) - _SHOWN_ADDRESSES} more..." if len(found) > _SHOWN_ADDRESSES else ""
    return joined(found[:_SHOWN_ADDRESSES], "<unset>") + more


def _node_state(node: Json) -> str:
    ready = any(
        c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions") or []
    )
    return ("Ready" if ready else "NotReady") + (
        ",SchedulingDisabled" if node["spec"].get("unschedulable") else ""
    )


def _node_roles(node: Json) -> str:
    return joined(sorted(label.removeprefix(_ROLE) for label in labels_of(node) if label.startswith(_ROLE)))


def _node_info(field: str) -> Column:
    heading = {"osImage": "OS-Image", "kernelVersion": "Kernel-Version"}.get(field, "Container-Runtime")
    return wide(heading, lambda node: node["status"].get("nodeInfo", {}).get(field, "<unknown>"))


def _event_object(event: Json) -> str:
    about = event["involvedObject"]
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _event_source(event: Json) -> str:
    source = event.get("source") or {}
    return ", ".join(
        filter(None, (source.get("component") or event.get("reportingComponent"), source.get("host")))
    )


def _last_seen(event: Json) -> str:
    last, first = since(event.get("lastTimestamp")), since(event.get("firstTimestamp"))
    return f"{last} (x{event['count']} over {first})" if event.get("count", 1) > 1 else last


def _data_count(thing: Json) -> int:
    return len(thing.get("data") or {}) + len(thing.get("binaryData") or {})


def _target(autoscaler: Json) -> str:
    reference = autoscaler["spec"].get("scaleTargetRef") or {}
    return f"{reference.get('kind', '')}/{reference.get('name', '')}"


COLUMNS: dict[str, tuple[Column, ...]] = {
    "namespaces": (
        _NAME,
        Column("Status", lambda n: "Terminating" if is_deleting(n) else n["status"]["phase"]),
        _AGE,
    ),
    "nodes": (
        _NAME,
        Column("Status", _node_state),
        Column("Roles", _node_roles),
        _AGE,
        Column("Version", lambda node: node["status"].get("nodeInfo", {}).get("kubeletVersion", "")),
        wide("Internal-IP", lambda node: joined(a["address"] for a in node["status"].get("addresses") or [])),
        wide("External-IP", lambda _: NONE),
        _node_info("osImage"),
        _node_info("kernelVersion"),
        _node_info("containerRuntimeVersion"),
    ),
    "services": (
        _NAME,
        Column("Type", lambda service: service["spec"]["type"]),
        Column("Cluster-IP", lambda service: service["spec"].get("clusterIP") or NONE),
        Column("External-IP", lambda service: joined(service["spec"].get("externalIPs") or [])),
        Column("Port(s)", _service_ports),
        _AGE,
        wide("Selector", lambda service: pairs(service["spec"].get("selector"))),
    ),
    "endpoints": (_NAME, Column("Endpoints", _addresses), _AGE),
    "endpointslices": (
        _NAME,
        Column("AddressType", lambda thing: thing["addressType"]),
        Column("Ports", lambda thing: joined((str(p["port"]) for p in thing.get("ports") or []), "<unset>")),
        Column("Endpoints", _slice_addresses),
        _AGE,
    ),
    "configmaps": (_NAME, Column("Data", _data_count), _AGE),
    "secrets": (_NAME, Column("Type", lambda secret: secret["type"]), Column("Data", _data_count), _AGE),
    "serviceaccounts": (_NAME, number("Secrets", lambda account: len(account.get("secrets") or [])), _AGE),
    "leases": (
        _NAME,
        Column("Holder", lambda lease: (lease.get("spec") or {}).get("holderIdentity", "")),
        _AGE,
    ),
    "events": (
        Column("Last Seen", _last_seen),
        Column("Type", lambda event: event.get("type", "")),
        Column("Reason", lambda event: event.get("reason", "")),
        Column("Object", _event_object),
        wide("Subobject", lambda event: event["involvedObject"].get("fieldPath", "")),
        wide("Source", _event_source),
        Column("Message", lambda event: event.get("message", "").strip()),
        wide("First Seen", lambda event: since(event.get("firstTimestamp"))),
        wide("Count", lambda event: event.get("count", 1)),
        Column("Name", name_of, priority=1, format="name"),
    ),
    "resourcequotas": (
        _NAME,
        _AGE,
        Column("Request", lambda quota: pairs(quota["spec"].get("hard"))),
        Column("Limit", lambda _: ""),
    ),
    "horizontalpodautoscalers": (
        _NAME,
        Column("Reference", _target),
        Column("Targets", lambda _: "<unknown>"),
        Column("MinPods", lambda thing: str(thing["spec"].get("minReplicas", 1))),
        Column("MaxPods", lambda thing: thing["spec"]["maxReplicas"]),
        Column("Replicas", lambda thing: thing.get("status", {}).get("currentReplicas", 0)),
        _AGE,
    ),
    "poddisruptionbudgets": (
        _NAME,
        Column("Min Available", lambda thing: str(thing["spec"].get("minAvailable", "N/A"))),
        Column("Max Unavailable", lambda thing: str(thing["spec"].get("maxUnavailable", "N/A"))),
        number("Allowed Disruptions", lambda thing: thing.get("status", {}).get("disruptionsAllowed", 0)),
        _AGE,
    ),
}
