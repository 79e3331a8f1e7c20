"""What a check found: a line each, with what to do where something is wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How it stands; only a problem makes a check fail."""

    OK = "ok"
    UNKNOWN = "?"
    PROBLEM = "PROBLEM"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `fix` says what to do, with lines to copy where there are any."""

    subject: str
    what: str
    level: Level = Level.OK
    fix: str = ""

    def __str__(self) -> str:
        """The finding as people read it."""
        lines = [f"{self.level:<8}{self.subject}: {self.what}"]
        lines += [f"{'':<8}  {line}" for line in self.fix.splitlines()]
        return "\n".join(lines)


def good(subject: str, what: str) -> Finding:
    """It is as it should be."""
    return Finding(subject, what)


def unknown(subject: str, what: str, fix: str = "") -> Finding:
    """It could not be looked at."""
    return Finding(subject, what, Level.UNKNOWN, fix)


def problem(subject: str, what: str, fix: str = "") -> Finding:
    """It is wrong."""
    return Finding(subject, what, Level.PROBLEM, fix)


def any_problem(findings: Iterable[Finding]) -> bool:
    """Whether one of them is wrong."""
    return any(finding.level is Level.PROBLEM for finding in findings)
