"""Sets of fields, as server-side apply writes them into metadata.managedFields (FieldsV1).

A field is a path of steps: `f:name` into a map, `k:{"name":"x"}` to an item of a keyed list, `v:"x"` to a
member of a set.
"""

import json

from sandbox.cluster.objects import Json, JsonValue
from sandbox.cluster.patching.topology import ATOMIC_MAPS, MERGED_PRIMITIVES, apply_keys, key_of

Path = tuple[str, ...]

# Nobody owns what says which object this is, nor what the server itself keeps.
_UNOWNED_METADATA = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "resourceVersion",
        "generation",
        "managedFields",
        "selfLink",
    }
)


# An update owns a map or list that it brought; these are in every object, so that nobody brings them.
_ALWAYS_THERE = frozenset({"metadata", "spec", "status", "template", "containers", "strategy", ""})
_ATOMIC_ITEMS = frozenset({"ownerReferences"})


def fields_of(thing: Json, *, with_parents: bool = False) -> dict[Path, JsonValue]:
    """Return every field of an object that somebody can own, with its value; None for what is only a parent.

    An item of a keyed list is a field besides those in it; maps and lists themselves are `with_parents` only.
    """
    found: dict[Path, JsonValue] = {}
    walk = _Walk(thing.get("kind", ""), found, with_parents=with_parents)
    for name, value in thing.items():
        if name == "metadata":
            owned = {key: item for key, item in value.items() if key not in _UNOWNED_METADATA}
            if owned:
                walk.into(owned, ("f:metadata",), "metadata")
        elif name not in {"apiVersion", "kind"}:
            walk.into(value, (f"f:{name}",), name)
    return found


def encode(paths: set[Path]) -> Json:
    """Write a set of fields as FieldsV1."""
    root: Json = {}
    for path in sorted(paths):
        node = root
        for step in path:
            node = node.setdefault(step, {})
        node["."] = {}
    return _without_lone_dots(root)


def decode(node: Json, prefix: Path = ()) -> set[Path]:
    """Read FieldsV1."""
    if not node:
        return {prefix} if prefix else set()
    found: set[Path] = set()
    for step, child in node.items():
        found |= {prefix} if step == "." else decode(child, (*prefix, step))
    return found


def shown(path: Path) -> str:
    """Write a field for people: `.spec.template.spec.containers[name="x"].image`."""
    text = ""
    for step in path:
        mark, _, rest = step.partition(":")
        if mark == "f":
            text += f".{rest}"
        elif mark == "k":
            pairs = json.loads(rest).items()
            text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in pairs) + "]"
        else:
            text += f"[={rest}]"
    return text


def item_step(item: Json, keys: tuple[str, ...]) -> str:
    """Return the step that leads to an item of a keyed list."""
    return "k:" + json.dumps(key_of(item, keys), separators=(",", ":"))


def value_step(item: object) -> str:
    """Return the step that leads to a member of a set."""
    return f"v:{json.dumps(item)}"


class _Walk:
    """Collects the fields below a value."""

    def __init__(self, kind: str, found: dict[Path, JsonValue], *, with_parents: bool) -> None:
        self._kind = kind
        self._found = found
        self._with_parents = with_parents

    def into(self, value: object, path: Path, name: str) -> None:
        """Collect a field, or the fields in it, if it is a map or list that is merged and not replaced."""
        if isinstance(value, dict) and value and name not in ATOMIC_MAPS:
            self._parent(path, name)
            for key, child in value.items():
                self.into(child, (*path, f"f:{key}"), key)
        elif isinstance(value, list) and value and name in MERGED_PRIMITIVES:
            self._parent(path, name)
            self._found.update({(*path, value_step(item)): item for item in value})
        elif isinstance(value, list) and value and (keys := apply_keys(self._kind, name)):
            self._parent(path, name)
            self._items(value, path, name, keys)
        else:
            self._found[path] = value

    def _items(self, items: list[Json], path: Path, name: str, keys: tuple[str, ...]) -> None:
        for item in items:
            here = (*path, item_step(item, keys))
            if name in _ATOMIC_ITEMS:
                self._found[here] = item
                continue
            self._found[here] = None
            for key, child in item.items():
                self.into(child, (*here, f"f:{key}"), key)

    def _parent(self, path: Path, name: str) -> None:
        if self._with_parents and name not in _ALWAYS_THERE:
            self._found[path] = None


def _without_lone_dots(node: Json) -> Json:
    if set(node) == {"."}:
        return {}
    return {step: _without_lone_dots(child) if step != "." else {} for step, child in node.items()}
