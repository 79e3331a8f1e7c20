"""The record as a file: what each line says, and that whatever is done to the file shows."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from releases import chain, exporting
from releases import events as e
from releases.chain import Line
from releases.keeping import KeptRecord, KeptRelease
from tests.unit.workers_things import ALICE, T0, plan, requested, rollout

START = plan(rollout("main", "3.2.0", "3.2.1"))


def record() -> KeptRecord:
    """Two releases, to staging and a day later to production; the second was refused."""
    first = _kept("R1", "staging", chain.NOTHING, 0)
    second = _kept("R2", "production", first.lines[0].hash, 1)
    return KeptRecord("us", 2, {"R1": first, "R2": second}, {"staging": ("R1",), "production": ("R2",)})


def _kept(release: str, environment: str, before: str, days: int) -> KeptRelease:
    at = T0 + timedelta(days=days)
    asked = requested().model_copy(update={"environment": environment, "at": at, "reason": "fix export"})
    happened: list[e.Event] = [
        e.PlanProposed(at=at, plan=START),
        e.ReleaseRefused(at=at, by=ALICE, via="button"),
    ]
    opened = chain.opening("us", release, before, chain.text_of(asked))
    lines = (opened, *chain.chained(opened.hash, [chain.text_of(event) for event in happened]))
    return KeptRelease(release, environment, lines, holds=False)


def exported(**narrowed: object) -> list[str]:
    """The lines of the file."""
    given = {"environment": None, "since": None, **narrowed}
    return list(exporting.export(record(), **given))  # type: ignore[arg-type] # as the test gives them


def problems(lines: list[str]) -> list[str]:
    """What is wrong with a file."""
    return [str(problem) for problem in exporting.verify_file(lines).problems]


@pytest.mark.requirement("Q4")
def test_a_line_says_who_what_when_why_which_plan_and_how_it_stood() -> None:
    """Beside the event itself, its place, and its hash; the file as a whole proves itself."""
    lines = [json.loads(line) for line in exported()]
    told = {name: lines[2][name] for name in ("release", "position", "who", "what", "plan", "outcome")}
    assert told == {
        "release": "R1",
        "position": 3,
        "who": "alice (U0ALICE)",
        "what": "release_refused",
        "plan": START.digest,
        "outcome": "refused",
    }
    assert (lines[0]["why"], lines[0]["when"]) == ("fix export", T0.isoformat())
    assert lines[1]["who"] == "Buzzy (buzzy)"
    assert lines[-1]["end"]["events"] == 6
    assert problems(exported()) == []


@pytest.mark.requirement("Q4")
def test_a_part_of_the_record_proves_itself_as_well() -> None:
    """Whole releases, of one environment or that something happened to since."""
    for lines in (exported(environment="production"), exported(since=T0 + timedelta(hours=1))):
        assert {json.loads(line)["release"] for line in lines[:-1]} == {"R2"}
        assert problems(lines) == []
    assert len(exported(since=T0)) == 7
    assert exported(environment="nowhere")[0].startswith('{"end"')


def _with(lines: list[str], row: int, **changed: object) -> list[str]:
    return [*lines[:row], json.dumps({**json.loads(lines[row]), **changed}), *lines[row + 1 :]]


@pytest.mark.requirement("Q4")
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda lines: [line.replace("alice", "mallory") for line in lines], "R1, event 1: it, its place"),
        (lambda lines: _with(lines, 2, who="bob (U0BOB)"), "R1, event 3: the words beside the event say"),
        (lambda lines: _with(lines, 2, outcome="released"), "R1, event 3: the words beside the event say"),
        (lambda lines: _with(lines, 0, installation="them"), "R1, event 1: it, its place"),
        (lambda lines: [*lines[:2], *lines[3:]], "the file should have 6 events"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "R1: its events are not all there, or not in"),
        (lambda lines: lines[:3], "the file has no end: it is cut off"),
        (lambda lines: [*lines, lines[0]], "line 8 stands behind the end"),
        (lambda lines: [*lines[:1], "torn", *lines[1:]], "line 2 is no line of an export"),
        (lambda lines: [*lines[:1], '{"release": "R1"}', *lines[1:]], "line 2 is no line of an export"),
        (lambda _: [], "the file has no end: it is cut off"),
    ],
    ids=[
        "an edit",
        "other words",
        "another outcome",
        "another record",
        "a line less",
        "another order",
        "cut off",
        "a line more",
        "no JSON",
        "no event",
        "empty",
    ],
)
def test_whatever_is_done_to_a_file_shows(spoil, says: str) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - a lambda of the table
    """At its place, in plain words."""
    assert any(line.startswith(says) for line in problems(spoil(exported()))), problems(spoil(exported()))


@pytest.mark.requirement("Q4")
def test_an_event_that_cannot_be_read_is_exported_as_it_is() -> None:
    """The rest of the record is worth having."""
    kept = record()
    spoiled = KeptRelease(
        "R1", "staging", (*kept.releases["R1"].lines[:2], Line("{torn", "0" * 64)), holds=False
    )
    broken = KeptRecord("us", 2, {**kept.releases, "R1": spoiled}, kept.listed)
    lines = list(exporting.export(broken, environment=None, since=None))
    assert json.loads(lines[2])["event"] == {"unreadable": "{torn"}
    assert "R1, event 3: it cannot be read as an event" in problems(lines)
