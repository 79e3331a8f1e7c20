"""Rules of a pod's specification: what a client may not write."""

from sandbox.cluster.errors import Cause, duplicate, invalid_value, required, unsupported
from sandbox.cluster.kinds.metadata import LABEL_MESSAGE, is_label
from sandbox.cluster.kinds.podspec import CONTAINER_LISTS, PROBES
from sandbox.cluster.objects import Json
from sandbox.cluster.quantities import parse_quantity

RESTART_POLICIES = ("Always", "OnFailure", "Never")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
HIGHEST_PORT = 65_535


def validate_pod_spec(
    path: str, spec: Json, restart_policies: tuple[str, ...] = RESTART_POLICIES
) -> list[Cause]:
    """Check a pod specification that stands at `path` of its object."""
    causes = [] if spec.get("containers") else [required(f"{path}.containers")]
    volumes = [volume.get("name") for volume in spec.get("volumes") or []]
    names: list[str] = []
    for field in CONTAINER_LISTS:
        for index, container in enumerate(spec.get(field) or []):
            where = f"{path}.{field}[{index}]"
            causes += _container_causes(where, container, volumes)
            if container.get("name") in names:
                causes.append(duplicate(f"{where}.name", container["name"]))
            names.append(container.get("name", ""))
    if spec.get("restartPolicy") not in restart_policies:
        causes.append(unsupported(f"{path}.restartPolicy", spec.get("restartPolicy"), restart_policies))
    return causes


def _container_causes(where: str, container: Json, volumes: list[str | None]) -> list[Cause]:
    name, image = container.get("name", ""), container.get("image", "")
    causes = []
    if not name:
        causes.append(required(f"{where}.name"))
    elif not is_label(name):
        causes.append(invalid_value(f"{where}.name", name, LABEL_MESSAGE))
    if not image:
        causes.append(required(f"{where}.image"))
    elif image != image.strip():
        causes.append(invalid_value(f"{where}.image", image, "must not have leading or trailing whitespace"))
    if container.get("imagePullPolicy") not in PULL_POLICIES:
        causes.append(unsupported(f"{where}.imagePullPolicy", container["imagePullPolicy"], PULL_POLICIES))
    for index, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes:
            said = f'Not found: "{mount.get("name", "")}"'
            causes.append(Cause("FieldValueNotFound", f"{where}.volumeMounts[{index}].name", said))
    return (
        causes
        + _port_causes(where, container)
        + _probe_causes(where, container)
        + _resource_causes(where, container)
    )


def _port_causes(where: str, container: Json) -> list[Cause]:
    causes = []
    for index, port in enumerate(container.get("ports") or []):
        field = f"{where}.ports[{index}]"
        number = port.get("containerPort", 0)
        if not number:
            causes.append(required(f"{field}.containerPort"))
        elif not 0 < number <= HIGHEST_PORT:
            message = "must be between 1 and 65535, inclusive"
            causes.append(invalid_value(f"{field}.containerPort", number, message))
        if port.get("protocol") not in PROTOCOLS:
            causes.append(unsupported(f"{field}.protocol", port.get("protocol"), PROTOCOLS))
    return causes


def _probe_causes(where: str, container: Json) -> list[Cause]:
    causes = []
    for name in PROBES:
        probe = container.get(name)
        if not probe:
            continue
        if not any(handler in probe for handler in ("httpGet", "exec", "tcpSocket", "grpc")):
            causes.append(required(f"{where}.{name}", "must specify a handler type"))
        if "httpGet" in probe and not probe["httpGet"].get("port"):
            message = "must be between 1 and 65535, inclusive"
            causes.append(
                invalid_value(f"{where}.{name}.httpGet.port", probe["httpGet"].get("port", 0), message)
            )
    return causes


def _resource_causes(where: str, container: Json) -> list[Cause]:
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    return [
        invalid_value(
            f"{where}.resources.requests",
            value,
            f"must be less than or equal to {name} limit of {limits[name]}",
        )
        for name, value in requests.items()
        if name in limits and parse_quantity(value) > parse_quantity(limits[name])
    ]
