"""What the cluster remembers is kept the same way on both clusters: read, created, replaced, refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.contracts.worlds import Place, World
from workers.cluster import Cluster, ClusterError, ConflictError, ForbiddenError, Kept, NotFoundError, Right
from workers.cluster.connections import Connections
from workers.cluster.kube import KubernetesCluster
from workers.ledger import rehearse

Seen = Callable[[Any], Any]
LABELS = {"app.kubernetes.io/managed-by": "buzzy"}
FIRST = Kept({"counter": "1"}, {"R1": b"\x00\xff"})
REPLACEMENT = Kept({"counter": "2"}, {}, "1")


@contextmanager
def _connected(kubeconfig: Path) -> Iterator[Cluster]:
    """A client whose connections are closed at the end."""
    made = Connections(str(kubeconfig))(None)
    yield made
    assert isinstance(made, KubernetesCluster)
    made._core.api_client.rest_client.pool_manager.clear()


@pytest.fixture(scope="session")
def client(world: World) -> Iterator[Cluster]:
    """The workers' client, with every right."""
    with _connected(world.kubeconfig) as made:
        yield made


def _refused(kind: type[ClusterError], action: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        action()
    return str(caught.value)


def test_what_is_kept_is_read_back_and_replaced(place: Place, client: Cluster, seen: Seen) -> None:
    """Texts and bytes as they were written; what a replacement leaves out is gone."""
    client.keep(place.name, "ledger", FIRST, LABELS)
    first = client.kept(place.name, "ledger")
    assert (first.texts, first.parts) == (FIRST.texts, FIRST.parts)
    second = Kept({"counter": "2"}, {"R2": b"two"}, first.resource_version)
    client.keep(place.name, "ledger", second, LABELS)
    now = client.kept(place.name, "ledger")
    assert (now.texts, now.parts) == (second.texts, second.parts)
    assert now.resource_version != first.resource_version
    stored = place.get("configmaps", "ledger")
    assert seen({"data": stored["data"], "labels": stored["metadata"]["labels"]})["labels"] == LABELS


def test_what_was_changed_since_it_was_read_is_not_replaced(
    place: Place, client: Cluster, seen: Seen
) -> None:
    """A stale version is a ConflictError, and so is a second creation; neither changes anything."""
    client.keep(place.name, "ledger", FIRST, LABELS)
    stale = client.kept(place.name, "ledger")
    client.keep(place.name, "ledger", Kept({"counter": "2"}, {}, stale.resource_version), LABELS)
    keep = partial(client.keep, place.name, "ledger")
    told = [
        _refused(ConflictError, partial(keep, again, LABELS, rehearse=rehearsed))
        for again in (stale, FIRST)
        for rehearsed in (True, False)
    ]
    assert client.kept(place.name, "ledger").texts == {"counter": "2"}
    assert "the object has been modified" in seen(told)[0]


def test_rehearsals_keep_nothing_and_what_is_not_there_is_not_found(
    place: Place, client: Cluster, seen: Seen
) -> None:
    """A creation and a replacement are rehearsed where there is nothing, without a trace."""
    rehearse(client, place.name)
    told = [
        _refused(NotFoundError, lambda: client.kept(place.name, "buzzy-ledger")),
        _refused(NotFoundError, lambda: client.keep(place.name, "buzzy-ledger", REPLACEMENT, LABELS)),
    ]
    assert len(set(seen(told))) == 1
    client.keep(place.name, "buzzy-ledger", FIRST, LABELS)
    rehearse(client, place.name)
    assert client.kept(place.name, "buzzy-ledger").texts == FIRST.texts


@pytest.mark.parametrize("verb", ["get", "create"])
def test_a_missing_right_is_noticed_by_the_rehearsal(
    world: World, place: Place, seen: Seen, verb: str
) -> None:
    """Who may only read, or only create, is told which right the Role needs."""
    with _connected(world.account(place.name, f"only-{verb}", verb, "configmaps")) as stranger:
        assert stranger.may(place.name, Right(verb, "configmaps"))
        assert not stranger.may(place.name, Right("update", "configmaps", "buzzy-ledger"))
        told = seen(_refused(ForbiddenError, lambda: rehearse(stranger, place.name)))
    needs = {"get": "configmaps: create", "create": "configmaps: get"}[verb]
    assert told.endswith(f"its Role there needs {needs}")


def test_whoever_has_every_right_may_do_everything(place: Place, client: Cluster, seen: Seen) -> None:
    """Rights are asked for by group, resource, subresource and name."""
    rights = [
        Right("patch", "apps/deployments"),
        Right("get", "pods/log"),
        Right("update", "configmaps", "buzzy-ledger"),
    ]
    assert seen([client.may(place.name, right) for right in rights]) == [True, True, True]
    assert client.version().startswith("v1.")
