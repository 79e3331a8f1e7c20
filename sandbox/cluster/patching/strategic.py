"""Strategic merge: a merge patch that knows that a list of containers is found by name."""

from sandbox.cluster.errors import unmergeable
from sandbox.cluster.objects import Json, JsonValue, clone
from sandbox.cluster.patching.topology import MERGED_PRIMITIVES, merge_key

_DIRECTIVE, _RETAIN = "$patch", "$retainKeys"
_ORDER, _DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"


def strategic_merge(document: Json, patch: Json) -> Json:
    """Apply a strategic merge patch to a copy of an object.

    Raises:
        ApiError: A list item in the patch without the field that finds it (500, as the API server has it).
    """
    return _merge_map(document, patch, document.get("kind", ""))


def _merge_map(old: Json, patch: Json, kind: str) -> Json:
    if patch.get(_DIRECTIVE) == "replace":
        return {key: clone(value) for key, value in patch.items() if key != _DIRECTIVE}
    if patch.get(_DIRECTIVE) == "delete":
        return {}
    result = dict(old)
    if _RETAIN in patch:
        result = {key: value for key, value in result.items() if key in patch[_RETAIN]}
    for key, value in patch.items():
        if key.startswith(_DELETE):
            field = key.removeprefix(_DELETE)
            result[field] = [item for item in result.get(field) or [] if item not in value]
        elif not key.startswith("$"):
            _merge_field(result, key, value, kind)
    for key, order in patch.items():
        field = key.removeprefix(_ORDER)
        if key.startswith(_ORDER) and result.get(field):
            result[field] = _ordered(result[field], order, old.get(field) or [], merge_key(kind, field))
    return result


def _merge_field(result: Json, field: str, value: JsonValue, kind: str) -> None:
    old = result.get(field)
    if value is None:
        result.pop(field, None)
    elif isinstance(value, dict):
        result[field] = _merge_map(old if isinstance(old, dict) else {}, value, kind)
    elif isinstance(value, list) and (key := merge_key(kind, field)):
        result[field] = _merge_list(old or [], value, key, kind)
    elif isinstance(value, list) and field in MERGED_PRIMITIVES:
        merged = [*(old or []), *(item for item in value if item not in (old or []))]
        result[field] = _ordered(merged, value, old or [], None)
    else:
        result[field] = clone(value)


def _merge_list(old: list[Json], patch: list[Json], key: str, kind: str) -> list[Json]:
    if any(item.get(_DIRECTIVE) == "replace" for item in patch):
        return [clone(item) for item in patch if item.get(_DIRECTIVE) != "replace"]
    result = list(old)
    for item in patch:
        if key not in item:
            shown = " ".join(f"{name}:{value}" for name, value in sorted(item.items()))
            raise unmergeable(f"map: map[{shown}] does not contain declared merge key: {key}")
        found = next((i for i, known in enumerate(result) if known.get(key) == item[key]), None)
        if item.get(_DIRECTIVE) == "delete":
            result = [known for known in result if known.get(key) != item[key]]
        elif found is None:
            result.append(_merge_map({}, item, kind))
        else:
            result[found] = _merge_map(result[found], item, kind)
    return _ordered(result, patch, old, key)


def _ordered(
    items: list[JsonValue], patch: list[JsonValue], old: list[JsonValue], key: str | None
) -> list[JsonValue]:
    """Put merged items in order: as the patch has them, the others before the next one that they came before.

    What is new to the object comes as early as it can: a variable that a patch adds becomes the first.
    """

    def names(things: list[JsonValue]) -> list[JsonValue]:
        return [thing.get(key) if key else thing for thing in things]

    places = {name: index for index, name in reversed(list(enumerate(names(old))))}
    wanted = names(patch)
    patched = [item for name in dict.fromkeys(wanted) for item in items if names([item])[0] == name]
    others = [item for item in items if names([item])[0] not in wanted]
    result: list[JsonValue] = []
    while patched and others:
        first, other = names([patched[0]])[0], names([others[0]])[0]
        earlier = first in places and places.get(other, len(places)) < places[first]
        result.append((others if earlier else patched).pop(0))
    return result + patched + others
