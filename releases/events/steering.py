"""What people are asked, and what they say, once a release has begun."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from releases.events.asking import Passage
from releases.events.base import Evidence, Happened
from releases.events.people import Actor, AskedVia, Via
from releases.monitoring import Chart


class AbortRequested(Happened):
    """Somebody wants it stopped: at once while it waits, at the next safe point while it runs."""

    event: Literal["abort_requested"] = "abort_requested"
    by: Actor
    reason: str | None = None
    via: AskedVia = "slack"


class PauseRequested(Happened):
    """Somebody wants it to stay where it is, from its next safe point on."""

    event: Literal["pause_requested"] = "pause_requested"
    by: Actor
    reason: str | None = None
    via: AskedVia = "slack"


class Paused(Happened):
    """The safe point is reached: nothing more is changed until somebody resumes it."""

    event: Literal["paused"] = "paused"


class Resumed(Happened):
    """It goes on with its next step; or it need not be paused any more, if it is not yet."""

    event: Literal["resumed"] = "resumed"
    by: Actor
    via: Via


class Retried(Happened):
    """Somebody has it go on from the step at which it failed; it holds its environment again."""

    event: Literal["retried"] = "retried"
    by: Actor
    via: Via
    delivery: str = Field(default="", description="what it came with, so that it counts once")
    passed: tuple[Passage, ...] = Field(default=(), description="the locks and freezes that it passed")


class WayBackRetried(Happened):
    """The same, where it was a step of its way back."""

    event: Literal["way_back_retried"] = "way_back_retried"
    by: Actor
    via: Via
    delivery: str = Field(default="", description="what it came with, so that it counts once")


class DecisionAsked(Happened):
    """What was watched does not say whether the release is good: a person has to."""

    event: Literal["decision_asked"] = "decision_asked"
    index: int
    because: str = Field(description="one sentence")
    evidence: tuple[Evidence, ...] = ()
    chart: Chart | None = None


class DecisionReminded(Happened):
    """Nobody has decided so far: whether it is good, or how long it stays paused."""

    event: Literal["decision_reminded"] = "decision_reminded"


class MonitorSettled(Happened):
    """A person says that the release is good: it need not be watched any more."""

    event: Literal["monitor_settled"] = "monitor_settled"
    by: Actor
    via: Via


class SignOffAsked(Happened):
    """A step waits for a person's word; nobody is at work until then."""

    event: Literal["sign_off_asked"] = "sign_off_asked"
    index: int
    question: str
    by: tuple[str, ...] = Field(description="who may answer: ids of people and user groups")
    expires_at: AwareDatetime


class SignedOff(Happened):
    """Somebody said that it is good."""

    event: Literal["signed_off"] = "signed_off"
    index: int
    by: Actor
    via: Via


class SignOffRefused(Happened):
    """Somebody said that it is not good."""

    event: Literal["sign_off_refused"] = "sign_off_refused"
    index: int
    by: Actor
    via: Via


class SignOffExpired(Happened):
    """Nobody said anything in time."""

    event: Literal["sign_off_expired"] = "sign_off_expired"
    index: int
