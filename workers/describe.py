"""What is seen of one service, as people are shown it. Pure."""

from __future__ import annotations

from datetime import datetime

from releases.events import ServiceSeen
from workers.cluster import DeploymentSeen, PodSeen, RolloutSeen
from workers.marks import made_by
from workers.templates import read_template, replica_set_of
from workers.troubles import in_short, troubles


def pods_of(deployment: DeploymentSeen, seen: RolloutSeen) -> tuple[PodSeen, ...]:
    """The pods of the template that the Deployment has now, without those that are being removed."""
    replica_set = replica_set_of(deployment.template, seen.replica_sets)
    if replica_set is None:
        return ()
    return tuple(pod for pod in seen.pods if pod.owner == replica_set.name and not pod.deleting)


def describe(
    service: str, container: str, deployment: DeploymentSeen, seen: RolloutSeen, since: datetime
) -> ServiceSeen:
    """One service: what it should run, how much of it does, and a few words on the rest.

    Crashes from before `since` are forgotten.
    """
    template = read_template(deployment.template, container, deployment.revision)
    pods = pods_of(deployment, seen)
    ready = sum(pod.ready for pod in pods)
    found = troubles(pods, since)
    return ServiceSeen(
        service=service,
        image=template.image,
        version=template.version,
        ready=min(ready, deployment.wanted),
        total=deployment.wanted,
        revision=deployment.revision,
        release=made_by(deployment.annotations, deployment.template),
        state=in_short(found) if found else _state(deployment, pods, ready),
        healthy=not found and ready >= deployment.wanted,
    )


def _state(deployment: DeploymentSeen, pods: tuple[PodSeen, ...], ready: int) -> str:
    if deployment.paused:
        return "paused"
    unplaced = sum(pod.unplaced is not None for pod in pods)
    if unplaced:
        return f"{unplaced} waiting for room"
    starting = len(pods) - ready
    if starting > 0:
        return f"{starting} starting"
    if ready < deployment.wanted:
        return f"{deployment.wanted - ready} to come"
    old = deployment.pods - len(pods)
    return f"{old} of the version before still there" if old > 0 else ""
