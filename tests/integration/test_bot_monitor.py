"""What people see of a release that is watched: how it stands, why it went back, and what they are asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from releases import events as e
from releases.lifecycle import State
from releases.monitoring import Chart, Line, Monitor, Reading, Trigger, Verdict
from releases.plan import Plan
from releases.record import queue_of
from sandbox.transcript import Directory, render_thread
from sandbox.workspace import Message
from tests.integration.bot_house import (
    CONFIG,
    ON_CALL,
    STAGING,
    House,
    eventually,
    now,
    open_house,
)
from tests.unit.bot_tales import plan

ERRORS = Trigger(kind="query", name="error rate", above=0.02, unit="share", for_seconds=60, query="x")
HEALTH = Trigger(kind="health", name="health", for_seconds=30)


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A house whose staging is watched."""
    with open_house(redis_url, config=CONFIG) as opened:
        yield opened


def watched_plan() -> Plan:
    """A plan with a step that watches, which goes back by itself."""
    made = plan(services=("buzzy-main", "buzzy-api"))
    watch = Monitor(window_seconds=900, every_seconds=30, triggers=(HEALTH, ERRORS), deployments={}, names={})
    return made.model_copy(update={"steps": (*made.steps, watch), "on_failure": "rollback"})


def reading(verdict: Verdict, value: float | None = None, why: str = "") -> Reading:
    """How the error rate stands."""
    since = now() if verdict in {Verdict.FAILING, Verdict.FAILED} else None
    return Reading(trigger="error rate", verdict=verdict, value=value, since=since, why=why)


def well(name: str = "health") -> Reading:
    """A trigger that does not trip."""
    return Reading(trigger=name, verdict=Verdict.PASSED)


def being_watched(house: House) -> tuple[Message, int]:
    """A release whose services are rolled out: its message, and the place of the step that watches."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    made = watched_plan()
    house.append("R1", e.PlanProposed(at=now(), plan=made))
    house.append(
        "R1",
        e.ApprovalGiven(at=now(), by=e.Actor(id="U0BOB", name="bob"), digest=made.digest, via="button"),
        e.Approved(at=now(), digest=made.digest),
    )
    last = len(made.steps) - 1
    house.run_steps("R1", count=last)
    house.append("R1", e.StepStarted(at=now() - timedelta(minutes=3), index=last))
    return message, last


def chart() -> Chart:
    """Errors that rise, beside a version that had few."""
    start = now() - timedelta(minutes=3)
    step = 6.0
    return Chart(
        trigger="error rate",
        unit="share",
        limit=0.02,
        new=Line(start=start, step_seconds=step, values=(None, 0.001, 0.02, 0.048)),
        before=Line(
            start=start - timedelta(minutes=3), step_seconds=step, values=(0.001, 0.001, None, 0.001)
        ),
    )


@pytest.mark.requirement("M1", "C2")
def test_the_message_says_what_is_measured_against_what(house: House) -> None:
    """How far it is, a line a trigger with its limit; the thread has what changed, once."""
    message, last = being_watched(house)
    readings = (well(), reading(Verdict.PASSED, 0.001))
    house.append("R1", e.Monitored(at=now(), index=last, readings=readings, news=("health", "error rate")))
    shown = house.until(message, "watching, 3 of 15 min").shown
    assert "✔ error rate 0.1 % (limit 2 %)" in shown
    assert "✔ health: well" in shown
    house.append("R1", e.Monitored(at=now(), index=last, readings=readings))
    worse = (well(), reading(Verdict.FAILING, 0.031))
    house.append("R1", e.Monitored(at=now(), index=last, readings=worse, news=("error rate",)))
    house.until(message, "⚠️ error rate 3.1 % (limit 2 %)")
    house.person("alice").wait_for_reply(message, "⚠️ error rate 3.1 %")
    lines = [line for line in house.thread(message) if "👁" in line]
    assert len(lines) == 2
    house.append("R1", e.Monitored(at=now(), index=last, readings=readings, news=("error rate",)))
    house.append("R1", e.StepFinished(at=now(), index=last, changed=False), e.ReleaseFinished(at=now()))
    assert "✔ error rate 0.1 % (limit 2 %)" in house.until(message, "🟢").shown


@pytest.mark.requirement("X8", "X9", "M3")
def test_a_release_that_goes_back_by_itself_says_why_with_a_chart(house: House) -> None:
    """Its thread has the pods' words and one picture, described; on-call hears of it, and of its end."""
    message, last = being_watched(house)
    reason = "error rate 4.8 % (limit 2 %) for 1 min."
    evidence = e.Evidence(
        service="buzzy-api", pod="buzzy-api-1", reason="Running", log=("no such table: exports",)
    )
    release = house.append(
        "R1",
        e.StepFailed(at=now(), index=last, reason=reason, evidence=(evidence,), chart=chart()),
    )
    back = release.way_back()
    house.append("R1", e.TurnedBack(at=now(), steps=back, because=reason, by_itself=True))
    alert = house.person("erin").wait_for_message(ON_CALL, "R1")
    house.until(message, "going back to 3.2.0")
    first = len(release.forward)
    for index in range(first, first + len(back)):
        house.append(
            "R1",
            e.StepStarted(at=now(), index=index),
            e.StepFinished(at=now(), index=index, changed=True),
        )
    house.append("R1", e.RolledBack(at=now()))
    shown = house.until(message, "rolled back to 3.2.0 by itself in").shown
    assert "because error rate 4.8 % (limit 2 %) for 1 min." in shown
    assert "Promotion of 3.2.1 to and from staging is held until somebody asks for it again." in shown
    assert "All services are back at 3.2.0" in house.until(alert, "✅").shown
    alice = house.person("alice")
    eventually(lambda: _pictures(house, message), "the chart is there", seconds=60)
    eventually(lambda: "R1" not in house.record.behind(), "all is told", seconds=30)
    (picture,) = _pictures(house, message)
    assert picture["name"].startswith("R1-")
    assert picture["mimetype"] == "image/png"
    assert picture["size"] > 5_000
    words = "error rate of 3.2.1: from 0.1 % to 4.8 %; 3.2.0 had 0.1 % on average; limit 2 %"
    assert picture["alt_txt"] == words
    thread = [reply.data for reply in alice.thread(message)]
    assert words in render_thread(message.data, thread, Directory.of(house.workspace)).plain
    told = "\n".join(house.thread(message))
    assert "no such table: exports" in told
    assert told.index("no such table") < told.index("Going back by itself: error rate 4.8 %")


def _pictures(house: House, message: Message) -> list[dict[str, Any]]:
    return [file for reply in house.person("alice").thread(message) for file in reply.data.get("files", [])]


@pytest.mark.requirement("X8", "Q1")
def test_a_chart_whose_upload_was_unclear_is_shown_once(house: House) -> None:
    """Slack's answer to the last step is lost: the picture is looked for before it is sent again."""
    message, last = being_watched(house)
    house.workspace.fail("files.completeUploadExternal", cut="after")
    release = house.append(
        "R1", e.StepFailed(at=now(), index=last, reason="error rate 4.8 %.", chart=chart())
    )
    turned = e.TurnedBack(at=now(), steps=release.way_back(), because="error rate.", by_itself=True)
    house.append("R1", turned)
    eventually(lambda: "R1" not in house.record.behind(), "all is told", seconds=60)
    assert len(_pictures(house, message)) == 1


@pytest.mark.requirement("B2", "C3")
@pytest.mark.parametrize("answer", ["It is good", "Roll back"])
def test_who_is_asked_says_whether_it_is_good(house: House, answer: str) -> None:
    """Nothing could be measured: the message asks, a guest's word does not count, the asker's does."""
    message, last = being_watched(house)
    because = "Nothing could be said of error rate: Prometheus cannot be reached."
    house.append("R1", e.DecisionAsked(at=now(), index=last, because=because))
    message = house.until(message, "is it good? Somebody has to say")
    assert because in message.shown
    assert message.buttons == ["It is good", "Roll back", "Plan"]
    alice = house.person("alice")
    alice.wait_for_reply(message, "/buzzy finish R1")
    house.append("R1", e.DecisionReminded(at=now()))
    alice.wait_for_reply(message, "R1 still waits")
    alice.click(message, answer)
    wanted = State.RUNNING if answer == "It is good" else State.ABORTING
    eventually(lambda: house.record.load("R1").release.state is wanted, "it is decided")
    queue = queue_of(house.record.load("R1").release)
    eventually(lambda: house.queue.holds(queue, "advance", "R1"), "a worker is told")


@pytest.mark.requirement("C9", "C10")
def test_finish_as_a_line(house: House) -> None:
    """It settles what asks, and says what is wrong where nothing does."""
    message, last = being_watched(house)
    alice = house.person("alice")
    alice.command("/buzzy finish R1", STAGING)
    alice.wait_for_ephemeral(STAGING, "R1 does not ask anybody whether it is good.")
    house.append("R1", e.DecisionAsked(at=now(), index=last, because="Nothing could be said of health."))
    house.until(message, "Somebody has to say")
    alice.command("/buzzy finish R1", STAGING)
    alice.wait_for_reply(message, "says that it is good")
    assert house.record.load("R1").release.next_index is None


@pytest.mark.requirement("X9", "C7")
def test_what_was_scheduled_before_it_went_back_is_not_asked_for(house: House) -> None:
    """Its person is told why, with the line that asks for it all the same; who types that line gets it."""
    alice = house.person("alice")
    alice.command("/buzzy schedule 3.2.1 staging in 1 hour", STAGING)
    alice.wait_for_message(STAGING, "S1 · 3.2.1 to staging is due")
    _, last = being_watched(house)
    because = "error rate 4.8 % (limit 2 %) for 1 min."
    release = house.append("R1", e.StepFailed(at=now(), index=last, reason=because))
    back = release.way_back()
    house.append("R1", e.TurnedBack(at=now(), steps=back, because=because, by_itself=True))
    for index in range(last + 1, last + 1 + len(back)):
        house.append("R1", e.StepStarted(at=now(), index=index))
        house.append("R1", e.StepFinished(at=now(), index=index, changed=True))
    house.append("R1", e.RolledBack(at=now()))
    house.timekeeper(now() + timedelta(hours=1)).look()
    told = alice.wait_for_message(STAGING, "was due and was refused")
    assert "3.2.1 went back by itself in staging (R1: error rate 4.8 % (limit 2 %) for 1 min)." in told
    assert "/buzzy release 3.2.1 staging" in told
    assert house.record.holder("staging") is None
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.planned("R2")
    house.until(message, "waiting for approval")
