"""How fast Slack may be spoken to: posts per channel, edits per message, and what a 429 asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

POSTS_PER_SECOND = 0.95
BURST = 5.0
"""Slack's limit is one message a second a channel, and it lets short bursts pass
(https://docs.slack.dev/apis/web-api/rate-limits). Calls do not arrive as evenly as they are sent: at exactly
one a second some come a few milliseconds early, and are refused."""

KEPT_BACK = 1.0
"""Of a burst, what the lines of threads leave: a new release's message does not wait for others' stories."""

EDIT_SECONDS = 1.2
"""`chat.update` is good for 50 a minute; a bar that moves more often than this is not read anyway."""

SETTLE_SECONDS = 8.0
"""How long after a post whose outcome is not clear it may still become visible. So long it is looked for, and
not posted again."""


class Pace:
    """Says how long to wait. Nothing waits in here, so that one channel never holds up another."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        posts_per_second: float = POSTS_PER_SECOND,
        edit_seconds: float = EDIT_SECONDS,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        """`clock` counts seconds."""
        self.settle_seconds = settle_seconds
        self._clock = clock
        self._rate = posts_per_second
        self._edit_seconds = edit_seconds
        self._tokens: dict[str, tuple[float, float]] = {}
        self._edited: dict[tuple[str, str], float] = {}
        self._held: dict[tuple[str, str], float] = {}

    def before_post(self, channel: str, *, in_thread: bool = False) -> float:
        """Seconds until a channel takes another message."""
        missing = 1.0 + (KEPT_BACK if in_thread else 0.0) - self._filled(channel)
        return max(missing / self._rate, self._hold("chat.postMessage", channel), 0.0)

    def posted(self, channel: str) -> None:
        """Count a message."""
        self._tokens[channel] = (self._filled(channel) - 1.0, self._clock())

    def before_edit(self, channel: str, ts: str) -> float:
        """Seconds until a message may be edited again."""
        since = self._clock() - self._edited.get((channel, ts), float("-inf"))
        return max(self._edit_seconds - since, self._hold("chat.update", channel), 0.0)

    def edited(self, channel: str, ts: str) -> None:
        """Count an edit."""
        now = self._clock()
        self._edited = {each: at for each, at in self._edited.items() if now - at < self._edit_seconds}
        self._edited[channel, ts] = now

    def hold(self, method: str, channel: str, seconds: float) -> None:
        """Slack asked to be left alone: with this method, in this channel.

        It is not in the mood for a burst either, so there is none after the pause.
        """
        self._held[method, channel] = self._clock() + seconds
        if method == "chat.postMessage":
            self._tokens[channel] = (0.0, self._clock())

    def _filled(self, channel: str) -> float:
        tokens, at = self._tokens.get(channel, (BURST, self._clock()))
        return min(BURST, tokens + (self._clock() - at) * self._rate)

    def _hold(self, method: str, channel: str) -> float:
        return self._held.get((method, channel), float("-inf")) - self._clock()
