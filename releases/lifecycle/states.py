"""A release's states, and the table of what leads from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


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
