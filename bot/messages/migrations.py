"""Which migrations each environment's database has: when they ran, by which release, and what undoes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.messages.bars import table
from bot.messages.parts import NAME, Message, Piece, bold, clip, count, lines, message, monospace
from bot.messages.status import ago
from releases.database import Applied

MOST_CHARACTERS = 8_000
MOST = 40
"""Migrations of an environment that are shown: the newest."""


def migrations_message(known: Mapping[str, tuple[Applied, ...] | None], now: datetime) -> Message:
    """The answer to `migrations`: a table an environment; None: nobody keeps track of its database."""
    room = min(MOST_CHARACTERS // len(known), 2_800)
    pieces: list[Piece | None] = []
    for name, has in known.items():
        pieces += [
            lines([bold(clip(name, NAME))], *([[_nothing(has)]] if not has else [])),
            monospace(_rows(has, now), at_most=room) if has else None,
        ]
    return message(f"Migrations of {', '.join(known)}", *pieces)


def _nothing(has: tuple[Applied, ...] | None) -> str:
    return "Buzzy keeps no track of its migrations." if has is None else "No migration has run."


def _rows(has: tuple[Applied, ...], now: datetime) -> list[str]:
    newest = tuple(reversed(has))
    rows = table(_cells(each, now) for each in newest[:MOST])
    return [*rows, f"… and {count(len(has) - MOST, 'earlier one')}"] if len(has) > MOST else rows


def _cells(each: Applied, now: datetime) -> tuple[str, ...]:
    migration = each.migration
    undo = "can be undone" if migration.reversible else "cannot be undone"
    return (
        clip(migration.id, 40),
        clip(each.version, 24),
        each.release or "before Buzzy",
        ago(each.at, now) if each.at is not None else "",
        "may be half done" if each.unclear else undo,
    )
