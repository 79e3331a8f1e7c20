"""The cluster, as the workers need it. Nothing outside this package imports `kubernetes`."""

from workers.cluster.conflicts import despite_conflicts
from workers.cluster.errors import (
    BELIEVED_SECONDS,
    AlreadyExistsError,
    ClusterError,
    ClusterUnknownError,
    ClusterUnreachableError,
    ConflictError,
    CredentialsRefusedError,
    DeniedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooManyRequestsError,
    TransientError,
)
from workers.cluster.parse import amounts
from workers.cluster.port import Cluster, TemplateWrite
from workers.cluster.seen import (
    Condition,
    ContainerSeen,
    DeploymentSeen,
    EventSeen,
    PodSeen,
    QuotaSeen,
    ReplicaSetSeen,
    RolloutSeen,
    Termination,
    Waiting,
)

__all__ = [
    "BELIEVED_SECONDS",
    "AlreadyExistsError",
    "Cluster",
    "ClusterError",
    "ClusterUnknownError",
    "ClusterUnreachableError",
    "Condition",
    "ConflictError",
    "ContainerSeen",
    "CredentialsRefusedError",
    "DeniedError",
    "DeploymentSeen",
    "EventSeen",
    "ForbiddenError",
    "InvalidError",
    "NotFoundError",
    "PodSeen",
    "QuotaSeen",
    "ReplicaSetSeen",
    "RolloutSeen",
    "TemplateWrite",
    "Termination",
    "TooManyRequestsError",
    "TransientError",
    "Waiting",
    "amounts",
    "despite_conflicts",
]
