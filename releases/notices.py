"""What is told in an environment's channel beside its releases: locks, freezes, turns, what is due, drift.

Each is written in one step with the change that it tells of, kept for good, and posted once by the relay.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from releases.closing import Closure, Waiter
from releases.events import Actor, Evidence
from releases.monitoring import Chart
from releases.plan import Frozen
from releases.schedule import Scheduled


class Told(Frozen):
    """What all notices have: when it happened, and the channel where it is told."""

    at: AwareDatetime
    channel: str


class Closed(Told):
    """Somebody locked or froze an environment; `before` is the lock that was taken over."""

    notice: Literal["closed"] = "closed"
    closure: Closure
    before: Closure | None = None
    in_the_way: str | None = Field(default=None, description="the release that goes on all the same")


class Opened(Told):
    """A lock or a freeze has ended: opened by somebody, or by itself."""

    notice: Literal["opened"] = "opened"
    closure: Closure
    by: Actor


class Turn(Told):
    """An environment is open, and this one is next."""

    notice: Literal["turn"] = "turn"
    environment: str
    waiter: Waiter
    behind: tuple[Waiter, ...] = ()


class Reminded(Told):
    """A lock without an end is still there."""

    notice: Literal["reminded"] = "reminded"
    closure: Closure


class Planned(Told):
    """A release is to be asked for later. `warning` says what will stand in its way then."""

    notice: Literal["planned"] = "planned"
    schedule: Scheduled
    warning: str = ""


class Unplanned(Told):
    """A scheduled release was taken back."""

    notice: Literal["unplanned"] = "unplanned"
    schedule: Scheduled
    by: Actor


class Missed(Told):
    """A scheduled release was noticed too late, and is not asked for any more."""

    notice: Literal["missed"] = "missed"
    schedule: Scheduled


class NotDone(Told):
    """A scheduled release was due and was refused."""

    notice: Literal["not_done"] = "not_done"
    schedule: Scheduled
    problem: str
    hint: str = ""
    in_line: bool = Field(default=False, description="whether it waits in line for a lock now")


class TrainEmpty(Told):
    """A train is about to leave with nothing on it."""

    notice: Literal["train_empty"] = "train_empty"
    train: str
    environment: str
    leaves: AwareDatetime
    owner: str


class Drifted(Told):
    """A standby has come to differ from what it follows, and not because a version soaks."""

    notice: Literal["drifted"] = "drifted"
    environment: str
    follows: str
    differences: tuple[str, ...]


class InStep(Told):
    """A standby that had drifted is in step again."""

    notice: Literal["in_step"] = "in_step"
    environment: str
    follows: str
    since: AwareDatetime = Field(description="when it had been found to differ")


class Tripped(Told):
    """What a release brought is ill although it counted as released: nothing goes back by itself any more."""

    notice: Literal["tripped"] = "tripped"
    environment: str
    release: str
    version: str
    stable: str = Field(description="what was there before it")
    released_at: AwareDatetime
    trigger: str
    reason: str = Field(description="why it tripped, without a full stop")
    on_call: str | None = None
    evidence: tuple[Evidence, ...] = ()
    chart: Chart | None = None


Notice = Annotated[
    Closed
    | Opened
    | Turn
    | Reminded
    | Planned
    | Unplanned
    | Missed
    | NotDone
    | TrainEmpty
    | Drifted
    | InStep
    | Tripped,
    Field(discriminator="notice"),
]

_ADAPTER: TypeAdapter[Notice] = TypeAdapter(Notice)


def load_notice(text: str) -> Notice:
    """A notice from the record. Raises `pydantic.ValidationError` when it is not one."""
    return _ADAPTER.validate_json(text)
