"""The record as it is kept: releases by their lines, and that it was rebuilt. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import AwareDatetime

from releases.chain import Line
from releases.plan import Frozen


class Rebuilt(Frozen):
    """That the record was rebuilt: which releases it got back, of all numbers that may have been given."""

    at: AwareDatetime
    counter: int
    releases: tuple[str, ...]


@dataclass(frozen=True)
class KeptRelease:
    """A release as it is kept. `holds`: it holds its environment."""

    id: str
    environment: str
    lines: tuple[Line, ...]
    holds: bool


@dataclass(frozen=True)
class KeptRecord:
    """All of a record. `counter` is the number of the release that was opened last."""

    installation: str
    counter: int
    releases: Mapping[str, KeptRelease] = field(default_factory=dict)
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rebuilt: Rebuilt | None = None

    def was_lost(self, release: str) -> bool:
        """Whether it is known why there is no such release: the record was rebuilt without it."""
        rebuilt = self.rebuilt
        return rebuilt is not None and release not in rebuilt.releases and int(release[1:]) <= rebuilt.counter
