"""What an environment's channel is told beside its releases: closed, open, whose turn, what is due, drift."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from slack_sdk.models.blocks import ButtonElement

from bot.messages.closing import standing_row
from bot.messages.parts import (
    DAY_AND_TIME,
    NAME,
    PARAGRAPH,
    SENTENCE,
    Message,
    Row,
    button,
    buttons,
    clip,
    code,
    lines,
    message,
    moment,
    plain,
    several,
    who,
    whom,
    with_code,
)
from bot.messages.presses import UNSCHEDULE, Press
from bot.messages.tripped import tripped_message
from releases import notices as n
from releases.closing import ALL, Closure, local
from releases.config import format_duration
from releases.events import BUZZY
from releases.schedule import LATE, Scheduled


def notice_message(notice: n.Notice) -> Message:
    """What a channel is told."""
    match notice:
        case n.Closed():
            return _closed(notice)
        case n.Opened():
            return _opened(notice)
        case n.Turn():
            return _turn(notice)
        case n.Reminded():
            return _reminded(notice.closure)
        case n.Planned():
            return _planned(notice)
        case n.Unplanned():
            row: Row = [f"🗓️ {_title(notice.schedule)} was taken off the calendar by ", who(notice.by)]
            return _lines(row, ["Scheduled by ", who(notice.schedule.by)])
        case n.Missed():
            return _missed(notice.schedule)
        case n.NotDone():
            return _not_done(notice)
        case n.TrainEmpty():
            return _train_empty(notice)
        case n.Tripped():
            return tripped_message(notice)
        case n.Drifted():
            return _drifted(notice)
        case n.InStep():
            lasted = format_duration(notice.at - notice.since)
            where, follows = clip(notice.environment, NAME), clip(notice.follows, NAME)
            return _lines([f"🟢 {where} is in step with {follows} again, after {lasted}"])


def _lines(*rows: Row | None) -> Message:
    return message(plain(rows[0] or []), lines(*rows))


def _closed(notice: n.Closed) -> Message:
    closure, before = notice.closure, notice.before
    taken: Row | None = None
    if before is not None:
        taken = [who(before.by), ", your lock was taken over; you had: “", clip(before.reason, SENTENCE), "”"]
    going: Row | None = None
    if notice.in_the_way is not None:
        going = [f"{notice.in_the_way} goes on if it has started; if not, it waits."]
    strict: Row | None = ["Rollbacks are kept back as well."] if closure.rollbacks_too else None
    return _lines(standing_row(closure, closure.place), taken, strict, going)


def _opened(notice: n.Opened) -> Message:
    closure = notice.closure
    what = "lock" if closure.kind == "lock" else "freeze"
    where = "all environments" if closure.place == ALL else clip(closure.place, NAME)
    sign = "🔓" if closure.kind == "lock" else "☀️"
    if notice.by == BUZZY:
        first: Row = [f"{sign} The {what} of {where} by ", who(closure.by), " has run out"]
    else:
        first = [f"{sign} ", who(notice.by), f" ended the {what} of {where}"]
    return _lines(first, [f"It was: “{clip(closure.reason, SENTENCE)}”"])


def _turn(notice: n.Turn) -> Message:
    behind: Row | None = None
    if notice.behind:
        behind = ["After that: ", *several([who(each.by) for each in notice.behind])]
    return _lines(
        [who(notice.waiter.by), f", {clip(notice.environment, NAME)} is open, and you are next:"],
        [code(clip(f"/buzzy {notice.waiter.line}", SENTENCE))],
        behind,
    )


def _reminded(closure: Closure) -> Message:
    where = "Every environment is" if closure.place == ALL else f"{clip(closure.place, NAME)} is"
    return _lines(
        [who(closure.by), f", {where} still locked by you, since ", moment(closure.at, DAY_AND_TIME)],
        [f"“{clip(closure.reason, SENTENCE)}” If that is over:"],
        [code(f"/buzzy unlock {closure.place}")],
    )


# -- what is due -----------------------------------------------------------------------------------


def planned_message(schedule: Scheduled, warning: str, now: datetime, zone: ZoneInfo) -> Message:
    """What was understood of a time, told to who typed it: absolute, in words, and with the way back."""
    left = format_duration(schedule.due - now)
    return message(
        f"{_title(schedule)} is asked for on {local(schedule.due, now, zone)}.",
        lines(
            [
                f"🗓️ {_title(schedule)} is asked for on {schedule.due.astimezone(zone):%A}: ",
                f"{local(schedule.due, now, zone)}, in {left}",
                *_train(schedule),
                ".",
            ],
            [f"⚠️ {clip(warning, PARAGRAPH)}"] if warning else None,
            ["It is planned and approved then, as any other. Not what you meant?"],
        ),
        buttons(_unschedule(schedule)),
    )


def _planned(notice: n.Planned) -> Message:
    schedule = notice.schedule
    row: Row = [f"🗓️ {_title(schedule)} is due ", moment(schedule.due, DAY_AND_TIME), *_train(schedule)]
    return message(
        plain(row),
        lines(
            [*row, ", scheduled by ", who(schedule.by)],
            [f"⚠️ {clip(notice.warning, PARAGRAPH)}"] if notice.warning else None,
        ),
        buttons(_unschedule(schedule)),
    )


def _missed(schedule: Scheduled) -> Message:
    hours = format_duration(LATE)
    return _lines(
        [who(schedule.by), f", {_title(schedule)} was due ", moment(schedule.due, DAY_AND_TIME)],
        [f"Nobody was at work then, nor for {hours} after it. It was not asked for. Still wanted?"],
        [code(clip(f"/buzzy {schedule.line}", SENTENCE))],
    )


def _not_done(notice: n.NotDone) -> Message:
    schedule = notice.schedule
    then: Row = ["You are in line, and are told when it opens."] if notice.in_line else ["Again:"]
    return _lines(
        [who(schedule.by), f", {_title(schedule)} was due and was refused:"],
        with_code(clip(notice.problem, PARAGRAPH)),
        then,
        None if notice.in_line else [code(clip(f"/buzzy {schedule.line}", SENTENCE))],
    )


def _train_empty(notice: n.TrainEmpty) -> Message:
    where = clip(notice.environment, NAME)
    return _lines(
        [
            whom(notice.owner),
            f", the train {notice.train} to {where} leaves ",
            moment(notice.leaves, DAY_AND_TIME),
            " with nothing on it",
        ],
        ["To put a version on it:"],
        [code(f"/buzzy schedule <version> {where} {notice.train}")],
    )


MOST_DIFFERENCES = 8


def _drifted(notice: n.Drifted) -> Message:
    where, follows = clip(notice.environment, NAME), clip(notice.follows, NAME)
    rows: list[Row] = [[f"• {clip(each, SENTENCE)}"] for each in notice.differences[:MOST_DIFFERENCES]]
    more = len(notice.differences) - MOST_DIFFERENCES
    return _lines(
        [f"🟠 {where} is not in step with {follows}; as it is, it could not take over"],
        *rows,
        [f"… and {more} more"] if more > 0 else None,
        ["To see how it stands: ", code(f"/buzzy status {where}")],
    )


def _title(schedule: Scheduled) -> str:
    return f"{schedule.id} · {clip(schedule.version, NAME)} to {clip(schedule.environment, NAME)}"


def _train(schedule: Scheduled) -> Row:
    return [f" with the train {schedule.train}"] if schedule.train else []


def _unschedule(schedule: Scheduled) -> ButtonElement:
    return button("Unschedule", UNSCHEDULE, Press(release=schedule.id).value(), style="danger")
