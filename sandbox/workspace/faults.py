"""Trouble on request: what Slack does on a bad day, scripted for a test.

`Fault("chat.postMessage", cut="after")` is the worst of it: the message is posted and the answer never
arrives, so whoever simply tries again posts it twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Fault:
    """What happens to the next `times` calls of `method` (`*`: any method)."""

    method: str
    times: int = 1
    status: int = 0
    """Answer with this HTTP status instead of doing anything; 429 carries `retry_after`."""
    retry_after: int = 1
    error: str = ""
    """Answer `{"ok": false}` with this code instead of doing anything."""
    delay: float = 0.0
    """Do it and answer, but only after so many seconds."""
    cut: Literal["", "before", "after"] = ""
    """Cut the connection before or after doing it, without an answer."""
    channel: str = ""
    """Only calls for this channel."""

    def concerns(self, method: str, channel: str) -> bool:
        """Whether this is a fault of such a call."""
        return self.method in {method, "*"} and self.channel in {"", channel}


@dataclass
class Faults:
    """The faults that are waiting for their calls, first come first served."""

    waiting: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Let `fault` happen."""
        self.waiting.append(fault)

    def take(self, method: str, channel: str) -> Fault | None:
        """The fault that this call meets, counted as used."""
        for fault in self.waiting:
            if fault.concerns(method, channel):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None
