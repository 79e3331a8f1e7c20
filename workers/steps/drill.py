"""Look whether a standby could take over, in one respect; all that is wrong with it is said at once.

Whether a pod answers for its health is what Kubernetes itself asks all the time, by the readiness probe. A
drill holds the Deployments to having that probe, and the pods to passing it. So it needs no right to connect
to pods, which would be one to connect to all that listens in them.
"""

from __future__ import annotations

from typing import Any

from releases.config import Service
from releases.plan import Drill
from releases.twins import configuration_lacks, pods_lack, versions_differ
from workers.cluster import DeploymentSeen
from workers.describe import pods_of
from workers.mongodb import MongoDbError
from workers.observe import Observed, ServiceObserved
from workers.steps.work import Done, Failed, Outcome, Work
from workers.twins import twins


def drill(step: Drill, work: Work) -> Outcome:
    """Look once. A standby that is only about to be ready is none."""
    if step.part == "database":
        return _database(work)
    observed = work.observe()
    own = twins(work.cluster, observed)
    match step.part:
        case "pods":
            found = (*pods_lack(step.expected, own, step.follows), *_unready(observed))
        case "health":
            found = tuple(each for service in observed.services for each in _health(service))
        case "versions":
            found = versions_differ(step.expected, own, step.follows)
        case "configuration":
            found = configuration_lacks(step.expected, own, step.follows)
    return Failed("; ".join(found)) if found else Done(changed=False)


def _database(work: Work) -> Outcome:
    try:
        work.database()
    except MongoDbError as error:
        return Failed(str(error))
    return Done(changed=False)


def _unready(observed: Observed) -> tuple[str, ...]:
    found = []
    for each in observed.services:
        deployment = each.deployment
        if deployment is None:
            continue
        ready = sum(pod.ready for pod in pods_of(deployment, each.seen))
        if deployment.wanted == 0:
            found.append(f"{each.service.name} is scaled to 0: nothing of it runs")
        elif ready < deployment.wanted:
            found.append(f"{each.service.name}: {ready} of {deployment.wanted} pods are ready")
    return tuple(found)


def _health(each: ServiceObserved) -> tuple[str, ...]:
    service, deployment = each.service, each.deployment
    if deployment is None:
        return (f"{service.name} is not there",)
    if not _is_asked(service, deployment):
        asked = f"{service.health} at {service.port}"
        return (f"nobody asks {service.name} for {asked}: {deployment.name} has no such readiness probe",)
    pods = pods_of(deployment, each.seen)
    silent = [pod.name for pod in pods if not pod.ready]
    return (f"{', '.join(silent)} of {service.name} does not answer {service.health}",) if silent else ()


def _is_asked(service: Service, deployment: DeploymentSeen) -> bool:
    """Whether the readiness probe of the service's container asks where buzzy.yaml says that it answers."""
    containers = deployment.template.get("spec", {}).get("containers", ())
    container: dict[str, Any] = next((one for one in containers if one["name"] == service.container), {})
    asked = (container.get("readinessProbe") or {}).get("httpGet") or {}
    ports = {one.get("name"): one.get("containerPort") for one in container.get("ports") or ()}
    port = asked.get("port")
    return bool(asked.get("path") == service.health and ports.get(port, port) == service.port)
