"""Releases that are to be asked for later: at a time, or with a train."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from releases.events import Actor
from releases.plan import Frozen

LATE = timedelta(hours=1)
"""So late a release still goes, if nobody was at work when it was due; later it does not: the people who
expected it have gone."""


class Scheduled(Frozen):
    """A release that waits for its time. `line` is the command that is then asked for, as by its person."""

    id: str
    environment: str
    version: str
    line: str
    by: Actor
    at: AwareDatetime
    due: AwareDatetime
    train: str | None = Field(default=None, description="the train that it goes with")

    def is_late(self, now: datetime) -> bool:
        """Whether it is too late to ask for it."""
        return now - self.due > LATE
