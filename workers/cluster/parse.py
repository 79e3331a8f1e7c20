"""From the API server's JSON to our values. Pure; what is missing gets Kubernetes' own defaults."""

from __future__ import annotations

import base64
import copy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from workers.cluster.port import Kept
from workers.cluster.seen import (
    Author,
    AutoscalerSeen,
    BudgetSeen,
    Condition,
    ContainerSeen,
    DeploymentSeen,
    EventSeen,
    JobSeen,
    Json,
    LeaseSeen,
    PodSeen,
    QuotaSeen,
    ReplicaSetSeen,
    Termination,
    TrafficSeen,
    Waiting,
)

HASH_LABEL = "pod-template-hash"
MANNERS = ("strategy", "minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit")
LONGEST_WAITING = 800
"""Characters of why a container waits: an image with its digest stands there up to three times."""

REVISION = "deployment.kubernetes.io/revision"


def deployment(thing: Json) -> DeploymentSeen:
    """A Deployment."""
    meta, spec, status = thing["metadata"], thing["spec"], thing.get("status", {})
    annotations = meta.get("annotations") or {}
    return DeploymentSeen(
        name=meta["name"],
        uid=meta.get("uid", ""),
        selector=selector(spec.get("selector") or {}),
        template=spec["template"],
        resource_version=meta.get("resourceVersion", ""),
        generation=meta.get("generation", 0),
        observed_generation=status.get("observedGeneration", 0),
        wanted=spec.get("replicas", 1),
        pods=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        ready=status.get("readyReplicas", 0),
        available=status.get("availableReplicas", 0),
        annotations=annotations,
        revision=_number(annotations.get(REVISION)),
        paused=spec.get("paused", False),
        strategy=spec.get("strategy", {}).get("type", "RollingUpdate"),
        surge=(spec.get("strategy", {}).get("rollingUpdate") or {}).get("maxSurge", "25%"),
        history_limit=spec.get("revisionHistoryLimit", 10),
        conditions=tuple(_condition(each) for each in status.get("conditions") or ()),
        match_labels=(spec.get("selector") or {}).get("matchLabels") or {},
        manners={key: spec[key] for key in MANNERS if key in spec},
        labels=meta.get("labels") or {},
        writer=_writer(meta),
    )


def autoscaler(thing: Json) -> AutoscalerSeen:
    """A HorizontalPodAutoscaler."""
    spec = thing["spec"]
    target = spec["scaleTargetRef"]
    return AutoscalerSeen(
        name=thing["metadata"]["name"],
        scales=target["name"] if target.get("kind") == "Deployment" else "",
        at_least=spec.get("minReplicas", 1),
        resource_version=thing["metadata"].get("resourceVersion", ""),
    )


def budget(thing: Json) -> BudgetSeen:
    """A PodDisruptionBudget."""
    found = thing["spec"].get("selector") or {}
    plain = not found.get("matchExpressions")
    return BudgetSeen(thing["metadata"]["name"], (found.get("matchLabels") or {}) if plain else None)


def traffic(thing: Json) -> TrafficSeen:
    """A Service."""
    meta, spec = thing["metadata"], thing["spec"]
    return TrafficSeen(
        name=meta["name"],
        selector=spec.get("selector") or {},
        resource_version=meta.get("resourceVersion", ""),
        annotations=meta.get("annotations") or {},
        labels=meta.get("labels") or {},
        ports=tuple(
            {key: value for key, value in port.items() if key != "nodePort"}
            for port in spec.get("ports") or ()
        ),
    )


def replica_set(thing: Json) -> ReplicaSetSeen | None:
    """A revision; None when no Deployment owns the ReplicaSet."""
    meta, spec = thing["metadata"], thing["spec"]
    owner = _owner(meta, "Deployment")
    if owner is None:
        return None
    annotations = meta.get("annotations") or {}
    template = copy.deepcopy(spec["template"])
    labels = template.get("metadata", {}).get("labels") or {}
    hash_ = labels.pop(HASH_LABEL, "") or (meta.get("labels") or {}).get(HASH_LABEL, "")
    return ReplicaSetSeen(
        name=meta["name"],
        owner=owner,
        template=template,
        template_hash=hash_,
        revision=_number(annotations.get(REVISION)),
        annotations=annotations,
        created_at=_time(meta.get("creationTimestamp")),
        wanted=spec.get("replicas", 1),
    )


def job(thing: Json) -> JobSeen:
    """A Job."""
    true = {each["type"]: each for each in thing.get("status", {}).get("conditions") or () if _is(each)}
    failed = true.get("Failed", {})
    return JobSeen(
        name=thing["metadata"]["name"],
        labels=thing["metadata"].get("labels") or {},
        complete="Complete" in true,
        failed="Failed" in true,
        reason=failed.get("reason", ""),
        message=one_line(failed.get("message", "")),
    )


def pod(thing: Json, owner_kind: str = "ReplicaSet") -> PodSeen | None:
    """A pod; None when nothing of that kind owns it."""
    meta, status = thing["metadata"], thing.get("status", {})
    owner = _owner(meta, owner_kind, "name")
    if owner is None:
        return None
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    placed = conditions.get("PodScheduled", {})
    return PodSeen(
        name=meta["name"],
        owner=owner,
        template_hash=(meta.get("labels") or {}).get(HASH_LABEL, ""),
        phase=status.get("phase", "Pending"),
        ready=conditions.get("Ready", {}).get("status") == "True",
        deleting="deletionTimestamp" in meta,
        created_at=_time(meta.get("creationTimestamp")),
        containers=tuple(
            [_container(each, init=True) for each in status.get("initContainerStatuses") or ()]
            + [_container(each, init=False) for each in status.get("containerStatuses") or ()]
        ),
        unplaced=one_line(placed.get("message", "")) if placed.get("status") == "False" else None,
        reason=status.get("reason", ""),
        message=one_line(status.get("message", "")),
    )


def quota(thing: Json) -> QuotaSeen:
    """A quota; what is not counted yet is used up as far as anybody knows, and so not there."""
    spec, status = thing["spec"], thing.get("status") or {}
    used = amounts(status.get("used") or {})
    hard = amounts(status.get("hard") or spec.get("hard") or {})
    return QuotaSeen(
        name=thing["metadata"]["name"],
        hard={resource: amount for resource, amount in hard.items() if resource in used},
        used=used,
        partial=bool(spec.get("scopes") or spec.get("scopeSelector")),
    )


def amounts(quantities: Json) -> dict[str, Decimal]:
    """Kubernetes' quantities (`100m`, `128Mi`) in base units."""
    return {
        resource: parse_quantity(text)  # type: ignore[no-untyped-call] # shipped without types
        for resource, text in quantities.items()
    }


def kept(thing: Json) -> Kept:
    """A ConfigMap that changes."""
    return Kept(
        texts=dict(thing.get("data") or {}),
        parts={key: base64.b64decode(part) for key, part in (thing.get("binaryData") or {}).items()},
        resource_version=thing["metadata"].get("resourceVersion", ""),
    )


def of_role(resource: str) -> tuple[str, str, str]:
    """`apps/deployments` and `pods/log` in their parts: API group, resource, subresource."""
    first, _, second = resource.partition("/")
    if not second:
        return "", first, ""
    return ("", first, second) if first == "pods" else (first, second, "")


def selector(thing: Json) -> str:
    """A label selector, as a query takes it."""
    parts = [f"{key}={value}" for key, value in (thing.get("matchLabels") or {}).items()]
    for each in thing.get("matchExpressions") or ():
        key, values = each["key"], ",".join(each.get("values") or ())
        written = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        parts.append(written[each["operator"]])
    return ",".join(parts)


def event(thing: Json) -> EventSeen:
    """A warning about something."""
    series = thing.get("series") or {}
    last = series.get("lastObservedTime") or thing.get("lastTimestamp") or thing.get("eventTime")
    return EventSeen(
        reason=thing.get("reason") or "",
        message=one_line(thing.get("message") or ""),
        count=series.get("count") or thing.get("count") or 1,
        at=_time(last),
    )


def lease(thing: Json) -> LeaseSeen:
    """A Lease."""
    spec = thing.get("spec") or {}
    return LeaseSeen(
        metadata={key: value for key, value in thing["metadata"].items() if key != "managedFields"},
        holder=spec.get("holderIdentity") or "",
        lasts=timedelta(seconds=spec.get("leaseDurationSeconds") or 0),
        acquired_at=_time(spec.get("acquireTime")),
        renewed_at=_time(spec.get("renewTime")),
        transitions=spec.get("leaseTransitions") or 0,
    )


def one_line(text: str, longest: int = 300) -> str:
    """A text of somebody else's, short enough and on one line."""
    joined = " ".join(text.split())
    return joined if len(joined) <= longest else joined[: longest - 1] + "…"


def _is(condition: Json) -> bool:
    return bool(condition.get("status") == "True")


def _condition(thing: Json) -> Condition:
    return Condition(
        type=thing["type"],
        status=_is(thing),
        reason=thing.get("reason", ""),
        message=one_line(thing.get("message", "")),
        since=_time(thing.get("lastTransitionTime")),
    )


def _container(thing: Json, *, init: bool) -> ContainerSeen:
    state, before = thing.get("state") or {}, thing.get("lastState") or {}
    waiting = state.get("waiting")
    return ContainerSeen(
        name=thing["name"],
        ready=thing.get("ready", False),
        restarts=thing.get("restartCount", 0),
        waiting=None
        if waiting is None
        else Waiting(waiting.get("reason", ""), one_line(waiting.get("message", ""), LONGEST_WAITING)),
        ended=_termination(state.get("terminated")),
        ended_before=_termination(before.get("terminated")),
        init=init,
    )


def _termination(thing: Json | None) -> Termination | None:
    if thing is None:
        return None
    return Termination(
        reason=thing.get("reason", ""),
        exit_code=thing.get("exitCode", 0),
        message=one_line(thing.get("message", "")),
        at=_time(thing.get("finishedAt")),
    )


def _owner(meta: Json, kind: str, key: str = "uid") -> str | None:
    for reference in meta.get("ownerReferences") or ():
        if reference.get("controller") and reference.get("kind") == kind:
            return str(reference[key])
    return None


def _writer(meta: Json) -> Author | None:
    """Who wrote a Deployment's template last, as the API server keeps it of every field."""
    wrote = [
        Author(each.get("manager", ""), at)
        for each in meta.get("managedFields") or ()
        if "f:template" in (each.get("fieldsV1") or {}).get("f:spec", {})
        and (at := _time(each.get("time"))) is not None
    ]
    return max(wrote, key=lambda each: each.at, default=None)


def _number(text: Any) -> int | None:  # noqa: ANN401 - an annotation, if there is one
    return int(text) if isinstance(text, str) and text.isdecimal() else None


def _time(text: str | None) -> datetime | None:
    return None if not text else datetime.fromisoformat(text)
