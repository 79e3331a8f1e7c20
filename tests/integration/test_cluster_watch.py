"""Watches of the sandbox tell what happened as Kubernetes' do: in order, by selector, from a version on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from kubernetes import watch
from kubernetes.client.exceptions import ApiException

from sandbox.cluster import ADMIN_TOKEN, Cluster, running_cluster
from tests.integration.cluster_clients import Loose, Namespace, new_namespace, raw


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One cluster for the module; each test has its own namespace."""
    with running_cluster() as running:
        yield running


@pytest.fixture
def namespace(cluster: Cluster, tmp_path: Path) -> Iterator[Namespace]:
    """A namespace of its own."""
    with new_namespace(cluster, tmp_path) as made:
        yield made


def _put(namespace: Namespace, name: str, **labels: str | None) -> None:
    """Create a secret, or change its labels."""
    body = {"metadata": {"name": name, "labels": labels}}
    known = [secret.metadata.name for secret in namespace.core.list_namespaced_secret(namespace.name).items]
    if name in known:
        namespace.core.patch_namespaced_secret(name, namespace.name, body)
    else:
        namespace.core.create_namespaced_secret(namespace.name, body)


def _events(namespace: Namespace, **query: str) -> list[Loose]:
    """Watch the secrets of the namespace up to the first bookmark; returns the events as they came."""
    path = f"/api/v1/namespaces/{namespace.name}/secrets"
    options = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": "10", **query}
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    url = f"{namespace.cluster.url}{path}"
    events = []
    with httpx.stream("GET", url, params=options, headers=headers, timeout=10) as answer:
        for line in answer.iter_lines():
            events.append(json.loads(line))
            if events[-1]["type"] in {"BOOKMARK", "ERROR"}:
                break
    return events


def _told(events: list[Loose]) -> list[tuple[str, str]]:
    return [(e["type"], e["object"]["metadata"]["name"]) for e in events if e["type"] != "BOOKMARK"]


def _version(namespace: Namespace) -> str:
    return str(namespace.core.list_namespaced_secret(namespace.name).metadata.resource_version)


def test_a_watch_goes_on_where_a_list_ended(namespace: Namespace) -> None:
    """From a list's version on, every change is told once, in order, with growing versions."""
    _put(namespace, "before")
    start = _version(namespace)
    _put(namespace, "a")
    _put(namespace, "a", x="1")
    namespace.core.delete_namespaced_secret("a", namespace.name)
    events = _events(namespace, resourceVersion=start)
    assert _told(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(versions)
    assert versions[0] > int(start)


def test_a_watch_without_a_version_begins_with_what_is_there(namespace: Namespace) -> None:
    """The present objects come first, as added."""
    _put(namespace, "a")
    _put(namespace, "b")
    assert _told(_events(namespace)) == _told(_events(namespace, resourceVersion="0"))
    assert _told(_events(namespace)) == [("ADDED", "a"), ("ADDED", "b")]


def test_an_object_that_leaves_the_selection_is_deleted_for_the_watcher(namespace: Namespace) -> None:
    """Entering a selector is ADDED and leaving it is DELETED, with the last state that matched."""
    start = _version(namespace)
    for colour in ("green", "blue", "green"):
        _put(namespace, "a", colour=colour)
    _put(namespace, "b", colour="blue")
    events = _events(namespace, resourceVersion=start, labelSelector="colour=green")
    assert _told(events) == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a")]
    left = events[1]["object"]["metadata"]
    assert left["labels"] == {"colour": "green"}
    assert int(left["resourceVersion"]) > int(events[0]["object"]["metadata"]["resourceVersion"])


def test_a_field_selects_one_object(namespace: Namespace) -> None:
    """A watch on a name hears of nothing else."""
    _put(namespace, "a")
    _put(namespace, "b")
    assert _told(_events(namespace, fieldSelector="metadata.name=b")) == [("ADDED", "b")]


def test_a_bookmark_says_how_far_the_watch_has_come(namespace: Namespace) -> None:
    """A quiet watch that asked for bookmarks learns a version from which it can go on."""
    start = _version(namespace)
    namespace.core.create_namespaced_config_map(namespace.name, {"metadata": {"name": "other"}})
    (bookmark,) = _events(namespace, resourceVersion=start)
    metadata = bookmark["object"]["metadata"]
    assert (bookmark["type"], bookmark["object"]["kind"]) == ("BOOKMARK", "Secret")
    assert int(metadata["resourceVersion"]) > int(start)


def test_a_version_that_was_compacted_away_is_a_410(cluster: Cluster, namespace: Namespace) -> None:
    """The stream begins with an ERROR event whose object is a Status; the client raises it."""
    start = _version(namespace)
    _put(namespace, "a")
    compacted = raw(cluster, "POST", "/sandbox/compact").json()["compacted"]
    (error,) = _events(namespace, resourceVersion=start)
    assert error == {
        "type": "ERROR",
        "object": {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": f"too old resource version: {start} ({compacted})",
            "reason": "Expired",
            "code": 410,
        },
    }
    kind: Loose = watch.Watch
    stream = kind().stream(
        namespace.core.list_namespaced_secret, namespace.name, resource_version=start, timeout_seconds=1
    )
    with pytest.raises(ApiException) as caught:
        next(stream)
    assert caught.value.status == 410
    assert _told(_events(namespace, resourceVersion=str(compacted))) == []


def test_history_has_a_window(tmp_path: Path) -> None:
    """What is older than the window of a cluster is compacted away by itself."""
    with running_cluster(window=5) as small, new_namespace(small, tmp_path) as namespace:
        start = _version(namespace)
        for number in range(6):
            _put(namespace, f"s{number}")
        assert _events(namespace, resourceVersion=start)[0]["object"]["code"] == 410


def test_a_watch_ends_by_itself(namespace: Namespace) -> None:
    """TimeoutSeconds closes the stream cleanly."""
    path = f"/api/v1/namespaces/{namespace.name}/secrets"
    query = {"watch": "true", "timeoutSeconds": "1"}
    answer = raw(namespace.cluster, "GET", path, params=query)
    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["transfer-encoding"] == "chunked"


def test_a_new_kind_of_watch_is_refused_so_that_clients_list(namespace: Namespace) -> None:
    """SendInitialEvents is answered as by a server without the WatchList feature."""
    path = f"/api/v1/namespaces/{namespace.name}/secrets"
    query = {"watch": "true", "sendInitialEvents": "true"}
    answer = raw(namespace.cluster, "GET", path, params=query)
    assert answer.status_code == 422
    assert "unless the WatchList feature gate is enabled" in answer.json()["message"]
