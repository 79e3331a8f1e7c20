"""What people do while processes are killed under them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from releases.record import Store
from sandbox.workspace import Delivery, Message, RunningWorkspace

PATIENCE = 90.0
"""How long a person waits for anything; a run that hangs for so long has lost something."""

LOOK_SECONDS = 0.05
"""A look costs more than all else that a person does here, and there is no hurry between kills."""


class People:
    """The `House` of the scenarios: a channel, and the releases' messages in it."""

    def __init__(self, slack: RunningWorkspace, store: Store, channel: str) -> None:
        """`store` shows whether what Slack could not get through was recorded all the same."""
        self._slack = slack
        self._store = store
        self._channel = channel

    def ask(self, line: str) -> None:
        """Type a command."""
        self._insist(lambda: self._slack.person("alice").command(line, self._channel))

    def react(self, who: str, emoji: str) -> None:
        """React to the newest release's message. Slack delivers that again by itself."""
        self._slack.person(who).react(self._messages()[-1], emoji)

    def click(self, who: str, button: str) -> None:
        """Click a button of the newest release's message."""
        self._insist(lambda: self._slack.person(who).click(self._messages()[-1], button))

    def until(self, pattern: str) -> None:
        """Wait until a release's message shows something, a regular expression."""

        def shown() -> bool:
            return any(re.search(pattern, message.shown) for message in self._messages())

        deadline = time.monotonic() + PATIENCE
        while not shown():
            if time.monotonic() > deadline:
                there = "\n".join(message.shown for message in self._messages()) or "nothing"
                raise AssertionError(f"waited for {pattern!r} in vain. What is there:\n{there}")
            time.sleep(LOOK_SECONDS)

    def _messages(self) -> list[Message]:
        return self._slack.person("alice").messages(self._channel)

    def _insist(self, act: Callable[[], Delivery]) -> None:
        """Do it again when Slack says that the bot did not answer, and nothing came of it all the same."""
        while True:
            self._slack.wait_for_app(timeout=PATIENCE)
            before = self._recorded()
            if act().acknowledged or self._recorded() > before:
                return

    def _recorded(self) -> int:
        return len(self._store.call("KEYS", self._store.key("delivery", "*")))
