"""Looks that some worker takes once in a while, and what the looks into the registry found, in Redis."""

from __future__ import annotations

from datetime import timedelta

from pydantic import ValidationError

from releases.latest import Newest
from releases.record.store import Store


class Rounds:
    """Whose turn it is to look. All methods raise `RecordUnavailableError` when Redis does not answer."""

    def __init__(self, store: Store) -> None:
        """The one that lives in this store."""
        self._store = store

    def turn(self, what: str, subject: str, every: timedelta) -> bool:
        """Whether a look is due; true for one of those who ask, once in each span."""
        key, span = self._store.key("round", what, subject), int(every.total_seconds() * 1000)
        return bool(self._store.call("SET", key, "1", "NX", "PX", span))

    def found(self, environment: str, newest: Newest) -> None:
        """Remember what the registry has for an environment."""
        self._store.call("SET", self._store.key("newest", environment), newest.model_dump_json())

    def newest(self, environment: str) -> Newest | None:
        """What the registry last had for an environment; None when nobody has looked, or it is unreadable."""
        text = self._store.call("GET", self._store.key("newest", environment))
        try:
            return Newest.model_validate_json(text) if text else None
        except ValidationError:
            return None
