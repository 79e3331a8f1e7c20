"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386)."""

from sandbox.cluster.errors import bad_request, unprocessable_patch
from sandbox.cluster.objects import Json, JsonValue, clone


def json_patch(document: Json, operations: list[Json]) -> Json:
    """Apply JSON Patch operations to a copy of a document.

    Raises:
        ApiError: An operation that does not fit the document (422), or is none (400).
    """
    result: JsonValue = clone(document)
    for operation in operations:
        if not isinstance(operation.get("path"), str):
            raise bad_request("error decoding patch: every operation needs an op and a path")
        try:
            result = _apply(result, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise unprocessable_patch("") from error
    if not isinstance(result, dict):
        raise unprocessable_patch("")
    return result


def merge_patch(document: Json, patch: Json) -> Json:
    """Apply a merge patch to a copy of a document: maps are merged, null removes, all else replaces."""
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            old = result.get(key)
            result[key] = merge_patch(old if isinstance(old, dict) else {}, value)
        else:
            result[key] = clone(value)
    return result


def _apply(document: JsonValue, operation: Json) -> JsonValue:
    path = _steps(operation["path"])
    match operation.get("op"):
        case "add":
            return _add(document, path, clone(operation["value"]))
        case "remove":
            return _remove(document, path)
        case "replace":
            _find(document, path)
            return _put(document, path, clone(operation["value"]))
        case "move":
            source = _steps(operation["from"])
            value = _find(document, source)
            return _add(_remove(document, source), path, value)
        case "copy":
            return _add(document, path, clone(_find(document, _steps(operation["from"]))))
        case "test":
            _test(document, path, operation.get("value"))
            return document
        case _:
            raise ValueError("unknown operation")


def _test(document: JsonValue, path: list[str], value: JsonValue) -> None:
    """Compare; as in the API server, what is not there counts as null."""
    try:
        found = _find(document, path)
    except (KeyError, IndexError):
        found = None
    if found != value:
        raise ValueError("the test failed")


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _find(document: JsonValue, path: list[str]) -> JsonValue:
    for step in path:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _add(document: JsonValue, path: list[str], value: JsonValue) -> JsonValue:
    if path and isinstance(parent := _find(document, path[:-1]), list):
        index = len(parent) if path[-1] == "-" else int(path[-1])
        if not 0 <= index <= len(parent):
            raise IndexError(index)
        parent.insert(index, value)
        return document
    return _put(document, path, value)


def _put(document: JsonValue, path: list[str], value: JsonValue) -> JsonValue:
    if not path:
        return value
    parent = _find(document, path[:-1])
    parent[int(path[-1]) if isinstance(parent, list) else path[-1]] = value
    return document


def _remove(document: JsonValue, path: list[str]) -> JsonValue:
    parent = _find(document, path[:-1])
    del parent[int(path[-1]) if isinstance(parent, list) else path[-1]]
    return document
