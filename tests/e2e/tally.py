"""What is counted of releases that are watched: the alarms that were right, and how soon all was well again.

How it is measured, in seconds on the clock of this machine:

*begun* is when the bad thing begins. Where the test makes it, while the release is watched, that moment is
known. Pods that turn flaky are seen to be not ready. A version with bad metrics answers well for a while; it
begins when its first pod has been ready for so long, as the cluster shows it, and gets requests. (That the
sandbox's metrics see a pod up to 0.3 s later counts as detection.) Of pods that never come up it is when the
first of them is there.

*tripped* is the time of the event `step_failed` on the record: a worker has seen it, and goes back.

*back* is the cluster's own word: since then the EndpointSlices of every Service name pods of the version
before, and no others. In blue-green they follow the selector of the Service.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Strategy = Literal["rolling", "blue-green"]
COLUMNS = ("noticed", "back after that", "in all")


@dataclass(frozen=True)
class Played:
    """What became of one release. `wrong` says what should not have been so; empty when all was right."""

    wrong: str = ""
    begun: float | None = None
    tripped: float | None = None
    back: float | None = None

    @property
    def measured(self) -> dict[str, float]:
        """The times between, in seconds."""
        if self.begun is None or self.tripped is None or self.back is None:
            return {}
        return {
            "noticed": self.tripped - self.begun,
            "back after that": max(self.back - self.tripped, 0.0),
            "in all": max(self.back, self.tripped) - self.begun,
        }


@dataclass
class Tally:
    """All that was played, by strategy and case."""

    rows: dict[tuple[Strategy, str], list[Played]] = field(default_factory=dict)

    def count(self, strategy: Strategy, name: str, played: Played) -> None:
        """Count one release."""
        self.rows.setdefault((strategy, name), []).append(played)

    def table(self) -> str:
        """A line for each row, in seconds: the median and the longest."""
        heads = "".join(f"{name:>18}" for name in COLUMNS)
        lines = [f"\nseconds, median / longest{'':<10}{'runs':>5}{'right':>6}{heads}"]
        for (strategy, name), runs in self.rows.items():
            right = sum(not each.wrong for each in runs)
            cells = "".join(f"{_cell(each, runs):>18}" for each in COLUMNS)
            lines.append(f"{strategy:<12}{name:<23}{len(runs):>5}{right:>6}{cells}")
        return "\n".join(lines)

    def write(self, file: Path, **about: Any) -> None:  # noqa: ANN401 - JSON
        """Write everything to a file."""
        rows = [
            {"strategy": strategy, "trigger": name, "runs": len(runs)}
            | {"wrong": [each.wrong for each in runs if each.wrong]}
            | {column: _summary(column, runs) for column in COLUMNS}
            for (strategy, name), runs in self.rows.items()
        ]
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({**about, "unit": "s", "rows": rows}, indent=1) + "\n")


def _values(column: str, runs: Sequence[Played]) -> list[float]:
    return [each.measured[column] for each in runs if each.measured]


def _summary(column: str, runs: Sequence[Played]) -> dict[str, float]:
    values = _values(column, runs)
    if not values:
        return {}
    return {"median": round(statistics.median(values), 3), "max": round(max(values), 3)}


def _cell(column: str, runs: Sequence[Played]) -> str:
    found = _summary(column, runs)
    return f"{found['median']:.2f} / {found['max']:.2f}" if found else "-"
