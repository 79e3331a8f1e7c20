"""What stands in a cluster before anybody comes: namespaces, nodes, and the API's own service."""

from sandbox.cluster.objects import Json
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import NAMESPACES, NODES, SERVICES

NODE_COUNT = 3
CAPACITY = {"cpu": "8", "memory": "16Gi", "pods": "110", "ephemeral-storage": "100Gi"}
KUBELET_VERSION = "v1.37.2"


def furnish(registry: Registry) -> None:
    """Set up an empty cluster."""
    for name in ("default", "kube-node-lease", "kube-public", "kube-system"):
        thing = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        registry.create(NAMESPACES, thing, manager="kube-apiserver")
    for number in range(1, NODE_COUNT + 1):
        node = _node(f"sandbox-{number}")
        made = registry.create(NODES, node, manager="kubelet")
        status = _node_status(f"10.0.0.{number}", made["metadata"]["creationTimestamp"])
        registry.update(NODES, {**made, "status": status}, manager="kubelet", subresource="status")
    port = {"name": "https", "port": 443, "targetPort": 6443}
    metadata = {"name": "kubernetes", "namespace": "default"}
    metadata_labels = {"labels": {"component": "apiserver", "provider": "kubernetes"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata | metadata_labels}
    registry.create(
        SERVICES, service | {"spec": {"clusterIP": "10.96.0.1", "ports": [port]}}, manager="kube-apiserver"
    )


def _node(name: str) -> Json:
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node-role.kubernetes.io/worker": "",
    }
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}}


def _node_status(address: str, since: str) -> Json:
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
        "lastHeartbeatTime": since,
        "lastTransitionTime": since,
    }
    return {
        "capacity": CAPACITY,
        "allocatable": CAPACITY,
        "conditions": [condition],
        "addresses": [{"type": "InternalIP", "address": address}],
        "nodeInfo": {
            "kubeletVersion": KUBELET_VERSION,
            "kubeProxyVersion": KUBELET_VERSION,
            "containerRuntimeVersion": "containerd://1.7.27",
            "osImage": "Debian GNU/Linux 12 (bookworm)",
            "kernelVersion": "6.1.0",
            "operatingSystem": "linux",
            "architecture": "amd64",
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
        },
    }
