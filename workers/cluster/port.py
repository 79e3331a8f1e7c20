"""What the workers ask of a cluster: exactly these calls, and no others need rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from workers.cluster.seen import (
    AutoscalerSeen,
    BudgetSeen,
    DeploymentSeen,
    EventSeen,
    JobPicture,
    JobSeen,
    Json,
    LeaseSeen,
    PodSeen,
    QuotaSeen,
    ReplicaSetSeen,
    RolloutSeen,
    TrafficSeen,
)


@dataclass(frozen=True)
class TemplateWrite:
    """A pod template to write, and the state of the Deployment from which that was decided.

    How many pods it asks for stays unless `replicas` says; annotations named in `without` go.
    """

    deployment: DeploymentSeen
    template: Json
    annotations: Mapping[str, str] = field(default_factory=dict)
    replicas: int | None = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeploymentMade:
    """A Deployment to make beside another, which is like it but for what is said here."""

    name: str
    like: DeploymentSeen
    match_labels: Mapping[str, str]
    template: Json
    replicas: int
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrafficWrite:
    """A selector to give a Service, and the state of the Service from which that was decided."""

    service: TrafficSeen
    selector: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LeaseWrite:
    """What a Lease shall say; annotations that are not named stay."""

    holder: str
    lasts: timedelta
    acquired_at: datetime
    renewed_at: datetime
    transitions: int
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobWrite:
    """A Job that runs one container to its end, once: a pod that fails is not followed by another.

    `secrets` are names of Secrets whose keys become environment variables; `keep` is how long the cluster
    keeps the Job after its end.
    """

    name: str
    image: str
    deadline: timedelta
    keep: timedelta
    labels: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    service_account: str | None = None


@dataclass(frozen=True)
class Kept:
    """A ConfigMap that changes, and the version that was read; without one it is not there yet."""

    texts: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, bytes] = field(default_factory=dict)
    resource_version: str = ""


@dataclass(frozen=True)
class Right:
    """One verb on one resource, in the words of roles: `apps/deployments`, `pods/log`."""

    verb: str
    resource: str
    name: str = ""


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

    def make_deployment(
        self, namespace: str, made: DeploymentMade, *, rehearse: bool = False
    ) -> DeploymentSeen:
        """Make a Deployment like another. Raises `AlreadyExistsError`."""
        ...

    def traffics(self, namespace: str) -> tuple[TrafficSeen, ...]:
        """All Services of a namespace."""
        ...

    def traffic(self, namespace: str, name: str) -> TrafficSeen:
        """One Service. Raises `NotFoundError`."""
        ...

    def write_traffic(self, namespace: str, write: TrafficWrite, *, rehearse: bool = False) -> TrafficSeen:
        """Let a Service pick other pods, unless it was changed since it was read: `ConflictError`."""
        ...

    def make_traffic(
        self,
        namespace: str,
        name: str,
        write: TrafficWrite,
        labels: Mapping[str, str],
        *,
        rehearse: bool = False,
    ) -> None:
        """Make a Service that is like another but for its selector. Raises `AlreadyExistsError`."""
        ...

    def autoscalers(self, namespace: str) -> tuple[AutoscalerSeen, ...]:
        """All HorizontalPodAutoscalers of a namespace."""
        ...

    def write_autoscaler(
        self, namespace: str, seen: AutoscalerSeen, scales: str, *, rehearse: bool = False
    ) -> None:
        """Let one scale another Deployment, unless it was changed since it was read: `ConflictError`."""
        ...

    def fence_autoscaler(self, namespace: str, name: str, mark: str) -> None:
        """The same as `fence` for a HorizontalPodAutoscaler."""
        ...

    def budgets(self, namespace: str) -> tuple[BudgetSeen, ...]:
        """All PodDisruptionBudgets of a namespace."""
        ...

    def fence_traffic(self, namespace: str, name: str, mark: str) -> None:
        """The same as `fence` for a Service."""
        ...

    def quotas(self, namespace: str) -> tuple[QuotaSeen, ...]:
        """All quotas of a namespace."""

    def fence(self, namespace: str, name: str, mark: str) -> None:
        """Change a Deployment in nothing but a label, so that a write from an earlier look fails.

        The mark must be another than the one before. Raises `NotFoundError`.
        """
        ...

    def lease(self, namespace: str, name: str) -> LeaseSeen:
        """A Lease. Raises `NotFoundError`."""
        ...

    def create_lease(
        self, namespace: str, name: str, write: LeaseWrite, *, rehearse: bool = False
    ) -> LeaseSeen:
        """Create a Lease. Raises `AlreadyExistsError`."""
        ...

    def write_lease(
        self, namespace: str, seen: LeaseSeen, write: LeaseWrite, *, rehearse: bool = False
    ) -> LeaseSeen:
        """Change a Lease, unless it was changed or removed since it was read: `ConflictError`."""
        ...

    def config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        """The data of a ConfigMap. Raises `NotFoundError`."""
        ...

    def create_config_map(  # noqa: PLR0913 - what a ConfigMap is made of
        self,
        namespace: str,
        name: str,
        data: Mapping[str, str],
        labels: Mapping[str, str],
        *,
        parts: Mapping[str, bytes] = MappingProxyType({}),
        rehearse: bool = False,
    ) -> None:
        """Create a ConfigMap that can never be changed; `parts` are no text. Raises `AlreadyExistsError`."""
        ...

    def kept(self, namespace: str, name: str) -> Kept:
        """A ConfigMap that changes. Raises `NotFoundError`."""
        ...

    def keep(
        self, namespace: str, name: str, kept: Kept, labels: Mapping[str, str], *, rehearse: bool = False
    ) -> None:
        """Create such a ConfigMap or, with the version that was read, replace it.

        With `rehearse` nothing is stored. Raises `ConflictError`, also when somebody else created it, and
        `NotFoundError` when there is none to replace.
        """
        ...

    def job(self, namespace: str, name: str) -> JobSeen:
        """A Job. Raises `NotFoundError`."""
        ...

    def create_job(self, namespace: str, write: JobWrite, *, rehearse: bool = False) -> JobSeen:
        """Create a Job. With `rehearse` nothing is stored. Raises `AlreadyExistsError`."""
        ...

    def stop_job(self, namespace: str, name: str) -> None:
        """Let a Job fail within a second, whatever it is at; it stays, and never runs again.

        Raises `NotFoundError`.
        """
        ...

    def follow_job(self, namespace: str, name: str) -> AbstractContextManager[Iterator[JobPicture]]:
        """What is known of a Job and its pods, as `follow` tells of a rollout."""
        ...

    def may(self, namespace: str, right: Right) -> bool:
        """Whether Buzzy has a right there."""
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
