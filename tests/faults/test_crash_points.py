"""Killed at every boundary, a release, a rollback and an abort end as if nobody had been killed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.crashpoints import acts, report
from tests.faults.crashpoints.boundaries import Boundary, CrashPoint, Kill
from tests.faults.crashpoints.campaign import Recorded, Tried, choose, record, try_all
from tests.faults.crashpoints.effects import Effects, Finding, compare
from tests.faults.crashpoints.lanes import lanes
from tests.faults.crashpoints.sampling import QUICK_POINTS, Extent, points, spread

LANES = 4
MINUTES = 60.0


# -- the real thing: real bots and workers, killed ---------------------------------------------------


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    """Some worlds."""
    with lanes(LANES) as opened:
        yield opened


@pytest.fixture(scope="module")
def recorded(pool: Executor) -> dict[str, Recorded]:
    """What the scenarios pass when nobody is disturbed."""
    return record(pool)


@pytest.mark.long
@pytest.mark.timeout(10 * MINUTES)
@pytest.mark.parametrize(
    ("role", "act", "function"),
    [
        ("bot", "redis deliver", "Inbox.put"),
        ("bot", "redis xreadgroup", "InboxLoop.turn"),
        ("bot", "redis open release_requested", "Requests._open"),
        ("bot", "redis append approval_given approved", "Requests.decide"),
        ("bot", "redis append abort_requested", "Requests.decide"),
        ("bot", "redis transaction hset rpush", "JobQueue.put"),
        ("bot", "redis done", "Inbox.done"),
        ("bot", "slack acknowledge", "Bolt"),
        ("bot", "slack chat.postMessage", "Story._post_message"),
        ("bot", "slack chat.postMessage", "Story._post_line"),
        ("bot", "slack chat.update", "Story._edit_message"),
        ("bot", "redis note", "Poster.post_once"),
        ("bot", "redis caught_up", "Relay._tell"),
        ("bot", "redis lead", "Relay.turn"),
        ("worker", "redis blpop", "Queue.lpop"),
        ("worker", "redis set", "Reaper.reap"),
        ("worker", "redis transaction hset rpush", "Reaper._see_to"),
        ("horse", "redis take", "Jobs.plan"),
        ("horse", "redis take", "Jobs.advance"),
        ("horse", "redis append plan_proposed", "Jobs._propose"),
        ("horse", "redis append release_started", "Advance._start"),
        ("horse", "redis append step_started", "Advance._advance_step"),
        ("horse", "redis append step_progressed", "StepWork._tell"),
        ("horse", "redis append step_finished", "Advance._advance_step"),
        ("horse", "redis append turned_back", "Advance._turn_back"),
        ("horse", "redis append monitored", "StepWork.tell"),
        ("horse", "redis append step_failed turned_back", "Advance._fail"),
        ("horse", "redis append interrupted", "Advance.go"),
        ("horse", "redis append release_finished", "Advance._end"),
        ("horse", "redis append rolled_back", "Advance._end"),
        ("horse", "redis renew", "StepWork.before_write"),
        ("horse", "redis renew", "Record.let_go"),
        ("horse", "cluster post configmaps", "ensure_configuration"),
        ("horse", "cluster patch deployments", "roll_out"),
        ("horse", "cluster post deployments", "prepare"),
        ("horse", "cluster post services", "preview"),
        ("horse", "cluster patch services", "switch"),
        ("horse", "cluster patch deployments", "keep"),
    ],
)
def test_what_is_known_to_act_is_among_the_boundaries(
    recorded: dict[str, Recorded], role: str, act: str, function: str
) -> None:
    """A broken instrument shows here: each of these functions is seen, before and after what it does."""
    sides = {
        boundary.side
        for each in recorded.values()
        for run in each.runs
        for boundary, _ in run.passed
        if (boundary.role, boundary.act) == (role, act) and function in boundary.site
    }
    assert sides == {"before", "after"}


@pytest.mark.long
@pytest.mark.timeout(60 * MINUTES)
@pytest.mark.requirement("Q1", "X7")
def test_a_kill_anywhere_loses_nothing_and_doubles_nothing(
    pool: Executor, recorded: dict[str, Recorded]
) -> None:
    """A slice of `make faults`, spread over all boundaries: record, cluster and Slack as if undisturbed."""
    tried = try_all(pool, recorded, choose(recorded, Extent.QUICK))
    report.write(Path("build/faults-quick.json"), tried, extent=Extent.QUICK.value)
    assert not list(report.problems(tried)), "\n".join(report.problems(tried))
    assert report.totals(tried)["kills"] >= len(tried) * 0.9


# -- what it is judged by ----------------------------------------------------------------------------

SEEN = Effects(
    states={"R1": "released"},
    events=("release_requested", "release_finished"),
    writes={"create configmaps": 1},
    specs={"buzzy-main": 3},
    content={"Deployment buzzy-main": "{}"},
    posts={"C0STAGING thread: done": 1},
    shown={"C0STAGING R1": "🟢"},
)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"events": ("release_requested",)}, "lost"),
        ({"events": (*SEEN.events, "release_finished")}, "doubled"),
        ({"events": SEEN.events[::-1]}, "wrong"),
        ({"writes": {"create configmaps": 2}}, "doubled"),
        ({"specs": {"buzzy-main": 4}}, "doubled"),
        ({"specs": {"buzzy-main": 2}}, "lost"),
        ({"posts": {}}, "lost"),
        ({"posts": {"C0STAGING thread: done": 2}}, "doubled"),
        ({"shown": {"C0STAGING R1": "🔵"}}, "wrong"),
        ({"content": {"Deployment buzzy-main": "{1}"}}, "wrong"),
        ({"states": {"R1": "failed"}}, "wrong"),
        ({"leftovers": ("1 jobs for rollback",)}, "wrong"),
    ],
)
def test_every_kind_of_difference_is_found(changed: dict[str, Any], problem: str) -> None:
    """One thing too few is lost, one too many doubled; nothing else is passed over either."""
    assert compare(SEEN, SEEN) == ()
    assert [each.problem for each in compare(SEEN, replace(SEEN, **changed))] == [problem]


def boundary(act: str, side: str = "after", role: str = "bot") -> Boundary:
    """Some boundary."""
    return Boundary.of_json({"role": role, "state": "", "site": "f", "act": act, "side": side})


def test_a_sample_has_every_effect_first_and_last_and_all_has_every_passing() -> None:
    """What is known from another scenario is tried once."""
    a, b = boundary("a"), boundary("b", role="horse")
    runs = [[(a, False)] * 3 + [(b, False)], [(a, False)] * 5 + [(b, False)]]
    sampled = points(runs, set(), Extent.SAMPLED)
    assert [(point.boundary, point.passing) for point in sampled if point.boundary == a] == [(a, 1), (a, 3)]
    assert [point.kill for point in sampled if point.boundary == b] == [Kill.HORSE, Kill.WORKER, Kill.BOTH]
    assert len(points(runs, {a, b}, Extent.SAMPLED)) == 2
    assert len(points(runs, {a, b}, Extent.ALL)) == 3 + 3


def test_a_slice_is_always_the_same_and_spread() -> None:
    """From the first to near the last."""
    many = [("s", CrashPoint(boundary(f"{n:04}"), 1, Kill.BOT)) for n in range(1000)]
    chosen = spread(many, QUICK_POINTS)
    assert chosen == spread(many, QUICK_POINTS)
    assert len(chosen) == len(set(chosen)) == QUICK_POINTS
    assert many.index(chosen[-1]) >= 1000 - 1000 / QUICK_POINTS - 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["GET", "a"], None),
        (["SET", "a", "1"], "redis set"),
        (["EVALSHA", "0" * 40, "0"], "redis script"),
        ([b"BLPOP", b"a"], "redis blpop"),
    ],
)
def test_what_only_reads_is_no_boundary_and_what_is_unknown_is_one(
    words: list[object], says: str | None
) -> None:
    """For Redis as its server flags commands; a script counts, whoever wrote it."""
    assert acts.Redis({"set", "blpop"}).command(words) == says


def test_requests_to_the_cluster_and_to_slack_are_told_apart() -> None:
    """A dry run changes nothing; a method that is not known to read is an effect."""
    at = "http://x/apis/apps/v1/namespaces/n/deployments"
    assert acts.kubernetes("PATCH", f"{at}/buzzy-main") == "cluster patch deployments"
    assert acts.kubernetes("PATCH", f"{at}/buzzy-main?dryRun=All&x=1") is None
    assert acts.kubernetes("GET", at) is None
    assert acts.slack("reactions.get") is None
    assert acts.slack("chat.postMessage") == "slack chat.postMessage"


def test_the_report_fails_on_findings_only() -> None:
    """A point that was not reached is told, and fails nothing."""
    point = CrashPoint(boundary("a"), 2, Kill.BOT)
    reached = Tried("release", point, "same", (), 1.0, None)
    missed = Tried("release", point, "not reached", (), 1.0, None)
    doubled = Tried("release", point, "doubled", (Finding("doubled", "post x"),), 1.0, None)
    assert not report.failed([reached, missed])
    assert report.failed([reached, doubled])
    assert report.totals([reached, missed, doubled])["kills"] == 2
    assert any("DOUBLED" in line for line in report.table([doubled]))
