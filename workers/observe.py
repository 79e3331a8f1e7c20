"""What an environment looks like now: read from the cluster, and told as a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from releases.config import Config, Environment, Service
from releases.events import ServiceSeen
from releases.plan import digest_of
from releases.snapshot import KeptSeen, RevisionSeen, Snapshot
from workers.cluster import Cluster, DeploymentSeen, ReplicaSetSeen, RolloutSeen, TrafficSeen
from workers.describe import describe
from workers.marks import KEPT, cause_of, made_by
from workers.templates import read_template

RECENT = timedelta(minutes=10)
"""A crash that is longer ago is no news."""


@dataclass(frozen=True)
class ServiceObserved:
    """One service of the configuration and what the cluster has of it.

    `seen` is what has its traffic, `idle` the slot beside it, if it has two (see `releases.blue_green`).
    `traffic` is its Service, where that was looked at.
    """

    service: Service
    seen: RolloutSeen
    idle: RolloutSeen | None = None
    traffic: TrafficSeen | None = None

    @property
    def deployment(self) -> DeploymentSeen | None:
        """Its Deployment; None when there is none."""
        return self.seen.deployment

    @property
    def revisions(self) -> tuple[ReplicaSetSeen, ...]:
        """Its revisions, the newest first; those of the slot without traffic come after the others."""
        return (*_revisions(self.seen), *(() if self.idle is None else _revisions(self.idle)))

    @property
    def beside(self) -> DeploymentSeen | None:
        """The Deployment of the slot without traffic; None when there is none."""
        return None if self.idle is None else self.idle.deployment


@dataclass(frozen=True)
class Observed:
    """An environment at one moment, its services in rollout order."""

    environment: str
    namespace: str
    at: datetime
    services: tuple[ServiceObserved, ...]


def observe(cluster: Cluster, config: Config, environment: Environment, now: datetime) -> Observed:
    """Read an environment. Raises `ClusterError`."""
    namespace, services = environment.namespace, config.services_of(environment)
    picture = pictures(cluster, namespace)
    slotted = "blue-green" in environment.may_go_by
    slotted = slotted or any(picture(each.beside).deployment is not None for each in services)
    traffics = {each.name: each for each in cluster.traffics(namespace)} if slotted else {}
    return Observed(
        environment=environment.name,
        namespace=namespace,
        at=now,
        services=tuple(
            _placed(each, traffics.get(each.service), picture(each.deployment), picture(each.beside))
            for each in services
        ),
    )


def pictures(cluster: Cluster, namespace: str) -> Callable[[str], RolloutSeen]:
    """What there is of each Deployment of a namespace now, by its name. Raises `ClusterError`."""
    deployments = {each.name: each for each in cluster.deployments(namespace)}
    replica_sets = cluster.replica_sets(namespace)
    pods = cluster.pods(namespace)

    def picture(name: str) -> RolloutSeen:
        deployment = deployments.get(name)
        if deployment is None:
            return RolloutSeen(complete=True)
        revisions = tuple(each for each in replica_sets if each.owner == deployment.uid)
        names = {each.name for each in revisions}
        its_own = tuple(pod for pod in pods if pod.owner in names)
        return RolloutSeen(deployment, revisions, its_own, complete=True)

    return picture


def _placed(
    service: Service, traffic: TrafficSeen | None, first: RolloutSeen, second: RolloutSeen
) -> ServiceObserved:
    """A service with its slots told apart by what its Service picks; if that is neither, the first counts."""
    if second.deployment is None:
        return ServiceObserved(service, first, traffic=traffic)
    if first.deployment is None:
        return ServiceObserved(service, second, traffic=traffic)
    moved = traffic is not None and traffic.picks(second.deployment.template)
    if moved and traffic is not None and not traffic.picks(first.deployment.template):
        return ServiceObserved(service, second, first, traffic)
    return ServiceObserved(service, first, second, traffic)


def _revisions(seen: RolloutSeen) -> tuple[ReplicaSetSeen, ...]:
    known = [each for each in seen.replica_sets if each.revision is not None]
    return tuple(sorted(known, key=lambda each: each.revision or 0, reverse=True))


def snapshot(observed: Observed) -> Snapshot:
    """What people are shown of it."""
    return Snapshot(
        environment=observed.environment,
        at=observed.at,
        services=services_seen(observed),
        revisions=tuple(revision for each in observed.services for revision in _history(each)),
        kept=tuple(kept for each in observed.services for kept in _kept(each)),
    )


def kept_until(deployment: DeploymentSeen) -> datetime | None:
    """Until when a Deployment without traffic is kept; None when it is not, or nobody can read it."""
    try:
        until = datetime.fromisoformat(deployment.annotations.get(KEPT, ""))
    except ValueError:
        return None
    return until if until.tzinfo else None


def _kept(observed: ServiceObserved) -> list[KeptSeen]:
    beside, service = observed.beside, observed.service
    until = None if beside is None else kept_until(beside)
    if beside is None or until is None:
        return []
    template = read_template(beside.template, service.container, beside.revision)
    return [KeptSeen(service=service.name, version=template.version or template.image, until=until)]


def services_seen(observed: Observed) -> tuple[ServiceSeen, ...]:
    """The services, in rollout order."""
    return tuple(_service_seen(each, observed.at - RECENT) for each in observed.services)


def _service_seen(observed: ServiceObserved, since: datetime) -> ServiceSeen:
    service = observed.service
    if observed.deployment is None:
        state = f"no Deployment {service.deployment}"
        return ServiceSeen(
            service=service.name, image="", version=None, ready=0, total=0, state=state, healthy=False
        )
    return describe(service.name, service.container, observed.deployment, observed.seen, since)


def _history(observed: ServiceObserved) -> list[RevisionSeen]:
    """One service's revisions, the newest first."""
    deployment, service = observed.deployment, observed.service
    serving = "" if deployment is None else digest_of(deployment.template)
    idle = "" if observed.beside is None else observed.beside.uid
    history = []
    for each in observed.revisions:
        template = read_template(each.template, service.container, each.revision)
        history.append(
            RevisionSeen(
                service=f"{service.name} (without traffic)" if each.owner == idle else service.name,
                revision=each.revision or 0,
                image=template.image,
                version=template.version,
                release=made_by(each.annotations, each.template),
                cause=cause_of(each.annotations, each.template),
                created_at=each.created_at,
                serving=template.digest == serving,
            )
        )
    return history
