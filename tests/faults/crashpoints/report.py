"""What was found, as a table for people and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.faults.crashpoints.campaign import Tried

SIGNS = {"same": "ok", "not reached": "-", "lost": "LOST", "doubled": "DOUBLED", "wrong": "WRONG"}


def totals(tried: Sequence[Tried]) -> dict[str, Any]:
    """The figures."""
    outcomes = Counter(each.outcome for each in tried)
    reached = len(tried) - outcomes["not reached"]
    return {
        "points": len({(each.scenario, each.point.boundary) for each in tried}),
        "kills": reached,
        "lost": outcomes["lost"],
        "doubled": outcomes["doubled"],
        "wrong": outcomes["wrong"],
        "not reached": outcomes["not reached"],
    }


def failed(tried: Sequence[Tried]) -> bool:
    """Whether anything was lost, doubled or came out wrong."""
    return any(each.findings for each in tried)


def table(tried: Sequence[Tried]) -> Iterator[str]:
    """A line for each boundary, with its kills and what became of each."""
    by_boundary: dict[tuple[str, str], list[str]] = {}
    for each in tried:
        outcome = f"{each.point.kill} #{each.point.passing}: {SIGNS[each.outcome]}"
        by_boundary.setdefault((each.scenario, str(each.point.boundary)), []).append(outcome)
    scenario = ""
    for (name, boundary), outcomes in by_boundary.items():
        if name != scenario:
            scenario = name
            yield f"\n{name}"
        yield f"  {boundary}"
        yield f"      {', '.join(outcomes)}"


def problems(tried: Sequence[Tried]) -> Iterator[str]:
    """All that went wrong, in full."""
    for each in tried:
        if each.findings:
            yield f"\n{each.scenario}: {each.point.kill} #{each.point.passing} {each.point.boundary}"
            yield f"  {each.point.boundary.site}"
            yield from (f"  {finding.problem}: {finding.what}" for finding in each.findings)


def write(file: Path, tried: Sequence[Tried], **about: Any) -> None:  # noqa: ANN401 - JSON
    """Write everything to a file."""
    rows = [
        {
            "scenario": each.scenario,
            **each.point.as_json(),
            "outcome": each.outcome,
            "findings": [vars(finding) for finding in each.findings],
            "seconds": round(each.seconds, 2),
        }
        for each in tried
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**about, "totals": totals(tried), "points": rows}, indent=1))
