"""What the cluster holds, as values of our own: only what planning, judging and telling need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from workers.cluster.errors import TransientError

Json = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """A condition of a Deployment; `since` is when its status last changed."""

    type: str
    status: bool
    reason: str = ""
    message: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Author:
    """Who wrote a template last, by the name of the program, and when."""

    name: str
    at: datetime


@dataclass(frozen=True)
class DeploymentSeen:
    """A Deployment. Counts are pods; `wanted` is what it asks for, `pods` what there is of all templates."""

    name: str
    template: Json
    resource_version: str
    uid: str = ""
    selector: str = ""
    generation: int = 1
    observed_generation: int = 1
    wanted: int = 1
    pods: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    annotations: Mapping[str, str] = field(default_factory=dict)
    revision: int | None = None
    paused: bool = False
    strategy: str = "RollingUpdate"
    surge: int | str = "25%"
    """How many pods more than it asks for a rollout may have: a number, or a share of them (`25%`)."""
    history_limit: int = 10
    conditions: tuple[Condition, ...] = ()
    match_labels: Mapping[str, str] = field(default_factory=dict)
    manners: Json = field(default_factory=dict)
    """The fields of its spec that say how it goes about a rollout, to make another one like it."""
    labels: Mapping[str, str] = field(default_factory=dict)
    writer: Author | None = None
    """Who wrote its template last; None where the cluster does not say."""

    def condition(self, type_: str) -> Condition | None:
        """The condition of that type."""
        return next((each for each in self.conditions if each.type == type_), None)


@dataclass(frozen=True)
class TrafficSeen:
    """A Service: which pods get what is sent to it. `ports` is as another Service like it would have them."""

    name: str
    selector: Mapping[str, str]
    resource_version: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Json, ...] = ()

    def picks(self, template: Json) -> bool:
        """Whether pods of a template get its traffic."""
        labels = (template.get("metadata") or {}).get("labels") or {}
        return bool(self.selector) and self.selector.items() <= labels.items()


@dataclass(frozen=True)
class AutoscalerSeen:
    """A HorizontalPodAutoscaler: the Deployment that it scales (empty: another kind), and its least size."""

    name: str
    scales: str
    at_least: int
    resource_version: str


@dataclass(frozen=True)
class BudgetSeen:
    """A PodDisruptionBudget: the pods that it protects, by their labels; None when by more than that."""

    name: str
    selector: Mapping[str, str] | None

    def covers(self, labels: Mapping[str, str]) -> bool:
        """Whether it protects pods with these labels; what cannot be told counts as yes."""
        return self.selector is None or self.selector.items() <= labels.items()


@dataclass(frozen=True)
class ReplicaSetSeen:
    """A revision of a Deployment. `template` is without the label that the controller adds to it."""

    name: str
    owner: str
    template: Json
    template_hash: str
    revision: int | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    wanted: int = 0


@dataclass(frozen=True)
class Waiting:
    """Why a container does not run yet, in Kubernetes' word and the kubelet's sentence."""

    reason: str
    message: str = ""


@dataclass(frozen=True)
class Termination:
    """How a container ended."""

    reason: str
    exit_code: int
    message: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class ContainerSeen:
    """A container of a pod: what it waits for, or how it ended now and the time before."""

    name: str
    ready: bool = False
    restarts: int = 0
    waiting: Waiting | None = None
    ended: Termination | None = None
    ended_before: Termination | None = None
    init: bool = False


@dataclass(frozen=True)
class PodSeen:
    """A pod of some Deployment or Job. `unplaced` says why no node takes it."""

    name: str
    owner: str
    template_hash: str
    phase: str = "Pending"
    ready: bool = False
    deleting: bool = False
    created_at: datetime | None = None
    containers: tuple[ContainerSeen, ...] = ()
    unplaced: str | None = None
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class JobSeen:
    """A Job. `reason` and `message` are Kubernetes' own words for how it failed."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False
    failed: bool = False
    reason: str = ""
    message: str = ""

    @property
    def ended(self) -> bool:
        """Whether it has come to its end, one way or the other."""
        return self.complete or self.failed


@dataclass(frozen=True)
class JobPicture:
    """A Job and its pods, the newest last, as they are known now; the rest is as in `RolloutSeen`."""

    job: JobSeen | None = None
    pods: tuple[PodSeen, ...] = ()
    complete: bool = False
    watched: bool = False
    trouble: TransientError | None = None


@dataclass(frozen=True)
class EventSeen:
    """A warning of the cluster about a pod."""

    reason: str
    message: str
    count: int = 1
    at: datetime | None = None


@dataclass(frozen=True)
class QuotaSeen:
    """A namespace's quota: what it allows and what of that is used, by resource (`requests.cpu`, `pods`).

    Numbers are Kubernetes' base units: cores, bytes, pods. `partial` says that it counts some pods only.
    """

    name: str
    hard: Mapping[str, Decimal] = field(default_factory=dict)
    used: Mapping[str, Decimal] = field(default_factory=dict)
    partial: bool = False


@dataclass(frozen=True)
class LeaseSeen:
    """A Lease. `holder` is empty while nobody has it; `metadata` is written back as it was read."""

    metadata: Json
    holder: str = ""
    lasts: timedelta = timedelta()
    acquired_at: datetime | None = None
    renewed_at: datetime | None = None
    transitions: int = 0

    @property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations."""
        return self.metadata.get("annotations") or {}


@dataclass(frozen=True)
class RolloutSeen:
    """One Deployment with its revisions and pods, as they are known now.

    `complete` is False until each was seen once, `watched` until the cluster has agreed to tell of changes
    to each. With `trouble` the cluster cannot be heard now, and the rest is what was seen last.
    """

    deployment: DeploymentSeen | None = None
    replica_sets: tuple[ReplicaSetSeen, ...] = ()
    pods: tuple[PodSeen, ...] = ()
    complete: bool = False
    watched: bool = False
    trouble: TransientError | None = None
