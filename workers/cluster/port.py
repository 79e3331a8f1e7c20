"""What the workers ask of a cluster: exactly these calls, and no others need rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from workers.cluster.seen import (
    DeploymentSeen,
    EventSeen,
    Json,
    PodSeen,
    QuotaSeen,
    ReplicaSetSeen,
    RolloutSeen,
)


@dataclass(frozen=True)
class TemplateWrite:
    """A pod template to write, and the state of the Deployment from which that was decided."""

    deployment: DeploymentSeen
    template: Json
    annotations: Mapping[str, str] = field(default_factory=dict)


class Cluster(Protocol):
    """A Kubernetes cluster. Every call is bounded in time and raises `ClusterError`s only."""

    def version(self) -> str:
        """Which Kubernetes it is, such as `v1.29.4`; everybody who is known to a cluster may ask that."""
        ...

    def deployments(self, namespace: str) -> tuple[DeploymentSeen, ...]:
        """All Deployments of a namespace; none when there is no such namespace."""
        ...

    def replica_sets(self, namespace: str) -> tuple[ReplicaSetSeen, ...]:
        """All ReplicaSets of a namespace that a Deployment owns."""
        ...

    def pods(self, namespace: str) -> tuple[PodSeen, ...]:
        """All pods of a namespace that a ReplicaSet owns."""
        ...

    def deployment(self, namespace: str, name: str) -> DeploymentSeen:
        """One Deployment. Raises `NotFoundError`."""
        ...

    def write_template(
        self, namespace: str, write: TemplateWrite, *, rehearse: bool = False
    ) -> DeploymentSeen:
        """Give a Deployment another pod template and annotations, unless it was changed since it was read.

        With `rehearse` nothing is stored: the answer is what would be. Raises `ConflictError`.
        """
        ...

    def quotas(self, namespace: str) -> tuple[QuotaSeen, ...]:
        """All quotas of a namespace."""
        ...

    def config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        """The data of a ConfigMap. Raises `NotFoundError`."""
        ...

    def create_config_map(
        self,
        namespace: str,
        name: str,
        data: Mapping[str, str],
        labels: Mapping[str, str],
        *,
        rehearse: bool = False,
    ) -> None:
        """Create a ConfigMap that can never be changed. Raises `AlreadyExistsError`."""
        ...

    def warnings(self, namespace: str, pod: str) -> tuple[EventSeen, ...]:
        """The cluster's warnings about a pod, the newest last."""
        ...

    def log(self, namespace: str, pod: str, container: str, *, lines: int, previous: bool) -> tuple[str, ...]:
        """The last lines that a container wrote, or that the one before it wrote until it crashed."""
        ...

    def follow(
        self, namespace: str, deployment: DeploymentSeen
    ) -> AbstractContextManager[Iterator[RolloutSeen]]:
        """What is known of a rollout: at each change, and at least once a second.

        Connection losses are mended behind the scenes and show as `trouble` meanwhile. The iteration
        never ends by itself; it raises the errors that trying again does not help against.
        """
        ...
