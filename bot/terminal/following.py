"""Follows a release in the terminal: the lines of its thread, as they are written into the record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from bot.messages.release import release_message
from bot.messages.terminal import text_of, to_type
from bot.messages.thread import thread_message
from bot.relay.story import Tale, tale_of
from releases.lifecycle import Release, State
from releases.record import Record, RecordUnavailableError

PAUSE_SECONDS = 0.25


class Following:
    """Says what happens to a release until it ends."""

    def __init__(
        self, record: Record, application: str, names: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """`say` prints lines."""
        self._record = record
        self._application = application
        self._names = names
        self._say = say
        self._away = False
        self._asked = False

    def to_the_end(self, release_id: str, *, told: int = 0) -> Release:
        """The release when it has ended; the first `told` events are not told again.

        A Redis that is away is waited for: the release goes on meanwhile, or waits as well.
        """
        looked = False
        while True:
            tale = self._news(release_id, told if looked else -1)
            if tale is not None:
                looked = True
                for index in range(told, len(tale.events)):
                    self._tell(tale, index)
                told = len(tale.events)
                if tale.release.ended:
                    self._say(text_of(release_message(tale.release, self._application), self._names))
                    return tale.release
            time.sleep(PAUSE_SECONDS)

    def _news(self, release_id: str, told: int) -> Tale | None:
        try:
            if self._record.position(release_id) == told:
                return None
            tale = tale_of(release_id, self._record.events(release_id))
        except RecordUnavailableError as error:
            if not self._away:
                self._say(f"{error}; trying again. {release_id} is on the record.")
            self._away = True
            return None
        self._away = False
        return tale

    def _tell(self, tale: Tale, index: int) -> None:
        event, state = tale.events[index], tale.states[index]
        line = thread_message(state, event, self._application)
        if line is not None:
            self._say(f"{event.at.astimezone():%H:%M:%S} {text_of(line, self._names)}")
        if state.state is State.UNDECIDED and index == len(tale.events) - 1:
            answers = f"{to_type(f'finish {state.id}')} or {to_type(f'abort {state.id}')}"
            self._say(f"         Say in Slack whether it is good, or with: {answers}")
        if state.state is State.PAUSED and index == len(tale.events) - 1:
            answers = f"{to_type(f'resume {state.id}')} or {to_type(f'abort {state.id}')}"
            self._say(f"         It stays so until somebody says, in Slack or here: {answers}")
        waits = state.state is State.SIGNING or (state.state is State.WAITING and state.approvals_missing > 0)
        if waits and not self._asked and index == len(tale.events) - 1:
            self._asked = True
            self._say(f"         Approvers answer in Slack, or with: {to_type(f'approve {state.id}')}")
