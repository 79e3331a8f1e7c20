"""Who may pause, resume and retry what and when, and what that does to a release."""

from __future__ import annotations

from datetime import timedelta

import pytest

from releases import events as e
from releases import steering
from releases.lifecycle import Release, State, StepStatus, apply
from releases.people import Person, Standing
from releases.policy import Refusal
from tests.unit.test_lifecycle import (
    APPROVED,
    GIVEN,
    PROPOSED,
    REQUESTED,
    STARTED,
    T0,
    stepped,
    told,
)

ALICE, BOB = Person("U0ALICE", "alice"), Person("U0BOB", "bob")
GUEST = Person("U0ALICE", "alice", standing=Standing.GUEST)
NOBODY = Refusal("Releases to staging are stopped by others.")
LATER = T0 + timedelta(minutes=5)
RUNNING = told(REQUESTED, PROPOSED, GIVEN, APPROVED, STARTED)
WISHED = e.PauseRequested(at=T0, by=BOB.actor, reason="an error in the log")


def after(release: Release, *happened: e.Event) -> Release:
    """The release after these."""
    for event in happened:
        release = apply(release, event)
    return release


PAUSED = after(RUNNING, *stepped(0), WISHED, e.Paused(at=T0))
BEGUN = e.StepStarted(at=T0, index=1)
BROKEN = (BEGUN, e.StepFailed(at=T0, index=1, reason="?"), e.ReleaseFailed(at=T0, reason="?"))
FAILED = after(RUNNING, *stepped(0), *BROKEN)


@pytest.mark.requirement("C6")
def test_a_pause_holds_between_two_steps_only() -> None:
    """A step that is under way comes to its end; one that fails meanwhile fails; then nothing begins."""
    wished = after(RUNNING, e.StepStarted(at=T0, index=0), WISHED)
    assert (wished.state, wished.pauses) == (State.RUNNING, False)
    done = after(wished, e.StepFinished(at=T0, index=0, changed=True))
    assert done.pauses
    assert PAUSED.state is State.PAUSED
    assert (PAUSED.ended, PAUSED.next_index, PAUSED.paused_at) == (False, 1, T0)
    resumed = apply(PAUSED, e.Resumed(at=LATER, by=ALICE.actor, via="button"))
    assert (resumed.state, resumed.pauses, resumed.paused_at) == (State.RUNNING, False, None)
    taken_back = apply(wished, e.Resumed(at=LATER, by=ALICE.actor, via="button"))
    assert (taken_back.state, taken_back.pause) == (State.RUNNING, None)
    stopped = apply(PAUSED, e.AbortRequested(at=LATER, by=BOB.actor))
    assert (stopped.state, stopped.pause) == (State.ABORTING, None)
    assert len(stopped.way_back()) == 2


@pytest.mark.requirement("C6", "C11")
def test_who_may_pause_and_resume() -> None:
    """Who asked for it, whom the rule lets, and who paused it; guests never."""
    assert steering.pause(RUNNING, ALICE, LATER, None, allowed=lambda _: NOBODY) == (
        e.PauseRequested(at=LATER, by=ALICE.actor),
    )
    assert steering.pause(RUNNING, BOB, LATER, None, allowed=lambda _: NOBODY) is NOBODY
    assert isinstance(steering.pause(RUNNING, GUEST, LATER, None), Refusal)
    assert steering.pause(apply(RUNNING, WISHED), ALICE, LATER, None) == ()
    resumed = (e.Resumed(at=LATER, by=BOB.actor, via="button"),)
    assert steering.resume(PAUSED, BOB, LATER, via="button", allowed=lambda _: NOBODY) == resumed
    carol = Person("U0CAROL", "carol")
    assert steering.resume(PAUSED, carol, LATER, via="button", allowed=lambda _: NOBODY) is NOBODY


@pytest.mark.requirement("C6", "C9")
@pytest.mark.parametrize(
    ("release", "says"),
    [
        (told(REQUESTED, PROPOSED), "has not started"),
        (after(RUNNING, e.AbortRequested(at=T0, by=BOB.actor)), "going back already"),
        (after(RUNNING, e.ReleaseFinished(at=T0)), "has ended already: released"),
        (after(RUNNING, *stepped(0), *stepped(1), e.StepStarted(at=T0, index=2)), "at its last step"),
        (after(RUNNING, e.DecisionAsked(at=T0, index=0, because="?")), "waits for somebody"),
        (told(REQUESTED.model_copy(update={"kind": "rollback"}), PROPOSED, APPROVED, STARTED), "a rollback"),
    ],
)
def test_what_cannot_be_paused(release: Release, says: str) -> None:
    """It is said why."""
    refusal = steering.pause(release, ALICE, LATER, None)
    assert isinstance(refusal, Refusal)
    assert says in refusal.problem


@pytest.mark.requirement("C6")
def test_what_is_not_paused_is_not_resumed() -> None:
    """One that failed is retried instead."""
    running = steering.resume(RUNNING, ALICE, LATER, via="button")
    assert isinstance(running, Refusal)
    failed = steering.resume(FAILED, ALICE, LATER, via="button")
    assert isinstance(failed, Refusal)
    assert failed.copy == "/buzzy retry R1"


@pytest.mark.requirement("C6")
def test_a_retry_goes_on_from_the_step_that_failed() -> None:
    """What was done stays done; the step has its whole time again, and is still undone by an abort."""
    retried = e.Retried(at=LATER, by=ALICE.actor, via="command")
    assert steering.retry(FAILED, ALICE, LATER, via="command", newest="R1") == (retried,)
    again = apply(FAILED, retried)
    assert (again.state, again.ended, again.ended_at, again.reason) == (State.RUNNING, False, None, "")
    assert (again.next_index, again.retries, again.failure) == (1, 1, None)
    step = again.steps[1]
    assert (step.status, step.started_at, step.attempt) == (StepStatus.RUNNING, LATER, 1)
    assert again.steps[0] == FAILED.steps[0]
    assert again.changed_services == ("buzzy-main", "buzzy-api")
    assert steering.retry(again, ALICE, LATER, via="command", newest="R1") == ()
    assert isinstance(steering.retry(again, BOB, LATER, via="command", newest="R1"), Refusal)


@pytest.mark.requirement("C6", "Q1")
def test_a_retry_that_is_delivered_again_counts_once() -> None:
    """Also when the release has failed again meanwhile: nobody has asked for a second one."""
    first = steering.retry(FAILED, ALICE, LATER, via="button", newest="R1", delivery="d1")
    assert isinstance(first, tuple)
    failed_again = after(FAILED, *first, *BROKEN[1:])
    assert failed_again.state is State.FAILED
    assert steering.retry(failed_again, ALICE, LATER, via="button", newest="R1", delivery="d1") == ()
    second = steering.retry(failed_again, ALICE, LATER, via="button", newest="R1", delivery="d2")
    assert isinstance(second, tuple)
    assert after(failed_again, *second).retries == 2


@pytest.mark.requirement("C6")
def test_a_way_back_that_failed_is_retried_as_such() -> None:
    """It goes on going back; that it was stopped stays on the record."""
    turned = e.TurnedBack(at=T0, steps=after(RUNNING, *stepped(0), BEGUN).way_back(), because="?")
    back = after(RUNNING, *stepped(0), BEGUN, e.AbortRequested(at=T0, by=BOB.actor), turned)
    failed = after(
        back,
        e.StepStarted(at=T0, index=3),
        e.StepFailed(at=T0, index=3, reason="?"),
        e.ReleaseFailed(at=T0, reason="?"),
    )
    outcome = steering.retry(failed, ALICE, LATER, via="button", newest="R1")
    assert outcome == (e.WayBackRetried(at=LATER, by=ALICE.actor, via="button"),)
    again = after(failed, *outcome)
    assert (again.state, again.next_index) == (State.TURNING_BACK, 3)
    assert again.abort is not None
    assert again.steps[3].attempt == 1


@pytest.mark.requirement("C6", "C9", "Q3")
def test_what_cannot_be_retried() -> None:
    """Nothing failed, another was asked for since, its approval is too old: a line that asks anew."""
    ended = after(RUNNING, e.ReleaseFinished(at=T0))
    for release, newest, at, says in (
        (RUNNING, "R1", LATER, "has not failed"),
        (ended, "R1", LATER, "no failed step to go on from"),
        (FAILED, "R2", LATER, "R2 has been asked for since"),
        (FAILED, "R1", T0 + timedelta(hours=1), "its approval does not hold any more"),
    ):
        refusal = steering.retry(release, ALICE, at, via="button", newest=newest)
        assert isinstance(refusal, Refusal)
        assert says in refusal.problem
        assert release is RUNNING or refusal.copy == "/buzzy release 3.2.1 staging"
    assert steering.retry(FAILED, BOB, LATER, via="button", newest="R1", allowed=lambda _: NOBODY) is NOBODY
    assert isinstance(steering.retry(FAILED, GUEST, LATER, via="button", newest="R1"), Refusal)
