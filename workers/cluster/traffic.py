"""Services: read, and let pick other pods."""

from __future__ import annotations

from collections.abc import Mapping

from kubernetes import client

from workers.cluster import parse, writes
from workers.cluster.asking import MANAGER, ask
from workers.cluster.port import TrafficWrite
from workers.cluster.seen import TrafficSeen
from workers.cluster.translate import Request

FENCE = "buzzy/fence"
"""An annotation: a label of a Service would be copied to what leads to its pods."""


class TrafficCalls:
    """What a cluster is asked about Services."""

    def __init__(self, api: client.ApiClient) -> None:
        """Nothing is connected before the first call."""
        self._core = client.CoreV1Api(api)

    def traffics(self, namespace: str) -> tuple[TrafficSeen, ...]:
        """All Services of a namespace."""
        request = Request("list", "services", namespace)
        found = ask(request, self._core.list_namespaced_service, namespace)
        return tuple(parse.traffic(item) for item in found["items"])

    def traffic(self, namespace: str, name: str) -> TrafficSeen:
        """One Service."""
        request = Request("get", "services", namespace, name)
        return parse.traffic(ask(request, self._core.read_namespaced_service, name, namespace))

    def write_traffic(self, namespace: str, write: TrafficWrite, *, rehearse: bool = False) -> TrafficSeen:
        """Let a Service pick other pods, unless it was changed since it was read."""
        name = write.service.name
        answer = ask(
            Request("patch", "services", namespace, name),
            self._core.patch_namespaced_service,
            name,
            namespace,
            writes.traffic(write),
            field_manager=MANAGER,
            dry_run="All" if rehearse else None,
        )
        return parse.traffic(answer)

    def make_traffic(
        self,
        namespace: str,
        name: str,
        write: TrafficWrite,
        labels: Mapping[str, str],
        *,
        rehearse: bool = False,
    ) -> None:
        """Make a Service that is like another but for its selector."""
        ask(
            Request("create", "services", namespace, name),
            self._core.create_namespaced_service,
            namespace,
            writes.service(name, write, labels),
            field_manager=MANAGER,
            dry_run="All" if rehearse else None,
        )

    def fence_traffic(self, namespace: str, name: str, mark: str) -> None:
        """Change a Service in nothing but an annotation."""
        ask(
            Request("patch", "services", namespace, name),
            self._core.patch_namespaced_service,
            name,
            namespace,
            {"metadata": {"annotations": {FENCE: mark}}},
            field_manager=MANAGER,
            _content_type="application/merge-patch+json",
        )
