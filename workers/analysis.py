"""What was measured means this. Pure: from values and limits to a verdict, with `now` passed in.

A trigger that is past its limit has not tripped before it was so for as long as it says, without a break. How
long that was is read from the measured values themselves, so that whoever goes on after a crash comes to the
same verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from releases.monitoring import MOST_POINTS, Chart, Line, Reading, Trigger, Verdict
from workers.metrics import Point, Series
from workers.troubles import Kind, Trouble

SHORTEST_RANGE, LONGEST_RANGE = 10, 300
"""Seconds. A rate needs two scrapes at least: whoever scrapes seldom has to ask for a longer time."""

FEWEST_STEPS = 4
"""So many values lie at least in the time for which a limit has to be passed."""


@dataclass(frozen=True)
class Measured:
    """What was measured for a trigger: values up to now, how many samples are behind them, and before."""

    series: Series
    before: float | None = None
    samples: float | None = None
    samples_before: float | None = None


def step_of(trigger: Trigger) -> timedelta:
    """The distance between two values that are asked for."""
    return timedelta(seconds=max(1, trigger.for_seconds // FEWEST_STEPS))


def range_of(trigger: Trigger) -> timedelta:
    """The span that a value looks back over: as long as the limit has to be passed, within bounds."""
    return timedelta(seconds=min(max(trigger.for_seconds, SHORTEST_RANGE), LONGEST_RANGE))


def judge_values(trigger: Trigger, measured: Measured, now: datetime) -> Reading:
    """How a trigger stands by what was measured."""
    newest = measured.series[-1] if measured.series else None
    if newest is None or now - newest.at > step_of(trigger):
        return _cannot_say(trigger, "nothing is measured")
    if trigger.times:
        if measured.samples_before is not None and measured.samples_before < trigger.at_least:
            return _cannot_say(
                trigger, f"the version before: {_too_few(measured.samples_before, trigger)}", newest.value
            )
        if not measured.before:
            return _cannot_say(trigger, "nothing was measured of the version before", newest.value)
    if measured.samples is not None and measured.samples < trigger.at_least:
        return _cannot_say(trigger, _too_few(measured.samples, trigger), newest.value, measured.before)
    since = _since(trigger, measured)
    return lasting(trigger, since, now, value=newest.value, before=measured.before)


def lasting(  # noqa: PLR0913 - what a reading says
    trigger: Trigger,
    since: datetime | None,
    now: datetime,
    *,
    value: float | None = None,
    before: float | None = None,
    why: str = "",
) -> Reading:
    """How a trigger stands that is past its limit since then, or is not."""
    if since is None:
        verdict = Verdict.PASSED
    elif now - since >= timedelta(seconds=trigger.for_seconds):
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.FAILING
    return Reading(
        trigger=trigger.name,
        verdict=verdict,
        value=value,
        before=before,
        since=since,
        why=why if since else "",
    )


def error(trigger: Trigger, why: str, before: float | None = None) -> Reading:
    """That it could not be measured."""
    return Reading(trigger=trigger.name, verdict=Verdict.ERROR, before=before, why=why)


def news(before: Sequence[Reading], now: Sequence[Reading]) -> tuple[str, ...]:
    """The triggers that stand otherwise; that a value has moved is no news."""
    stood = {each.trigger: each.verdict for each in before}
    return tuple(each.trigger for each in now if stood.get(each.trigger) is not each.verdict)


def fifths(passed: timedelta, window: timedelta) -> int:
    """How many fifths of the time have passed: so often it is told how far it is, whatever happens."""
    return min(int(passed / window * 5), 5)


def firmly_ill(found: Iterable[Trouble]) -> bool:
    """Whether what pods do is no passing trouble: they crash again and again."""
    return any(each.kind in {Kind.CRASH, Kind.MEMORY} for each in found)


def is_of(at: datetime | None, since: datetime) -> bool:
    """Whether a warning of the cluster is from since then.

    Most are stamped with whole seconds, rounded down: one of the same second is taken to be later.
    """
    return at is None or at >= since.replace(microsecond=0)


def worst(series: Iterable[Series], trigger: Trigger) -> Series:
    """Of several series one that has the worst value at each moment."""
    by_time: dict[datetime, float] = {}
    pick = max if trigger.above is not None else min
    for point in (point for each in series for point in each):
        by_time[point.at] = pick(by_time.get(point.at, point.value), point.value)
    return tuple(Point(at, by_time[at]) for at in sorted(by_time))


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its placeholders filled in: `$labels`, `$namespace`, `$pods`, `$range`."""
    text = template
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    return text


def line_of(series: Series, start: datetime, end: datetime, step: timedelta) -> Line:
    """A series as a chart keeps it: rounded, at even distances, with gaps where nothing was measured."""
    count = min(int((end - start) / step) + 1, MOST_POINTS)
    values: list[float | None] = [None] * count
    for point in series:
        index = round((point.at - start) / step)
        if 0 <= index < count:
            values[index] = float(f"{point.value:.4g}")
    return Line(start=start, step_seconds=step.total_seconds(), values=tuple(values))


def chart_of(trigger: Trigger, reading: Reading, new: Line, before: Line | None) -> Chart | None:
    """The chart of a trigger that tripped; None when there is no limit to draw."""
    limit = trigger.limit(reading.before)
    if limit is None:
        return None
    return Chart(trigger=trigger.name, unit=trigger.unit, limit=limit, new=new, before=before)


def _since(trigger: Trigger, measured: Measured) -> datetime | None:
    """Since when all values are past the limit, up to the newest; a gap is a break."""
    since: datetime | None = None
    step = step_of(trigger)
    last: datetime | None = None
    for point in reversed(measured.series):
        gap = last is not None and last - point.at > step * 1.5
        if gap or not trigger.passes(point.value, measured.before):
            break
        since = last = point.at
    return since


def _cannot_say(
    trigger: Trigger, why: str, value: float | None = None, before: float | None = None
) -> Reading:
    return Reading(trigger=trigger.name, verdict=Verdict.INCONCLUSIVE, value=value, before=before, why=why)


def _too_few(samples: float, trigger: Trigger) -> str:
    return f"{samples:.0f} requests, of {trigger.at_least} that are needed"
