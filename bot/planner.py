"""Releases for later: what is scheduled is shown as it was understood, and can be taken back.

When it is due, it is asked for in the name of the person who scheduled it, by the same rules as if they typed
it then. What is refused then is told in the channel, because nobody waits at a terminal for the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.gate import Gate
from bot.messages import Message
from bot.messages.notices import planned_message
from bot.messages.refusals import note, refusal_message, refused
from bot.people import Known
from releases import grammar, notices, passing
from releases.closing import closing
from releases.config import Config, Environment, zone_of
from releases.moments import UnclearTimeError, read_moment
from releases.people import Person
from releases.policy import admit, may
from releases.record.closures import Closures
from releases.record.schedules import Schedules
from releases.schedule import Scheduled


class Planner:
    """Acts on what people want later. Each method returns what the person is told."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a schedule touches
        self,
        config: Config,
        schedules: Schedules,
        closures: Closures,
        people: Known,
        gate: Gate,
        now: Callable[[], datetime],
    ) -> None:
        """`now` gives aware UTC times."""
        self._config = config
        self._schedules = schedules
        self._closures = closures
        self._people = people
        self._gate = gate
        self._now = now

    def schedule(self, command: grammar.Schedule, user: str, channel: str | None, delivery: str) -> Message:
        """Keep a release for later, and say what was understood; for those who may ask for it now."""
        environment, who = self._config.environment(command.environment), self._people.get(user)
        if may("release", environment, who, channel) is not None:
            who = self._people.get(user, fresh=True)
        if (refusal := may("release", environment, who, channel)) is not None:
            return refusal_message(refusal)
        try:
            due, train = self._due(command, environment, who)
        except UnclearTimeError as error:
            trains = ", ".join(self._trains_to(environment.name))
            hint = f" Trains: {trains}." if trains else ""
            problem = f"{error} Say it like tomorrow 10:00, Mon 8:00, 3 Dec 9:00 or in 2 hours.{hint}"
            return refused(
                problem, copy=f"/buzzy schedule {command.version} {environment.name} tomorrow 10:00"
            )
        warning = self._warning(environment, due)

        def make(id_: str) -> tuple[Scheduled, tuple[notices.Notice, ...]]:
            made = Scheduled(
                id=id_,
                environment=environment.name,
                version=str(command.version),
                line=command.release().line(),
                by=who.actor,
                at=self._now(),
                due=due,
                train=train,
            )
            told = notices.Planned(at=made.at, channel=environment.channel, schedule=made, warning=warning)
            return made, (told,)

        made = self._schedules.add(make, delivery=delivery)
        if made is None:
            return note("That was scheduled, and is not any more.", copy="/buzzy calendar")
        zone = self._gate.zone_for(who, environment)
        return planned_message(made, warning, self._now(), zone)

    def unschedule(self, id_: str, user: str) -> Message:
        """Take a scheduled release back; any member may, as any member may abort."""
        who, schedule = self._people.get(user), self._schedules.get(id_)
        if (refusal := admit(who)) is not None:
            return refusal_message(refusal)
        if schedule is None:
            return refused(f"{id_} is not scheduled: it was due, or taken back.", copy="/buzzy calendar")
        channel = self._channel(schedule)
        told = notices.Unplanned(at=self._now(), channel=channel, schedule=schedule, by=who.actor)
        if not self._schedules.remove(schedule, (told,) if channel else ()):
            return note(f"{id_} is not scheduled any more.", copy="/buzzy calendar")
        return note(f"{id_} is off: buzzy {schedule.version} is not released to {schedule.environment}.")

    # -- when it is due --------------------------------------------------------------------------------

    def missed(self, schedule: Scheduled) -> None:
        """It was noticed too late; its person hears of it."""
        if channel := self._channel(schedule):
            told = notices.Missed(at=self._now(), channel=channel, schedule=schedule)
            self._closures.once(f"missed:{schedule.id}", 24 * 3600, [told])

    def not_done(self, schedule: Scheduled, refused: Message, *, in_line: bool) -> None:
        """It was refused when it was due; its person hears of it, with the reason."""
        if channel := self._channel(schedule):
            told = notices.NotDone(
                at=self._now(), channel=channel, schedule=schedule, problem=refused.sentence, in_line=in_line
            )
            self._closures.once(f"not_done:{schedule.id}", 24 * 3600, [told])

    def _channel(self, schedule: Scheduled) -> str:
        environment = self._config.environments.get(schedule.environment)
        return environment.channel if environment is not None else ""

    # -- when that is ----------------------------------------------------------------------------------

    def _due(
        self, command: grammar.Schedule, environment: Environment, who: Person
    ) -> tuple[datetime, str | None]:
        """The moment that is meant, and the train if it was one's name. Raises `UnclearTimeError`."""
        name = command.when.casefold()
        train = self._config.trains.get(name)
        if train is None:
            zone = self._gate.zone_for(who, environment)
            return read_moment(command.when, self._now(), zone), None
        if train.environment != environment.name:
            raise UnclearTimeError(f"The train {name} goes to {train.environment}.")
        leaves = train.next_after(self._now(), zone_of(self._config, environment))
        if leaves is None:
            raise UnclearTimeError(f"The train {name} never leaves.")
        return leaves, name

    def _trains_to(self, environment: str) -> list[str]:
        return [name for name, train in self._config.trains.items() if train.environment == environment]

    def _warning(self, environment: Environment, due: datetime) -> str:
        """What is known already to stand in its way then; it may be gone by then."""
        made = self._closures.board(environment.name).made
        standing = closing(self._config, environment, made, due)
        if not standing:
            return ""
        zone = zone_of(self._config, environment)
        return passing.sentence(standing[0], environment.name, due, zone)
