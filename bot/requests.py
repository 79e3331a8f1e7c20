"""What somebody asks for is written into the record, or they are told why it is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from bot.closing import Closing
from bot.gate import CrowdError, Gate
from bot.messages import Message
from bot.messages.parts import lines, message, room
from bot.messages.refusals import mistake_message, refusal_message, taken_back_message, unknown_release
from bot.people import Known
from bot.planner import Planner
from bot.proving import Proving
from bot.slack import Slack
from bot.steering import Steering, Steers
from bot.vocabulary import vocabulary_of
from releases import approval, gates, grammar, policy
from releases.config import Config
from releases.events import (
    AbortRequested,
    ApprovalWithdrawn,
    Approved,
    AskedVia,
    Event,
    MonitorSettled,
    Resumed,
    Retried,
    SignedOff,
    SignOffRefused,
    Via,
    WayBackRetried,
)
from releases.holding import because, held
from releases.lifecycle import Release, State
from releases.passing import Forward
from releases.people import Person
from releases.policy import Refusal
from releases.proof import PAST
from releases.record import (
    BusyError,
    JobQueue,
    MovedError,
    Record,
    StaleError,
    UnknownReleaseError,
    queue_of,
)
from releases.record.told import Told
from releases.schedule import Scheduled

LET_GO = (
    Approved,
    AbortRequested,
    SignedOff,
    SignOffRefused,
    MonitorSettled,
    Resumed,
    Retried,
    WayBackRetried,
)
"""What somebody says after which there is something to do."""

Looks = grammar.Drill | grammar.Validate
Opening = Forward | grammar.Rollback | Looks
"""The commands that begin a release."""

Closes = grammar.Lock | grammar.Unlock | grammar.Freeze | grammar.Unfreeze
Later = grammar.Schedule | grammar.Unschedule
Changing = Opening | Steers | Closes | Later
"""The commands that change something; the others ask."""

log = structlog.get_logger(__name__)

ATTEMPTS = 5
"""So often somebody else may have written first before it is tried again later."""


def stops_instead(opened: Release) -> bool:
    """Whether what a rollback was answered with is a release that it stops, and no rollback of its own."""
    return opened.request.kind == "release"


class NotYetError(Exception):
    """It cannot be acted on now, though nothing is wrong: again in a moment."""


class Requests:
    """Acts on commands. Each method returns what the person is told; None: nothing more."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a request touches
        self,
        config: Config,
        record: Record,
        queue: JobQueue,
        people: Known,
        slack: Slack,
        told: Told,
        now: Callable[[], datetime],
        gate: Gate,
        closing: Closing,
        planner: Planner,
    ) -> None:
        """`now` gives aware UTC times."""
        self._config = config
        self._record = record
        self._queue = queue
        self._people = people
        self._slack = slack
        self._told = told
        self._now = now
        self._gate = gate
        self._closing = closing
        self._vocabulary = vocabulary_of(config)
        self._planner = planner
        self._proving = Proving(config, record, now)
        self._steering = Steering(config, record, people, gate, now, self.decide)

    def act(
        self, command: Changing, user: str, channel: str | None, delivery: str, *, via: AskedVia = "slack"
    ) -> Message | None:
        """Do what a command asks for, once a delivery, whoever acts on it how often."""
        try:
            match command:
                case grammar.Release() | grammar.Promote() | grammar.Rollback():
                    return self._open(command, user, channel, delivery, via)
                case grammar.Drill() | grammar.Validate():
                    return self._open(command, user, channel, delivery, via)
                case grammar.Abort() | grammar.Finish() | grammar.Pause() | grammar.Resume():
                    return self._steer(command, user, channel, via, delivery)
                case grammar.Retry():
                    return self._steer(command, user, channel, via, delivery)
                case grammar.Lock():
                    return self._lock(command, user, channel, delivery, via)
                case grammar.Unlock():
                    return self._closing.unlock(command.place, user, channel)
                case grammar.Freeze():
                    return self._closing.freeze(command, user, delivery)
                case grammar.Unfreeze():
                    return self._closing.unfreeze(command.place, user)
                case grammar.Schedule():
                    return self._planner.schedule(command, user, channel, delivery)
                case grammar.Unschedule():
                    return self._planner.unschedule(command.schedule, user)
        except CrowdError as error:
            raise NotYetError(str(error)) from error

    def decide(
        self, release_id: str, user: str, judge: Callable[[Release, Person], approval.Outcome]
    ) -> Refusal | None:
        """Let a person's answer to a release be judged and written; the refusal, if it is one.

        Whoever would be refused is looked up again first: they may be an approver since a minute ago.
        Raises `UnknownReleaseError`, and `NotYetError` when others write faster.
        """
        for _ in range(ATTEMPTS):
            held = self._record.load(release_id)
            outcome = judge(held.release, self._people.get(user))
            if isinstance(outcome, Refusal):
                outcome = judge(held.release, self._people.get(user, fresh=True))
            if isinstance(outcome, Refusal):
                return outcome
            if not outcome:
                return None
            try:
                self._move(self._record.append(held, outcome).release, outcome)
            except (MovedError, StaleError):
                continue
            except BusyError as error:
                return self._is_busy(error.holder, grammar.Retry(release_id).line())
            return None
        raise NotYetError(release_id)

    def disowned(self, release: Release) -> tuple[ApprovalWithdrawn, ...]:
        """The approvals of a release whose givers may not approve any more, as events that take them off.

        Who approved is looked up anew before the last one counts; until then what is remembered will do.
        """
        last = release.approvals_missing <= 1
        return gates.disown(release, self._now(), lambda user: self._people.get(user, fresh=last))

    def open(
        self, command: Opening, user: str, channel: str | None, delivery: str, *, via: AskedVia = "slack"
    ) -> Release | Message:
        """Open the release that a command asks for and let a worker plan it; or why it is not opened.

        A rollback of what is under way stops that, and opens nothing: then it is that release.
        `channel` is where it is asked for, None when that is a terminal. Raises `NotYetError` when the
        environment has become free just now.
        """
        environment = self._config.environment(command.environment)
        who = self._people.get(user)
        requested = policy.request(command, environment, who, self._now(), channel=channel)
        if isinstance(requested, Refusal):
            who = self._people.get(user, fresh=True)
            requested = policy.request(command, environment, who, self._now(), channel=channel)
        if isinstance(requested, Refusal):
            return refusal_message(requested)
        if self._record.opened(delivery) is None and not isinstance(command, Looks):
            types = self._proving.types(command, environment)
            passed = self._gate.let_pass(requested, command, environment, who, types)
            if isinstance(passed, Message):
                return passed
            if (refusal := self._proving.unproven(command, environment)) is not None:
                return refusal_message(refusal)
            requested = passed
        try:
            release = self._record.open(requested.model_copy(update={"via": via}), delivery=delivery).release
        except BusyError as error:
            release = self._record.load(error.holder).release
            if not (isinstance(command, grammar.Rollback) and policy.takes_back(command, release)):
                return self._busy(release.id, command.line())
            self._record.counts_as(delivery, release.id)
        if isinstance(command, grammar.Rollback) and stops_instead(release):
            at_once = requested.approval is None
            return self._take_back(command, release, user, channel, via=via, at_once=at_once)
        if isinstance(command, Forward):
            self._gate.got(environment.name, user)
        self._queue.put(queue_of(release), "plan", release.id)
        return release

    def _take_back(  # noqa: PLR0913 - who wants what taken back, from where
        self,
        command: grammar.Rollback,
        release: Release,
        user: str,
        channel: str | None,
        *,
        via: AskedVia,
        at_once: bool,
    ) -> Release | Message:
        """Let the release that is under way stop and go back by itself, which is the rollback of it.

        `at_once`: whether the person could roll back without anybody agreeing; else the rule for aborts has
        to allow it. Who comes again, after it was stopped, is told the same.
        """
        if not policy.takes_back(command, release):
            return release
        refusal = self._steering.take_back(release, command.reason, user, channel, via=via, at_once=at_once)
        return self._record.load(release.id).release if refusal is None else refusal_message(refusal)

    def _open(
        self, command: Opening, user: str, channel: str | None, delivery: str, via: AskedVia
    ) -> Message | None:
        opened = self.open(command, user, channel, delivery, via=via)
        if isinstance(opened, Message):
            return opened
        if isinstance(command, grammar.Rollback) and stops_instead(opened):
            return taken_back_message(opened, self._url(opened.id))
        if channel == opened.request.channel:
            return None  # its message is on its way to where the person looks
        return self._follow(opened)

    def pressed(self, action: str, about: str, user: str) -> Message:
        """A button that stands for a command: to get in line, or to take a schedule back."""
        try:
            if action == "wait":
                return self._gate.wait(about, user)
            return self._planner.unschedule(about, user)
        except CrowdError as error:
            raise NotYetError(str(error)) from error

    def _lock(
        self, command: grammar.Lock, user: str, channel: str | None, delivery: str, via: AskedVia
    ) -> Message:
        """Lock; who took a lock over to release something then goes on with that."""
        answer, wanted = self._closing.lock(command, user, channel, delivery)
        if wanted is not None:
            line = grammar.parse(wanted.line, self._vocabulary)
            assert isinstance(line, Forward)  # noqa: S101 - nothing else is wanted
            return self.act(line, user, channel, f"{delivery}:wanted", via=via) or answer
        return answer

    def due(self, schedule: Scheduled, delivery: str) -> None:
        """Ask for what somebody had scheduled, in their name and by the same rules."""
        environment = self._config.environments.get(schedule.environment)
        if environment is None:
            log.warning("A schedule's environment is gone", schedule=schedule.id)
            return
        if self._record.opened(delivery) is None and schedule.is_late(self._now()):
            self._planner.missed(schedule)
            return
        try:
            command = grammar.parse(schedule.line, self._vocabulary)
        except grammar.GrammarError as error:  # buzzy.yaml has changed since: a service is gone
            self.not_done(schedule, mistake_message(error))
            return
        assert isinstance(command, grammar.Release)  # noqa: S101 - nothing else is scheduled
        refused = self._held(command, schedule, delivery) or self._due(command, schedule, delivery)
        if refused is not None:
            in_line = self._gate.wait_for(command, environment, schedule.by)
            self._planner.not_done(schedule, refused, in_line=in_line)

    def _held(self, command: grammar.Release, schedule: Scheduled, delivery: str) -> Message | None:
        """Why what was scheduled is not asked for: the version has gone back by itself since."""
        past = self._record.recent(command.environment, PAST)
        last = held(str(command.version), past, schedule.at)
        if last is None or self._record.opened(delivery) is not None:
            return None
        problem = (
            f"{command.version} went back by itself in {command.environment} ({last.id}: {because(last)})."
        )
        return refusal_message(
            Refusal(problem, "It is held until somebody asks for it again.", copy=f"/buzzy {command.line()}")
        )

    def _due(self, command: grammar.Release, schedule: Scheduled, delivery: str) -> Message | None:
        try:
            opened = self.open(command, schedule.by.id, policy.ANYWHERE, delivery)
        except CrowdError as error:
            raise NotYetError(str(error)) from error
        return opened if isinstance(opened, Message) else None

    def not_done(self, schedule: Scheduled, why: Message) -> None:
        """Have it told that what was due is not done."""
        self._planner.not_done(schedule, why, in_line=False)

    def _busy(self, holder: str, line: str) -> Message:
        refusal = self._is_busy(holder, line)
        release = self._record.load(holder).release
        return refusal_message(refusal, holder=release, url=self._url(release.id))

    def _is_busy(self, holder: str, line: str) -> Refusal:
        release = self._record.load(holder).release
        if release.ended:
            raise NotYetError(holder)  # just now: the environment is free, and the next try takes it
        return policy.busy(release, f"/buzzy {line}")

    def steer(
        self, command: Steers, user: str, channel: str | None, via: Via, delivery: str
    ) -> Message | None:
        """Stop, pause or let go on what has begun; why not. Raises `UnknownReleaseError`, `NotYetError`."""
        return self._steering.steer(command, user, channel, via, delivery)

    def _steer(
        self, command: Steers, user: str, channel: str | None, via: AskedVia, delivery: str
    ) -> Message | None:
        try:
            refused = self.steer(command, user, channel, "command" if via == "slack" else via, delivery)
        except UnknownReleaseError:
            return unknown_release(command.release)
        return refused or self._steering.done(command, self._url(command.release))

    def _follow(self, release: Release) -> Message:
        sentence = f"{release.id} is being planned; follow it in its channel."
        channel = room(release.request.channel)
        return message(sentence, lines([f"{release.id} is being planned; follow it in ", channel, "."]))

    def _url(self, release_id: str) -> str | None:
        place = self._told.message_of(release_id)
        return self._slack.permalink(place) if place is not None else None

    def _move(self, release: Release, happened: tuple[Event, ...]) -> None:
        """Let a worker know when there is something to do for one."""
        if not release.ended and any(isinstance(event, LET_GO) for event in happened):
            self._queue.put(queue_of(release), "advance", release.id)
        elif release.state is State.REQUESTED:  # somebody wants it looked at again
            self._queue.put(queue_of(release), "plan", release.id)
