"""What an environment's database has, read from the record."""

from __future__ import annotations

from releases.database import Applied
from releases.migrations import applied
from releases.record.record import Record

PAST, DEEP_PAST = 30, 200
"""How many releases are read; and how many where none of those knows of its database."""


def applied_in(record: Record, environment: str) -> tuple[Applied, ...] | None:
    """The migrations that the database of an environment has; None while nobody keeps track of them."""
    known = applied(record.recent(environment, PAST))
    return applied(record.recent(environment, DEEP_PAST)) if known is None else known
