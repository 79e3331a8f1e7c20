"""What somebody is told of locks and freezes: why they cannot go on, until when, and how to be next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.messages.parts import (
    DAY_AND_TIME,
    NAME,
    SENTENCE,
    Message,
    Row,
    button,
    buttons,
    clip,
    code,
    joined,
    lines,
    message,
    moment,
    several,
    who,
    whom,
)
from bot.messages.presses import WAIT, Press
from releases import passing
from releases.closing import ALL, CalendarFreeze, Closed, Closure, Standing, Unreadable, Waiter, local


def closed_message(
    closed: Closed, command: passing.Forward, zone: ZoneInfo, now: datetime, managers: tuple[str, ...]
) -> Message:
    """Why a release is refused where it is closed, and what one can do: get in line, or get through."""
    by = closed.by
    lock = by.kind == "lock"
    if lock:
        through: Row = ["If it cannot wait, take it over with your reason, and go on with this release:"]
    elif managers:
        through = [*several([whom(id_) for id_ in managers]), " can pass it with a reason:"]
    else:
        through = []
    line = passing.line_through(closed, command)
    told = message(
        passing.sentence(by, closed.environment, now, zone),
        lines(
            standing_row(by, closed.environment),
            ["Nothing was changed. Get in line (", code("--wait"), "), and you are told when it opens."],
            through,
            [code(clip(line, SENTENCE))] if through else None,
        ),
        buttons(button("Tell me when it opens", WAIT, Press(release=closed.environment).value())),
    )
    return replace(told, refused=True)


def standing_row(by: Standing, environment: str) -> Row:
    """`production is locked by @carol until 17:00: “audit”`, with times in the reader's own."""
    match by:
        case Unreadable():
            return [
                f"{_place(by.place, environment)} closed by a {by.kind} that cannot be read, so it counts"
            ]
        case Closure(kind="lock"):
            said = f": “{clip(by.reason, SENTENCE)}”"
            return [f"🔒 {_place(by.place, environment)} locked by ", who(by.by), *_until(by.until), said]
        case Closure():
            said = f" ({clip(by.reason, SENTENCE)}, "
            return [f"❄️ {_place(by.place, environment)} frozen", *_until(by.until), said, who(by.by), ")"]
        case CalendarFreeze():
            owner: Row = [", ", whom(by.owner)] if by.owner else []
            where = f"❄️ {clip(environment, NAME)} is frozen"
            return [where, *_until(by.until), f" ({clip(by.reason, SENTENCE)}", *owner, ")"]


def closed_until_message(closure: Closure, in_the_way: str | None) -> Message:
    """Somebody has locked or frozen a place: what that means, and how it ends."""
    what = "locked" if closure.kind == "lock" else "frozen"
    where = "Every environment is" if closure.place == ALL else f"{clip(closure.place, NAME)} is"
    undo = f"/buzzy {'unlock' if closure.kind == 'lock' else 'unfreeze'} {closure.place}"
    lock = closure.kind == "lock"
    passes = "Your own releases pass" if lock else "Releases pass with --override-freeze and a reason"
    rollbacks = "rollbacks do not" if closure.rollbacks_too else "rollbacks pass"
    ends: Row = _until(closure.until) or [" until you unlock it; you are reminded once a day"]
    return message(
        f"{where} {what}.",
        lines(
            [f"{'🔒' if lock else '❄️'} {where} {what}", *ends, "."],
            [f"{passes}; {rollbacks}."],
            [f"{in_the_way} is in its hands already and goes on, or waits if it has not started."]
            if in_the_way
            else None,
            joined(["To open it: "], [code(undo)], by=""),
        ),
    )


def waiting_message(environment: str, waiter: Waiter, place: int) -> Message:
    """Somebody is in line."""
    first = "You are next" if place == 1 else f"You are number {place} in line"
    return message(
        f"{first} for {environment}.",
        lines(
            [f"{first} for {clip(environment, NAME)}. You are told in its channel when it is your turn:"],
            [code(clip(f"/buzzy {waiter.line}", SENTENCE))],
        ),
    )


def in_brief(by: Standing, now: datetime, zone: ZoneInfo) -> str:
    """`🔒 @carol: "audit" until 17:00 CET`, for a table, where people read no times of their own."""
    end = by.until if not isinstance(by, Unreadable) else None
    until = f" until {local(end, now, zone)}" if end else ""
    match by:
        case Unreadable():
            return f"🔒 a {by.kind} that cannot be read"
        case Closure(kind="lock"):
            where = " (all)" if by.place == ALL else ""
            return f"🔒{where} @{clip(by.by.name, 24)}: “{clip(by.reason, 60)}”{until}"
        case Closure():
            return f"❄️ frozen{until} ({clip(by.reason, 60)}, @{clip(by.by.name, 24)})"
        case CalendarFreeze():
            return f"❄️ frozen{until} ({clip(by.reason, 60)})"


def _place(place: str, environment: str) -> str:
    return "Every environment is" if place == ALL else f"{clip(environment, NAME)} is"


def _until(until: datetime | None) -> Row:
    return [" until ", moment(until, DAY_AND_TIME)] if until is not None else []
