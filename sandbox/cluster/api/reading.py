"""GET: one object, lists (whole or in pages, of now or of a past version) and watches."""

import asyncio
import base64
import json
import random
from collections.abc import AsyncIterator
from contextlib import suppress

from sandbox.cluster.api.requests import Call
from sandbox.cluster.api.views import View
from sandbox.cluster.errors import (
    ApiError,
    bad_request,
    expired,
    forbidden_value,
    invalid_options,
    too_large_version,
)
from sandbox.cluster.objects import Json, clone, name_of, namespace_of
from sandbox.cluster.resources import EVENTS, NEW_EVENTS, Resource
from sandbox.cluster.selectors import Selection
from sandbox.cluster.store import Change, Store

CONTINUE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new "
    "list without the continue parameter, or use the continue token in this response to retrieve the "
    "remainder of the results. Continuing with the provided token results in an inconsistent list - objects "
    "that were created, modified, or deleted between the time the first chunk was returned and now may show "
    "up in the list."
)
LONGEST_WATCH = 3600


def stored_resource(resource: Resource) -> Resource:
    """Return where a resource's objects are kept: both kinds of events are one."""
    return EVENTS if resource == NEW_EVENTS else resource


def list_objects(store: Store, call: Call, view: View) -> Json:
    """Answer a list: selected, in pages when asked, at the version that was asked for."""
    resource, namespace = stored_resource(call.target.resource), call.target.namespace
    limit, token = call.number("limit") or 0, call.query.get("continue", "")
    version, start = _read_token(token, store) if token else (_asked_version(call, store), "")
    things = store.listing(resource, namespace)
    if version != store.version:
        things = store.listing_at(resource, namespace, version)
    selection = call.selection
    things = [thing for thing in things if _key(thing) >= start and selection.matches(thing)]
    metadata: Json = {"resourceVersion": str(version)}
    if limit and len(things) > limit:
        metadata["continue"] = _write_token(version, _key(things[limit - 1]) + "\0")
        if selection.is_everything:
            metadata["remainingItemCount"] = len(things) - limit
        things = things[:limit]
    return view.listing(things, metadata)


def check_watch(call: Call) -> None:
    """Refuse options of a watch that cannot be read, and those that only servers with WatchList know."""
    if "sendInitialEvents" in call.query:
        why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        raise invalid_options("ListOptions", [forbidden_value("sendInitialEvents", why)])
    _ = call.selection, _start_version(call)


async def watch_objects(
    store: Store, call: Call, view: View, *, bookmark_seconds: float, closing: asyncio.Event
) -> AsyncIterator[bytes]:
    """Yield one JSON line per event until the time is up, the client leaves or the server closes."""
    resource, namespace = stored_resource(call.target.resource), call.target.namespace
    queue: asyncio.Queue[Change | None] = asyncio.Queue()
    stop = store.listen(lambda change: queue.put_nowait(change) if change.resource == resource else None)
    selection, loop = call.selection, asyncio.get_running_loop()
    timeout = call.number("timeoutSeconds") or random.randint(LONGEST_WATCH // 2, LONGEST_WATCH)  # noqa: S311 - spreads load
    deadline, bookmarks = loop.time() + timeout, call.flag("allowWatchBookmarks")
    ended = asyncio.ensure_future(closing.wait())
    ended.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        for event in _catch_up(store, resource, namespace, selection, _start_version(call)):
            yield _line(event, view)
        while not closing.is_set() and (left := deadline - loop.time()) > 0:
            change: Change | None = None
            with suppress(TimeoutError):
                change = await asyncio.wait_for(
                    queue.get(), min(left, bookmark_seconds) if bookmarks else left
                )
            if change is not None:
                seen = _event(change, namespace, selection)
                if seen:
                    yield _line(seen, view)
            elif bookmarks and not closing.is_set():
                yield _line(("BOOKMARK", view.bookmark(store.version)), view)
    except ApiError as error:
        yield _line(("ERROR", error.status()), view)
    finally:
        ended.cancel()
        stop()


def _start_version(call: Call) -> int | None:
    text = call.query.get("resourceVersion", "")
    if text in {"", "0"}:
        return None
    if not text.isdigit():
        said = (
            f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        )
        if call.target.verb == "watch":
            raise ApiError(500, "", said)
        raise bad_request(f"invalid resource version: {said}")
    return int(text)


def _catch_up(
    store: Store, resource: Resource, namespace: str, selection: Selection, version: int | None
) -> list[tuple[str, Json]]:
    if version is None:
        return [("ADDED", thing) for thing in store.listing(resource, namespace) if selection.matches(thing)]
    events = (_event(change, namespace, selection) for change in store.changes_after(resource, version))
    return [event for event in events if event]


def _event(change: Change, namespace: str, selection: Selection) -> tuple[str, Json] | None:
    """Say what a change is to a watcher who sees only a part of the objects."""
    thing = change.object
    if namespace and namespace_of(thing) != namespace:
        return None
    before = change.before is not None and selection.matches(change.before)
    after = change.type != "DELETED" and selection.matches(thing)
    if after:
        return ("MODIFIED" if before else "ADDED"), thing
    if not before or change.before is None:
        return None
    if change.type == "DELETED":
        return "DELETED", thing
    # It left the selection: the watcher gets the last state that it knew, at the version of the change.
    last = clone(change.before)
    last["metadata"]["resourceVersion"] = str(change.version)
    return "DELETED", last


def _line(event: tuple[str, Json], view: View) -> bytes:
    kind, thing = event
    shown = thing if kind in {"ERROR", "BOOKMARK"} else view.event(thing)
    return json.dumps({"type": kind, "object": shown}, separators=(",", ":")).encode() + b"\n"


def _asked_version(call: Call, store: Store) -> int:
    asked = _start_version(call) or 0
    if asked > store.version:
        raise too_large_version(asked, store.version)
    if call.query.get("resourceVersionMatch") == "Exact":
        return asked
    return store.version


def _key(thing: Json) -> str:
    return f"{namespace_of(thing)}/{name_of(thing)}"


def _write_token(version: int, start: str) -> str:
    body = {"v": "meta.k8s.io/v1", "rv": version, "start": start}
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")


def _read_token(token: str, store: Store) -> tuple[int, str]:
    try:
        body = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, start = int(body["rv"]), str(body["start"])
    except (ValueError, KeyError, TypeError) as error:
        said = "invalid continue token: continue key is not valid: it was not given out by this server"
        raise bad_request(said) from error
    if version < store.compacted:
        raise expired(CONTINUE_EXPIRED)
    return version, start
