"""The gate of an environment: who passes what closes it, and the line of those who do not.

Whoever is refused can get in line, with the command that they had typed; when the environment opens, the next
one is told, with that command to copy.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.messages import Message
from bot.messages.closing import closed_message, waiting_message
from bot.messages.refusals import refusal_message, refused
from bot.people import Known
from releases import grammar, passing
from releases.closing import ALL, Closed, Traveller, Waiter, closing, pass_by
from releases.config import Config, Environment, zone_of
from releases.events import Actor, Passage, ReleaseRequested
from releases.passing import Forward
from releases.people import Person
from releases.policy import Refusal, admit
from releases.record import MovedError, Record
from releases.record.closures import Board, Closures, line_text
from releases.record.turns import call_next
from releases.version import ReleaseType

ATTEMPTS = 10
"""So often somebody else may have written first."""


class CrowdError(Exception):
    """Others write faster: again in a moment."""


class Gate:
    """Lets pass what may, and keeps the line."""

    def __init__(
        self,
        config: Config,
        record: Record,
        closures: Closures,
        people: Known,
        now: Callable[[], datetime],
    ) -> None:
        """`now` gives aware UTC times."""
        self._config = config
        self._record = record
        self._closures = closures
        self._people = people
        self._now = now

    # -- what wants to pass ----------------------------------------------------------------------------

    def let_pass(
        self,
        requested: ReleaseRequested,
        command: Forward | grammar.Rollback,
        environment: Environment,
        who: Person,
        types: Collection[ReleaseType],
    ) -> ReleaseRequested | Message:
        """The request with what it passed, or what the person is told because it is closed.

        `types` are those that the release may be of, as far as is known.
        """
        right = passing.over_freezes(command, self._config, environment, who, types)
        if isinstance(right, Refusal):  # they may be a manager since a minute ago
            who = self._people.get(who.id, fresh=True)
            right = passing.over_freezes(command, self._config, environment, who, types)
        if isinstance(right, Refusal):
            return refusal_message(right)
        verdict = self._verdict(environment, Traveller(requested.kind, who.id, right))
        if not isinstance(verdict, Closed):
            return requested.model_copy(update={"passed": verdict, "over_freezes": right})
        if isinstance(command, grammar.Rollback):
            return refusal_message(self._no_way_back(verdict))
        if command.wait:
            return self.get_in_line(environment, self._waiter(command, who))
        self._closures.refused(environment.name, self._waiter(command, who))
        may = passing.managers(self._config, environment)
        return closed_message(verdict, command, zone_of(self._config, environment), self._now(), may)

    def _verdict(self, environment: Environment, traveller: Traveller) -> Closed | tuple[Passage, ...]:
        made = self._closures.board(environment.name).made
        return pass_by(traveller, environment.name, closing(self._config, environment, made, self._now()))

    def _no_way_back(self, closed: Closed) -> Refusal:
        zone = zone_of(self._config, self._config.environment(closed.environment))
        problem = passing.sentence(closed.by, closed.environment, self._now(), zone)
        hint = "This lock keeps rollbacks back as well. Take it over, with your reason:"
        place = getattr(closed.by, "place", closed.environment)
        return Refusal(problem, hint, copy=f'/buzzy lock {place} --take-over --reason "…"')

    # -- the line of those who wait --------------------------------------------------------------------

    def wait(self, name: str, user: str) -> Message:
        """Get in line with what one was refused a moment ago."""
        who = self._people.get(user)
        if (refusal := admit(who)) is not None:
            return refusal_message(refusal)
        wanted = self._closures.wanted(name, user)
        if wanted is None or name not in self._config.environments:
            copy = f"/buzzy release <version> {name} --wait"
            return refused("That was too long ago to know what you wanted. Say it again:", copy=copy)
        return self.get_in_line(self._config.environment(name), wanted)

    def get_in_line(self, environment: Environment, wanted: Waiter) -> Message:
        """Put somebody in line; who is there already keeps the place, and wants what they say now."""
        name = environment.name
        for board in self.boards(name):
            waiting = list(board.waiting)
            at = next((i for i, each in enumerate(waiting) if each.by.id == wanted.by.id), len(waiting))
            waiting[at : at + 1] = [wanted]
            try:
                self._closures.write(board, {("waiting", name): line_text(waiting)})
            except MovedError:
                continue
            self.call_next(name)  # it may have been opened just now
            return waiting_message(name, wanted, at + 1)
        raise CrowdError(name)

    def wait_for(self, command: Forward, environment: Environment, by: Actor) -> bool:
        """Put somebody in line whose scheduled release was refused because it is closed."""
        wanted = self._closures.wanted(environment.name, by.id)
        if wanted is None or wanted.line != command.line():
            return False
        self.get_in_line(environment, wanted)
        return True

    def _waiter(self, command: Forward, who: Person) -> Waiter:
        again = replace(command, wait=False, override_freeze=False)
        return Waiter(by=who.actor, line=again.line(), at=self._now())

    def call_next(self, place: str) -> None:
        """Tell the next in line of a place, if it is their turn."""
        for environment in self.environments(place):
            call_next(self._closures, self._record, self._config, environment, self._now())

    def wanted(self, place: str, user: str) -> Waiter | None:
        """What somebody was refused a moment ago at a place; None when it was nothing."""
        found = (self._closures.wanted(each.name, user) for each in self.environments(place))
        return next((wanted for wanted in found if wanted is not None), None)

    def got(self, environment: str, user: str) -> None:
        """Somebody has got what they wanted: they are in line no more."""
        self._closures.forget(environment, user)
        board = self._closures.board(environment)
        left = [each for each in board.waiting if each.by.id != user]
        if len(left) < len(board.waiting):
            try:
                self._closures.write(board, {("waiting", environment): line_text(left)})
            except MovedError:
                return  # they are called once more than needed: no harm

    # -- small things ----------------------------------------------------------------------------------

    def boards(self, place: str) -> Iterator[Board]:
        """What closes a place, read again each time that somebody else wrote first."""
        for _ in range(ATTEMPTS):
            yield self._closures.board(place)

    def environments(self, place: str) -> list[Environment]:
        """The environments that a place is."""
        if place == ALL:
            return list(self._config.environments.values())
        return [self._config.environment(place)]

    def zone_for(self, who: Person, environment: Environment | None) -> ZoneInfo:
        """The time zone in which somebody types times: their own, as Slack has it, else the environment's."""
        try:
            return ZoneInfo(who.time_zone)
        except (LookupError, ValueError, OSError):
            return zone_of(self._config, environment)
