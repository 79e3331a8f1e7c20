"""The memory of the cluster: objects, one version counter over all of them, and what changed lately."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.cluster.errors import expired
from sandbox.cluster.objects import Json, clone, name_of, namespace_of
from sandbox.cluster.resources import STORED, Resource

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, slots=True)
class Change:
    """One write: what the object was before and is after it."""

    type: ChangeType
    resource: Resource
    version: int
    object: Json
    before: Json | None


class Store:
    """Objects by resource and path, with a window of history for watches and for paged lists.

    Everything happens on one event loop, so that a write and the word about it are one step.
    """

    def __init__(self, *, window: int = 5_000) -> None:
        self.version = 1
        self.compacted = 0
        self._window = window
        self._objects: dict[str, dict[str, Json]] = {resource.qualified: {} for resource in STORED}
        self._history: deque[Change] = deque()
        self._listeners: list[Callable[[Change], None]] = []

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Return the stored object; it must not be changed."""
        return self._objects[resource.qualified].get(f"{namespace}/{name}")

    def listing(self, resource: Resource, namespace: str = "") -> list[Json]:
        """Return the stored objects of a namespace (of all, when empty), in the order of their keys."""
        return _in_order(self._objects[resource.qualified], namespace)

    def listing_at(self, resource: Resource, namespace: str, version: int) -> list[Json]:
        """Return the objects as they were at a version.

        Raises:
            ApiError: The history since then is gone (410).
        """
        objects = dict(self._objects[resource.qualified])
        for change in reversed(self.changes_after(resource, version)):
            if change.before is None:
                del objects[_key(change.object)]
            else:
                objects[_key(change.object)] = change.before
        return _in_order(objects, namespace)

    def write(self, resource: Resource, thing: Json) -> Json:
        """Store an object under the next version and tell the listeners; the store owns it from here on."""
        objects = self._objects[resource.qualified]
        before = objects.get(_key(thing))
        self.version += 1
        thing["metadata"]["resourceVersion"] = str(self.version)
        objects[_key(thing)] = thing
        kind: ChangeType = "ADDED" if before is None else "MODIFIED"
        self._record(Change(kind, resource, self.version, thing, before))
        return thing

    def remove(self, resource: Resource, thing: Json) -> Json:
        """Take an object out, `thing` being its last state; returns that at the removal's version."""
        before = self._objects[resource.qualified].pop(_key(thing))
        self.version += 1
        last = clone(thing)
        last["metadata"]["resourceVersion"] = str(self.version)
        self._record(Change("DELETED", resource, self.version, last, before))
        return last

    def changes_after(self, resource: Resource, version: int) -> list[Change]:
        """Return what happened to a resource's objects after a version, oldest first.

        Raises:
            ApiError: The history since then is gone (410).
        """
        if version < self.compacted:
            raise expired(f"too old resource version: {version} ({self.compacted})")
        found: list[Change] = []
        for change in reversed(self._history):
            if change.version <= version:
                break
            if change.resource == resource:
                found.append(change)
        return found[::-1]

    def compact(self) -> int:
        """Forget all history up to now; returns the version from which watches can still start."""
        self._history.clear()
        self.compacted = self.version
        return self.compacted

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Have a function called with each change; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _record(self, change: Change) -> None:
        self._history.append(change)
        if len(self._history) > self._window:
            self.compacted = self._history.popleft().version
        for listener in tuple(self._listeners):
            listener(change)


def _key(thing: Json) -> str:
    return f"{namespace_of(thing)}/{name_of(thing)}"


def _in_order(objects: dict[str, Json], namespace: str) -> list[Json]:
    prefix = f"{namespace}/" if namespace else ""
    return [thing for key, thing in sorted(objects.items()) if key.startswith(prefix)]
