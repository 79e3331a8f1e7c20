"""What an environment is held with is the same on both clusters: Leases, and the fence of a Deployment."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.contracts.clients import plain
from tests.e2e.contracts.worlds import Place
from workers.cluster import (
    AlreadyExistsError,
    Cluster,
    ConflictError,
    DeploymentSeen,
    LeaseSeen,
    LeaseWrite,
    NotFoundError,
    TemplateWrite,
)

Seen = Callable[[Any], Any]

HELD = LeaseWrite(
    holder="one",
    lasts=timedelta(seconds=60),
    acquired_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    renewed_at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
    transitions=1,
    annotations={"buzzy/release": "R1"},
)


def test_workers_create_a_lease_once(place: Place, cluster_client: Cluster, seen: Seen) -> None:
    """It is read back as written, a rehearsal stores nothing, and a second creation is told so."""
    there = (place.name, "buzzy-release")
    cluster_client.create_lease(*there, HELD, rehearse=True)
    with pytest.raises(NotFoundError) as absent:
        cluster_client.lease(*there)
    made = cluster_client.create_lease(*there, HELD)
    with pytest.raises(AlreadyExistsError) as exists:
        cluster_client.create_lease(*there, HELD)
    assert cluster_client.lease(*there) == made
    assert (made.holder, made.lasts, made.transitions) == ("one", HELD.lasts, 1)
    assert made.acquired_at == HELD.acquired_at
    assert made.renewed_at == HELD.renewed_at + timedelta(microseconds=1)  # a whole second is not written
    assert made.annotations == {"buzzy/release": "R1"}
    assert seen([plain(made), str(absent.value), str(exists.value)])[1:] == [
        "there is no lease buzzy-release in <namespace>",
        'leases.coordination.k8s.io "buzzy-release" already exists',
    ]


def test_workers_write_a_lease_from_its_latest_version(
    place: Place, cluster_client: Cluster, seen: Seen
) -> None:
    """Of two that change what they both read, the second is told Conflict, already in the rehearsal.

    What others noted on it stays; let go, it has no holder.
    """
    first = cluster_client.create_lease(place.name, "buzzy-release", HELD)
    place.merge("leases", "buzzy-release", {"metadata": {"labels": {"a": "b"}}})
    told = []
    for rehearse in (True, False):
        with pytest.raises(ConflictError) as caught:
            cluster_client.write_lease(place.name, first, HELD, rehearse=rehearse)
        told.append(str(caught.value))
    let_go = dataclasses.replace(HELD, holder="", annotations={"buzzy/version": "3.2.1"})
    latest = cluster_client.lease(place.name, "buzzy-release")
    rehearsed = cluster_client.write_lease(place.name, latest, let_go, rehearse=True)
    assert cluster_client.lease(place.name, "buzzy-release") == latest
    written = cluster_client.write_lease(place.name, latest, let_go)
    assert (rehearsed.holder, written.holder) == ("", "")
    assert written.annotations == {"buzzy/release": "R1", "buzzy/version": "3.2.1"}
    assert written.metadata["labels"] == {"a": "b"}
    said, _ = seen([told, plain(written)])
    assert all("the object has been modified" in each for each in said)


def test_workers_cannot_write_a_lease_that_was_removed(
    place: Place, cluster_client: Cluster, seen: Seen
) -> None:
    """Whoever held it is told so, and creates it anew instead; the same after another has created it."""
    there = (place.name, "buzzy-release")
    first = cluster_client.create_lease(*there, HELD)
    place.remove("leases", "buzzy-release")
    told = []
    for _ in range(2):
        with pytest.raises(ConflictError) as caught:
            cluster_client.write_lease(place.name, first, HELD)
        told.append(str(caught.value))
        with contextlib.suppress(AlreadyExistsError):
            cluster_client.create_lease(*there, HELD)
    assert all("UID in precondition" in each for each in seen(told))


def test_workers_rehearse_a_write_of_a_lease_that_is_not_there(
    place: Place, cluster_client: Cluster, seen: Seen
) -> None:
    """A Lease is made by a PUT as well: the answer shows the right to write, and nothing is stored."""
    unheld = LeaseSeen({"name": "buzzy-release"})
    rehearsed = cluster_client.write_lease(place.name, unheld, HELD, rehearse=True)
    with pytest.raises(NotFoundError):
        cluster_client.lease(place.name, "buzzy-release")
    assert seen(plain(rehearsed))["holder"] == "one"


def test_workers_fence_a_deployment(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen
) -> None:
    """A write from before the fence is a ConflictError; nothing is rolled out, no generation is counted."""
    before = cluster_client.deployment(place.name, "web")
    cluster_client.fence(place.name, "web", "7-one")
    with pytest.raises(ConflictError):
        cluster_client.write_template(place.name, TemplateWrite(before, before.template, {"a": "b"}))
    after = cluster_client.deployment(place.name, "web")
    assert (after.generation, after.revision, after.template) == (
        before.generation,
        before.revision,
        before.template,
    )
    assert after.annotations == before.annotations
    cluster_client.fence(place.name, "web", "7-two")
    assert cluster_client.deployment(place.name, "web").resource_version != after.resource_version
    with pytest.raises(NotFoundError) as absent:
        cluster_client.fence(place.name, "nothing", "7-three")
    labels = place.get("deployments", "web")["metadata"]["labels"]
    assert seen([labels, str(absent.value)]) == [
        {"buzzy/fence": "7-two"},
        "there is no deployment nothing in <namespace>",
    ]
