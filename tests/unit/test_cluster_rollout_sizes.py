"""The arithmetic of rollouts: fence posts, room for new pods, shares of a change of size."""

from typing import Any

import pytest

from sandbox.cluster.controllers.rollout.sizes import (
    DESIRED,
    MAXIMUM,
    can_go,
    fence_posts,
    new_size,
    proportional_sizes,
)


def _deployment(replicas: int, surge: int | str = 1, unavailable: int | str = 1) -> dict[str, Any]:
    update = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": update}
    return {"spec": {"replicas": replicas, "strategy": strategy}, "status": {}}


def _replica_set(name: str, replicas: int, available: int = 0, maximum: int = 4) -> dict[str, Any]:
    annotations = {DESIRED: "3", MAXIMUM: str(maximum)}
    metadata = {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z", "annotations": annotations}
    return {
        "metadata": metadata,
        "spec": {"replicas": replicas},
        "status": {"availableReplicas": available},
    }


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        pytest.param(3, 1, 1, (1, 1), id="counts"),
        pytest.param(10, "25%", "25%", (3, 2), id="surge-up-unavailable-down"),
        pytest.param(1, "25%", "25%", (1, 0), id="one-replica-surges"),
        pytest.param(3, 0, "10%", (0, 1), id="never-both-zero"),
        pytest.param(4, "50%", "100%", (2, 4), id="large-shares"),
    ],
)
def test_fence_posts(
    replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]
) -> None:
    """Percentages are rounded in the cautious direction, and a rollout can always move."""
    assert fence_posts(_deployment(replicas, surge, unavailable)) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(0, 0, 3, id="a-first-rollout-starts-whole"),
        pytest.param(3, 0, 1, id="one-more-than-wanted"),
        pytest.param(2, 1, 2, id="what-went-is-replaced"),
        pytest.param(3, 1, 1, id="no-room"),
        pytest.param(0, 3, 3, id="done"),
    ],
)
def test_room_for_new_pods(old: int, new: int, expected: int) -> None:
    """The new replica set grows into the room that the old one and the surge leave."""
    sets = [_replica_set("old", old), _replica_set("new", new)]
    assert new_size(_deployment(3), sets, sets[1]) == expected


@pytest.mark.parametrize(
    ("new_available", "expected"),
    [pytest.param(0, 1, id="new-pods-not-ready"), pytest.param(1, 2, id="new-pods-ready")],
)
def test_old_pods_that_can_go(new_available: int, expected: int) -> None:
    """New pods that are not available yet are not counted on."""
    new = _replica_set("new", 1, new_available)
    assert can_go(_deployment(3), [_replica_set("old", 3, 3)], new) == expected


@pytest.mark.parametrize(
    ("replicas", "expected"),
    [
        pytest.param(6, {"old": 5, "new": 2}, id="grown"),
        pytest.param(2, {"old": 2, "new": 1}, id="shrunk"),
        pytest.param(0, {"old": 0, "new": 0}, id="gone"),
    ],
)
def test_a_change_of_size_is_shared(replicas: int, expected: dict[str, int]) -> None:
    """Each replica set gets its share; what rounding leaves goes to the largest."""
    sets = [_replica_set("old", 3), _replica_set("new", 1)]
    assert proportional_sizes(_deployment(replicas), sets) == expected
