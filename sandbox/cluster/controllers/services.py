"""Endpoints and endpoint slices: which pods a service sends its traffic to."""

from collections.abc import Iterable

from sandbox.cluster.controllers.base import Controller, Key, key_of
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.errors import ApiError
from sandbox.cluster.objects import (
    Json,
    condition_of,
    is_controlled_by,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from sandbox.cluster.resources import ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES, Resource
from sandbox.cluster.store import Change

MANAGER = "kube-controller-manager"


class EndpointsController(Controller):
    """Keeps the addresses behind every service that has a selector."""

    resource = SERVICES

    def keys_for(self, change: Change) -> Iterable[Key]:
        """A service is concerned by the pods that it selects, or selected before."""
        if change.resource != PODS:
            return super().keys_for(change)
        states = [labels_of(pod) for pod in (change.object, change.before) if pod]
        services = self.store.listing(SERVICES, namespace_of(change.object))
        return [
            key_of(service) for service in services if any(_selects(service, labels) for labels in states)
        ]

    def sync(self, key: Key) -> None:
        """Write the addresses of one service, in the old form and the new."""
        service = self.store.get(SERVICES, *key)
        if service is None:
            if self.store.get(ENDPOINTS, *key) is not None:
                self.registry.delete(ENDPOINTS, *key, DeleteOptions())
            return
        if not service["spec"].get("selector") or is_deleting(service):
            return
        pods = [pod for pod in self.store.listing(PODS, key[0]) if _selects(service, labels_of(pod))]
        pods = [pod for pod in pods if pod["status"].get("podIP")]
        self._write_endpoints(service, [pod for pod in pods if not is_deleting(pod)])
        self._write_slice(service, pods)

    def _write_endpoints(self, service: Json, pods: list[Json]) -> None:
        subset: Json = {}
        for field, wanted in (("addresses", True), ("notReadyAddresses", False)):
            addresses = [_address(pod) for pod in pods if _is_ready(pod) == wanted]
            if addresses:
                subset[field] = addresses
        if subset:
            subset["ports"] = [_port(port, pods) for port in service["spec"].get("ports") or []]
        content: Json = {"subsets": [subset]} if subset else {}
        labels = labels_of(service) | {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
        old = self.store.get(ENDPOINTS, *key_of(service))
        metadata: Json = {"name": name_of(service), "namespace": namespace_of(service)}
        kind = {"apiVersion": "v1", "kind": "Endpoints"}
        self._write(ENDPOINTS, old, kind | content, metadata, labels | _headless(service))

    def _write_slice(self, service: Json, pods: list[Json]) -> None:
        ports = [
            _port(port, pods) | {"name": port.get("name", "")} for port in service["spec"].get("ports") or []
        ]
        labels = labels_of(service) | {
            "kubernetes.io/service-name": name_of(service),
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        }
        thing: Json = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"}
        thing |= {"endpoints": [_endpoint(pod) for pod in pods], "ports": ports if pods else []}
        known = self.store.listing(ENDPOINT_SLICES, namespace_of(service))
        old = next((found for found in known if is_controlled_by(found, service)), None)
        metadata: Json = {"generateName": f"{name_of(service)}-", "namespace": namespace_of(service)}
        metadata["ownerReferences"] = [owner_reference(service)]
        self._write(ENDPOINT_SLICES, old, thing, metadata, labels | _headless(service))

    def _write(
        self, resource: Resource, old: Json | None, content: Json, metadata: Json, labels: dict[str, str]
    ) -> None:
        """Store the addresses of a service."""
        content = {name: value for name, value in content.items() if value != []}
        new = {**content, "metadata": {**(old["metadata"] if old else metadata), "labels": labels}}
        if old is not None:
            self.registry.update(resource, new, manager=MANAGER)
            return
        try:
            self.registry.create(resource, new, manager=MANAGER)
        except ApiError as error:
            if error.reason != "Forbidden":  # the namespace is going
                raise


def _headless(service: Json) -> dict[str, str]:
    return {"service.kubernetes.io/headless": ""} if service["spec"].get("clusterIP") == "None" else {}


def _selects(service: Json, labels: dict[str, str]) -> bool:
    selector = service["spec"].get("selector") or {}
    return bool(selector) and selector.items() <= labels.items()


def _is_ready(pod: Json) -> bool:
    ready = condition_of(pod, "Ready")
    return ready is not None and ready["status"] == "True"


def _target(pod: Json) -> Json:
    return {"kind": "Pod", "namespace": namespace_of(pod), "name": name_of(pod), "uid": uid_of(pod)}


def _address(pod: Json) -> Json:
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _target(pod)}


def _endpoint(pod: Json) -> Json:
    ready, going = _is_ready(pod), is_deleting(pod)
    conditions = {"ready": ready and not going, "serving": ready, "terminating": going}
    shown: Json = {"addresses": [pod["status"]["podIP"]], "conditions": conditions}
    return shown | {"nodeName": pod["spec"]["nodeName"], "targetRef": _target(pod)}


def _port(port: Json, pods: list[Json]) -> Json:
    """Return a service's port as the pods have it: a name is looked up in their containers."""
    wanted = port.get("targetPort", port["port"])
    containers = [container for pod in pods[:1] for container in pod["spec"]["containers"]]
    named = [p["containerPort"] for c in containers for p in c.get("ports") or [] if p.get("name") == wanted]
    number = named[0] if named else wanted
    shown = {"port": number if isinstance(number, int) else port["port"], "protocol": port["protocol"]}
    return ({"name": port["name"]} if port.get("name") else {}) | shown
