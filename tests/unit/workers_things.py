"""Values of a cluster and of a record, with all that a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from releases import events as e
from releases.config import Config, parse_config
from releases.lifecycle import Release, fold
from releases.plan import Plan, RollOut, Template, verification
from workers.cluster import (
    Condition,
    ContainerSeen,
    DeploymentSeen,
    PodSeen,
    ReplicaSetSeen,
    RolloutSeen,
)
from workers.observe import Observed, ServiceObserved
from workers.planning import Scene
from workers.templates import read_template

T0 = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
ALICE = e.Actor(id="U0ALICE", name="alice")

CONFIG = """
services:
  - {name: main, image: buzzybuzz/main}
  - {name: api, image: buzzybuzz/api}
  - {name: worker, image: buzzybuzz/worker, deadline: 90s}
environments:
  staging: {namespace: buzzy-staging, channel: C0STAGING}
  development: {namespace: buzzy-development, channel: C0DEV, prerelease: true}
"""


def seconds(count: float) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=count)


def pod_template(service: str, tag: str, **container: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of what is made
    """A pod template of one container."""
    image = f"buzzybuzz/{service}:{tag}"
    containers = [{"name": service, "image": image, **container}, {"name": "proxy", "image": "envoy:1"}]
    return {"metadata": {"labels": {"app": service}}, "spec": {"containers": containers}}


def template(service: str, tag: str, revision: int | None = None) -> Template:
    """The same, as plans hold it."""
    return read_template(pod_template(service, tag), service, revision)


def deployment(service: str = "api", tag: str = "3.2.0", **given: Any) -> DeploymentSeen:  # noqa: ANN401 - fields of what is made
    """A Deployment of three replicas, all of them ready."""
    seen: dict[str, Any] = {
        "name": service,
        "uid": f"uid-{service}",
        "template": pod_template(service, tag),
        "resource_version": "1",
        "wanted": 3,
        "pods": 3,
        "updated": 3,
        "ready": 3,
        "available": 3,
        "revision": 2,
    }
    return DeploymentSeen(**{**seen, **given})


def replica_set(service: str, tag: str, revision: int, **given: Any) -> ReplicaSetSeen:  # noqa: ANN401 - fields of what is made
    """A revision of it."""
    seen: dict[str, Any] = {
        "name": f"{service}-{revision}",
        "owner": f"uid-{service}",
        "template": pod_template(service, tag),
        "template_hash": str(revision),
        "revision": revision,
        "created_at": T0 + seconds(revision),
    }
    return ReplicaSetSeen(**{**seen, **given})


def pod(
    number: int = 1,
    *,
    service: str = "api",
    revision: int = 2,
    ready: bool = True,
    **given: Any,  # noqa: ANN401 - fields of what is made
) -> PodSeen:
    """A pod of a revision; `container` has fields of its container's."""
    container = ContainerSeen(**{"name": service, "ready": ready, **given.pop("container", {})})
    seen: dict[str, Any] = {
        "name": f"{service}-{revision}-{number}",
        "owner": f"{service}-{revision}",
        "template_hash": str(revision),
        "phase": "Running",
        "ready": ready,
        "containers": (container,),
    }
    return PodSeen(**{**seen, **given})


def condition(type_: str, *, status: bool = True, **given: Any) -> Condition:  # noqa: ANN401 - fields of what is made
    """A condition of a Deployment."""
    return Condition(type_, status, **given)


def rollout(service: str, stable: str, new: str, *, deadline: int = 300) -> RollOut:
    """A step of a plan."""
    return RollOut(
        service=service,
        deployment=service,
        container=service,
        stable=template(service, stable, 2),
        new=template(service, new),
        deadline_seconds=deadline,
    )


def plan(*steps: RollOut, kind: str = "release") -> Plan:
    """A plan of these steps."""
    return Plan.model_validate(
        {
            "kind": kind,
            "application": "buzzy",
            "environment": "staging",
            "namespace": "buzzy-staging",
            "strategy": "rolling",
            "stable": "?",
            "new": "?",
            "steps": (*steps, verification(list(steps))),
        }
    )


def past(
    number: int, moves: Mapping[str, tuple[str, str]], *, end: str = "released", kind: str = "release"
) -> Release:
    """A release of the record that moved services from one version to another, and how it ended."""
    steps = plan(*(rollout(service, *versions) for service, versions in moves.items()), kind=kind)
    happened: list[e.Event] = [
        requested(kind),
        e.PlanProposed(at=T0, plan=steps),
        e.Approved(at=T0, digest=steps.digest),
        e.ReleaseStarted(at=T0),
    ]
    if end != "untouched":
        happened.append(e.StepStarted(at=T0, index=0))
    match end:
        case "released":
            happened.append(e.ReleaseFinished(at=T0))
        case "failed" | "untouched":
            happened.append(e.ReleaseFailed(at=T0, reason="it did not come up"))
        case "rolled back":
            back = tuple(step for step in (each.undo() for each in steps.rollouts()) if step is not None)
            happened += [e.TurnedBack(at=T0, steps=back, because="?"), e.RolledBack(at=T0)]
    return fold(f"R{number}", happened)


def requested(kind: str = "release") -> e.ReleaseRequested:
    """Alice asks."""
    return e.ReleaseRequested.model_validate(
        {
            "at": T0,
            "kind": kind,
            "environment": "staging",
            "version": "3.2.1" if kind == "release" else None,
            "strategy": "rolling",
            "by": ALICE,
            "channel": "C0STAGING",
            "approval": None,
        }
    )


def scene(
    *pictures: RolloutSeen,
    config: str = CONFIG,
    environment: str = "staging",
    releases: tuple[Release, ...] = (),
) -> Scene:
    """The scene of a plan: a picture for each service of the configuration, in its order."""
    parsed: Config = parse_config(config)
    place = parsed.environment(environment)
    services = tuple(
        ServiceObserved(service, picture)
        for service, picture in zip(parsed.services_of(place), pictures, strict=True)
    )
    return Scene(parsed, place, Observed(environment, place.namespace, T0, services), releases)


def history(service: str, *tags: str, **given: Any) -> RolloutSeen:  # noqa: ANN401 - fields of what is made
    """A service that ran these tags one after the other, the last one now, and healthy."""
    revisions = tuple(replica_set(service, tag, number) for number, tag in enumerate(tags, 1))
    last = len(tags)
    pods = tuple(pod(number, service=service, revision=last) for number in (1, 2, 3))
    serving = deployment(service, tags[-1], revision=last, **given)
    return RolloutSeen(serving, revisions, pods, complete=True)


MISSING = RolloutSeen(complete=True)
"""A service that has no Deployment."""
