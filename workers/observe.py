"""What an environment looks like now: read from the cluster, and told as a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from releases.config import Config, Environment, Service
from releases.events import ServiceSeen
from releases.plan import digest_of
from releases.snapshot import RevisionSeen, Snapshot
from workers.cluster import Cluster, DeploymentSeen, ReplicaSetSeen, RolloutSeen
from workers.describe import describe
from workers.marks import cause_of, made_by
from workers.templates import read_template

RECENT = timedelta(minutes=10)
"""A crash that is longer ago is no news."""


@dataclass(frozen=True)
class ServiceObserved:
    """One service of the configuration and what the cluster has of it."""

    service: Service
    seen: RolloutSeen

    @property
    def deployment(self) -> DeploymentSeen | None:
        """Its Deployment; None when there is none."""
        return self.seen.deployment

    @property
    def revisions(self) -> tuple[ReplicaSetSeen, ...]:
        """Its revisions, the newest first."""
        known = [each for each in self.seen.replica_sets if each.revision is not None]
        return tuple(sorted(known, key=lambda each: each.revision or 0, reverse=True))


@dataclass(frozen=True)
class Observed:
    """An environment at one moment, its services in rollout order."""

    environment: str
    namespace: str
    at: datetime
    services: tuple[ServiceObserved, ...]


def observe(cluster: Cluster, config: Config, environment: Environment, now: datetime) -> Observed:
    """Read an environment. Raises `ClusterError`."""
    namespace = environment.namespace
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

    return Observed(
        environment=environment.name,
        namespace=namespace,
        at=now,
        services=tuple(
            ServiceObserved(service, picture(service.deployment))
            for service in config.services_of(environment)
        ),
    )


def snapshot(observed: Observed) -> Snapshot:
    """What people are shown of it."""
    return Snapshot(
        environment=observed.environment,
        at=observed.at,
        services=services_seen(observed),
        revisions=tuple(revision for each in observed.services for revision in _history(each)),
    )


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
    history = []
    for each in observed.revisions:
        template = read_template(each.template, service.container, each.revision)
        history.append(
            RevisionSeen(
                service=service.name,
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
