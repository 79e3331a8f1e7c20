"""Pause, resume and retry as people see them: lines, buttons, the thread, the alert."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from releases import events as e
from releases.lifecycle import State
from releases.record import queue_of
from sandbox.workspace import Message
from tests.integration.bot_house import ON_CALL, STAGING, House, eventually, now, open_house


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot, and nobody who works."""
    with open_house(redis_url) as made:
        yield made


def running(house: House, steps: int = 1) -> Message:
    """R1 is under way and has done so many steps."""
    message = house.ready_for_approval()
    house.person("bob").click(message, "Approve")
    eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it is approved")
    house.run_steps("R1", count=steps)
    return house.until(message, "🔵")


def failing(house: House) -> Message:
    """R1 has failed at its second step, and on-call knows."""
    message = running(house)
    house.append(
        "R1",
        e.StepStarted(at=now(), index=1),
        e.StepFailed(at=now(), index=1, reason="buzzy-api: 1 of 3 pods crashes at start."),
        e.ReleaseFailed(at=now(), reason="buzzy-api: 1 of 3 pods crashes at start.", changed=("buzzy-main",)),
    )
    return house.until(message, "🔴")


def state(house: House) -> State:
    """Where R1 stands."""
    return house.record.load("R1").release.state


def queued(house: House) -> bool:
    """Whether a worker is told."""
    return house.queue.holds(queue_of(house.record.load("R1").release), "advance", "R1")


@pytest.mark.requirement("C6", "C2")
def test_paused_by_button_and_resumed_by_button(house: House) -> None:
    """The message says that it will pause, that it is paused, by whom and before what."""
    message = running(house)
    house.append("R1", e.StepStarted(at=now(), index=1))
    carol = house.person("carol")
    carol.click(house.until(message, "Pause"), "Pause")
    shown = house.until(message, "then it pauses")
    assert shown.buttons == ["Plan", "Do not pause", "Abort"]
    house.append("R1", e.StepFinished(at=now(), index=1, changed=True), e.Paused(at=now()))
    shown = house.until(message, "paused before step 3 of")
    assert "⏸️ by" in shown.shown
    assert "nothing is changed until it is resumed" in shown.shown
    assert shown.buttons == ["Resume", "Plan", "Abort"]
    carol.wait_for_reply(message, "wants it paused before its next step")
    house.append("R1", e.DecisionReminded(at=now()))
    carol.wait_for_reply(message, "R1 is still paused: resume it, or abort it?")
    carol.click(shown, "Resume")
    eventually(lambda: state(house) is State.RUNNING, "it goes on")
    eventually(lambda: queued(house), "a worker is told")
    carol.wait_for_reply(message, "lets it go on")


@pytest.mark.requirement("C6", "C9")
def test_paused_and_resumed_as_lines(house: House) -> None:
    """With a reason; what is wrong is said to who typed it."""
    message = running(house)
    alice = house.person("alice")
    alice.command('/buzzy pause R1 --reason "looking at an error"', STAGING)
    alice.wait_for_reply(message, "“looking at an error”")
    alice.wait_for_ephemeral(STAGING, "is paused before its next step.")
    alice.command("/buzzy resume R1", STAGING)
    alice.wait_for_ephemeral(STAGING, "goes on.")
    alice.command("/buzzy resume R1", STAGING)
    alice.wait_for_ephemeral(STAGING, "R1 is not paused.")
    alice.command("/buzzy retry R1", STAGING)
    alice.wait_for_ephemeral(STAGING, "R1 has not failed: it is running.")
    alice.command("/buzzy pause R9", STAGING)
    alice.wait_for_ephemeral(STAGING, "R9")


@pytest.mark.requirement("C6", "M3")
def test_retried_by_button_with_its_alert(house: House) -> None:
    """The alert says that it is retried; a second failure is a second alert, and its success ends that."""
    message = failing(house)
    erin = house.person("erin")
    first = erin.wait_for_message(ON_CALL, "R1")
    message = house.until(message, "Retry")
    assert message.buttons == ["Retry", "Roll back", "Plan"]
    alice = house.person("alice")
    alice.click(message, "Retry")
    eventually(lambda: state(house) is State.RUNNING, "it goes on")
    eventually(lambda: queued(house), "a worker is told")
    alice.wait_for_reply(message, "retries: going on with 2/")
    house.until(first, "🔁")
    house.append(
        "R1",
        e.StepFailed(at=now(), index=1, reason="buzzy-api: 2 of 3 pods crash at start."),
        e.ReleaseFailed(at=now(), reason="buzzy-api: 2 of 3 pods crash at start.", changed=("buzzy-main",)),
    )
    second = erin.wait_for_message(ON_CALL, "2 of 3 pods crash at start", after=first)
    alice.command("/buzzy retry R1", STAGING)
    alice.wait_for_ephemeral(STAGING, "goes on from the step at which it failed.")
    house.until(second, "🔁")
    count = len(house.record.load("R1").release.forward)
    house.append("R1", e.StepFinished(at=now(), index=1, changed=True))
    for index in range(2, count):
        house.append(
            "R1",
            e.StepStarted(at=now(), index=index),
            e.StepFinished(at=now(), index=index, changed=True),
        )
    house.append("R1", e.ReleaseFinished(at=now()))
    house.until(message, "🟢")
    house.until(second, "Put right by a retry")
    assert len([each for each in erin.messages(ON_CALL) if "R1" in each.shown]) == 2


@pytest.mark.requirement("C6", "C7")
def test_a_lock_keeps_a_retry_back(house: House) -> None:
    """What closes the environment for a release closes it for that, too; its owner passes, and it is said."""
    message = failing(house)
    carol, alice = house.person("carol"), house.person("alice")
    carol.command('/buzzy lock staging --reason "audit"', STAGING)
    carol.wait_for_message(STAGING, "audit")
    alice.command("/buzzy retry R1", STAGING)
    alice.wait_for_ephemeral(STAGING, "audit")
    assert state(house) is State.FAILED
    carol.command("/buzzy retry R1", STAGING)
    eventually(lambda: state(house) is State.RUNNING, "it goes on")
    carol.wait_for_reply(message, "It passes")


@pytest.mark.requirement("C6", "C9")
def test_after_another_release_there_is_nothing_to_retry(house: House) -> None:
    """The line that asks anew is at hand."""
    failing(house)
    alice = house.person("alice")
    house.ask("/buzzy release 3.2.2 staging", STAGING)
    alice.command("/buzzy retry R1", STAGING)
    told = alice.wait_for_ephemeral(STAGING, "R2 has been asked for since R1 failed.")
    assert "/buzzy release 3.2.1 staging" in told
    assert state(house) is State.FAILED
