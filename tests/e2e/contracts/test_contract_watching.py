"""Watches: what comes, in which order, from where on, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.contracts.things import config_map, deployment
from tests.e2e.contracts.worlds import Json, Place, World

Seen = Callable[[Any], Any]


def _story(place: Place) -> None:
    place.make("configmaps", {"metadata": {"name": "one", "labels": {"app": "web"}}, "data": {"a": "1"}})
    place.merge("configmaps", "one", {"data": {"a": "2"}})
    place.make("configmaps", {"metadata": {"name": "two", "labels": {"app": "other"}}})
    place.remove("configmaps", "one")


def _told(changes: list[Json]) -> list[tuple[str, str]]:
    return [(each["type"], each["object"]["metadata"]["name"]) for each in changes]


def test_changes_come_in_order(place: Place, seen: Seen) -> None:
    """From a list's version on each change comes once, in order, with versions that grow."""
    version = place.version("configmaps")
    _story(place)
    with place.watch("configmaps", resourceVersion=version, timeoutSeconds=5) as changes:
        found = [next(changes) for _ in range(4)]
    assert _told(seen(found)) == [("ADDED", "one"), ("MODIFIED", "one"), ("ADDED", "two"), ("DELETED", "one")]
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in found]
    assert versions == sorted(set(versions))
    assert found[1]["object"]["data"] == {"a": "2"}
    assert found[3]["object"]["kind"] == "ConfigMap"


def test_watch_goes_on_from_where_it_was(place: Place, seen: Seen) -> None:
    """A watch from the version of a change brings only what came after that change."""
    version = place.version("configmaps")
    _story(place)
    with place.watch("configmaps", resourceVersion=version) as changes:
        next(changes)
        reached = next(changes)["object"]["metadata"]["resourceVersion"]
    with place.watch("configmaps", resourceVersion=reached) as changes:
        found = [next(changes) for _ in range(2)]
    assert _told(seen(found)) == [("ADDED", "two"), ("DELETED", "one")]


def test_watch_by_label(place: Place, seen: Seen) -> None:
    """A label that appears is ADDED to the watch of a selector, one that goes is DELETED from it."""
    version = place.version("configmaps")
    place.make("configmaps", {"metadata": {"name": "one"}})
    place.merge("configmaps", "one", {"metadata": {"labels": {"app": "web"}}})
    place.merge("configmaps", "one", {"data": {"a": "1"}})
    place.merge("configmaps", "one", {"metadata": {"labels": {"app": "other"}}})
    with place.watch("configmaps", resourceVersion=version, labelSelector="app=web") as changes:
        found = [next(changes) for _ in range(3)]
    assert [each["type"] for each in seen(found)] == ["ADDED", "MODIFIED", "DELETED"]
    assert found[2]["object"]["metadata"]["labels"] == {"app": "web"}


def test_watch_by_name(place: Place, seen: Seen) -> None:
    """The fieldSelector metadata.name brings one object's changes and no other's."""
    version = place.version("configmaps")
    _story(place)
    place.remove("configmaps", "two")
    query = {"resourceVersion": version, "fieldSelector": "metadata.name=two"}
    with place.watch("configmaps", **query) as changes:
        found = [next(changes) for _ in range(2)]
    assert _told(seen(found)) == [("ADDED", "two"), ("DELETED", "two")]


def test_watch_without_a_version_begins_with_all_there_is(place: Place, seen: Seen) -> None:
    """A watch that names no version, or 0, tells first of what is there as ADDED."""
    place.make("configmaps", config_map())
    found = []
    for version in ("", "0"):
        with place.watch("configmaps", resourceVersion=version, labelSelector="app=web") as changes:
            found.append(next(changes))
    assert [each["type"] for each in seen(found)] == ["ADDED", "ADDED"]


def test_watch_ends_when_its_time_is_up(place: Place, seen: Seen) -> None:
    """A watch's timeoutSeconds ends the stream cleanly, without an ERROR."""
    version = place.version("deployments")
    begun = time.monotonic()
    with place.watch("deployments", resourceVersion=version, timeoutSeconds=1) as changes:
        found = list(changes)
    assert seen(found) == []
    assert 0.5 < time.monotonic() - begun < 4


def test_bookmark_ends_a_quiet_watch(place: Place, seen: Seen) -> None:
    """A watch that wants bookmarks gets one before its time is up: how far it has come, and nothing else."""
    version = place.version("configmaps")
    made = place.make("configmaps", config_map())
    query: Json = {"resourceVersion": version, "timeoutSeconds": 10, "allowWatchBookmarks": "true"}
    with place.watch("configmaps", **query) as changes:
        found = list(changes)
    assert [each["type"] for each in found[:2]] == ["ADDED", "BOOKMARK"]
    reached = found[-1]["object"]["metadata"]["resourceVersion"]
    assert int(reached) >= int(made["metadata"]["resourceVersion"])
    bookmark = seen(found[-1])
    assert bookmark["object"]["kind"] == "ConfigMap"
    assert bookmark["object"]["metadata"] == {"resourceVersion": "<version>"}


def test_too_old_a_version_is_expired(world: World, place: Place, seen: Seen) -> None:
    """A watch from a version whose history is gone is an ERROR with a 410 in the stream: list again."""
    place.make("configmaps", config_map())
    world.forget()
    with place.watch("configmaps", resourceVersion="1") as changes:
        told = next(changes)
    status = told["object"]
    assert told["type"] == "ERROR"
    assert (status["code"], status["reason"], status["status"]) == (410, "Expired", "Failure")
    assert status["message"].startswith("too old resource version: 1 (")
    seen(
        {"type": told["type"]}
        | {key: status[key] for key in ("code", "reason", "kind", "apiVersion", "metadata")}
    )


@pytest.mark.parametrize("version", ["soon", "-1"])
def test_version_that_is_none_is_refused(
    place: Place, observe: Callable[[str, Any], Any], version: str
) -> None:
    """A watch from what is no version is refused at once, before a stream begins."""
    with place.watch("configmaps", resourceVersion=version) as changes:
        told = next(changes)
    assert told["type"] == "HTTP"
    status = observe(version, told["object"])
    assert status["code"] == 500
    assert status["message"] == (
        f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
    )


def test_watch_of_a_deployment_tells_of_its_status(place: Place, seen: Seen) -> None:
    """What a controller writes into the status comes as MODIFIED, with the generation that it has seen."""
    version = place.version("deployments")
    place.make("deployments", deployment(replicas=0))
    with place.watch("deployments", resourceVersion=version, fieldSelector="metadata.name=web") as changes:
        types = []
        for change in changes:
            types.append(change["type"])
            if change["object"].get("status", {}).get("observedGeneration") == 1:
                break
    assert seen([types[0], set(types[1:]) == {"MODIFIED"}]) == ["ADDED", True]


def test_watch_of_two_reaches_both(place: Place, seen: Seen) -> None:
    """Two watches at once tell the same."""
    version = place.version("configmaps")
    with (
        place.watch("configmaps", resourceVersion=version) as one,
        place.watch("configmaps", resourceVersion=version) as two,
    ):
        _story(place)
        pairs = [(next(one), next(two)) for _ in range(4)]
    assert all(left == right for left, right in pairs)
    assert len(seen(pairs)) == 4
