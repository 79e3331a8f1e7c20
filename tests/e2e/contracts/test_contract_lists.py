"""Lists: what they say of themselves, and what selectors and pages leave of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.contracts.things import config_map, deployment
from tests.e2e.contracts.worlds import Place

Seen = Callable[[Any], Any]


def test_list_has_a_version_and_bare_items(place: Place, seen: Seen) -> None:
    """A list has a resourceVersion to watch from; its items say not what kind they are."""
    place.make("configmaps", config_map())
    answer = place.ask("GET", "configmaps", labelSelector="app=web").body
    assert int(answer["metadata"]["resourceVersion"]) >= int(
        answer["items"][0]["metadata"]["resourceVersion"]
    )
    found = seen(answer)
    assert (found["kind"], found["apiVersion"]) == ("ConfigMapList", "v1")
    assert [("kind" in item, "apiVersion" in item) for item in found["items"]] == [(False, False)]


def test_list_of_nothing_is_a_list(place: Place, seen: Seen) -> None:
    """What a selector leaves nothing of is a list without items, and so is a namespace that is not there."""
    place.make("deployments", deployment(paused=True))
    for query in ({"fieldSelector": "metadata.name=absent"}, {"labelSelector": "app=absent"}):
        assert place.items("deployments", **query) == []
    answer = place.api.ask("GET", "/apis/apps/v1/namespaces/absent/deployments")
    assert (answer.code, seen(answer.body)["items"]) == (200, [])


def test_selectors_of_lists(place: Place, seen: Seen) -> None:
    """Label selectors with `=`, `in`, `notin`, existence and absence choose as they say."""
    for name, labels in (("a", {"tier": "x"}), ("b", {"tier": "y", "old": "1"}), ("c", {})):
        place.make("configmaps", {"metadata": {"name": name, "labels": {"app": "web"} | labels}})
    selectors = ("tier=x", "tier!=x,app", "tier in (x,y)", "tier notin (x)", "old", "!old", "tier==y,old=1")
    found = {
        selector: [
            item["metadata"]["name"]
            for item in place.items("configmaps", labelSelector=f"app=web,{selector}")
        ]
        for selector in selectors
    }
    assert seen(found) == {
        "tier=x": ["a"],
        "tier!=x,app": ["b", "c"],
        "tier in (x,y)": ["a", "b"],
        "tier notin (x)": ["b", "c"],
        "old": ["b"],
        "!old": ["a", "c"],
        "tier==y,old=1": ["b"],
    }


def test_long_list_comes_in_pages(place: Place, seen: Seen) -> None:
    """`limit` gives a page, a token for the next, and how many are left; the pages have one version."""
    for name in "abcde":
        place.make("configmaps", {"metadata": {"name": name, "labels": {"app": "web"}}})
    first = place.ask("GET", "configmaps", limit=2).body
    token = first["metadata"]["continue"]
    second = place.ask("GET", "configmaps", limit=20, **{"continue": token}).body
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]
    names = [[item["metadata"]["name"] for item in page["items"]] for page in (first, second)]
    assert seen([name for page in names for name in page if len(name) == 1]) == list("abcde")
    assert "continue" not in second["metadata"]


def test_unknown_field_selector_is_a_bad_request(place: Place, seen: Seen) -> None:
    """A field that objects cannot be selected by is a 400."""
    answer = place.ask("GET", "deployments", fieldSelector="spec.paused=true")
    assert answer.code == 400
    assert seen(answer.body)["reason"] == "BadRequest"
