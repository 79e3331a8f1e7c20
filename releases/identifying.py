"""What is known of an issue before anybody goes back: what changed since, where, when, by whom. Pure data.

The first step of the runbook. What the plan knows stands in it, so that people see it before they agree; how
the services are doing is looked at when the step runs, and told in the thread.
"""

from __future__ import annotations

from datetime import UTC
from typing import Literal

from pydantic import AwareDatetime, Field

from releases.frozen import Frozen

SHOWN = 8
"""Changes of one service that are named; the plan has all of them, the other way round."""


class Suspect(Frozen):
    """A service that would go back, and what it has now that it had not then."""

    service: str
    goes: str = Field(description="the version or image that it would go back to")
    runs: str = Field(description="the version or image that it runs now")
    changes: tuple[str, ...] = Field(default=(), description="what else differs; values are left out")
    configuration: tuple[tuple[str, str], ...] = Field(
        default=(), description="ConfigMaps that took each other's place: the one before, the one now"
    )
    since: AwareDatetime | None = Field(default=None, description="when it came to be so, if that is known")
    by: str = Field(default="", description="who did it: a release and who asked for it, or a program")

    def lines(self) -> list[str]:
        """What is known of it, in a line; then its changes, indented."""
        since = f", since {self.since.astimezone(UTC):%-d %b %H:%M} UTC" if self.since is not None else ""
        by = f", by {self.by}" if self.by else ""
        more = len(self.changes) - SHOWN
        rest = [f"  and {more} more"] if more > 0 else []
        moved = f"{self.goes} → {self.runs}" if self.goes != self.runs else f"{self.runs}, changed"
        maps = [f"  configuration {old or 'none'} → {new or 'none'}" for old, new in self.configuration]
        changes = [f"  {each}" for each in self.changes[:SHOWN]]
        return [f"{self.service}: {moved}{since}{by}", *maps, *changes, *rest]


class Identify(Frozen):
    """Say what changed since what a rollback goes back to, and look which services are ill now."""

    kind: Literal["identify"] = "identify"
    target: str = Field(description="what it goes back to, in the plan's words")
    suspects: tuple[Suspect, ...] = ()
    migrations: tuple[str, ...] = Field(default=(), description="what the database has got since")

    def undo(self) -> None:
        """Nothing: looking changes nothing."""
        return

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return f"what changed since {self.target}, and what is ill"

    def lines(self) -> list[str]:
        """What is known before it is looked."""
        found = [line for each in self.suspects for line in each.lines()]
        return [*found, *(f"database: {each}" for each in self.migrations)]
