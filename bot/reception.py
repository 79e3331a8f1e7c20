"""What is said at once to what comes in: within Slack's 3 seconds, whatever Redis is doing.

A command that changes something is written into the inbox, and nothing else happens here; a question is
answered from the record. What cannot be recorded in time is not recorded at all, and the person is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import datetime
from typing import Any, TypeVar

from bot.answers import Answering
from bot.deliveries import Asked, Payload, Pressed, Reacted, kind_of
from bot.messages import Message
from bot.messages.form import Origin, fields_of, origin_of, release_form
from bot.messages.help import help_message
from bot.messages.parts import SENTENCE, clip, code, lines, message
from bot.messages.refusals import mistake_message, note
from bot.questions import Asking, Desk, LookedUp
from bot.requests import Changing
from bot.vocabulary import vocabulary_of
from releases import grammar
from releases.config import Config
from releases.plan import digest_of
from releases.record import Inbox, RecordUnavailableError
from releases.record.homes import Homes
from releases.record.told import Place

T = TypeVar("T")

DEADLINE_SECONDS = 2.0
"""By then a delivery is recorded or never will be; Slack waits for 3 s, the way there and back included."""

ANSWER_SECONDS = 2.3
"""By then something is said."""

THREADS = 32
"""More than people type in the time that a hung Redis takes to be given up."""


class Reception:
    """Takes what comes in from Slack. Its methods do not call Slack."""

    def __init__(
        self, config: Config, inbox: Inbox, homes: Homes, desk: Desk, now: Callable[[], datetime]
    ) -> None:
        """`now` gives aware UTC times."""
        self.vocabulary = vocabulary_of(config)
        self._config = config
        self._inbox = inbox
        self._homes = homes
        self._desk = desk
        self._now = now
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="reception")

    def command(self, line: str, user: str, channel: str, response_url: str, trigger: str) -> Message:
        """A slash command; what its person is shown at once."""
        try:
            command = grammar.parse(line, self.vocabulary)
        except grammar.GrammarError as error:
            return mistake_message(error)
        match command:
            case grammar.Help():
                return help_message(grammar.help_text(command.verb, self.vocabulary))
            case grammar.Status() | grammar.History() | grammar.Plan() | grammar.Diff():
                return self._answered(command, user, channel, response_url)
            case grammar.Calendar() | grammar.Migrations():
                return self._looked_up(command)
            case grammar.Approvals():
                asked = self._asked(command, user, channel, response_url)
                return self._recorded(asked, trigger) or note("Looking …")
            case _:
                asked = self._asked(command, user, channel, response_url)
                return self._recorded(asked, trigger) or self._noted(command)

    def form_for(self, line: str, channel: str, response_url: str) -> dict[str, Any] | None:
        """The form that a slash command asks for, if it does; the environment of its channel is chosen."""
        if not grammar.asks_for_form(line):
            return None
        environments = self._config.environments.items()
        here = next((name for name, each in environments if each.channel == channel), None)
        return release_form(self.vocabulary, here, Origin(channel=channel, response_url=response_url))

    def form_for_home(self) -> dict[str, Any]:
        """The same, asked for on the App Home; answers to it stand there."""
        return release_form(self.vocabulary, None, Origin())

    def home_opened(self, user: str) -> None:
        """Somebody looks at their App Home. Raises `RecordUnavailableError`."""
        self._in_time(lambda: self._homes.opened(user))

    def form(self, view: Mapping[str, Any], user: str) -> dict[str, str]:
        """A form was submitted: it goes the same way as the line that could have been typed.

        What is wrong with it, by field; empty when it was recorded. The same form with the same content
        is one request, however often it comes: Slack asks people to try again when its own wait is over.
        """
        origin = origin_of(view)
        try:
            command = grammar.read_form(fields_of(view), self.vocabulary)
        except grammar.FormError as error:
            return error.problems
        delivery = f"{view['id']}:{digest_of(command.line())[:16]}"
        try:
            self._record(self._asked(command, user, origin.channel, origin.response_url), delivery)
        except RecordUnavailableError as error:
            return {"version": f"Nothing was recorded: {error}. Press Release again in a minute."}
        return {}

    def mention(self, line: str, user: str, channel: str, thread_ts: str, event: str) -> None:
        """A line behind a mention, answered later in its thread. Raises `RecordUnavailableError`."""
        asked = Asked(line=line, user=user, channel=channel, at=self._now(), thread_ts=thread_ts)
        self._record(asked, event)

    def reaction(self, user: str, place: Place, event: str) -> None:
        """A reaction that means something came or went. Raises `RecordUnavailableError`."""
        self._record(Reacted(user=user, channel=place.channel, ts=place.ts, at=self._now()), event)

    def press(self, pressed: Pressed, trigger: str) -> Message | None:
        """A button was pressed; what its person must be told now, because nobody will later."""
        try:
            self._record(pressed, trigger)
        except RecordUnavailableError as error:
            return note(f"Nothing was recorded: {error}. Press it again in a minute.")
        return None

    def close(self) -> None:
        """Take nothing more in."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _asked(self, command: grammar.Command, user: str, channel: str, response_url: str) -> Asked:
        line = command.line()
        return Asked(line=line, user=user, channel=channel, at=self._now(), response_url=response_url)

    def _recorded(self, asked: Asked, delivery: str) -> Message | None:
        """Record a command, to be acted on in a moment; what its person is told if that fails."""
        try:
            self._record(asked, delivery)
        except RecordUnavailableError as error:
            return _unrecorded(error, f"/buzzy {asked.line}")
        return None

    def _record(self, payload: Payload, delivery: str) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        body = payload.model_dump(mode="json")
        self._in_time(lambda: self._inbox.put(kind_of(payload), delivery, body, deadline=deadline))

    def _answered(self, command: Asking, user: str, channel: str, response_url: str) -> Message:
        shown: list[Message] = []

        def show(answer: Message) -> None:
            shown.append(answer)

        try:
            self._in_time(lambda: self._desk.ask(command, user, channel, response_url, show=show))
        except RecordUnavailableError as error:
            return _unrecorded(error, f"/buzzy {command.line()}")
        return shown[0]

    def _looked_up(self, command: LookedUp) -> Message:
        try:
            return self._in_time(lambda: self._desk.look_up(command))
        except RecordUnavailableError as error:
            return _unrecorded(error, f"/buzzy {command.line()}")

    def _in_time(self, work: Callable[[], T]) -> T:
        """Do it within the time there is.

        Bounded here and not by the client's time limits alone: several slow answers, or a name that is
        looked up for long, would add up.
        """
        future = self._threads.submit(work)
        try:
            return future.result(ANSWER_SECONDS)
        except FutureTimeoutError:
            future.cancel()
            raise RecordUnavailableError("Redis does not answer") from None

    def _noted(self, command: Changing | Answering) -> Message:
        if isinstance(command, grammar.Abort):
            return note(f"Noted: stopping {command.release}.")
        line = f"/buzzy {clip(command.line(), SENTENCE)}"
        return message(f"Noted: {line}", lines(["Noted: ", code(line)]))


def _unrecorded(error: RecordUnavailableError, line: str) -> Message:
    return note(f"Nothing was recorded: {error}. Try again in a minute:", copy=line)
