"""What a drill, a drift and the end of one look like."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.messages.history import history_message
from bot.messages.notices import notice_message
from bot.messages.release import release_message
from bot.messages.status import EnvironmentNow, LastDrill, status_message
from bot.messages.thread import thread_message
from bot.relay.story import tale_of
from releases import events as e
from releases import notices
from releases.lifecycle import Release, State
from releases.plan import Drill, DrillPart, Plan
from releases.snapshot import Snapshot
from releases.standby import Drift
from releases.twins import Found
from tests.unit.bot_reading import read
from tests.unit.bot_tales import ALICE, MONDAY, Teller, seen

PARTS: tuple[DrillPart, ...] = ("pods", "health", "versions", "configuration", "database")


def drill(end: str = "released") -> list[e.Event]:
    """The events of a drill."""
    plan = Plan(
        kind="drill",
        application="buzzy",
        environment="standby",
        namespace="buzzy-standby",
        strategy="rolling",
        stable="3.2.1",
        new="3.2.1",
        steps=tuple(Drill(part=part, follows="production") for part in PARTS),
    )
    asked = e.ReleaseRequested(
        at=MONDAY,
        kind="drill",
        environment="standby",
        version=None,
        strategy="rolling",
        by=ALICE,
        channel="C0DR",
        approval=None,
    )
    happened: list[e.Event] = [asked, *Teller(plan).planned().approved().started().events]
    if end == "released":
        for index in range(len(PARTS)):
            happened += [
                e.StepStarted(at=MONDAY, index=index),
                e.StepFinished(at=MONDAY, index=index, changed=False),
            ]
        return [*happened, e.ReleaseFinished(at=MONDAY)]
    reason = "api asks for 1 pod, production for 3."
    return [
        *happened,
        e.StepStarted(at=MONDAY, index=0),
        e.StepFailed(at=MONDAY, index=0, reason=reason),
        e.ReleaseFailed(at=MONDAY, reason=reason),
    ]


def done(end: str = "released") -> Release:
    """A drill that has ended."""
    return tale_of("R7", drill(end)).release


@pytest.mark.requirement("S3")
def test_a_drill_that_passed() -> None:
    """No version goes anywhere, nothing is to be rolled back, and nobody had to agree."""
    shown = read(release_message(done(), "buzzy"))
    assert shown.startswith("🟢 R7 · drill of buzzy 3.2.1 · standby — passed in ")
    assert "→" not in shown
    assert "Roll back" not in shown
    tale = tale_of("R7", drill())
    posts = [
        thread_message(*each, application="buzzy") for each in zip(tale.states, tale.events, strict=True)
    ]
    thread = "\n".join(read(post) for post in posts if post is not None)
    assert "asked for a drill of buzzy" in thread
    assert "none is needed: a drill changes nothing" in thread
    assert "3/5 the versions of production" in thread
    assert "was so already" not in thread


@pytest.mark.requirement("S3")
def test_a_drill_that_failed() -> None:
    """At which respect, and what is wrong with it; nothing was changed."""
    shown = read(release_message(done("failed"), "buzzy"))
    assert "failed at every pod is there and ready" in shown
    assert "api asks for 1 pod, production for 3." in shown
    assert "Nothing was changed." in shown


def standby(*, drilled: Release | None = None, differences: tuple[str, ...] = ()) -> EnvironmentNow:
    """A standby as status has it."""
    snapshot = Snapshot(environment="standby", at=MONDAY, services=(seen("api", 3),))
    found = Found(at=MONDAY, follows="production", differences=differences, since=MONDAY)
    drift = Drift("in step with production", in_step=True)
    if differences:
        drift = Drift(f"not in step with production: {differences[0]}", MONDAY)
    recent = () if drilled is None else (drilled,)
    return EnvironmentNow("standby", snapshot, None, recent, (), drift, found=found, drill=LastDrill(drilled))


@pytest.mark.requirement("S3")
def test_status_says_how_the_standby_stands() -> None:
    """When it was drilled, and all that it lacks; a drill put nothing there."""
    hours = MONDAY + timedelta(hours=3)
    shown = read(status_message((standby(),), hours, ending=""))
    assert "in step with production · never drilled" in shown
    shown = read(status_message((standby(drilled=done("failed")),), hours, ending=""))
    assert "drill failed 3 h ago (R7)" in shown
    lacks = ("api asks for 1 pod, production for 3", "api has no DATABASE, which production has")
    shown = read(status_message((standby(drilled=done(), differences=lacks),), hours, ending=""))
    assert "drill passed 3 h ago (R7)" in shown
    assert "R7 3 h ago by alice" not in shown
    assert "in step with production ·" not in shown.replace("not in step", "")
    assert all(f"• {each}" in shown for each in lacks)


@pytest.mark.requirement("S3")
def test_history_says_how_drills_went() -> None:
    """Beside the releases, under the version that was there."""
    assert done().state is State.RELEASED
    now = standby(drilled=done())
    shown = read(history_message((now,), MONDAY, ending=""))
    assert "drill of 3.2.1" in shown
    assert "passed" in shown


@pytest.mark.requirement("S3")
def test_the_channel_is_told_of_drift_and_of_its_end() -> None:
    """What differs, and how long it did."""
    differences = tuple(f"service-{number} is not there" for number in range(10))
    drifted = notices.Drifted(
        at=MONDAY, channel="C0DR", environment="standby", follows="production", differences=differences
    )
    shown = read(notice_message(drifted))
    assert shown.startswith("🟠 standby is not in step with production")
    assert "• service-0 is not there" in shown
    assert "… and 2 more" in shown
    over = notices.InStep(
        at=MONDAY + timedelta(minutes=20),
        channel="C0DR",
        environment="standby",
        follows="production",
        since=MONDAY,
    )
    assert read(notice_message(over)) == "🟢 standby is in step with production again, after 20 min"
