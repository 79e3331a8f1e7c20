"""When an environment is closed to a release: by a person who locked it, or by a freeze.

Pure: what stands against who asks and what for. A lock belongs to a person, whose own releases pass; a freeze
belongs to nobody and is passed by those whom `buzzy.yaml` names, with a reason. A rollback passes both,
because going back must never wait, unless whoever locked asked for rollbacks as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from releases.config import Config, Environment
from releases.config.windows import freeze_at
from releases.events import Actor, Passage
from releases.plan import Frozen, RequestKind

ALL = "all"
"""The place that is every environment. It is looked at before the environment's own."""

Kind = Literal["lock", "freeze"]


class Closure(Frozen):
    """A lock or a freeze as somebody made it: one record, complete or not there."""

    kind: Kind
    place: str = Field(description="an environment's name, or `all`")
    by: Actor
    reason: str
    at: AwareDatetime
    until: AwareDatetime | None = Field(default=None, description="None: until somebody opens it")
    claim: str = Field(description="the delivery that made it: made again by the same, it is the same")
    rollbacks_too: bool = False
    reminded_at: AwareDatetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it still closes its place, noticed to have ended or not."""
        return self.until is None or now < self.until


@dataclass(frozen=True)
class Unreadable:
    """Something that closes a place and cannot be understood: it closes, and says so."""

    kind: Kind
    place: str


@dataclass(frozen=True)
class CalendarFreeze:
    """A freeze by the rules of `buzzy.yaml`. `until` is None when no end can be foreseen."""

    reason: str
    until: datetime | None
    owner: str | None
    kind: Kind = "freeze"


Standing = Closure | Unreadable | CalendarFreeze
"""What closes an environment."""


class Waiter(Frozen):
    """Somebody in line for an environment, and the line that they typed."""

    by: Actor
    line: str
    at: AwareDatetime


@dataclass(frozen=True)
class Traveller:
    """What wants to pass: what kind of thing, by whom, and the right to pass freezes if it has one."""

    kind: RequestKind
    by: str
    over_freezes: Passage | None = None


@dataclass(frozen=True)
class Closed:
    """An environment is closed to a traveller by the first that stands in the way."""

    environment: str
    by: Standing


def closing(
    config: Config, environment: Environment, made: tuple[Closure | Unreadable, ...], now: datetime
) -> tuple[Standing, ...]:
    """All that closes an environment now, the global before its own, locks before freezes."""
    here = [each for each in made if each.place in {ALL, environment.name}]
    here = [each for each in here if isinstance(each, Unreadable) or each.holds(now)]
    here.sort(key=lambda each: (each.kind != "lock", each.place != ALL))
    calendar = freeze_at(config, environment, now)
    if calendar is None:
        return tuple(here)
    return (*here, CalendarFreeze(calendar.reason, calendar.until, calendar.owner))


def pass_by(
    traveller: Traveller, environment: str, standing: tuple[Standing, ...]
) -> Closed | tuple[Passage, ...]:
    """What is passed, and by which right; or what cannot be passed."""
    if traveller.kind == "validation":  # it changes nothing of what is kept closed
        return ()
    passed = []
    for each in standing:
        passage = _passage(traveller, each)
        if passage is None:
            return Closed(environment, each)
        passed.append(passage)
    return tuple(passed)


def _passage(traveller: Traveller, each: Standing) -> Passage | None:
    what = in_words(each)
    if traveller.kind == "drill":
        return Passage(kind=each.kind, what=what, right="a drill changes nothing")
    if traveller.kind == "rollback":
        strict = isinstance(each, Closure) and each.rollbacks_too and each.by.id != traveller.by
        return None if strict else Passage(kind=each.kind, what=what, right="a rollback does not wait")
    if each.kind == "lock":
        own = isinstance(each, Closure) and each.by.id == traveller.by
        return Passage(kind="lock", what=what, right="it is their own") if own else None
    if traveller.over_freezes is None:
        return None
    return traveller.over_freezes.model_copy(update={"what": what})


def in_words(each: Standing) -> str:
    """What closes, for the record: `carol's lock of production ("audit")`."""
    match each:
        case Closure():
            return f'{each.by.name}\'s {each.kind} of {each.place} ("{each.reason}")'
        case Unreadable():
            return f"a {each.kind} of {each.place} that cannot be read"
        case CalendarFreeze():
            return f"the calendar's freeze ({each.reason})"


def local(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A moment where people read no times of their own: `17:00 CET`, `Mon 30 Nov 08:00 CET`."""
    there, today = at.astimezone(zone), now.astimezone(zone)
    if there.date() == today.date():
        return f"{there:%H:%M %Z}"
    year = "" if there.year == today.year else f" {there.year}"
    return f"{there:%a} {there.day} {there:%b}{year} {there:%H:%M %Z}"


def ends_at(each: Standing) -> datetime | None:
    """When it opens by itself; None when that is not known."""
    return None if isinstance(each, Unreadable) else each.until
