"""A release's life: its states, what leads from one to the next, and the fold of its events."""

from releases.lifecycle.folding import IllegalEventError, apply, begin, fold
from releases.lifecycle.release import UNASKED_EXPIRES, Approval, Release, StepState, StepStatus, Tick
from releases.lifecycle.states import ENDED, MOVING, RESTING, TRANSITIONS, WORKING, State

__all__ = [
    "ENDED",
    "MOVING",
    "RESTING",
    "TRANSITIONS",
    "UNASKED_EXPIRES",
    "WORKING",
    "Approval",
    "IllegalEventError",
    "Release",
    "State",
    "StepState",
    "StepStatus",
    "Tick",
    "apply",
    "begin",
    "fold",
]
