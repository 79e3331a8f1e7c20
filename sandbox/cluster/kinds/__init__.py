"""What the API server knows about each kind: defaults, rules, and the parts that only it may write."""

from sandbox.cluster.kinds.base import Kind
from sandbox.cluster.kinds.plain import (
    AutoscalerKind,
    ConfigMapKind,
    DisruptionBudgetKind,
    EventKind,
    LeaseKind,
    NamespaceKind,
    QuotaKind,
    SecretKind,
    ServiceKind,
)
from sandbox.cluster.kinds.pods import PodKind
from sandbox.cluster.kinds.workloads import DeploymentKind, JobKind, ReplicaSetKind
from sandbox.cluster.resources import (
    AUTOSCALERS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    EVENTS,
    JOBS,
    LEASES,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    RESOURCE_QUOTAS,
    SECRETS,
    SERVICES,
)

__all__ = ["Kind", "new_kinds"]


def new_kinds() -> dict[str, Kind]:
    """Return the rules of every kind that has its own, by qualified resource name."""
    return {
        NAMESPACES.qualified: NamespaceKind(),
        PODS.qualified: PodKind(),
        SERVICES.qualified: ServiceKind(),
        CONFIG_MAPS.qualified: ConfigMapKind(),
        SECRETS.qualified: SecretKind(),
        RESOURCE_QUOTAS.qualified: QuotaKind(),
        DEPLOYMENTS.qualified: DeploymentKind(),
        REPLICA_SETS.qualified: ReplicaSetKind(),
        JOBS.qualified: JobKind(),
        LEASES.qualified: LeaseKind(),
        AUTOSCALERS.qualified: AutoscalerKind(),
        DISRUPTION_BUDGETS.qualified: DisruptionBudgetKind(),
        EVENTS.qualified: EventKind(),
    }
