"""Signed requests that were taken already, remembered for as long as their signature is good."""

from __future__ import annotations

from releases.record.store import Store


class RequestsSeen:
    """The memory in Redis, shared by all bots. Raises `RecordUnavailableError` when it does not answer."""

    def __init__(self, store: Store) -> None:
        """The memory that lives in this store."""
        self._store = store

    def first(self, name: str, *, seconds: int) -> bool:
        """Whether nobody has taken this request before; it is taken now."""
        return bool(self._store.call("SET", self._store.key("request", name), "1", "NX", "EX", seconds))

    def forget(self, name: str) -> None:
        """It was not acted on after all: it may come again."""
        self._store.call("DEL", self._store.key("request", name))
