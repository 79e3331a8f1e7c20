"""Patches change what they name, keep what they do not, and know whose a field is."""

from typing import Any

import pytest

from sandbox.cluster.errors import ApiError
from sandbox.cluster.objects import clone
from sandbox.cluster.patching.apply import apply_patch
from sandbox.cluster.patching.fields import decode, encode, fields_of, shown
from sandbox.cluster.patching.jsonpatch import json_patch, merge_patch
from sandbox.cluster.patching.managers import record_update
from sandbox.cluster.patching.strategic import strategic_merge


def _pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    body = {"containers": list(containers), **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": body}


def _containers(pod: dict[str, Any]) -> list[tuple[str, str]]:
    return [(container["name"], container.get("image", "")) for container in pod["spec"]["containers"]]


A, B, C = ({"name": name, "image": f"{name}:1"} for name in "abc")


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param([{"name": "a", "image": "a:2"}], [("a", "a:2"), ("b", "b:1")], id="changed-in-place"),
        pytest.param(
            [{"name": "c", "image": "c:1"}], [("c", "c:1"), ("a", "a:1"), ("b", "b:1")], id="new-first"
        ),
        pytest.param([{"name": "a", "$patch": "delete"}], [("b", "b:1")], id="deleted"),
        pytest.param([{"$patch": "replace"}, {"name": "c", "image": "c:1"}], [("c", "c:1")], id="replaced"),
    ],
)
def test_strategic_merge_finds_items_by_name(
    patch: list[dict[str, Any]], expected: list[tuple[str, str]]
) -> None:
    """A list with a merge key is changed item by item."""
    old = _pod(A, B)
    before = clone(old)
    assert _containers(strategic_merge(old, {"spec": {"containers": patch}})) == expected
    assert old == before


def test_strategic_merge_follows_its_directives() -> None:
    """Kubectl's directives order lists, keep only named fields and remove single values."""
    old = _pod(A, B, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}})
    old["metadata"]["finalizers"] = ["x", "y"]
    patch = {
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["x"], "finalizers": ["z"]},
        "spec": {
            "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
            "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
        },
    }
    new = strategic_merge(old, patch)
    assert [name for name, _ in _containers(new)] == ["b", "a"]
    assert new["spec"]["strategy"] == {"type": "Recreate"}
    assert set(new["metadata"]["finalizers"]) == {"y", "z"}


def test_strategic_merge_wants_the_key() -> None:
    """An item that cannot be found is an error, with the API server's words and code."""
    with pytest.raises(
        ApiError, match="map\\[image:x\\] does not contain declared merge key: name"
    ) as caught:
        strategic_merge(_pod(A), {"spec": {"containers": [{"image": "x"}]}})
    assert caught.value.code == 500


def test_merge_patch_removes_by_null_and_replaces_lists() -> None:
    """RFC 7386."""
    old = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merge_patch(old, {"a": {"b": None, "c": [3]}, "e": {"f": None}}) == {
        "a": {"c": [3]},
        "d": 1,
        "e": {},
    }


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        pytest.param({"op": "add", "path": "/list/-", "value": 3}, {"list": [1, 2, 3]}, id="append"),
        pytest.param({"op": "add", "path": "/list/0", "value": 0}, {"list": [0, 1, 2]}, id="insert"),
        pytest.param({"op": "replace", "path": "/list/1", "value": 9}, {"list": [1, 9]}, id="replace"),
        pytest.param({"op": "remove", "path": "/list/0"}, {"list": [2]}, id="remove"),
        pytest.param({"op": "move", "from": "/list/0", "path": "/x"}, {"list": [2], "x": 1}, id="move"),
        pytest.param({"op": "copy", "from": "/list", "path": "/y"}, {"list": [1, 2], "y": [1, 2]}, id="copy"),
        pytest.param({"op": "add", "path": "/a~1b", "value": 1}, {"list": [1, 2], "a/b": 1}, id="escape"),
        pytest.param({"op": "test", "path": "/nope", "value": None}, {"list": [1, 2]}, id="absent-is-null"),
    ],
)
def test_json_patch_operations(operation: dict[str, Any], expected: dict[str, Any]) -> None:
    """RFC 6902, and null for what is not there."""
    assert json_patch({"list": [1, 2]}, [operation]) == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/list", "value": []},
        {"op": "remove", "path": "/nope"},
        {"op": "replace", "path": "/a/b", "value": 1},
        {"op": "add", "path": "/list/9", "value": 1},
        {"op": "explode", "path": "/list"},
    ],
)
def test_json_patch_that_does_not_fit(operation: dict[str, Any]) -> None:
    """An operation that fails makes the whole patch a 422."""
    with pytest.raises(ApiError) as caught:
        json_patch({"list": [1]}, [operation])
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")


def test_field_sets_survive_being_written() -> None:
    """FieldsV1 says the same as the set it was made from."""
    pod = _pod(A | {"ports": [{"containerPort": 80, "protocol": "TCP"}]}, B, nodeSelector={"x": "y"})
    pod["metadata"] |= {"labels": {"l": "1"}, "finalizers": ["f/x"]}
    paths = set(fields_of(pod, with_parents=True))
    assert decode(encode(paths)) == paths
    assert {shown(path) for path in paths} >= {
        ".metadata.labels.l",
        '.metadata.finalizers[="f/x"]',
        '.spec.containers[name="a"].image',
        '.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].containerPort',
        ".spec.nodeSelector",
    }


def test_an_update_moves_the_ownership_of_what_it_changed() -> None:
    """A field belongs to whoever changed it last; what nobody changed stays where it was."""
    first = _pod(A, B)
    record_update(None, first, "maker")
    second = clone(first)
    second["spec"]["containers"][0]["image"] = "a:2"
    record_update(first, second, "changer")
    owners = {entry["manager"]: decode(entry["fieldsV1"]) for entry in second["metadata"]["managedFields"]}
    assert {shown(path) for path in owners["changer"]} == {'.spec.containers[name="a"].image'}
    assert not owners["maker"] & owners["changer"]


def _applied(*containers: dict[str, Any]) -> dict[str, Any]:
    return _pod(*containers)


def test_apply_drops_what_it_no_longer_names() -> None:
    """A container that its only applier leaves out goes, with all that is in it; another's stays."""
    live = _pod()
    live["metadata"]["resourceVersion"] = "1"
    one = apply_patch(live, _applied(A, B), "one", force=False)
    two = apply_patch(one, _applied({"name": "a", "tty": True}), "two", force=False)
    left = apply_patch(two, _applied(B), "one", force=False)
    assert left["spec"]["containers"] == [{"name": "a", "tty": True}, B]
    gone = apply_patch(left, _applied(B), "two", force=False)
    assert gone["spec"]["containers"] == [B]


def test_apply_tells_of_every_conflict() -> None:
    """All fields of others that would change are named at once; equal values are shared ownership."""
    live = _pod()
    live["metadata"]["resourceVersion"] = "1"
    one = apply_patch(live, _applied(A, B), "one", force=False)
    apply_patch(one, _applied(A), "two", force=False)
    changed = _applied({"name": "a", "image": "a:9"}, {"name": "b", "image": "b:9"})
    with pytest.raises(ApiError) as caught:
        apply_patch(one, changed, "two", force=False)
    assert caught.value.message == (
        'Apply failed with 2 conflicts: conflicts with "one":\n'
        '- .spec.containers[name="a"].image\n- .spec.containers[name="b"].image'
    )
    forced = apply_patch(one, changed, "two", force=True)
    assert _containers(forced) == [("a", "a:9"), ("b", "b:9")]
