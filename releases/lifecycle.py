"""A release's states, the table of what leads from one to the next, and the fold of its events.

The fold is the only place that knows what an event means for the state. It is deterministic: the same
events give the same `Release`, whoever folds them and whenever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from releases import checklist
from releases import events as e
from releases.database import Backup, Migrate, Migration, Restore, in_the_way
from releases.monitoring import MEASURED, Monitor, Reading
from releases.plan import Change, Plan, Step, way_back


class State(StrEnum):
    """Where a release stands."""

    REQUESTED = "requested"  # a worker plans it
    WAITING = "waiting"  # for approvals, or for the bot to see that none are needed
    ABOUT_TO_START = "about to start"  # can be stopped; then its approvals are read again
    APPROVED = "approved"  # a worker will start it
    HELD = "held"  # could start, but its environment was closed meanwhile
    RUNNING = "running"
    SIGNING = "waiting for a sign-off"  # a step waits for a person
    UNDECIDED = "undecided"  # what was watched does not say whether it is good: a person has to
    PAUSED = "paused"  # stays where it is until somebody resumes or aborts it
    ABORTING = "aborting"  # runs on to its next safe point, then turns back
    TURNING_BACK = "turning back"  # undoes what it did
    CANCELLING = "cancelling"  # stopped before it changed anything
    RELEASED = "released"
    FAILED = "failed"
    ROLLED_BACK = "rolled back"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    EXPIRED = "expired"
    IMPOSSIBLE = "impossible"


ENDED = frozenset(
    {
        State.RELEASED,
        State.FAILED,
        State.ROLLED_BACK,
        State.CANCELLED,
        State.REFUSED,
        State.EXPIRED,
        State.IMPOSSIBLE,
    }
)
"""States in which a release no longer holds its environment."""

MOVING = frozenset(
    {
        State.RUNNING,
        State.SIGNING,
        State.UNDECIDED,
        State.PAUSED,
        State.ABORTING,
        State.TURNING_BACK,
    }
)
"""States in which the cluster was changed and the release is not done: it holds the environment there too."""

RESTING = frozenset({State.WAITING, State.ABOUT_TO_START, State.HELD, State.SIGNING})
"""States in which it waits for people or for time, and no job has anything to do."""

WORKING = (MOVING | {State.REQUESTED, State.APPROVED}) - RESTING
"""States in which a job should be at work on the release."""

_STEPPING = (
    "step_started",
    "job_started",
    "step_progressed",
    "step_finished",
    "step_failed",
    "monitored",
    "interrupted",
    "notes_read",
)

TRANSITIONS: Mapping[State, Mapping[str, State]] = MappingProxyType(
    {
        State.REQUESTED: {
            "plan_proposed": State.WAITING,
            "plan_refused": State.IMPOSSIBLE,
            "abort_requested": State.CANCELLING,
            "interrupted": State.REQUESTED,
        },
        State.WAITING: {
            "approval_given": State.WAITING,
            "approval_withdrawn": State.WAITING,
            "item_ticked": State.WAITING,
            "notes_read": State.WAITING,
            "gate_reminded": State.WAITING,
            "gate_escalated": State.WAITING,
            "moment_began": State.ABOUT_TO_START,
            "approved": State.APPROVED,
            "release_refused": State.REFUSED,
            "release_expired": State.EXPIRED,
            "replan_requested": State.REQUESTED,
            "abort_requested": State.CANCELLING,
        },
        State.ABOUT_TO_START: {
            "approved": State.APPROVED,
            "notes_read": State.ABOUT_TO_START,
            "approval_withdrawn": State.WAITING,
            "release_refused": State.REFUSED,
            "replan_requested": State.REQUESTED,
            "abort_requested": State.CANCELLING,
        },
        State.APPROVED: {
            "release_started": State.RUNNING,
            "notes_read": State.APPROVED,
            "moment_began": State.ABOUT_TO_START,
            "approval_withdrawn": State.WAITING,
            "release_held": State.HELD,
            "replan_requested": State.REQUESTED,
            "abort_requested": State.CANCELLING,
            "interrupted": State.APPROVED,
        },
        State.HELD: {
            "notes_read": State.HELD,
            "gate_reminded": State.HELD,
            "gate_escalated": State.HELD,
            "approval_withdrawn": State.WAITING,
            "hold_ended": State.APPROVED,
            "release_expired": State.EXPIRED,
            "abort_requested": State.CANCELLING,
        },
        State.RUNNING: {
            **dict.fromkeys(_STEPPING, State.RUNNING),
            "pause_requested": State.RUNNING,
            "paused": State.PAUSED,
            "resumed": State.RUNNING,
            "sign_off_asked": State.SIGNING,
            "decision_asked": State.UNDECIDED,
            "abort_requested": State.ABORTING,
            "turned_back": State.TURNING_BACK,
            "release_finished": State.RELEASED,
            "release_failed": State.FAILED,
        },
        State.SIGNING: {
            "signed_off": State.RUNNING,
            "sign_off_refused": State.RUNNING,
            "sign_off_expired": State.RUNNING,
            "notes_read": State.SIGNING,
            "abort_requested": State.ABORTING,
        },
        State.UNDECIDED: {
            "decision_reminded": State.UNDECIDED,
            "interrupted": State.UNDECIDED,
            "notes_read": State.UNDECIDED,
            "monitor_settled": State.RUNNING,
            "abort_requested": State.ABORTING,
            "release_failed": State.FAILED,
        },
        State.PAUSED: {
            "resumed": State.RUNNING,
            "decision_reminded": State.PAUSED,
            "interrupted": State.PAUSED,
            "notes_read": State.PAUSED,
            "abort_requested": State.ABORTING,
            "release_failed": State.FAILED,
        },
        State.ABORTING: {
            **dict.fromkeys(_STEPPING, State.ABORTING),
            "turned_back": State.TURNING_BACK,
            "release_cancelled": State.CANCELLED,
            "release_failed": State.FAILED,
        },
        State.TURNING_BACK: {
            **dict.fromkeys(_STEPPING, State.TURNING_BACK),
            "rolled_back": State.ROLLED_BACK,
            "release_failed": State.FAILED,
        },
        State.CANCELLING: {"release_cancelled": State.CANCELLED},
        **{state: {} for state in ENDED},
        State.FAILED: {"retried": State.RUNNING, "way_back_retried": State.TURNING_BACK},
    }
)


class IllegalEventError(Exception):
    """An event that cannot happen in the state that the release is in."""


class StepStatus(StrEnum):
    """How far a step has come."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class StepState:
    """A step of the plan (or of the way back) and how far it has come."""

    step: Step
    status: StepStatus = StepStatus.PENDING
    started_at: datetime | None = None
    finished_at: datetime | None = None
    changed: bool = False
    job: str | None = None
    result: str = ""
    asked: e.SignOffAsked | None = None
    answer: e.SignedOff | e.SignOffRefused | e.SignOffExpired | None = None
    attempt: int = 0
    """How often it was begun anew after it had failed."""

    @property
    def took(self) -> timedelta | None:
        """How long the step took; None while it is not finished."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


@dataclass(frozen=True)
class Approval:
    """One person's yes to the plan of one digest."""

    by: e.Actor
    digest: str
    via: str
    at: datetime


@dataclass(frozen=True)
class Tick:
    """One person's word for an item of the checklist."""

    by: e.Actor
    item: str
    at: datetime


UNASKED_EXPIRES = timedelta(hours=4)
"""How long a release waits for its checklist where nobody has to approve it."""


@dataclass(frozen=True)
class Release:
    """What the events so far say. `position` is how many there are: the next one is written there."""

    id: str
    position: int
    state: State
    request: e.ReleaseRequested
    plan: Plan | None = None
    planned_at: datetime | None = None
    replanned_because: str | None = None
    approvals: tuple[Approval, ...] = ()
    ticks: tuple[Tick, ...] = ()
    forward: tuple[StepState, ...] = ()
    back: tuple[StepState, ...] = ()
    turned_back_because: str | None = None
    by_itself: bool = False
    """Whether it turned back without anybody asking for that."""
    readings: tuple[Reading, ...] = ()
    """How the triggers of the step that watches stood last."""
    monitored_at: datetime | None = None
    measured: frozenset[str] = frozenset()
    """The triggers of which that step could say something at all so far."""
    undecided: e.DecisionAsked | None = None
    reminders: int = 0
    held: e.ReleaseHeld | None = None
    moment: e.MomentBegan | None = None
    approved: e.Approved | None = None
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    seen: Mapping[str, e.ServiceSeen] = field(default_factory=dict)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: e.Actor | None = None
    abort: e.AbortRequested | None = None
    pause: e.PauseRequested | None = None
    """The wish that it stays where it is, until it is resumed."""
    paused_at: datetime | None = None
    retries: int = 0
    """How often it was taken up again after it had failed."""
    retried: e.Retried | e.WayBackRetried | None = None
    failure: e.StepFailed | None = None
    reason: str = ""
    hint: str = ""
    ready_at: datetime | None = None
    who: tuple[str, ...] = ()
    last_at: datetime | None = None

    @property
    def environment(self) -> str:
        """The environment that the release goes to."""
        return self.request.environment

    @property
    def ended(self) -> bool:
        """Whether it no longer holds its environment."""
        return self.state in ENDED

    @property
    def steps(self) -> tuple[StepState, ...]:
        """The steps there, then the steps back: events name them by their index in this."""
        return self.forward + self.back

    @property
    def next_index(self) -> int | None:
        """The step that is next in the direction the release now goes; None when all are done."""
        first = len(self.forward) if self.state is State.TURNING_BACK else 0
        last = len(self.steps) if self.state is State.TURNING_BACK else len(self.forward)
        for index in range(first, last):
            if self.steps[index].status is not StepStatus.DONE:
                return index
        return None

    @property
    def pauses(self) -> bool:
        """Whether somebody wants it to stay where it is, and it is between two steps."""
        index = self.next_index
        between = index is not None and self.steps[index].status is StepStatus.PENDING
        return self.state is State.RUNNING and self.pause is not None and between

    @property
    def watching(self) -> tuple[int, Monitor, datetime] | None:
        """The step that watches, its place and since when; None while another is at work, or none."""
        index = self.next_index if self.state in {State.RUNNING, State.UNDECIDED} else None
        if index is None:
            return None
        state = self.steps[index]
        is_begun = isinstance(state.step, Monitor) and state.started_at is not None
        return (index, state.step, state.started_at) if is_begun else None  # type: ignore[return-value] # just asked

    @property
    def touched(self) -> tuple[Step, ...]:
        """The steps of the plan that were begun, whether or not they came to their end."""
        return tuple(state.step for state in self.forward if state.status is not StepStatus.PENDING)

    @property
    def changed_services(self) -> tuple[str, ...]:
        """The services whose rollout was begun."""
        return tuple(step.service for step in self.touched if isinstance(step, Change))

    @property
    def changed_database(self) -> bool:
        """Whether a change of the database was begun that is not undone."""
        forward = any(isinstance(step, Migrate | Restore) for step in self.touched)
        return forward and self.state is not State.ROLLED_BACK

    @property
    def backup(self) -> str | None:
        """What the backup is called that it made before anything was changed."""
        states = (each for each in self.forward if isinstance(each.step, Backup))
        return next((each.result for each in states if each.status is StepStatus.DONE and each.changed), None)

    @property
    def stays(self) -> tuple[Migration, ...]:
        """The migrations it has begun that stay, and with which the version before would not run."""
        return () if self.request.kind == "rollback" else in_the_way(self.touched)

    def way_back(self) -> tuple[Step, ...]:
        """What would undo all that was begun so far; nothing undoes a rollback."""
        return () if self.request.kind == "rollback" else way_back(self.touched)

    @property
    def approval(self) -> e.ApprovalNeeded | None:
        """What has to be agreed: the rules of the moment of asking, for the type that the plan has.

        The type is a part of the plan and so of its digest: who agrees to a plan agrees to one type.
        """
        if self.plan is None or self.plan.type is None:
            return self.request.approval
        return self.request.approval_by_type.get(self.plan.type, self.request.approval)

    @property
    def expires_at(self) -> datetime | None:
        """When a release that waits expires: for an answer, for its checklist, or held once approved."""
        if self.asked is not None:
            return self.asked.expires_at
        if self.planned_at is None or self.state not in {State.WAITING, State.HELD}:
            return None
        needed = self.approval
        if needed is None:
            return self.planned_at + UNASKED_EXPIRES if checklist.blocking(self.checklist) else None
        return self.planned_at + timedelta(seconds=needed.expires_seconds)

    @property
    def grace(self) -> timedelta:
        """The moment before its start in which it can be stopped: the rule of the moment of asking."""
        type_, request = self.plan and self.plan.type, self.request
        seconds = request.grace_by_type.get(type_, request.grace_seconds) if type_ else request.grace_seconds
        return timedelta(seconds=seconds)

    @property
    def asked(self) -> e.SignOffAsked | None:
        """The question that a person is to answer; None while there is none."""
        if self.state is not State.SIGNING or self.next_index is None:
            return None
        return self.steps[self.next_index].asked

    @property
    def approvals_missing(self) -> int:
        """How many approvals are still to come."""
        needed = self.approval
        return 0 if needed is None else max(0, needed.quorum - len(self.approvals))

    @property
    def checklist(self) -> tuple[checklist.Item, ...]:
        """The plan's checklist, with what people have ticked."""
        items = () if self.plan is None else self.plan.checklist
        return checklist.ticked(items, {tick.item for tick in self.ticks})

    @property
    def may_start(self) -> bool:
        """Whether nothing is waited for any more: all approvals are there, and nothing blocks."""
        return self.plan is not None and not self.approvals_missing and not checklist.blocking(self.checklist)


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
