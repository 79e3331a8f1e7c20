"""Who may close an environment and who may open it again, and by which right a release passes a freeze.

Pure, as `releases.policy` is, which says who may lock at all. A lock is a person's own, has a reason, and can
be taken over by another with a better one. A freeze is for those whom `buzzy.yaml` names as managers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from releases import grammar
from releases.closing import ALL, CalendarFreeze, Closed, Closure, Standing, Unreadable, local
from releases.config import Config, Environment
from releases.events import Passage
from releases.lifecycle import Release
from releases.people import Person
from releases.policy import Refusal, admit
from releases.version import ReleaseType, Urgency

Forward = grammar.Release | grammar.Promote
"""The commands that go on; a rollback goes back."""

_HURRIES: Mapping[Urgency, str] = MappingProxyType(
    {"hotfix": "a hotfix does not wait", "security": "a security release does not wait"}
)


def managers(config: Config, environment: Environment | None) -> tuple[str, ...]:
    """Who may freeze and unfreeze an environment (None: all of them), and pass its freezes."""
    own = environment.freezes.managers if environment is not None else ()
    return tuple(dict.fromkeys((*config.freezes.managers, *own)))


def over_freezes(
    command: Forward | grammar.Rollback,
    config: Config,
    environment: Environment,
    who: Person,
    types: Collection[ReleaseType],
) -> Passage | Refusal | None:
    """The right to pass freezes that a command claims; None when it claims none.

    A hotfix or security release has it by itself, with the reason that it needs anyway; `types` are those
    that the release may be of, as far as is known before it is planned.
    """
    if isinstance(command, grammar.Rollback):
        return None
    hurry = command.urgency
    if hurry is not None and ReleaseType(hurry) in types:
        return Passage(kind="freeze", what="", right=_HURRIES[hurry], reason=command.reason, urgency=hurry)
    if not command.override_freeze:
        return None
    may = managers(config, environment)
    if not who.is_any_of(may):
        hint = "Nothing was changed." if may else "buzzy.yaml names nobody who may (`freezes.managers`)."
        return Refusal(f"You may not pass a freeze of {environment.name}.", hint, who=may)
    if not command.reason:
        line = f'/buzzy {command.line()} --reason "…"'
        return Refusal("Passing a freeze needs a reason, for the record.", copy=line)
    return Passage(kind="freeze", what="", right=f"{who.name} may pass it", reason=command.reason)


def right_of(release: Release) -> Passage | None:
    """The right to pass freezes that a release has: that of a hurry only if its plan is of that type."""
    right = release.request.over_freezes
    if right is None or right.urgency is None or release.plan is None:
        return right
    return right if release.plan.type is ReleaseType(right.urgency) else None


def lock(
    command: grammar.Lock,
    who: Person,
    until: datetime | None,
    standing: Closure | Unreadable | None,
    **made: object,
) -> Closure | Refusal:
    """The lock that somebody may claim, or why not. `made` is when, and by which delivery (`at`, `claim`)."""
    refusal = admit(who)
    if refusal is not None:
        return refusal
    claimed = Closure.model_validate(
        {
            "kind": "lock",
            "place": command.place,
            "by": who.actor,
            "reason": command.reason,
            "until": until,
            "rollbacks_too": command.rollbacks_too,
            **made,
        }
    )
    theirs = isinstance(standing, Unreadable) or (
        standing is not None and standing.by.id != who.id and standing.holds(claimed.at)
    )
    if not theirs or command.take_over:
        return claimed
    line = grammar.Lock(command.place, command.reason, command.length, command.until, take_over=True)
    hint = "Take it over, with your reason; they are told:"
    return Refusal(f"{_locked(standing)}", hint, copy=f"/buzzy {line.line()}")


def unlock(place: str, who: Person, standing: Closure | Unreadable) -> Refusal | None:
    """Why somebody may not open a lock: it is somebody else's, who may still need it."""
    refusal = admit(who)
    if refusal is not None or (isinstance(standing, Closure) and standing.by.id == who.id):
        return refusal
    hint = "Whoever locked it opens it. If it cannot wait, take it over with your reason; they are told:"
    return Refusal(_locked(standing), hint, copy=f'/buzzy lock {place} --take-over --reason "…"')


def freeze(place: str, config: Config, environment: Environment | None, who: Person) -> Refusal | None:
    """Why somebody may not freeze or unfreeze a place."""
    refusal = admit(who)
    if refusal is not None:
        return refusal
    may = managers(config, environment)
    if who.is_any_of(may):
        return None
    if not may:
        problem = f"buzzy.yaml names nobody who may freeze {place}."
        return Refusal(problem, "Name people or groups in `freezes.managers`; or lock it, which anybody may.")
    return Refusal(f"You may not freeze or unfreeze {place}.", "Nothing was changed.", who=may)


def sentence(each: Standing, environment: str, now: datetime, zone: ZoneInfo) -> str:
    """What closes an environment, for who reads no times of their own: in a thread, in a notice."""
    match each:
        case Unreadable():
            return f"{_place(each.place, environment)} is closed by a {each.kind} that cannot be read."
        case Closure(kind="lock"):
            end = f" until {local(each.until, now, zone)}" if each.until else ""
            return f"{_place(each.place, environment)} is locked by {each.by.name}{end}: “{each.reason}”."
        case Closure():
            end = f" until {local(each.until, now, zone)}" if each.until else ""
            where = _place(each.place, environment)
            return f"{where} is frozen{end} ({each.reason}, {each.by.name})."
        case CalendarFreeze():
            end = f" until {local(each.until, now, zone)}" if each.until else ""
            return f"{environment} is frozen{end} ({each.reason})."


def line_through(closed: Closed, command: Forward) -> str:
    """The line with which somebody who may gets through: over a lock, or past a freeze."""
    match closed.by:
        case Closure(kind="lock") | Unreadable(kind="lock"):
            return f'/buzzy lock {closed.by.place} --take-over --reason "…"'
        case _:
            line = replace(command, reason=None, wait=False, override_freeze=True)
            return f'/buzzy {line.line()} --reason "…"'


def _place(place: str, environment: str) -> str:
    return "Every environment" if place == ALL else environment


def _locked(standing: Closure | Unreadable | None) -> str:
    match standing:
        case Closure():
            where = "Every environment" if standing.place == ALL else standing.place
            return f"{where} is locked by {standing.by.name}: “{standing.reason}”."
        case Unreadable():
            return f"There is a lock of {standing.place} that cannot be read, so it counts."
        case None:
            return "It is not locked."
