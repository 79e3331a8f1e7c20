"""The workspace's time, which a test can move forward.

Slack's rules are full of time: three seconds for an answer, thirty minutes for a response URL, a minute
between retries. A test says `advance(60)` and what waits for that minute goes on at once.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Clock:
    """Wall-clock time in seconds plus what it was advanced by. Lives in the server's event loop."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._advanced = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._source() + self._advanced

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`, and wake whoever slept no longer than that."""
        self._advanced += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    def deadline(self, seconds: float) -> float:
        """The moment that is `seconds` from now, for `sleep_until` and `answer_by`."""
        return asyncio.get_running_loop().time() + self._advanced + seconds

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` have passed here, by themselves or because the clock was advanced."""
        await self.sleep_until(self.deadline(seconds))

    async def sleep_until(self, deadline: float) -> None:
        """Return when the clock has come to `deadline`."""
        loop = asyncio.get_running_loop()
        while (left := deadline - loop.time() - self._advanced) > 0:
            try:
                await asyncio.wait_for(self._moved.wait(), left)
            except TimeoutError:
                return

    async def answer_by(self, answer: asyncio.Future[T], deadline: float) -> T:
        """Await `answer`, but not beyond `deadline`: `TimeoutError` then."""
        timer = asyncio.ensure_future(self.sleep_until(deadline))
        either: set[asyncio.Future[Any]] = {answer, timer}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            timer.cancel()
            return answer.result()
        answer.cancel()
        raise TimeoutError
