"""What happened to a release, as values: the append-only record that everything else is a view of.

Names are past tense. Every event has `at`, an aware UTC time. An event is never changed once written;
a field may be added with a default, so that records of earlier versions of the bot go on being read.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from releases.events.asking import (
    ApprovalNeeded,
    NotesRead,
    Passage,
    PlanProposed,
    PlanRefused,
    ReleaseRequested,
    ReplanRequested,
    Target,
)
from releases.events.base import Evidence, Happened, ServiceSeen
from releases.events.gates import (
    ApprovalGiven,
    ApprovalWithdrawn,
    Approved,
    GateEscalated,
    GateReminded,
    HoldEnded,
    ItemTicked,
    MomentBegan,
    ReleaseExpired,
    ReleaseHeld,
    ReleaseRefused,
)
from releases.events.people import BUZZY, Actor, AskedVia, Via
from releases.events.steering import (
    AbortRequested,
    DecisionAsked,
    DecisionReminded,
    MonitorSettled,
    Paused,
    PauseRequested,
    Resumed,
    Retried,
    SignedOff,
    SignOffAsked,
    SignOffExpired,
    SignOffRefused,
    WayBackRetried,
)
from releases.events.steps import (
    Interrupted,
    JobStarted,
    Monitored,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepStarted,
)
from releases.events.turns import (
    ReleaseCancelled,
    ReleaseFailed,
    ReleaseFinished,
    ReleaseStarted,
    RolledBack,
    TurnedBack,
)

__all__ = [
    "BUZZY",
    "AbortRequested",
    "Actor",
    "ApprovalGiven",
    "ApprovalNeeded",
    "ApprovalWithdrawn",
    "Approved",
    "AskedVia",
    "DecisionAsked",
    "DecisionReminded",
    "Event",
    "Evidence",
    "GateEscalated",
    "GateReminded",
    "Happened",
    "HoldEnded",
    "Interrupted",
    "ItemTicked",
    "JobStarted",
    "MomentBegan",
    "MonitorSettled",
    "Monitored",
    "NotesRead",
    "Passage",
    "PauseRequested",
    "Paused",
    "PlanProposed",
    "PlanRefused",
    "ReleaseCancelled",
    "ReleaseExpired",
    "ReleaseFailed",
    "ReleaseFinished",
    "ReleaseHeld",
    "ReleaseRefused",
    "ReleaseRequested",
    "ReleaseStarted",
    "ReplanRequested",
    "Resumed",
    "Retried",
    "RolledBack",
    "ServiceSeen",
    "SignOffAsked",
    "SignOffExpired",
    "SignOffRefused",
    "SignedOff",
    "StepFailed",
    "StepFinished",
    "StepProgressed",
    "StepStarted",
    "Target",
    "TurnedBack",
    "Via",
    "WayBackRetried",
    "dump_event",
    "load_event",
]

Event = Annotated[
    ReleaseRequested
    | PlanProposed
    | PlanRefused
    | ApprovalGiven
    | ApprovalWithdrawn
    | ItemTicked
    | ReleaseRefused
    | MomentBegan
    | Approved
    | GateReminded
    | GateEscalated
    | ReplanRequested
    | NotesRead
    | ReleaseExpired
    | AbortRequested
    | PauseRequested
    | Paused
    | Resumed
    | Retried
    | WayBackRetried
    | ReleaseCancelled
    | ReleaseHeld
    | HoldEnded
    | ReleaseStarted
    | StepStarted
    | JobStarted
    | StepProgressed
    | StepFinished
    | StepFailed
    | SignOffAsked
    | SignedOff
    | SignOffRefused
    | SignOffExpired
    | Monitored
    | DecisionAsked
    | DecisionReminded
    | MonitorSettled
    | Interrupted
    | TurnedBack
    | ReleaseFinished
    | ReleaseFailed
    | RolledBack,
    Field(discriminator="event"),
]


_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def dump_event(event: Event) -> str:
    """An event as JSON text, for the record."""
    return event.model_dump_json()


def load_event(text: str | bytes) -> Event:
    """An event from the record. Raises `pydantic.ValidationError` when it is not one."""
    return _ADAPTER.validate_json(text)
