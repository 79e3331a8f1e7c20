"""How a release begins, turns back and ends."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from releases.events.base import Happened
from releases.plan import Step


class ReleaseStarted(Happened):
    """The cluster is still as the plan saw it; steps begin."""

    event: Literal["release_started"] = "release_started"


class ReleaseCancelled(Happened):
    """It was stopped before anything was changed."""

    event: Literal["release_cancelled"] = "release_cancelled"


class TurnedBack(Happened):
    """From here on the release undoes what it did."""

    event: Literal["turned_back"] = "turned_back"
    steps: tuple[Step, ...]
    because: str
    by_itself: bool = Field(default=False, description="whether nobody asked for it: it was seen to be ill")


class ReleaseFinished(Happened):
    """Every step is done: the environment runs what the plan said."""

    event: Literal["release_finished"] = "release_finished"


class ReleaseFailed(Happened):
    """It stopped where it was; what it changed is still changed."""

    event: Literal["release_failed"] = "release_failed"
    reason: str
    changed: tuple[str, ...] = Field(default=(), description="the services that it had changed")


class RolledBack(Happened):
    """What the release changed is undone, and was seen to be."""

    event: Literal["rolled_back"] = "rolled_back"
