"""How many pods a rollout may have, and where it may have them. Arithmetic only."""

import math

from sandbox.cluster.objects import Json, annotations_of, name_of
from sandbox.cluster.quantities import int_or_percent

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


def replicas(thing: Json) -> int:
    """Return spec.replicas."""
    return int(thing["spec"]["replicas"])


def available(replica_set: Json) -> int:
    """Return how many pods of a replica set can serve."""
    return int(replica_set.get("status", {}).get("availableReplicas", 0))


def total_replicas(replica_sets: list[Json]) -> int:
    """Return how many pods the replica sets want together."""
    return sum(replicas(rs) for rs in replica_sets)


def active(replica_sets: list[Json]) -> list[Json]:
    """Return the replica sets that want pods."""
    return [rs for rs in replica_sets if replicas(rs) > 0]


def is_rolling(deployment: Json) -> bool:
    """Say whether the strategy is a rolling update."""
    return bool(deployment["spec"]["strategy"]["type"] == "RollingUpdate")


def fence_posts(deployment: Json) -> tuple[int, int]:
    """Return (surge, unavailable) in pods: surge is rounded up, unavailable down, and not both are 0."""
    update = deployment["spec"]["strategy"].get("rollingUpdate") or {}
    wanted = replicas(deployment)
    surge = int_or_percent(update.get("maxSurge", 0), wanted, round_up=True)
    unavailable = int_or_percent(update.get("maxUnavailable", 0), wanted, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, unavailable


def max_surge(deployment: Json) -> int:
    """Return how many pods may be there beyond the wanted ones."""
    return fence_posts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Json) -> int:
    """Return how many of the wanted pods may be missing."""
    if not is_rolling(deployment) or replicas(deployment) == 0:
        return 0
    return min(fence_posts(deployment)[1], replicas(deployment))


def new_size(deployment: Json, replica_sets: list[Json], new: Json) -> int:
    """Return how large the new replica set may be now, among all replica sets."""
    wanted = replicas(deployment)
    if not is_rolling(deployment):
        return wanted
    room = wanted + max_surge(deployment) - total_replicas(replica_sets)
    if room <= 0:
        return replicas(new)
    return replicas(new) + min(room, wanted - replicas(new))


def can_go(deployment: Json, olds: list[Json], new: Json) -> int:
    """Return how many old pods may be given up, the unhealthy ones included."""
    minimum = replicas(deployment) - max_unavailable(deployment)
    unavailable_new = replicas(new) - available(new)
    return total_replicas([*olds, new]) - minimum - unavailable_new


def proportional_sizes(deployment: Json, replica_sets: list[Json]) -> dict[str, int]:
    """Share a change of the deployment's size among its active replica sets, the rest to the largest."""
    wanted = replicas(deployment)
    allowed = wanted + max_surge(deployment) if wanted > 0 else 0
    change = allowed - total_replicas(replica_sets)
    newest_first = sorted(
        replica_sets, key=lambda rs: rs["metadata"]["creationTimestamp"], reverse=change > 0
    )
    ordered = sorted(newest_first, key=lambda rs: -replicas(rs))
    sizes, done = {}, 0
    for rs in ordered:
        share = _share(rs, deployment, change, done) if change else 0
        sizes[name_of(rs)] = replicas(rs) + share
        done += share
    if ordered and change:
        first = name_of(ordered[0])
        sizes[first] = max(sizes[first] + change - done, 0)
    return sizes


def _share(rs: Json, deployment: Json, change: int, done: int) -> int:
    if replicas(rs) == 0 or change == done:
        return 0
    wanted = replicas(deployment)
    if wanted == 0:
        fraction = -replicas(rs)
    else:
        before = int(annotations_of(rs).get(MAXIMUM) or deployment["status"].get("replicas") or 1)
        size = replicas(rs) * (wanted + max_surge(deployment)) / before
        fraction = math.floor(size + 0.5) - replicas(rs)
    left = change - done
    return min(fraction, left) if change > 0 else max(fraction, left)
