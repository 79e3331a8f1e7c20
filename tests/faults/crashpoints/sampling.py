"""Which of all crash points are tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from enum import StrEnum

from tests.faults.crashpoints.boundaries import Boundary, CrashPoint, Kill

Passed = Sequence[tuple[Boundary, bool]]
"""What a run passed, and whether a work-horse ran beside it."""


class Extent(StrEnum):
    """How much is tried."""

    QUICK = "quick"
    """So many points, spread evenly over all."""
    SAMPLED = "sampled"
    """After every effect every kill, at its first passing and at its last.

    Before an effect, kills take turns: what is seen then is what was seen after the effect before. So they
    do after an effect that a scenario before had in the same place and state.
    """
    ALL = "all"
    """Every passing."""


QUICK_POINTS = 120
STRIDE = 17

_WAYS: dict[str, tuple[Kill, ...]] = {
    "bot": (Kill.BOT,),
    "worker": (Kill.WORKER,),
    "horse": (Kill.HORSE, Kill.WORKER, Kill.BOTH),
}


def points(recorded: Sequence[Passed], known: Collection[Boundary], extent: Extent) -> list[CrashPoint]:
    """The crash points of a scenario, from its undisturbed runs; `known` are those of the scenarios before.

    How often a boundary is passed varies where something is waited for; the smallest number is reached for
    certain, or nearly so.
    """
    counts = [Counter(boundary for boundary, _ in run) for run in recorded]
    beside_horse = {boundary for run in recorded for boundary, horse in run if horse}
    found: list[CrashPoint] = []
    turn = 0
    for boundary in sorted(set().union(*counts)):
        least = max(1, min(count[boundary] for count in counts))
        ways = _WAYS[boundary.role] + ((Kill.BOTH,) if boundary in beside_horse else ())
        if extent is Extent.ALL:
            found += [CrashPoint(boundary, n, kill) for n in range(1, least + 1) for kill in ways]
        elif boundary.side == "after" and boundary not in known:
            found += [CrashPoint(boundary, n, kill) for n in sorted({1, least}) for kill in ways]
        elif boundary.side == "before" and boundary in known:
            continue
        else:
            turn += 1
            found.append(CrashPoint(boundary, 1 if turn % 2 else least, ways[turn % len(ways)]))
    return found


def spread(everything: Sequence[tuple[str, CrashPoint]], number: int) -> list[tuple[str, CrashPoint]]:
    """So many of them, always the same ones: each role's boundaries evenly, the kills in turn."""
    if len(everything) <= number:
        return list(everything)
    step = len(everything) / number
    return [everything[int(index * step)] for index in range(number)]


def scattered(chosen: Sequence[tuple[str, CrashPoint]]) -> list[tuple[str, CrashPoint]]:
    """The same in an order in which any beginning is spread over all, so that half a run tells something."""
    return [each for start in range(STRIDE) for each in chosen[start::STRIDE]]
