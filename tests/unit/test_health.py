"""What is said of a Redis from what it tells: fit to keep the record, or what to set."""

from __future__ import annotations

from typing import Any

import pytest

from releases.findings import Level, any_problem
from releases.record.health import judge

FIT: dict[str, Any] = {"redis_version": "7.2.4", "aof_enabled": 1, "maxmemory_policy": "noeviction"}


@pytest.mark.requirement("Q1")
def test_a_redis_that_keeps_everything_is_fit() -> None:
    """It appends to its log and evicts nothing."""
    assert [finding.level for finding in judge(FIT, "")] == [Level.OK] * 3


@pytest.mark.requirement("Q1")
@pytest.mark.parametrize(
    ("told", "snapshots", "level", "says"),
    [
        ({"aof_enabled": 0}, "", Level.PROBLEM, "keeps nothing over a restart"),
        ({"aof_enabled": 0}, "3600 1", Level.PROBLEM, "snapshots only (3600 1)"),
        ({"aof_enabled": 0}, None, Level.UNKNOWN, "may not be asked"),
        ({"aof_last_write_status": "err"}, "", Level.PROBLEM, "cannot write to its disk"),
        ({"maxmemory_policy": "allkeys-lru"}, "", Level.PROBLEM, "may evict parts of the record"),
        ({"maxmemory_policy": None}, "", Level.UNKNOWN, "does not say what it evicts"),
        ({"redis_version": "5.0.7"}, "", Level.PROBLEM, "version 5.0.7"),
        ({"redis_version": ""}, "", Level.UNKNOWN, "does not say which version"),
    ],
    ids=[
        "no persistence",
        "snapshots only",
        "a managed service",
        "a full disk",
        "eviction",
        "eviction untold",
        "too old",
        "version untold",
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    told: dict[str, Any], snapshots: str | None, level: Level, says: str
) -> None:
    """One finding is not good, and says why; what is forbidden to be known is no problem."""
    found = [each for each in judge({**FIT, **told}, snapshots) if each.level is not Level.OK]
    assert [each.level for each in found] == [level]
    assert says in found[0].what
    assert any_problem(found) is (level is Level.PROBLEM)
    assert found[0].fix or told.get("redis_version") == ""


def test_a_problem_has_lines_to_copy() -> None:
    """What to type stands under it, a line each."""
    (finding,) = [each for each in judge({**FIT, "aof_enabled": 0}, "") if each.level is Level.PROBLEM]
    assert "redis-cli CONFIG SET appendonly yes" in str(finding).splitlines()[1]
