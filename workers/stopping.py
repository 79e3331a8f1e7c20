"""How a worker ends: asked, it stops at the next safe point; a call that keeps it from one is given up.

A safe point is where a step looks whether to go on, which it does once a second. But a cluster that does not
answer is waited for up to 13 s, and Redis up to 5 s, and nobody who upgrades wants to wait for that. So a
while after it was asked, a job's process interrupts itself, again and again until it has ended. That is as
safe as any other line at which it might die, because steps look before they do, and better for what it can
still say: it lets its lease go and queues its successor.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

PATIENCE_SECONDS = 1.8
"""How long a job has to come to a safe point."""

AGAIN_SECONDS = 0.8
"""How long each thing that it does then may take: to let the lease go, to queue the next job."""

LAST_SECONDS = 4.2
"""By then the worker has ended, whatever its job does. What is not let go then runs out by itself."""


class HandOver(BaseException):
    """Raised in the middle of a call that takes too long, when the worker is to end."""


class Stopping:
    """Whether this process should end: it was asked to, or the worker that started it is gone."""

    def __init__(self) -> None:
        """Nobody has asked."""
        self._asked = False
        self._parent: int | None = None

    def __call__(self) -> bool:
        """Whether to end at the next occasion."""
        return self._asked or (self._parent is not None and os.getppid() != self._parent)

    def ask(self, *_: object) -> None:
        """Ask it to end; can be a signal's handler."""
        self._asked = True

    def ask_job(self, *_: object) -> None:
        """The same in the process of a job, which does not wait for calls that are not answered.

        This takes the alarm clock from RQ, which has set it to the job's time limit: that is longer.
        """
        self.ask()
        signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS, AGAIN_SECONDS)

    def with_parent(self, pid: int) -> None:
        """End with that process, which must be the one that started this one."""
        self._parent = pid


def _interrupt(*_: object) -> None:
    raise HandOver


def end_at_last(end: Callable[[], None]) -> None:
    """Call `end` when the time is over. The process must not fork any more."""
    timer = threading.Timer(LAST_SECONDS, end)
    timer.daemon = True
    timer.start()
