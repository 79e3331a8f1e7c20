"""The loop that every controller is: a queue of keys, and a function that puts one object right.

A controller is told that something about an object changed, never what. It looks, does what is missing, and
may be run again at any time; so it can be stopped at any line and begin anew with everything in its queue.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable

from sandbox.cluster.objects import Json, controller_of, name_of, namespace_of
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import Resource
from sandbox.cluster.store import Change

Key = tuple[str, str]
"""Namespace and name of the object to look at."""

RETRY_SECONDS = 1.0
log = logging.getLogger(__name__)


class Controller(ABC):
    """A loop over keys; subclasses say which changes concern which keys, and how to put one right."""

    resource: Resource
    """The kind that the keys name."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.store = registry.store
        self._queue: dict[Key, None] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._wake: asyncio.Event | None = None

    def keys_for(self, change: Change) -> Iterable[Key]:
        """Return the keys that a change concerns: by default the object itself."""
        return [key_of(change.object)] if change.resource == self.resource else []

    def all_keys(self) -> Iterable[Key]:
        """Return the keys to look at when the loop begins."""
        return [key_of(thing) for thing in self.store.listing(self.resource)]

    @abstractmethod
    def sync(self, key: Key) -> None:
        """Put one object right."""

    def enqueue(self, key: Key) -> None:
        """Have an object looked at soon."""
        self._queue[key] = None
        if self._wake is not None:
            self._wake.set()

    def enqueue_after(self, key: Key, seconds: float) -> None:
        """Have an object looked at later, unless it is looked at before and a new time is named then."""
        if self._wake is None:
            return  # not running: when the loop begins, it looks at everything
        self._cancel(key)
        self._timers[key] = asyncio.get_running_loop().call_later(max(seconds, 0.0), self.enqueue, key)

    async def run(self) -> None:
        """Work until cancelled."""
        self._wake = asyncio.Event()
        stop = self.store.listen(self._hear)
        try:
            for key in self.all_keys():
                self.enqueue(key)
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._drain()
        finally:
            stop()
            for key in list(self._timers):
                self._cancel(key)
            self._wake = None

    def _hear(self, change: Change) -> None:
        for key in self.keys_for(change):
            self.enqueue(key)

    async def _drain(self) -> None:
        while self._queue:
            key = next(iter(self._queue))
            del self._queue[key]
            self._cancel(key)
            try:
                self.sync(key)
            except Exception:
                log.exception("%s could not put %s/%s right", type(self).__name__, *key)
                self.enqueue_after(key, RETRY_SECONDS)
            await asyncio.sleep(0)

    def _cancel(self, key: Key) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()


def key_of(thing: Json) -> Key:
    """Return the key of an object."""
    return namespace_of(thing), name_of(thing)


def owner_key(thing: Json, kind: str) -> list[Key]:
    """Return the key of an object's managing controller, when that is of a kind."""
    reference = controller_of(thing)
    return [(namespace_of(thing), reference["name"])] if reference and reference["kind"] == kind else []
