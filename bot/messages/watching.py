"""What is watched, in words: a line a trigger, with its value beside its limit and the version before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from bot.messages.parts import SENTENCE, Row, clip
from releases.config import format_duration
from releases.lifecycle import Release
from releases.monitoring import Monitor, Reading, Trigger, Verdict, amount, in_words, limit_in_words

MOST = 8
"""Triggers that are shown one by one."""

SIGNS = {
    Verdict.PASSED: "✔",
    Verdict.FAILING: "⚠️",
    Verdict.FAILED: "🔴",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.ERROR: "❔",
}


def position(release: Release) -> str:
    """How far it is: `watching, 3 of 15 min`."""
    watching = release.watching
    if watching is None:
        return "watching"
    _, step, began = watching
    passed = (release.monitored_at or began) - began
    window = timedelta(seconds=step.window_seconds)
    return f"watching, {_minutes(min(passed, window), window)} of {in_words(step.window_seconds)}"


def _minutes(passed: timedelta, window: timedelta) -> str:
    """The time that has passed, in the unit of the whole where that is minutes."""
    whole = window >= timedelta(minutes=2) and not window.seconds % 60
    return f"{passed // timedelta(minutes=1)}" if whole else format_duration(passed)


def reading_rows(release: Release) -> list[Row]:
    """How each trigger stands, for the message of a release that is watched."""
    rows = [reading_row(trigger, reading) for trigger, reading in readings(release, release.readings)]
    more = len(rows) - MOST
    return [*rows[:MOST], [f"… {more} more"]] if more > 0 else rows


def readings(release: Release, given: Iterable[Reading]) -> Iterator[tuple[Trigger, Reading]]:
    """Readings with the triggers that they are of."""
    steps = [state.step for state in release.forward if isinstance(state.step, Monitor)]
    triggers = {trigger.name: trigger for step in steps for trigger in step.triggers}
    for reading in given:
        if reading.trigger in triggers:
            yield triggers[reading.trigger], reading


def reading_row(trigger: Trigger, reading: Reading) -> Row:
    """One line: `✔ error rate 0.1 % (limit 2 %)`."""
    return [f"{SIGNS[reading.verdict]} {clip(_said(trigger, reading), SENTENCE)}"]


def _said(trigger: Trigger, reading: Reading) -> str:
    name = trigger.name
    if reading.verdict in {Verdict.INCONCLUSIVE, Verdict.ERROR}:
        return f"{name}: not known, {reading.why}"
    if reading.value is None:
        return f"{name}: {reading.why}" if reading.why else f"{name}: well"
    limit = limit_in_words(trigger, reading.before)
    return f"{name} {amount(reading.value, trigger.unit)}{f' ({limit})' if limit else ''}"
