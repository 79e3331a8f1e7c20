"""The store keeps one order over all objects, and what lately was."""

from typing import Any

import pytest

from sandbox.cluster.errors import ApiError
from sandbox.cluster.resources import CONFIG_MAPS, SECRETS
from sandbox.cluster.store import Change, Store


def _thing(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"namespace": "n", "name": name}, "data": data}


def _names(things: list[dict[str, Any]]) -> list[str]:
    return [thing["metadata"]["name"] for thing in things]


def test_one_version_counts_for_all_kinds() -> None:
    """Every write has the next number, whatever it writes, and listeners hear it in that order."""
    store = Store()
    heard: list[Change] = []
    stop = store.listen(heard.append)
    store.write(CONFIG_MAPS, _thing("a"))
    store.write(SECRETS, _thing("a"))
    store.write(CONFIG_MAPS, _thing("a", x="1"))
    last = store.remove(CONFIG_MAPS, _thing("a", x="1"))
    stop()
    store.write(SECRETS, _thing("b"))
    assert [change.type for change in heard] == ["ADDED", "ADDED", "MODIFIED", "DELETED"]
    versions = [change.version for change in heard]
    assert versions == list(range(versions[0], versions[0] + 4))
    assert (last["data"], last["metadata"]["resourceVersion"]) == ({"x": "1"}, str(versions[-1]))


def test_the_past_can_be_listed() -> None:
    """The objects of an earlier version come back from the changes since."""
    store = Store()
    store.write(CONFIG_MAPS, _thing("a", x="1"))
    store.write(CONFIG_MAPS, _thing("b"))
    then = store.version
    store.write(CONFIG_MAPS, _thing("a", x="2"))
    store.write(CONFIG_MAPS, _thing("c"))
    store.remove(CONFIG_MAPS, _thing("b"))
    past = store.listing_at(CONFIG_MAPS, "n", then)
    assert _names(past) == ["a", "b"]
    assert past[0]["data"] == {"x": "1"}
    assert _names(store.listing(CONFIG_MAPS, "n")) == ["a", "c"]


def test_what_is_compacted_away_is_gone() -> None:
    """Asking for changes since a forgotten version is refused, by command and by the window."""
    store = Store(window=2)
    start = store.version
    for number in range(2):
        store.write(CONFIG_MAPS, _thing(f"a{number}"))
    assert len(store.changes_after(CONFIG_MAPS, start)) == 2
    store.write(SECRETS, _thing("s"))
    with pytest.raises(ApiError, match="too old resource version: 1 \\(2\\)"):
        store.changes_after(CONFIG_MAPS, start)
    store.compact()
    assert store.changes_after(CONFIG_MAPS, store.version) == []


def test_lists_are_of_a_namespace() -> None:
    """Names that begin alike do not mix, and the order is that of the keys."""
    store = Store()
    for namespace in ("n", "n-2"):
        thing = _thing("x")
        thing["metadata"]["namespace"] = namespace
        store.write(CONFIG_MAPS, thing)
    assert len(store.listing(CONFIG_MAPS, "n")) == 1
    assert len(store.listing(CONFIG_MAPS)) == 2
