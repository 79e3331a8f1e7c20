"""Every kind of trigger trips and sends the traffic back by itself, and a healthy release trips none.

`BUZZY_ALARMS=20` plays each so many times, one after the other, each time with a version of its own; every
miss and every false alarm is counted, and fails. Then all of them are played in blue-green as well, and
build/alarms.json has what was measured (how, `tests.e2e.tally` says).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.alarms import Case, Ward, ward_of
from tests.e2e.arenas import Arena
from tests.e2e.grants import Grants
from tests.e2e.tally import Strategy, Tally

TIMES = int(os.environ.get("BUZZY_ALARMS", "1"))
REPORT = Path("build/alarms.json")
LONGEST_SECONDS = 60.0
pytestmark = pytest.mark.timeout(120 + 150 * TIMES)

HEALTHY = Case("healthy", "never")
CASES: tuple[tuple[Case, tuple[str, ...]], ...] = (
    (HEALTHY, ("M1", "T3")),
    (Case("health: crash", "at start", "buzzy-api", "crash"), ("B1",)),
    (Case("health: never ready", "at start", "buzzy-api", "never-ready"), ("B1",)),
    (Case("health: flaky", "once watched", "buzzy-api", "flaky"), ("B1",)),
    (Case("kubernetes: restarts", "once watched", "restarts", "crash"), ("B4",)),
    (Case("kubernetes: oom-kills", "once watched", "oom-kills", "oom"), ("B4",)),
    (Case("kubernetes: events", "once watched", "FailedMount", "FailedMount"), ("B4",)),
    (Case("error rate", "in its metrics", "error rate", "errors"), ("B3", "M1")),
    (Case("latency p95", "in its metrics", "latency p95", "slow-answers"), ("B2", "M1")),
    (Case("throughput", "in its metrics", "throughput", "deserted"), ("B2", "M1")),
    (Case("memory", "in its metrics", "memory", "hungry"), ("B2", "M1")),
    (Case("CPU", "in its metrics", "CPU", "busy"), ("B2", "M1")),
    (Case("PromQL of one's own", "in its metrics", "checkout", "failing-checkouts"), ("B4",)),
    (Case("HTTP probe", "once watched", "shop", "closed"), ("B4",)),
)
ALWAYS = ("healthy", "health: flaky", "kubernetes: restarts", "error rate")
"""What is played in blue-green each time: there, all the others go the same way from the trigger on."""


def played() -> Iterator[Any]:
    """Each case with its strategy. In blue-green, pods that do not come up never get traffic."""
    for case, ids in CASES:
        yield pytest.param("rolling", case, id=f"rolling-{case.name}", marks=pytest.mark.requirement(*ids))
    for case, ids in CASES:
        if case.begins != "at start" and (TIMES > 1 or case.name in ALWAYS):
            marks = pytest.mark.requirement("D2", "X9", *ids)
            yield pytest.param("blue-green", case, id=f"blue-green-{case.name}", marks=marks)


@pytest.fixture(scope="module")
def ward(arena: Arena, grants: Grants | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """One house for all of them."""
    with ward_of(arena, grants, tmp_path_factory.mktemp("ward")) as opened:
        yield opened


@pytest.fixture(scope="module")
def tally() -> Tally:
    """What was counted so far."""
    return Tally()


@pytest.mark.parametrize(("strategy", "case"), tuple(played()))
def test_none_is_missed_and_none_is_false(ward: Ward, tally: Tally, strategy: Strategy, case: Case) -> None:
    """It goes back for the reason that there is, and for no other; what is well stays."""
    runs = [ward.play(case, strategy) for _ in range(TIMES)]
    for each in runs:
        tally.count(strategy, case.name, each)
    assert not [each.wrong for each in runs if each.wrong]
    assert case is HEALTHY or all(each.measured for each in runs), runs


def test_how_soon_the_traffic_is_back(arena: Arena, tally: Tally, tell: Callable[[str], None]) -> None:
    """A table of what was measured. Nothing takes a minute, with deadlines and the triggers' own times."""
    if not tally.rows:
        pytest.skip("nothing was played in this run")
    tell(tally.table())
    if TIMES > 1:
        tally.write(REPORT, runs=TIMES, kubernetes=arena.version)
    longest = [each.measured["in all"] for runs in tally.rows.values() for each in runs if each.measured]
    assert max(longest, default=0.0) < LONGEST_SECONDS
