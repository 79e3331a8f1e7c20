"""What is said to Slack at once, beside the answer to it: forms, and what no answer can carry.

A form must be opened within three seconds, and the command that asked for it be acknowledged within the same
three: so neither waits for the other.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from bot.messages import Message
from bot.slack import Slack, SlackError

THREADS = 8
"""Calls to a Slack that hangs take seconds each; others still get a word in."""

log = structlog.get_logger(__name__)


class Voice:
    """Says things, a few at a time, and waits for nothing."""

    def __init__(self, slack: Slack) -> None:
        """Calls nobody yet."""
        self._slack = slack
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="voice")

    def tell(self, response_url: str, answer: Message) -> None:
        """Show somebody a message for their eyes only."""
        self._threads.submit(self._tell, response_url, answer)

    def open_form(
        self, trigger: str, view: dict[str, Any], *, otherwise: tuple[str, Message] | None = None
    ) -> None:
        """Open a form in front of somebody, or else tell them something, at a response URL."""
        self._threads.submit(self._open, trigger, view, otherwise)

    def _open(self, trigger: str, view: dict[str, Any], otherwise: tuple[str, Message] | None) -> None:
        try:
            self._slack.open_form(trigger, view)
        except SlackError as error:
            log.warning("A form could not be opened", slack=str(error))
            if otherwise is not None:
                self._tell(*otherwise)

    def _tell(self, response_url: str, answer: Message) -> None:
        try:
            self._slack.respond(response_url, answer)
        except SlackError as error:
            log.warning("Somebody could not be told", slack=str(error))
