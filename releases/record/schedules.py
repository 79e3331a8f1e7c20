"""Scheduled releases in Redis: kept until they are due, then handed to the inbox, once."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from pydantic import ValidationError

from releases.notices import Notice
from releases.record import closing_scripts as scripts
from releases.record.closures import Closures
from releases.record.store import Store
from releases.schedule import Scheduled

REMEMBER_SECONDS = 24 * 3600
KIND = "due"
"""The inbox's name for a schedule that is due."""

log = structlog.stdlib.get_logger(__name__)


class Schedules:
    """Scheduled releases, named `S1`, `S2` and so on. All methods raise `RecordUnavailableError`."""

    def __init__(self, store: Store) -> None:
        """The ones that live in this store."""
        self._store = store
        self._outbox = Closures(store).outbox()

    def add(
        self, make: Callable[[str], tuple[Scheduled, tuple[Notice, ...]]], *, delivery: str
    ) -> Scheduled | None:
        """Keep what `make` makes of an id, once a delivery, whoever acts on it how often.

        None when an earlier try of the same delivery is gone already: it was due, or taken back.
        """
        key = self._store.key
        made, notices = make(f"S{self._store.call('INCR', key('schedules', 'counter'))}")
        kept = self._store.run(
            scripts.SCHEDULE,
            [*self._outbox, key("schedules"), key("done", f"schedule:{delivery}")],
            [
                made.id,
                made.model_dump_json(),
                REMEMBER_SECONDS,
                *(each.model_dump_json() for each in notices),
            ],
        )
        return made if kept == made.id else self.get(str(kept))

    def get(self, id_: str) -> Scheduled | None:
        """One of them; None when it is not there any more."""
        text = self._store.call("HGET", self._store.key("schedules"), id_)
        return Scheduled.model_validate_json(text) if text else None

    def all(self) -> tuple[Scheduled, ...]:
        """All that wait, the next one first. One that cannot be read is passed over, and logged."""
        found = []
        for text in dict(self._store.call("HGETALL", self._store.key("schedules"))).values():
            try:
                found.append(Scheduled.model_validate_json(text))
            except ValidationError:
                log.exception("A schedule cannot be read")
        return tuple(sorted(found, key=lambda each: (each.due, each.id)))

    def remove(self, schedule: Scheduled, notices: tuple[Notice, ...]) -> bool:
        """Take one back; False when it is gone already."""
        keys = [*self._outbox, self._store.key("schedules")]
        arguments = [schedule.id, *(each.model_dump_json() for each in notices)]
        return bool(self._store.run(scripts.UNSCHEDULE, keys, arguments))

    def hand_over(self, schedule: Scheduled) -> None:
        """It is due: the bot acts on it as on what its person types."""
        key, delivery = self._store.key, f"{KIND}:{schedule.id}"
        self._store.run(
            scripts.DUE,
            [key("schedules"), key("inbox"), key("delivery", delivery)],
            [schedule.id, REMEMBER_SECONDS, KIND, delivery],
        )
