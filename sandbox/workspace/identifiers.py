"""Identifiers that look like Slack's: upper-case letters and digits, and timestamps that name messages."""

from __future__ import annotations

import itertools
import secrets
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.workspace.clock import Clock

DIGITS = string.digits + string.ascii_uppercase


class Identifiers:
    """Hands out identifiers, none twice."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._last_ts = 0

    def new(self, prefix: str) -> str:
        """A short identifier such as `V00000001A`."""
        number, digits = next(self._numbers), ""
        while number:
            number, digit = divmod(number, len(DIGITS))
            digits = DIGITS[digit] + digits
        return f"{prefix}{digits:0>9}"

    def ts(self) -> str:
        """The timestamp of something new in a channel: later than every one before it."""
        now = int(self._clock.now() * 1_000_000)
        self._last_ts = max(now, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def trigger(self) -> str:
        """A trigger id: three parts, of which the last cannot be guessed."""
        return f"{next(self._numbers)}.{int(self._clock.now())}.{secrets.token_hex(16)}"

    @staticmethod
    def secret(length: int = 24) -> str:
        """Letters and digits that cannot be guessed."""
        return secrets.token_hex(length // 2)
