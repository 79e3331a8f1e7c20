"""The inbox loop: takes what was recorded and acts on it, each thing until it is done.

Acting twice on the same delivery has one effect, so whatever cannot be done now is simply tried again:
by this process after a pause, by another one if this one dies.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.answers import Answers
from bot.approvals import Approvals
from bot.deliveries import Asked, Payload, Pressed, Reacted, read
from bot.messages import Message
from bot.messages.help import help_message
from bot.messages.home import notice_of
from bot.messages.refusals import mistake_message, note
from bot.questions import Desk
from bot.requests import NotYetError, Requests
from bot.slack import RateLimitedError, RefusedError, Slack, SlackError, UnclearError
from releases import grammar
from releases.lifecycle import State
from releases.record import Delivery, Inbox, Record, RecordUnavailableError
from releases.record.homes import Homes
from releases.record.told import Place
from releases.schedule import Scheduled

WAIT_MS = 250
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 8.0
"""Seconds until something is tried again; below the time after which another process takes it over."""

REDIS_PAUSE = 2.0
"""Seconds, at most, until a Redis that is away is asked again: it costs little, and people wait."""

SWEEP_SECONDS = 60.0
"""How often the reactions on waiting messages are read, for those whose event never came."""

STALE = timedelta(minutes=10)
"""A command that could not be acted on for so long is not carried out any more: its person has given up,
or typed it again, and a release that starts out of the blue is worse than one that has to be asked again."""

log = structlog.get_logger(__name__)


@dataclass
class _Waiting:
    """A delivery in hand: how often it was tried, and when it is tried again."""

    delivery: Delivery
    attempts: int = 0
    due: float = 0.0


class InboxLoop:
    """Acts on deliveries, one after the other."""

    def __init__(  # noqa: PLR0913, PLR0917 - what acts on what came in
        self,
        reader: str,
        inbox: Inbox,
        record: Record,
        requests: Requests,
        answers: Answers,
        approvals: Approvals,
        homes: Homes,
        desk: Desk,
        slack: Slack,
        vocabulary: grammar.Vocabulary,
        now: Callable[[], datetime],
    ) -> None:
        """`reader` names this process; the inbox's store must wait longer than `WAIT_MS`."""
        self._reader = reader
        self._inbox = inbox
        self._record = record
        self._requests = requests
        self._answers = answers
        self._approvals = approvals
        self._homes = homes
        self._desk = desk
        self._slack = slack
        self._vocabulary = vocabulary
        self._now = now
        self._waiting: dict[str, _Waiting] = {}
        self._next_sweep = 0.0

    def run(self, stop: threading.Event) -> None:
        """Act until `stop` is set; what is in hand then is finished."""
        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                self.turn(stop)
                pause = FIRST_PAUSE
            except RecordUnavailableError as error:
                log.warning("The inbox cannot be read; trying again", why=str(error), in_seconds=pause)
                stop.wait(pause)
                pause = min(pause * 2, REDIS_PAUSE)
            except Exception:
                log.exception("The inbox stumbled")
                stop.wait(pause)

    def turn(self, stop: threading.Event) -> None:
        """Act on what is there now, or wait a little for something."""
        due = min((each.due for each in self._waiting.values()), default=float("inf"))
        wait_ms = max(1, min(WAIT_MS, int((due - time.monotonic()) * 1000) if self._waiting else WAIT_MS))
        taken = self._inbox.take(self._reader, wait_ms=wait_ms)
        for each in taken:
            self._waiting.setdefault(each.entry, _Waiting(each))
        for waiting in [each for each in self._waiting.values() if each.due <= time.monotonic()]:
            if stop.is_set():
                return
            self._handle(waiting)
        self._sweep()

    def _handle(self, each: _Waiting) -> None:
        delivery = each.delivery
        try:
            payload = read(delivery)
        except ValueError:
            log.exception("A delivery cannot be read", delivery=delivery.id, kind=delivery.kind)
            self._done(delivery)
            return
        try:
            self._act(payload, delivery)
        except (NotYetError, RecordUnavailableError, RateLimitedError, UnclearError) as error:
            self._again(each, error)
            return
        except RefusedError as error:
            log.warning("Slack refused", delivery=delivery.id, kind=delivery.kind, slack=str(error))
            if isinstance(payload, Scheduled):
                self._tell(payload, note("Slack does not say who asked for it."))
        except Exception:
            log.exception("A delivery cannot be acted on", delivery=delivery.id, kind=delivery.kind)
            self._tell_quietly(payload, note("Buzzy stumbled over this and cannot say what became of it."))
        self._done(delivery)

    def _act(self, payload: Payload, delivery: Delivery) -> None:
        match payload:
            case Asked():
                answer = self._asked(payload, delivery)
            case Reacted():
                answer = self._answers.reacted(payload)
            case Scheduled():
                self._requests.due(payload, delivery.id)
                return
            case Pressed(action="rollback" | "abort" | "finish" | "pause" | "resume" | "retry") if (
                self._stale(payload.at)
            ):
                answer = note("This could not be done for ten minutes; nothing was changed. Press it again.")
            case Pressed():
                answer = self._answers.pressed(payload, delivery.id)
        if answer is not None:
            self._tell(payload, answer)
        elif isinstance(payload, Asked | Pressed) and not payload.channel:
            self._homes.opened(payload.user)  # which shows what has become of it

    def _asked(self, asked: Asked, delivery: Delivery) -> Message | None:
        try:
            command = grammar.parse(asked.line, self._vocabulary)
        except grammar.GrammarError as error:
            return mistake_message(error)
        match command:
            case grammar.Help():
                return help_message(grammar.help_text(command.verb, self._vocabulary))
            case grammar.Calendar() | grammar.Migrations():
                return self._desk.look_up(command)
            case grammar.Approvals():
                return self._approvals.answer(asked.user)
            case grammar.Status() | grammar.History() | grammar.Plan() | grammar.Diff():

                def show(answer: Message) -> Place | None:
                    return self._post(asked, answer, delivery)

                self._desk.ask(command, asked.user, asked.channel, "", show=show)
                return None
            case _ if self._stale(asked.at):
                problem = "This could not be acted on for ten minutes; nothing was changed. Ask again:"
                return note(problem, copy=f"/buzzy {command.line()}")
            case grammar.Approve() | grammar.Refuse():
                return self._answers.said(command, asked.user, asked.at)
            case _:
                return self._requests.act(command, asked.user, asked.channel, delivery.id)

    def _stale(self, at: datetime) -> bool:
        return self._now() - at > STALE

    # -- telling -----------------------------------------------------------------------------------

    def _tell(self, payload: Payload, answer: Message) -> None:
        match payload:
            case Scheduled():
                self._requests.not_done(payload, answer)  # nobody waits for an answer: the channel is told
            case Asked(channel="") | Pressed(channel=""):
                self._homes.say(payload.user, notice_of(answer))
            case Asked(response_url="") | Reacted():
                thread = payload.thread_ts if isinstance(payload, Asked) else None
                self._slack.whisper(payload.channel, payload.user, answer, thread_ts=thread or None)
            case Asked() | Pressed():
                self._respond(payload, answer)

    def _respond(self, payload: Asked | Pressed, answer: Message) -> None:
        try:
            self._slack.respond(payload.response_url, answer)
        except RefusedError as error:
            # Half an hour after the command, or five answers: a form may be filled in late.
            log.info("Slack takes no more answers there", slack=error.code)
            self._slack.whisper(payload.channel, payload.user, answer)

    def _tell_quietly(self, payload: Payload, answer: Message) -> None:
        try:
            self._tell(payload, answer)
        except SlackError as error:
            log.warning("Somebody could not be told", slack=str(error))

    def _post(self, asked: Asked, answer: Message, delivery: Delivery) -> Place | None:
        """Answer a mention in its thread, where the answer can be edited when a worker has looked."""
        try:
            ts = self._slack.post(asked.channel, answer, id_=delivery.id, thread_ts=asked.thread_ts)
        except UnclearError:
            return None  # it may be there: better one that gets old than two
        return Place(asked.channel, ts)

    # -- again and done ----------------------------------------------------------------------------

    def _again(self, each: _Waiting, error: Exception) -> None:
        pause = min(FIRST_PAUSE * 2**each.attempts, LONGEST_PAUSE)
        if isinstance(error, RateLimitedError):
            pause = max(pause, error.retry_after)
        if not isinstance(error, NotYetError):
            log.warning("Trying again", delivery=each.delivery.id, why=str(error), in_seconds=pause)
        each.attempts += 1
        each.due = time.monotonic() + pause

    def _done(self, delivery: Delivery) -> None:
        # Forgotten here first: if Redis is away now, the delivery comes again, and acting again does no harm.
        self._waiting.pop(delivery.entry, None)
        self._inbox.done(delivery)

    def _sweep(self) -> None:
        if time.monotonic() < self._next_sweep:
            return
        self._next_sweep = time.monotonic() + SWEEP_SECONDS
        for release_id in self._record.idle():
            release = self._record.load(release_id).release
            if release.state is not State.WAITING or release.approval is None:
                continue
            try:
                self._answers.sweep(release)
            except (SlackError, NotYetError) as error:
                log.info("Reactions could not be read", release=release_id, why=str(error))
