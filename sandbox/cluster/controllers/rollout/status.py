"""What a Deployment says about itself: counts, and whether it is available and getting on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.cluster.controllers.rollout.sizes import available, max_unavailable, replicas, total_replicas
from sandbox.cluster.objects import Json, clone, name_of, now, parse_time, stamp

AVAILABLE, PROGRESSING, REPLICA_FAILURE = "Available", "Progressing", "ReplicaFailure"
NEW_AVAILABLE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
NO_DEADLINE = 2**31 - 1


@dataclass(frozen=True)
class Verdict:
    """A condition's value, before it has its times."""

    kind: str
    status: str
    reason: str
    message: str


def has_deadline(deployment: Json) -> bool:
    """Say whether the deployment gives its rollouts a deadline."""
    return int(deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE)) != NO_DEADLINE


def counted(deployment: Json, replica_sets: list[Json], new: Json | None) -> Json:
    """Count pods anew, and say whether enough of them are available; the other conditions are kept."""

    def count(rss: list[Json], field: str) -> int:
        return sum(int(rs.get("status", {}).get(field, 0)) for rs in rss)

    ready = count(replica_sets, "readyReplicas")
    can_serve = sum(available(rs) for rs in replica_sets)
    counts = {
        "replicas": count(replica_sets, "replicas"),
        "updatedReplicas": count([new] if new else [], "replicas"),
        "readyReplicas": ready,
        "availableReplicas": can_serve,
        "unavailableReplicas": max(total_replicas(replica_sets) - can_serve, 0),
    }
    old = deployment.get("status", {})
    status: Json = {"observedGeneration": deployment["metadata"]["generation"]}
    status |= {name: number for name, number in counts.items() if number}
    # Unlike the others it is told when it is nought.
    status["terminatingReplicas"] = count(replica_sets, "terminatingReplicas")
    if "collisionCount" in old:
        status["collisionCount"] = old["collisionCount"]
    status["conditions"] = clone(old.get("conditions") or [])
    enough = can_serve >= replicas(deployment) - max_unavailable(deployment)
    if enough:
        verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        verdict = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    set_condition(status, Verdict(AVAILABLE, *verdict))
    return status


def judged(deployment: Json, status: Json, new: Json | None) -> Json:
    """Return the counted status with the verdict on the rollout's progress."""
    if not has_deadline(deployment):
        drop_condition(status, PROGRESSING)
        return status
    current = condition(deployment.get("status", {}), PROGRESSING)
    settled = current is not None and current["reason"] == NEW_AVAILABLE
    if settled and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return status
    subject = f'ReplicaSet "{name_of(new)}"' if new else f'Deployment "{name_of(deployment)}"'
    if is_complete(deployment, status):
        said = f"{subject} has successfully progressed."
        set_condition(status, Verdict(PROGRESSING, "True", NEW_AVAILABLE, said))
    elif _has_progressed(deployment.get("status", {}), status):
        verdict = Verdict(PROGRESSING, "True", "ReplicaSetUpdated", f"{subject} is progressing.")
        drop_condition(status, PROGRESSING)
        since = current["lastTransitionTime"] if current and current["status"] == "True" else None
        set_condition(status, verdict, since=since)
    elif is_overdue(deployment, status):
        said = f"{subject} has timed out progressing."
        set_condition(status, Verdict(PROGRESSING, "False", TIMED_OUT, said))
    return status


def is_complete(deployment: Json, status: Json) -> bool:
    """Say whether every wanted pod is of the new template and available, and no other is left."""
    wanted = replicas(deployment)
    counts = (status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas"))
    return all(count == wanted for count in counts) and (
        status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    )


def is_overdue(deployment: Json, status: Json) -> bool:
    """Say whether nothing has moved for longer than the deadline."""
    current = condition(status, PROGRESSING)
    if current is None or current["reason"] == NEW_AVAILABLE:
        return False
    return current["reason"] == TIMED_OUT or _due(deployment, current) < now()


def seconds_to_deadline(deployment: Json) -> float | None:
    """Return when the rollout has to be looked at again to see that it is overdue; None if never."""
    status = deployment.get("status", {})
    current = condition(status, PROGRESSING)
    if not has_deadline(deployment) or current is None or current["reason"] == TIMED_OUT:
        return None
    if is_complete(deployment, status):
        return None
    # Times are kept in whole seconds: a second more makes sure that the deadline has passed.
    return max((_due(deployment, current) - now()).total_seconds(), 0.0) + 1.0


def condition(status: Json, kind: str) -> Json | None:
    """Return a condition of a status."""
    found: list[Json] = [c for c in status.get("conditions") or [] if c["type"] == kind]
    return found[0] if found else None


def set_condition(status: Json, verdict: Verdict, *, since: str | None = None) -> None:
    """Set a condition; one that says the same already is left alone, with its times."""
    old = condition(status, verdict.kind)
    if old and old["status"] == verdict.status and old["reason"] == verdict.reason:
        return
    moment = stamp()
    changed = since or (old["lastTransitionTime"] if old and old["status"] == verdict.status else moment)
    drop_condition(status, verdict.kind)
    status.setdefault("conditions", []).append(
        {
            "type": verdict.kind,
            "status": verdict.status,
            "lastUpdateTime": moment,
            "lastTransitionTime": changed,
            "reason": verdict.reason,
            "message": verdict.message,
        }
    )


def drop_condition(status: Json, kind: str) -> None:
    """Take a condition away."""
    status["conditions"] = [c for c in status.get("conditions") or [] if c["type"] != kind]


def _has_progressed(old: Json, new: Json) -> bool:
    def outdated(status: Json) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return outdated(new) < outdated(old) or any(new.get(name, 0) > old.get(name, 0) for name in grown)


def _due(deployment: Json, current: Json) -> datetime:
    return parse_time(current["lastUpdateTime"]) + timedelta(
        seconds=deployment["spec"]["progressDeadlineSeconds"]
    )
