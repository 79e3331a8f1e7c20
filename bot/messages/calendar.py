"""The answer to `calendar`: what is closed, what is due, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.messages.closing import standing_row
from bot.messages.parts import (
    DAY_AND_TIME,
    NAME,
    SENTENCE,
    Message,
    Row,
    bold,
    clip,
    count,
    lines,
    message,
    moment,
    who,
)
from releases.closing import Standing
from releases.schedule import Scheduled

MOST_ENTRIES = 24
"""Of all environments together; Slack takes no longer message, and nobody reads one."""

FEWEST_ENTRIES = 3
MOST_ENVIRONMENTS = 12


@dataclass(frozen=True)
class Entry:
    """One line: something that closes now, a release that is due, or a text; at a time, perhaps until one."""

    at: datetime
    closed: Standing | None = None
    schedule: Scheduled | None = None
    text: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Agenda:
    """One environment's two weeks. `bound_to` are the times outside of which nothing is released."""

    environment: str
    entries: tuple[Entry, ...]
    bound_to: tuple[str, ...] = ()


def calendar_message(agendas: tuple[Agenda, ...]) -> Message:
    """Two weeks of one environment, or of all of them."""
    most = max(FEWEST_ENTRIES, MOST_ENTRIES // len(agendas))
    parts = [
        lines(
            [bold(clip(each.environment, NAME))],
            *(_row(entry, each.environment) for entry in each.entries[:most]),
            [f"… {count(len(each.entries) - most, 'more', 'more')}"] if len(each.entries) > most else None,
            None if each.entries else ["Open; nothing is due."],
            [f"Releases go only in: {clip(', '.join(each.bound_to), SENTENCE)}"] if each.bound_to else None,
        )
        for each in agendas[:MOST_ENVIRONMENTS]
    ]
    names = ", ".join(each.environment for each in agendas)
    return message(f"The next two weeks in {names}", lines([bold("The next two weeks")]), *parts)


def _row(entry: Entry, environment: str) -> Row:
    if entry.closed is not None:
        return standing_row(entry.closed, environment)
    at = moment(entry.at, DAY_AND_TIME)
    if entry.schedule is not None:
        schedule = entry.schedule
        train = f" with the train {schedule.train}" if schedule.train else ""
        return [at, f" · 🗓️ {schedule.id} · {clip(schedule.version, NAME)}{train}, by ", who(schedule.by)]
    until: Row = [" until ", moment(entry.until, DAY_AND_TIME)] if entry.until is not None else []
    return [at, f" · {clip(entry.text, SENTENCE)}", *until]
