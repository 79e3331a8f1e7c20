"""Locks and freezes: what people ask for is written, or they are told why it is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.gate import CrowdError, Gate
from bot.messages import Message
from bot.messages.closing import closed_until_message
from bot.messages.refusals import note, refusal_message, refused
from bot.people import Known
from releases import grammar, notices, passing, policy
from releases.closing import ALL, CalendarFreeze, Closure, Waiter, closing
from releases.config import Config, Environment, zone_of
from releases.moments import UnclearTimeError, read_moment
from releases.people import Person
from releases.policy import Refusal
from releases.record import MovedError, Record
from releases.record.closures import Board, Closures


class Closing:
    """Acts on what closes environments. Each method returns what the person is told."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a closure touches
        self,
        config: Config,
        record: Record,
        closures: Closures,
        people: Known,
        gate: Gate,
        now: Callable[[], datetime],
    ) -> None:
        """`now` gives aware UTC times."""
        self._config = config
        self._record = record
        self._closures = closures
        self._people = people
        self._gate = gate
        self._now = now

    # -- locks -----------------------------------------------------------------------------------------

    def lock(
        self, command: grammar.Lock, user: str, channel: str | None, delivery: str
    ) -> tuple[Message, Waiter | None]:
        """Lock a place; and what the person had wanted before, if they took the lock over for that."""
        place = command.place
        who = self._allowed(place, user, channel)
        if isinstance(who, Refusal):
            return refusal_message(who), None
        try:
            until = self._end(command, who)
        except UnclearTimeError as error:
            return self._unclear(error, command.line()), None
        for board in self._gate.boards(place):
            before = board.closure("lock", place)
            if isinstance(before, Closure) and before.claim == delivery:
                lock = before  # the same claim again
            else:
                claimed = passing.lock(command, who, until, before, at=self._now(), claim=delivery)
                if isinstance(claimed, Refusal):
                    return refusal_message(claimed), None
                lock = claimed
                try:
                    self._write_closure(board, lock, before if isinstance(before, Closure) else None)
                except MovedError:
                    continue
            wanted = self._gate.wanted(place, user) if command.take_over else None
            return closed_until_message(lock, self._in_the_way(place)), wanted
        raise CrowdError(place)

    def unlock(self, place: str, user: str, channel: str | None) -> Message:
        """Open what one has locked."""
        who = self._allowed(place, user, channel)
        if isinstance(who, Refusal):
            return refusal_message(who)
        for board in self._gate.boards(place):
            lock = board.closure("lock", place)
            if lock is None or (isinstance(lock, Closure) and not lock.holds(self._now())):
                return note(self._not_closed(place, "locked"))
            if (refusal := passing.unlock(place, who, lock)) is not None:
                return refusal_message(refusal)
            assert isinstance(lock, Closure)  # noqa: S101 - nobody unlocks what cannot be read
            try:
                self._open(board, lock, who)
            except MovedError:
                continue
            return note(f"{_named(place)} unlocked." if place != ALL else "The lock of all is off.")
        raise CrowdError(place)

    def _allowed(self, place: str, user: str, channel: str | None) -> Person | Refusal:
        """Somebody who may lock a place, or why not: looked up again before they are told no."""
        refusal: Refusal | None = None
        for fresh in (False, True):
            who = self._people.get(user, fresh=fresh)
            rules = (policy.may("lock", each, who, channel) for each in self._gate.environments(place))
            refusal = next((rule for rule in rules if rule is not None), None)
            if refusal is None:
                return who
        assert refusal is not None  # noqa: S101 - the loop has no other end
        return refusal

    # -- freezes ---------------------------------------------------------------------------------------

    def freeze(self, command: grammar.Freeze, user: str, delivery: str) -> Message:
        """Freeze a place."""
        who, place = self._person(user, command.place), command.place
        if (refusal := self._may_freeze(place, who)) is not None:
            return refusal_message(refusal)
        try:
            until = self._end(command, who)
        except UnclearTimeError as error:
            return self._unclear(error, command.line())
        for board in self._gate.boards(place):
            before = board.closure("freeze", place)
            made = Closure(
                kind="freeze",
                place=place,
                by=who.actor,
                reason=command.reason,
                at=self._now(),
                until=until,
                claim=delivery,
            )
            if isinstance(before, Closure) and before.claim == delivery:
                made = before
            else:
                try:
                    self._write_closure(board, made, None)
                except MovedError:
                    continue
            return closed_until_message(made, self._in_the_way(place))
        raise CrowdError(place)

    def unfreeze(self, place: str, user: str) -> Message:
        """End a freeze that somebody had begun."""
        who = self._person(user, place)
        if (refusal := self._may_freeze(place, who)) is not None:
            return refusal_message(refusal)
        for board in self._gate.boards(place):
            frozen = board.closure("freeze", place)
            if frozen is None:
                return note(self._not_frozen(place))
            try:
                if isinstance(frozen, Closure):
                    self._open(board, frozen, who)
                else:
                    self._closures.write(board, {("freeze", place): ""})
            except MovedError:
                continue
            return note(f"{_named(place)} no longer frozen.")
        raise CrowdError(place)

    def _may_freeze(self, place: str, who: Person) -> Refusal | None:
        return passing.freeze(place, self._config, self._environment(place), who)

    def _person(self, user: str, place: str) -> Person:
        """Somebody, looked up again if they would be refused: they may be a manager since a minute ago."""
        who = self._people.get(user)
        if self._may_freeze(place, who) is not None:
            who = self._people.get(user, fresh=True)
        return who

    def _not_frozen(self, place: str) -> str:
        environment = self._environment(place)
        now = self._now()
        standing = closing(self._config, environment, (), now) if environment is not None else ()
        calendar = next((each for each in standing if isinstance(each, CalendarFreeze)), None)
        if calendar is None or environment is None:
            return self._not_closed(place, "frozen")
        frozen = passing.sentence(calendar, environment.name, now, self._zone(environment))
        return f"{frozen} That is the calendar of buzzy.yaml; a release can pass it with --override-freeze."

    # -- small things ----------------------------------------------------------------------------------

    def _write_closure(self, board: Board, made: Closure, before: Closure | None) -> None:
        theirs = before is not None and before.by.id != made.by.id and before.holds(made.at)
        told = [
            notices.Closed(
                at=made.at,
                channel=each.channel,
                closure=made,
                before=before if theirs else None,
                in_the_way=self._record.holder(each.name),
            )
            for each in self._gate.environments(made.place)
        ]
        self._closures.write(board, {(made.kind, made.place): made.model_dump_json()}, told)

    def _open(self, board: Board, closure: Closure, who: Person) -> None:
        now = self._now()
        told = [
            notices.Opened(at=now, channel=each.channel, closure=closure, by=who.actor)
            for each in self._gate.environments(closure.place)
        ]
        self._closures.write(board, {(closure.kind, closure.place): ""}, told)
        self._gate.call_next(closure.place)

    def _in_the_way(self, place: str) -> str | None:
        return None if place == ALL else self._record.holder(place)

    def _environment(self, place: str) -> Environment | None:
        return None if place == ALL else self._config.environment(place)

    def _zone(self, environment: Environment | None) -> ZoneInfo:
        return zone_of(self._config, environment)

    def _end(self, command: grammar.Lock | grammar.Freeze, who: Person) -> datetime | None:
        if command.length is not None:
            return self._now() + command.length
        if command.until is None:
            return None
        return read_moment(
            command.until, self._now(), self._gate.zone_for(who, self._environment(command.place))
        )

    def _unclear(self, error: UnclearTimeError, line: str) -> Message:
        return refused(
            f"{error} Say it like 17:00, tomorrow 9:00, 3 Dec 9:00, or --for 2h.", copy=f"/buzzy {line}"
        )

    def _not_closed(self, place: str, how: str) -> str:
        return f"Not all environments are {how}." if place == ALL else f"{place} is not {how}."


def _named(place: str) -> str:
    return "Everything is" if place == ALL else f"{place} is"
