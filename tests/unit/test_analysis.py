"""What measured values mean: past a limit for long enough, not at all, or not to be said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from releases.monitoring import Reading, Trigger, Unit, Verdict, amount, limit_in_words, tripped_in_words
from workers import analysis
from workers.analysis import Measured, judge_values
from workers.metrics import Point, QueryError
from workers.steps.queries import before_pods, new_pods

NOW = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)
ERRORS = Trigger(
    kind="query", name="error rate", above=0.02, unit="share", for_seconds=60, query="q", at_least=20
)
SLOWER = ERRORS.model_copy(update={"name": "latency p95", "above": 1.3, "times": True, "unit": "seconds"})


def measured(*values: float | None, before: float | None = None, **counts: float) -> Measured:
    """Values 15 s apart, the last one now; None where there is none."""
    start = NOW - timedelta(seconds=15) * (len(values) - 1)
    points = tuple(
        Point(start + timedelta(seconds=15) * index, value)
        for index, value in enumerate(values)
        if value is not None
    )
    return Measured(points, before, **{"samples": 500.0, **counts})


@pytest.mark.requirement("B3")
@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.001, 0.001, 0.001, 0.001, 0.001), Verdict.PASSED),
        ((0.02, 0.02, 0.02, 0.02, 0.02), Verdict.PASSED),
        ((0.05, 0.05, 0.05, 0.05, 0.05), Verdict.FAILED),
        ((0.001, 0.05, 0.05, 0.05, 0.05), Verdict.FAILING),
        ((0.05, 0.05, 0.001, 0.05, 0.05), Verdict.FAILING),
        ((0.05, 0.05, None, 0.05, 0.05), Verdict.FAILING),
        ((0.05, 0.05, 0.05, 0.05, 0.001), Verdict.PASSED),
        ((0.05,), Verdict.FAILING),
        ((), Verdict.INCONCLUSIVE),
        ((0.05, 0.05, 0.05, None, None), Verdict.INCONCLUSIVE),
    ],
    ids=[
        "well", "at the limit", "long enough", "not long enough", "a break", "a gap", "over", "at once",
        "nothing", "nothing any more",
    ],
)  # fmt: skip
def test_past_a_limit(values: tuple[float | None, ...], verdict: Verdict) -> None:
    """It trips when every value of the time is past the limit, and nothing is missing between."""
    assert judge_values(ERRORS, measured(*values), NOW).verdict is verdict


@pytest.mark.requirement("B2")
def test_against_the_version_before() -> None:
    """The limit is a multiple of what that had; without that, nothing can be said."""
    slow = (0.3,) * 5
    assert judge_values(SLOWER, measured(*slow, before=0.19), NOW).verdict is Verdict.FAILED
    assert judge_values(SLOWER, measured(*slow, before=0.25), NOW).verdict is Verdict.PASSED
    for before, count in ((None, 500.0), (0.0, 500.0), (0.19, 3.0)):
        reading = judge_values(SLOWER, measured(*slow, before=before, samples_before=count), NOW)
        assert reading.verdict is Verdict.INCONCLUSIVE
        assert "the version before" in reading.why
        assert reading.before is None


@pytest.mark.requirement("B3")
def test_a_few_requests_say_nothing() -> None:
    """Two errors of three requests are no error rate."""
    reading = judge_values(ERRORS, measured(*(0.66,) * 5, samples=3.0), NOW)
    assert (reading.verdict, reading.why) == (Verdict.INCONCLUSIVE, "3 requests, of 20 that are needed")


def test_below_a_limit() -> None:
    """Throughput that falls to a part of what it was; of several series the worst counts."""
    trigger = ERRORS.model_copy(update={"above": None, "below": 0.5, "times": True, "for_seconds": 0})
    assert judge_values(trigger, measured(40.0, before=100.0), NOW).verdict is Verdict.FAILED
    assert judge_values(trigger, measured(60.0, before=100.0), NOW).verdict is Verdict.PASSED
    one, other = (Point(NOW, 60.0),), (Point(NOW, 40.0),)
    assert analysis.worst((one, other), trigger) == other
    assert analysis.worst((one, other), ERRORS) == one


def test_what_is_put_into_queries() -> None:
    """Names of Kubernetes only: nothing of a cluster can end a string and begin another query."""
    assert new_pods(["api-7c9f", None, "a.b-1"]) == "(?:api-7c9f|a[.]b-1)-[a-z0-9]+"
    assert before_pods(["api"]) == "(?:api)-[a-z0-9]+-[a-z0-9]+"
    assert new_pods([]) == "-"
    with pytest.raises(QueryError):
        new_pods(['api"} or vector(1) #'])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.048, "share", "4.8 %"),
        (0.182, "seconds", "182 ms"),
        (1.5, "seconds", "1.5 s"),
        (1.2 * 2**30, "bytes", "1.2 GiB"),
        (200.0, "bytes", "200 B"),
        (41.37, "per second", "41.4/s"),
        (0.25, "cores", "0.25 cores"),
        (12345.0, "", "12345"),
    ],
)
def test_values_as_people_read_them(value: float, unit: Unit, text: str) -> None:
    """With their unit, and three digits that count."""
    assert amount(value, unit) == text


def test_why_it_tripped_in_words() -> None:
    """The value, the limit, and for how long."""
    tripped = Reading(trigger="latency p95", verdict=Verdict.FAILED, value=0.3, before=0.19, since=NOW)
    words = tripped_in_words(SLOWER, tripped)
    assert words == "latency p95 300 ms (limit 1.3 times 190 ms) for 1 min"
    assert limit_in_words(SLOWER, None) == "limit 1.3 times the version before"


def test_what_a_chart_keeps() -> None:
    """Even distances with gaps, rounded, and never more than a record should hold."""
    start, step = NOW - timedelta(minutes=1), timedelta(seconds=20)
    line = analysis.line_of((Point(start, 0.123456), Point(NOW, 0.2)), start, NOW, step)
    assert line.values == (0.1235, None, None, 0.2)
    long = analysis.line_of((), NOW - timedelta(days=1), NOW, timedelta(seconds=1))
    assert len(long.values) == 60


@pytest.mark.requirement("B4")
def test_a_warning_of_the_second_in_which_it_began_counts() -> None:
    """Kubernetes stamps most of them with whole seconds; one without a time counts as well."""
    since = NOW + timedelta(seconds=0.6)
    assert [analysis.is_of(NOW + timedelta(seconds=each), since) for each in (-1, 0, 1)] == [
        False,
        True,
        True,
    ]
    assert analysis.is_of(None, since)
