"""A release as its events so far tell it, and what follows from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from releases import checklist
from releases import events as e
from releases.database import Backup, Migrate, Migration, Restore, in_the_way
from releases.lifecycle.states import ENDED, State
from releases.monitoring import Monitor, Reading
from releases.plan import Change, Plan, Step, way_back


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
