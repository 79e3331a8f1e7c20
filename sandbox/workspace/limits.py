"""Slack's rate limits: how often a method may be called, and what 429 says about when to come back.

Tiers and the limit of one message a second for a channel: https://docs.slack.dev/apis/web-api/rate-limits.
Slack tolerates short bursts without saying how long; here there is no tolerance, so that what passes here
passes there.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.workspace.clock import Clock

POSTS = {"chat.postMessage"}
"""Limited for each channel on its own: one a second."""

PER_MINUTE = {
    "apps.connections.open": 1,
    "chat.delete": 50,
    "chat.getPermalink": 600,
    "chat.postEphemeral": 100,
    "chat.update": 50,
    "conversations.history": 50,
    "conversations.info": 50,
    "conversations.join": 50,
    "conversations.list": 20,
    "conversations.members": 100,
    "conversations.open": 50,
    "conversations.replies": 50,
    "files.completeUploadExternal": 100,
    "files.getUploadURLExternal": 100,
    "reactions.add": 50,
    "reactions.get": 50,
    "reactions.remove": 20,
    "team.info": 50,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "users.info": 100,
    "users.list": 20,
    "views.open": 100,
    "views.publish": 100,
    "views.push": 100,
    "views.update": 100,
}


class RateLimits:
    """Counts calls in a window that moves with the clock."""

    def __init__(self, clock: Clock, *, on: bool) -> None:
        self._clock = clock
        self.on = on
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def seconds_to_wait(self, method: str, channel: str) -> int:
        """0 when the call may go on (it is counted then), else the `Retry-After` in whole seconds."""
        if not self.on:
            return 0
        if method in POSTS:
            return self._count(f"{method} {channel}", allowed=1, window=1.0)
        if method in PER_MINUTE:
            return self._count(method, allowed=PER_MINUTE[method], window=60.0)
        return 0

    def _count(self, key: str, allowed: int, window: float) -> int:
        now, calls = self._clock.now(), self._calls[key]
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= allowed:
            return max(1, math.ceil(calls[0] + window - now))
        calls.append(now)
        return 0
