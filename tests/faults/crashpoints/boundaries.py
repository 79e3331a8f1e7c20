"""Where a process acts on the outside world, and how it may be killed there: the words of this package."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Self

Role = Literal["bot", "worker", "horse"]
"""The bot; the process that takes jobs from the queues; the process that it forks for each of them."""

Side = Literal["before", "after"]


class Kill(StrEnum):
    """Who gets SIGKILL."""

    BOT = "bot"
    WORKER = "worker"
    """The parent alone: its work-horse, if it has one, is left to itself."""
    HORSE = "horse"
    BOTH = "worker and horse"


@dataclass(frozen=True, order=True)
class Boundary:
    """A moment right before or right after something that others can see."""

    role: Role
    state: str
    """The state of the release that a work-horse works on; empty elsewhere."""
    site: str
    """The functions that led there, the outermost first."""
    act: str
    """What is done to whom, such as `redis append step_started` or `cluster patch deployments`."""
    side: Side

    def __str__(self) -> str:
        """As the table has it."""
        state = f" [{self.state}]" if self.state else ""
        return f"{self.role}{state} {self.side} {self.act} · {self.short_site}"

    @property
    def short_site(self) -> str:
        """The functions that a reader looks for."""
        return " > ".join(self.site.split(" > ")[-4:])

    def as_json(self) -> dict[str, str]:
        """To be read by `of_json`."""
        return dict(vars(self))

    @classmethod
    def of_json(cls, data: dict[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(**data)


@dataclass(frozen=True, order=True)
class CrashPoint:
    """One way to die: at the `passing`-th time that a boundary is passed, counted over all processes."""

    boundary: Boundary
    passing: int
    kill: Kill

    def as_json(self) -> dict[str, Any]:
        """To be read by `of_json`."""
        return {"boundary": self.boundary.as_json(), "passing": self.passing, "kill": self.kill.value}

    @classmethod
    def of_json(cls, data: dict[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(Boundary.of_json(data["boundary"]), data["passing"], Kill(data["kill"]))
