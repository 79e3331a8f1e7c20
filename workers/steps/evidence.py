"""Why a rollout failed, in the pods' own words.

What cannot be read is left out; what Buzzy may not read says which right is missing.
"""

from __future__ import annotations

from collections.abc import Iterable

from releases.events import Evidence
from workers.cluster import Cluster, ClusterError, EventSeen, ForbiddenError, PodSeen
from workers.troubles import Trouble
from workers.words import of_error

PODS = 2
LINES = 20
WARNINGS = 5


def evidence(
    cluster: Cluster,
    namespace: str,
    service: str,
    found: tuple[Trouble, ...],
    unready: tuple[PodSeen, ...],
) -> tuple[Evidence, ...]:
    """About the pods in trouble or, if none is in particular, about those that are not ready."""
    if found:
        return tuple(_of_trouble(cluster, namespace, service, trouble) for trouble in found[:PODS])
    return tuple(_of_unready(cluster, namespace, service, pod) for pod in unready[:PODS])


def witnesses(cluster: Cluster, namespace: str, pods: Iterable[tuple[str, PodSeen]]) -> tuple[Evidence, ...]:
    """What pods say that look well and belong to what went wrong; each with the name of its service."""
    return tuple(
        Evidence(
            service=service,
            pod=pod.name,
            reason=pod.phase,
            log=last_lines(cluster, namespace, pod.name, pod.containers[0].name if pod.containers else ""),
            events=warnings_about(cluster, namespace, pod.name),
        )
        for service, pod in pods
    )


def _of_trouble(cluster: Cluster, namespace: str, service: str, trouble: Trouble) -> Evidence:
    return Evidence(
        service=service,
        pod=trouble.pod,
        reason=trouble.reason,
        message=trouble.message,
        log=last_lines(cluster, namespace, trouble.pod, trouble.container, crashed=trouble.crashed),
        events=warnings_about(cluster, namespace, trouble.pod),
    )


def _of_unready(cluster: Cluster, namespace: str, service: str, pod: PodSeen) -> Evidence:
    unready = next((each.name for each in pod.containers if not each.ready and not each.init), "")
    return Evidence(
        service=service,
        pod=pod.name,
        reason="Unschedulable" if pod.unplaced is not None else "NotReady",
        message=pod.unplaced or "",
        log=last_lines(cluster, namespace, pod.name, unready),
        events=warnings_about(cluster, namespace, pod.name),
    )


def last_lines(  # noqa: PLR0913 - where it is, and how much of it
    cluster: Cluster, namespace: str, pod: str, container: str, *, crashed: bool = False, lines: int = LINES
) -> tuple[str, ...]:
    """The last lines, of the container that crashed if there was one before; none if it cannot be read."""
    for previous in (True, False) if crashed else (False,):
        if not container:
            break
        try:
            found = cluster.log(namespace, pod, container, lines=lines, previous=previous)
        except ForbiddenError as error:
            return (of_error(error),)
        except ClusterError:
            continue
        if found:
            return found
    return ()


def warnings_about(cluster: Cluster, namespace: str, pod: str) -> tuple[str, ...]:
    """The cluster's own warnings about a pod; none if they cannot be read."""
    try:
        seen = cluster.warnings(namespace, pod)
    except ForbiddenError as error:
        return (of_error(error),)
    except ClusterError:
        return ()
    return tuple(_written(event) for event in seen[-WARNINGS:])


def _written(event: EventSeen) -> str:
    times = f" ({event.count} times)" if event.count > 1 else ""
    return f"{event.reason}: {event.message}{times}"
