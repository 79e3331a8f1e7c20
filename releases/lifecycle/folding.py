"""The fold of a release's events: the only place that knows what an event means for the state.

It is deterministic: the same events give the same `Release`, whoever folds them and whenever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from releases import events as e
from releases.lifecycle.release import Approval, Release, StepState, StepStatus, Tick
from releases.lifecycle.states import ENDED, TRANSITIONS, State
from releases.monitoring import MEASURED, Monitor


class IllegalEventError(Exception):
    """An event that cannot happen in the state that the release is in."""


def fold(release_id: str, happened: Iterable[e.Event]) -> Release:
    """The release that the events tell of. Raises `IllegalEventError` when they cannot be true."""
    release: Release | None = None
    for event in happened:
        release = begin(release_id, event) if release is None else apply(release, event)
    if release is None:
        raise IllegalEventError(f"{release_id} has no events")
    return release


def begin(release_id: str, event: e.Event) -> Release:
    """The release that its first event makes."""
    if not isinstance(event, e.ReleaseRequested):
        raise IllegalEventError(f"{release_id} begins with {event.event}")
    return Release(
        id=release_id, position=1, state=State.REQUESTED, request=event, reason="", last_at=event.at
    )


def apply(release: Release, event: e.Event) -> Release:
    """The release after one more event. Raises `IllegalEventError` when the table does not have it."""
    state = TRANSITIONS[release.state].get(event.event)
    if state is None:
        raise IllegalEventError(f"{release.id} is {release.state}: {event.event} cannot happen")
    after = replace(
        release,
        state=state,
        position=release.position + 1,
        last_at=event.at,
        ended_at=event.at if state in ENDED else None,
    )
    return _note(after, event)


def _note(release: Release, event: e.Event) -> Release:  # noqa: C901, PLR0911, PLR0912 - one case an event
    match event:
        case e.PlanProposed():
            return _planned(release, event)
        case e.PlanRefused():
            return replace(
                release, reason=event.reason, hint=event.hint, ready_at=event.ready_at, who=event.who
            )
        case e.ApprovalGiven():
            given = Approval(by=event.by, digest=event.digest, via=event.via, at=event.at)
            return replace(release, approvals=(*_without(release, event.by), given))
        case e.ApprovalWithdrawn():
            return replace(release, approvals=_without(release, event.by), held=None)
        case e.MomentBegan():
            return replace(release, moment=event)
        case e.Approved():
            return replace(release, approved=event)
        case e.GateReminded():
            return replace(release, reminded_at=event.at)
        case e.GateEscalated():
            return replace(release, escalated_at=event.at)
        case e.ItemTicked():
            return replace(release, ticks=(*release.ticks, Tick(by=event.by, item=event.item, at=event.at)))
        case e.ReplanRequested():
            return replace(release, replanned_because=event.because)
        case e.ReleaseHeld() | e.HoldEnded():
            held = event if isinstance(event, e.ReleaseHeld) else None
            return replace(release, held=held, reminded_at=None, escalated_at=None)
        case e.ReleaseRefused():
            return replace(release, ended_by=event.by)
        case e.AbortRequested():
            return replace(release, abort=event, ended_by=event.by, pause=None, paused_at=None)
        case e.PauseRequested():
            return replace(release, pause=event)
        case e.Paused():
            return replace(release, paused_at=event.at, reminders=0)
        case e.Resumed():
            return replace(release, pause=None, paused_at=None)
        case e.Retried() | e.WayBackRetried():
            return _taken_up(release, event)
        case e.ReleaseStarted():
            return replace(release, started_at=event.at)
        case (
            e.StepStarted()
            | e.JobStarted()
            | e.StepProgressed()
            | e.StepFinished()
            | e.StepFailed()
            | e.SignOffAsked()
            | e.SignedOff()
            | e.SignOffRefused()
            | e.SignOffExpired()
        ):
            return _stepped(release, event)
        case e.Monitored() | e.DecisionAsked() | e.DecisionReminded() | e.MonitorSettled():
            return _watched(release, event)
        case e.TurnedBack():
            back = tuple(StepState(step) for step in event.steps)
            return replace(release, back=back, turned_back_because=event.because, by_itself=event.by_itself)
        case e.ReleaseFailed():
            return replace(release, reason=event.reason)
        case _:
            return release


def _planned(release: Release, event: e.PlanProposed) -> Release:
    same = release.plan is not None and release.plan.digest == event.plan.digest
    return replace(
        release,
        plan=event.plan,
        planned_at=event.at,
        moment=None,
        approved=None,
        reminded_at=None,
        escalated_at=None,
        approvals=release.approvals if same else (),
        ticks=release.ticks if same else (),
        forward=tuple(StepState(step) for step in event.plan.steps),
        seen={service.service: service for service in event.seen},
    )


def _watched(
    release: Release, event: e.Monitored | e.DecisionAsked | e.DecisionReminded | e.MonitorSettled
) -> Release:
    match event:
        case e.Monitored():
            said = {each.trigger for each in event.readings if each.verdict in MEASURED}
            return replace(
                release,
                readings=event.readings,
                monitored_at=event.at,
                measured=release.measured | said,
            )
        case e.DecisionAsked():
            return replace(release, undecided=event, reminders=0)
        case e.DecisionReminded():
            return replace(release, reminders=release.reminders + 1)
        case e.MonitorSettled():
            return _settled(release, event)


def _settled(release: Release, event: e.MonitorSettled) -> Release:
    """The step that watched is done, because a person says so."""
    if release.undecided is None:
        raise IllegalEventError(f"{release.id} was not undecided")
    index = release.undecided.index
    done = replace(release.steps[index], status=StepStatus.DONE, finished_at=event.at)
    return replace(
        release, forward=(*release.forward[:index], done, *release.forward[index + 1 :]), undecided=None
    )


def _taken_up(release: Release, event: e.Retried | e.WayBackRetried) -> Release:
    """What was begun and did not come to its end is begun anew; what was done stays done."""
    forward, back = release.forward, release.back
    if isinstance(event, e.WayBackRetried):
        back = tuple(_anew(each, event.at) for each in back)
    else:
        forward = tuple(_anew(each, event.at) for each in forward)
    return replace(
        release,
        forward=forward,
        back=back,
        retries=release.retries + 1,
        retried=event,
        abort=release.abort if isinstance(event, e.WayBackRetried) else None,
        ended_by=None,
        readings=(),
        monitored_at=None,
        measured=frozenset(),
        undecided=None,
        failure=None,
        reason="",
    )


def _anew(state: StepState, at: datetime) -> StepState:
    """Begun at this moment: what it may have changed already is still to be undone on the way back."""
    if state.status not in {StepStatus.FAILED, StepStatus.RUNNING}:
        return state
    return StepState(state.step, StepStatus.RUNNING, started_at=at, attempt=state.attempt + 1)


def _without(release: Release, actor: e.Actor) -> tuple[Approval, ...]:
    return tuple(approval for approval in release.approvals if approval.by.id != actor.id)


def _stepped(
    release: Release,
    event: e.StepStarted
    | e.JobStarted
    | e.StepProgressed
    | e.StepFinished
    | e.StepFailed
    | e.SignOffAsked
    | e.SignedOff
    | e.SignOffRefused
    | e.SignOffExpired,
) -> Release:
    if not 0 <= event.index < len(release.steps):
        raise IllegalEventError(f"{release.id} has no step {event.index}")
    state = release.steps[event.index]
    match event:
        case e.StepStarted():
            if isinstance(state.step, Monitor) and state.started_at is None:
                release = replace(release, readings=(), monitored_at=None, measured=frozenset())
            # A step that is begun again after a crash keeps its first start: its deadline goes on.
            state = replace(state, status=StepStatus.RUNNING, started_at=state.started_at or event.at)
        case e.StepFinished():
            state = replace(
                state,
                status=StepStatus.DONE,
                finished_at=event.at,
                changed=event.changed,
                result=event.result,
            )
        case e.JobStarted():
            state = replace(state, job=event.job)
        case e.SignOffAsked():
            state = replace(state, asked=event)
        case e.SignedOff() | e.SignOffRefused() | e.SignOffExpired():
            state = replace(state, answer=event)
        case e.StepFailed():
            state = replace(state, status=StepStatus.FAILED, finished_at=event.at)
        case e.StepProgressed():
            pass
    steps = (*release.steps[: event.index], state, *release.steps[event.index + 1 :])
    seen = {**release.seen, **{s.service: s for s in getattr(event, "seen", ())}}
    return replace(
        release,
        forward=steps[: len(release.forward)],
        back=steps[len(release.forward) :],
        seen=seen,
        failure=event if isinstance(event, e.StepFailed) else release.failure,
    )
