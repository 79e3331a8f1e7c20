"""Services, and what else looks at the pods that they pick: read, and let look at others."""

from __future__ import annotations

from collections.abc import Mapping

from kubernetes import client

from workers.cluster import parse, writes
from workers.cluster.asking import MANAGER, ask
from workers.cluster.port import TrafficWrite
from workers.cluster.seen import AutoscalerSeen, BudgetSeen, TrafficSeen
from workers.cluster.translate import Request

FENCE = "buzzy/fence"
"""An annotation: a label of a Service would be copied to what leads to its pods."""


class TrafficCalls:
    """What a cluster is asked about them."""

    def __init__(self, api: client.ApiClient) -> None:
        """Nothing is connected before the first call."""
        self._core = client.CoreV1Api(api)
        self._scaling = client.AutoscalingV2Api(api)
        self._policy = client.PolicyV1Api(api)

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

    def autoscalers(self, namespace: str) -> tuple[AutoscalerSeen, ...]:
        """All HorizontalPodAutoscalers of a namespace."""
        request = Request("list", "autoscaling/horizontalpodautoscalers", namespace)
        found = ask(request, self._scaling.list_namespaced_horizontal_pod_autoscaler, namespace)
        return tuple(parse.autoscaler(item) for item in found["items"])

    def write_autoscaler(
        self, namespace: str, seen: AutoscalerSeen, scales: str, *, rehearse: bool = False
    ) -> None:
        """Let one scale another Deployment, unless it was changed since it was read."""
        ask(
            Request("patch", "autoscaling/horizontalpodautoscalers", namespace, seen.name),
            self._scaling.patch_namespaced_horizontal_pod_autoscaler,
            seen.name,
            namespace,
            writes.autoscaler(seen, scales),
            field_manager=MANAGER,
            dry_run="All" if rehearse else None,
        )

    def fence_autoscaler(self, namespace: str, name: str, mark: str) -> None:
        """Change an autoscaler in nothing but an annotation."""
        ask(
            Request("patch", "autoscaling/horizontalpodautoscalers", namespace, name),
            self._scaling.patch_namespaced_horizontal_pod_autoscaler,
            name,
            namespace,
            {"metadata": {"annotations": {FENCE: mark}}},
            field_manager=MANAGER,
            _content_type="application/merge-patch+json",
        )

    def budgets(self, namespace: str) -> tuple[BudgetSeen, ...]:
        """All PodDisruptionBudgets of a namespace."""
        request = Request("list", "policy/poddisruptionbudgets", namespace)
        found = ask(request, self._policy.list_namespaced_pod_disruption_budget, namespace)
        return tuple(parse.budget(item) for item in found["items"])

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
