"""What was last seen of an environment, and the questions that people ask about it."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from releases.difference import Difference
from releases.events import Actor, ServiceSeen
from releases.plan import Frozen, Plan


class RevisionSeen(Frozen):
    """One entry of a Deployment's rollout history, as `kubectl rollout history` has it."""

    service: str
    revision: int
    image: str
    version: str | None
    release: str | None = Field(default=None, description="the release that made it; None: not Buzzy")
    cause: str | None = Field(default=None, description="kubernetes.io/change-cause")
    created_at: AwareDatetime | None = None
    serving: bool = Field(description="whether the Deployment asks for this revision now")


class KeptSeen(Frozen):
    """What a blue-green release keeps beside what has the traffic, so that going back is one switch."""

    service: str
    version: str = Field(description="its version, or its image where the tag is none")
    until: AwareDatetime


class Snapshot(Frozen):
    """An environment at one moment. `problem` says why it could not be seen; then the rest is empty."""

    environment: str
    at: AwareDatetime
    services: tuple[ServiceSeen, ...] = ()
    revisions: tuple[RevisionSeen, ...] = ()
    kept: tuple[KeptSeen, ...] = ()
    problem: str | None = None


class Question(Frozen):
    """Something that was asked for and that a look at the cluster answers (or corrects)."""

    kind: Literal["status", "history", "plan", "diff"]
    environments: tuple[str, ...]
    line: str = Field(description="the command as it was understood, in the grammar's own words")
    by: Actor
    channel: str
    response_url: str = Field(description="where the answer can be replaced; empty if there is none")
    asked_at: AwareDatetime


class Answer(Frozen):
    """What a worker found. For a plan or a comparison: that, or why there is none. Else: see snapshots."""

    at: AwareDatetime
    plan: Plan | None = None
    difference: Difference | None = None
    seen: tuple[ServiceSeen, ...] = ()
    refused: str | None = None
    hint: str = ""
    ready_at: AwareDatetime | None = None
    who: tuple[str, ...] = ()
