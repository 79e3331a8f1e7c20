"""What was last found of each standby beside what it follows, and since when it differs, in Redis."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from releases.notices import Drifted, InStep
from releases.record.closures import Closures
from releases.record.store import Store
from releases.twins import Found

REMEMBER_SECONDS = 365 * 24 * 3600
"""How long it is remembered that a drift was told; one that lasts longer is told again."""


class Drifts:
    """The memory of drift. All methods raise `RecordUnavailableError` when Redis does not answer."""

    def __init__(self, store: Store) -> None:
        """The one that lives in this store."""
        self._store = store
        self._closures = Closures(store)

    def of(self, environment: str) -> Found | None:
        """What was last found of a standby; None when nobody has looked, or it cannot be read."""
        text = self._store.call("GET", self._key(environment))
        try:
            return Found.model_validate_json(text) if text else None
        except ValidationError:
            return None

    def note(
        self, environment: str, channel: str, follows: str, differences: tuple[str, ...], now: datetime
    ) -> None:
        """Remember what a look has found; its channel is told when a drift begins and when it is over.

        May be called again after a crash at any line, and by two workers at once: each drift has its
        beginning for a name, and is told once under that.
        """
        if differences:
            began = self._began(environment, now)
            found = Found(at=now, follows=follows, differences=differences, since=began)
            self._store.call("SET", self._key(environment), found.model_dump_json())
            begun = Drifted(
                at=now, channel=channel, environment=environment, follows=follows, differences=differences
            )
            self._closures.once(f"drift:{environment}:{began.isoformat()}", REMEMBER_SECONDS, [begun])
            return
        since = self._store.call("GET", self._store.key("drift", environment, "since"))
        if since:  # told first, forgotten then: whoever dies between the two does both again
            began = datetime.fromisoformat(since)
            over = InStep(at=now, channel=channel, environment=environment, follows=follows, since=began)
            self._closures.once(f"in-step:{environment}:{began.isoformat()}", REMEMBER_SECONDS, [over])
            self._store.call("DEL", self._store.key("drift", environment, "since"))
        found = Found(at=now, follows=follows)
        self._store.call("SET", self._key(environment), found.model_dump_json())

    def _began(self, environment: str, now: datetime) -> datetime:
        """When the drift that lasts was first found: now, unless somebody was before."""
        key = self._store.key("drift", environment, "since")
        self._store.call("SET", key, now.isoformat(), "NX")
        return datetime.fromisoformat(self._store.call("GET", key) or now.isoformat())

    def _key(self, environment: str) -> str:
        return self._store.key("drift", environment)
