"""Server-side apply: a manager says which fields it wants, and is told when they are another's.

What a manager applied before and leaves out now is removed, unless somebody else wants it too.
"""

from sandbox.cluster.errors import ApiError
from sandbox.cluster.objects import Json, JsonValue, clone, stamp
from sandbox.cluster.patching.fields import Path, decode, fields_of, item_step, shown, value_step
from sandbox.cluster.patching.managers import Owner, identity, written
from sandbox.cluster.patching.topology import ATOMIC_MAPS, MERGED_PRIMITIVES, apply_keys


def first_applied(applied: Json, manager: str) -> list[Json]:
    """Return the owners of an object that comes to be by being applied."""
    owner: Owner = (manager, "Apply", "")
    return written({owner: set(fields_of(applied))}, {owner: stamp()}, applied["apiVersion"])


def apply_patch(live: Json, applied: Json, manager: str, *, force: bool, subresource: str = "") -> Json:
    """Return the object after `manager` applied a configuration to it, with the owners of its fields noted.

    Raises:
        ApiError: Fields that the configuration changes belong to others, and force was not asked for (409).
    """
    entries = live["metadata"].get("managedFields") or []
    sets = {identity(entry): decode(entry["fieldsV1"]) for entry in entries}
    times = {identity(entry): entry["time"] for entry in entries}
    mine: Owner = (manager, "Apply", subresource)
    before, wanted = fields_of(live), fields_of(applied)
    result: Json = _merge(live, applied, live["kind"])
    changed = {path for path in wanted if path not in before or before[path] != wanted[path]}
    others = {owner: fields & changed for owner, fields in sets.items() if owner != mine}
    if any(others.values()) and not force:
        raise _conflicts(others, live["apiVersion"])
    dropped = sets.get(mine, set()) - wanted.keys()
    for owner, fields in sets.items():
        if owner != mine:
            fields.difference_update(changed)
            dropped = {path for path in dropped if not _is_held(path, fields)}
    _remove_all(result, dropped, live["kind"])
    if sets.get(mine) != set(wanted) or fields_of(result) != before:
        times[mine] = stamp()
    sets[mine] = set(wanted)
    version = applied["metadata"].get("resourceVersion")
    metadata = result["metadata"] = {
        **result["metadata"],
        "managedFields": written(sets, times, live["apiVersion"]),
    }
    metadata["resourceVersion"] = version or live["metadata"]["resourceVersion"]
    return result


def _is_held(path: Path, fields: set[Path]) -> bool:
    """Say whether somebody holds a field or, for an item of a list, any part of it."""
    return any(held[: len(path)] == path for held in fields)


def _conflicts(others: dict[Owner, set[Path]], api_version: str) -> ApiError:
    causes, said = [], []
    for (manager, operation, subresource), paths in sorted(others.items()):
        if not paths:
            continue
        by = f'"{manager}"' + (f' with subresource "{subresource}"' if subresource else "")
        by += f" using {api_version}" if operation == "Update" else ""
        fields = sorted(shown(path) for path in paths)
        for field in fields:
            message = f"conflict with {by}"
            causes.append({"reason": "FieldManagerConflict", "message": message, "field": field})
        listed = f": {fields[0]}" if len(fields) == 1 else ":\n- " + "\n- ".join(fields)
        said.append(f"{'conflict' if len(fields) == 1 else 'conflicts'} with {by}{listed}")
    count = f"{len(causes)} conflict{'' if len(causes) == 1 else 's'}"
    joined = said[0] if len(said) == 1 else "\n" + "\n".join(said)
    return ApiError(409, "Conflict", f"Apply failed with {count}: {joined}", details={"causes": causes})


def _merge(live: JsonValue, applied: JsonValue, kind: str, name: str = "") -> JsonValue:
    if isinstance(applied, dict) and isinstance(live, dict) and name not in ATOMIC_MAPS:
        result = dict(live)
        for key, value in applied.items():
            result[key] = _merge(live[key], value, kind, key) if key in live else clone(value)
        return result
    if isinstance(applied, list) and isinstance(live, list):
        if name in MERGED_PRIMITIVES:
            return [*live, *(item for item in applied if item not in live)]
        if keys := apply_keys(kind, name):
            return _merge_items(live, applied, keys, kind)
    return clone(applied)


def _merge_items(live: list[Json], applied: list[Json], keys: tuple[str, ...], kind: str) -> list[Json]:
    """Merge list items by their keys: the configuration's order holds, others keep their place before it."""
    known = {item_step(item, keys): item for item in live}
    wanted = {item_step(item, keys): item for item in applied}
    waiting = list(wanted)
    merged: list[Json] = []
    for step, item in known.items():
        if step not in wanted:
            merged.append(item)
            continue
        while step in waiting:
            following = waiting.pop(0)
            merged.append(_merge(known.get(following, {}), wanted[following], kind))
    return merged + [_merge(known.get(step, {}), wanted[step], kind) for step in waiting]


def _remove_all(thing: Json, paths: set[Path], kind: str) -> None:
    """Take fields out, outer ones first: with an item of a list goes all that is in it."""
    gone: set[Path] = set()
    for path in sorted(paths, key=len):
        if not any(path[:length] in gone for length in range(1, len(path))):
            _remove(thing, path, kind)
            gone.add(path)


def _remove(node: JsonValue, path: Path, kind: str, name: str = "") -> None:
    """Take a field out of an object whose containers along the path may be shared: they are copied first."""
    mark, _, rest = path[0].partition(":")
    if mark == "f" and isinstance(node, dict) and rest in node:
        if len(path) == 1:
            del node[rest]
            return
        node[rest] = dict(node[rest]) if isinstance(node[rest], dict) else list(node[rest])
        _remove(node[rest], path[1:], kind, rest)
        if not node[rest]:
            del node[rest]
    elif isinstance(node, list):
        keys = apply_keys(kind, name)
        for index, item in enumerate(node):
            if (mark == "k" and item_step(item, keys) == path[0]) or (
                mark == "v" and path[0] == value_step(item)
            ):
                if len(path) == 1:
                    del node[index]
                else:
                    node[index] = dict(item)
                    _remove(node[index], path[1:], kind)
                return
