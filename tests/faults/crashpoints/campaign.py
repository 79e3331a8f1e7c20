"""Record what undisturbed runs pass, then kill at each of these points and compare how it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from typing import Literal

from tests.faults.crashpoints.boundaries import Boundary, CrashPoint
from tests.faults.crashpoints.effects import Effects, Finding, compare
from tests.faults.crashpoints.lanes import play
from tests.faults.crashpoints.sampling import QUICK_POINTS, Extent, points, scattered, spread
from tests.faults.crashpoints.scenarios import SCENARIOS, Scenario
from tests.faults.crashpoints.world import Run

RECORDINGS = 2

Outcome = Literal["same", "lost", "doubled", "wrong", "not reached"]


class UnstableError(Exception):
    """Two undisturbed runs of one scenario differ, so nothing can be compared with them."""


@dataclass(frozen=True)
class Recorded:
    """A scenario as it goes when nobody is killed but those that it says itself."""

    scenario: Scenario
    runs: tuple[Run, ...]
    crash: tuple[CrashPoint, ...]
    """What is armed in every run of it."""

    @property
    def effects(self) -> Effects:
        """What every run must end with."""
        return self.runs[0].effects

    @property
    def boundaries(self) -> frozenset[Boundary]:
        """All that every run of it passes."""
        each = [frozenset(boundary for boundary, _ in run.passed) for run in self.runs]
        return each[0].intersection(*each[1:])


@dataclass(frozen=True)
class Tried:
    """What became of one kill."""

    scenario: str
    point: CrashPoint
    outcome: Outcome
    findings: tuple[Finding, ...]
    seconds: float
    run: Run | None
    """Kept where something is to be looked into."""


def record(pool: Executor, scenarios: Sequence[Scenario] = SCENARIOS) -> dict[str, Recorded]:
    """Every scenario, undisturbed, twice. Raises `UnstableError`."""
    recorded: dict[str, Recorded] = {}
    plain = [each for each in scenarios if each.crash is None]
    futures = {each.name: [pool.submit(play, each.name) for _ in range(RECORDINGS)] for each in plain}
    for each in plain:
        recorded[each.name] = _stable(Recorded(each, tuple(f.result() for f in futures[each.name]), ()), None)
    for each in scenarios:
        if each.crash is not None:
            base = recorded[each.like]
            at = next(boundary for boundary, _ in base.runs[0].passed if each.crash.is_at(boundary))
            crash = (CrashPoint(at, 1, each.crash.kill),)
            runs = [pool.submit(play, each.name, crash) for _ in range(RECORDINGS)]
            found = Recorded(each, tuple(future.result() for future in runs), crash)
            recorded[each.name] = _stable(found, base.effects)
    return recorded


def _stable(recorded: Recorded, wanted: Effects | None) -> Recorded:
    for run in recorded.runs:
        if run.hung:
            raise UnstableError(f"{recorded.scenario.name}: {run.hung}\n{run.logs}")
        if findings := compare(wanted or recorded.effects, run.effects):
            raise UnstableError(f"{recorded.scenario.name}: {findings}")
    return recorded


def choose(recorded: dict[str, Recorded], extent: Extent) -> list[tuple[str, CrashPoint]]:
    """The points that are tried, each with its scenario."""
    chosen: list[tuple[str, CrashPoint]] = []
    known: set[Boundary] = set()
    for name, each in recorded.items():
        found = points([run.passed for run in each.runs], known, extent)
        only_new = each.crash and extent is not Extent.ALL
        chosen += [(name, point) for point in found if not (only_new and point.boundary in known)]
        known |= each.boundaries
    return spread(chosen, QUICK_POINTS) if extent is Extent.QUICK else chosen


def try_all(
    pool: Executor,
    recorded: dict[str, Recorded],
    chosen: Sequence[tuple[str, CrashPoint]],
    tell: Callable[[Tried, int], None] = lambda *_: None,
) -> list[Tried]:
    """Kill at every point; what became of each, in their order. Ctrl-C ends it with what there is by then."""
    tried: list[Tried] = []
    futures = {
        pool.submit(play, name, (*recorded[name].crash, point)): (name, point)
        for name, point in scattered(chosen)
    }
    try:
        for future in as_completed(futures):
            name, point = futures.pop(future)
            tried.append(judged(recorded[name], point, future.result(), _wanted(recorded, name)))
            tell(tried[-1], len(tried))
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
    order = {each: place for place, each in enumerate(chosen)}
    return sorted(tried, key=lambda each: order[each.scenario, each.point])


def _wanted(recorded: dict[str, Recorded], name: str) -> Effects:
    return recorded[recorded[name].scenario.like or name].effects


def judged(recorded: Recorded, point: CrashPoint, run: Run, wanted: Effects) -> Tried:
    """What a run with a kill shows."""
    findings = compare(wanted, run.effects)
    if run.hung:
        findings = (Finding("lost", run.hung), *findings)
    outcome: Outcome = "same"
    if findings:
        outcome = min((each.problem for each in findings), key=["doubled", "lost", "wrong"].index)
    elif not run.fired[-1]:
        outcome = "not reached"
    kept = run if findings else None
    return Tried(recorded.scenario.name, point, outcome, findings, run.seconds, kept)
