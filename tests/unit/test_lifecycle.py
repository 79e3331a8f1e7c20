"""The lifecycle: its table, and the fold of events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases import events as e
from releases.lifecycle import (
    ENDED,
    TRANSITIONS,
    IllegalEventError,
    Release,
    State,
    StepStatus,
    apply,
    fold,
)
from releases.plan import Plan, RollOut, Template, verification

T0 = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
ALICE = e.Actor(id="U0ALICE", name="alice")
BOB = e.Actor(id="U0BOB", name="bob")


def template(version: str) -> Template:
    """A pod template, as small as can be."""
    return Template(image=f"api:{version}", version=version, revision=None, spec={"image": version})


def make_plan(new: str = "3.2.1") -> Plan:
    """Two services and a verification."""
    rollouts = [
        RollOut(
            service=name,
            deployment=name,
            container=name,
            stable=template("3.2.0"),
            new=template(new),
            deadline_seconds=60,
        )
        for name in ("buzzy-main", "buzzy-api")
    ]
    return Plan(
        kind="release",
        application="buzzy",
        environment="staging",
        namespace="buzzy-staging",
        strategy="rolling",
        stable="3.2.0",
        new=new,
        steps=(*rollouts, verification(rollouts)),
    )


PLAN = make_plan()
REQUESTED = e.ReleaseRequested(
    at=T0,
    kind="release",
    environment="staging",
    version="3.2.1",
    strategy="rolling",
    by=ALICE,
    channel="C0STAGING",
    approval=e.ApprovalNeeded(quorum=2, approvers=("S0APPROVERS",), own_release=False, expires_seconds=3600),
)
PROPOSED = e.PlanProposed(at=T0 + timedelta(seconds=1), plan=PLAN)
GIVEN = e.ApprovalGiven(at=T0, by=BOB, digest=PLAN.digest, via="reaction")
APPROVED = e.Approved(at=T0, digest=PLAN.digest)
STARTED = e.ReleaseStarted(at=T0)


def told(*events: e.Event) -> Release:
    """The release R1 of which these things happened."""
    return fold("R1", events)


def stepped(index: int, *, at: int = 0) -> Sequence[e.Event]:
    """A step that began and came to its end 5 s later."""
    begun = T0 + timedelta(seconds=at)
    return (
        e.StepStarted(at=begun, index=index),
        e.StepFinished(at=begun + timedelta(seconds=5), index=index, changed=True),
    )


def test_a_release_that_goes_well() -> None:
    """From the request to the end, through every step in order."""
    release = told(REQUESTED, PROPOSED, GIVEN, APPROVED, STARTED)
    for index in range(3):
        assert release.next_index == index
        for event in stepped(index):
            release = apply(release, event)
    assert release.next_index is None
    release = apply(release, e.ReleaseFinished(at=T0 + timedelta(minutes=1)))
    assert release.state is State.RELEASED
    assert release.ended
    assert release.ended_at == T0 + timedelta(minutes=1)
    assert release.steps[0].took == timedelta(seconds=5)
    assert release.position == 12


def test_approvals_are_counted_once_a_person_and_can_be_taken_back() -> None:
    """The same person twice is one approval; taken back it is none."""
    release = told(REQUESTED, PROPOSED, GIVEN, GIVEN)
    assert release.approvals_missing == 1
    assert apply(release, e.ApprovalWithdrawn(at=T0, by=BOB)).approvals_missing == 2


def test_another_plan_forgets_the_approvals_of_the_first() -> None:
    """What was approved is one plan; a different one is asked for again."""
    waiting = told(REQUESTED, PROPOSED, GIVEN, e.ReplanRequested(at=T0, because="moved"))
    same = apply(waiting, PROPOSED)
    other = apply(waiting, e.PlanProposed(at=T0, plan=make_plan("3.2.2")))
    assert [a.by for a in same.approvals] == [BOB]
    assert other.approvals == ()


def test_the_way_back_covers_what_was_begun_and_nothing_else() -> None:
    """Spinnaker's lesson: undo only what this release changed, also where a step never came to its end."""
    release = told(REQUESTED, PROPOSED, GIVEN, APPROVED, STARTED, *stepped(0))
    release = apply(release, e.StepStarted(at=T0, index=1))
    back = release.way_back()
    assert [step.service for step in back if isinstance(step, RollOut)] == ["buzzy-api", "buzzy-main"]
    release = apply(release, e.AbortRequested(at=T0, by=BOB))
    assert release.state is State.ABORTING
    release = apply(release, e.TurnedBack(at=T0, steps=back, because="stopped by bob"))
    assert release.next_index == 3
    for index in (3, 4, 5):
        for event in stepped(index):
            release = apply(release, event)
    assert release.next_index is None
    assert apply(release, e.RolledBack(at=T0)).state is State.ROLLED_BACK


def test_a_rollback_that_is_stopped_stays_where_it_is() -> None:
    """A rollback is never rolled back in turn: going on from there is a new decision."""
    requested = REQUESTED.model_copy(update={"kind": "rollback", "version": None})
    release = told(requested, PROPOSED, APPROVED, STARTED, *stepped(0), e.AbortRequested(at=T0, by=BOB))
    assert release.way_back() == ()
    assert apply(release, e.ReleaseFailed(at=T0, reason="bob stopped it")).state is State.FAILED


def test_a_step_begun_again_keeps_its_first_start() -> None:
    """A worker that takes over does not give the step a new deadline."""
    release = told(REQUESTED, PROPOSED, APPROVED, STARTED, e.StepStarted(at=T0, index=0))
    again = apply(release, e.StepStarted(at=T0 + timedelta(minutes=3), index=0))
    assert again.steps[0].started_at == T0
    assert again.steps[0].status is StepStatus.RUNNING


def test_expiry_counts_from_the_plan_and_only_while_it_waits() -> None:
    """The clock of an approval begins when there is something to approve."""
    assert told(REQUESTED).expires_at is None
    assert told(REQUESTED, PROPOSED).expires_at == PROPOSED.at + timedelta(hours=1)
    assert told(REQUESTED, PROPOSED, APPROVED).expires_at is None


@pytest.mark.parametrize("state", sorted(ENDED))
def test_nothing_happens_after_the_end(state: State) -> None:
    """An ended release has let its environment go; what failed can be taken up again, and nothing else."""
    again = {"retried": State.RUNNING, "way_back_retried": State.TURNING_BACK}
    assert TRANSITIONS[state] == (again if state is State.FAILED else {})


def test_every_event_leads_somewhere_and_every_state_has_a_row() -> None:
    """The table is complete: no state without a row, no event that can never happen."""
    assert set(TRANSITIONS) == set(State)
    possible = {name for row in TRANSITIONS.values() for name in row}
    kinds = {cls.model_fields["event"].default for cls in e.Happened.__subclasses__()}
    assert possible == kinds - {"release_requested"}


def test_every_state_can_end() -> None:
    """From each state some path leads to an end: no release can hold its environment for ever."""
    for state in State:
        reached, todo = {state}, [state]
        while todo:
            for after in TRANSITIONS[todo.pop()].values():
                if after not in reached:
                    reached.add(after)
                    todo.append(after)
        assert reached & ENDED, state


@pytest.mark.parametrize(
    ("events", "wrong"),
    [
        ((), PROPOSED),
        ((REQUESTED,), STARTED),
        ((REQUESTED, PROPOSED), STARTED),
        ((REQUESTED, PROPOSED, APPROVED), GIVEN),
        ((REQUESTED, PROPOSED, APPROVED, STARTED), e.StepStarted(at=T0, index=9)),
        ((REQUESTED, PROPOSED, APPROVED, STARTED), e.RolledBack(at=T0)),
        ((REQUESTED, PROPOSED, e.ReleaseExpired(at=T0)), GIVEN),
    ],
    ids=[
        "no request",
        "no plan",
        "not approved",
        "approval too late",
        "no such step",
        "never turned",
        "expired",
    ],
)
def test_what_cannot_happen_is_refused(events: tuple[e.Event, ...], wrong: e.Event) -> None:
    """The fold refuses an event that the table does not have, so it can never be written."""
    with pytest.raises(IllegalEventError):
        told(*events, wrong)


EVENTS: tuple[e.Event, ...] = (
    PROPOSED,
    e.PlanRefused(at=T0, reason="no"),
    GIVEN,
    e.ApprovalWithdrawn(at=T0, by=BOB),
    e.ReleaseRefused(at=T0, by=BOB, via="button"),
    APPROVED,
    e.ReplanRequested(at=T0, because="moved"),
    e.ReleaseExpired(at=T0),
    e.AbortRequested(at=T0, by=BOB),
    e.ReleaseCancelled(at=T0),
    STARTED,
    *stepped(0),
    *stepped(1),
    e.StepProgressed(at=T0, index=0, seen=()),
    e.StepFailed(at=T0, index=0, reason="crashes"),
    e.Interrupted(at=T0, found="nothing"),
    e.TurnedBack(at=T0, steps=(), because="aborted"),
    e.ReleaseFinished(at=T0),
    e.ReleaseFailed(at=T0, reason="crashes"),
    e.RolledBack(at=T0),
)


@given(st.lists(st.sampled_from(EVENTS), max_size=25))
def test_the_fold_is_deterministic_and_survives_json(wanted: list[e.Event]) -> None:
    """Any history that the table allows folds to the same release, also after it was written and read."""
    release, happened = told(REQUESTED), [e.load_event(e.dump_event(REQUESTED))]
    for event in wanted:
        try:
            release = apply(release, event)
        except IllegalEventError:
            continue
        happened.append(e.load_event(e.dump_event(event)))
    assert fold("R1", happened) == release
    assert fold("R1", happened) == fold("R1", happened)
    assert release.position == len(happened)
