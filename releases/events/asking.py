"""That a release was asked for, and what was planned."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from releases.events.base import Happened, ServiceSeen
from releases.events.people import Actor, AskedVia
from releases.frozen import Frozen
from releases.plan import Plan, RequestKind
from releases.version import ReleaseType, Urgency


class ApprovalNeeded(Frozen):
    """What has to be agreed before a release may start, as the rules were when it was asked for."""

    quorum: int = Field(ge=1)
    approvers: tuple[str, ...] = Field(description="ids of people (U…) and user groups (S…)")
    own_release: bool = Field(description="whether the person who asked may approve")
    expires_seconds: int = Field(gt=0)
    remind_seconds: int | None = Field(
        default=None, gt=0, description="when the approvers are reminded; None: never"
    )
    escalate_seconds: int | None = Field(default=None, gt=0, description="when on-call is told; None: never")


class Target(Frozen):
    """Where a rollback goes: exactly one of the three, or none for the version before."""

    version: str | None = None
    revision: int | None = None
    release: str | None = None


class Passage(Frozen):
    """Something that closed the environment and was passed, and by which right."""

    kind: Literal["lock", "freeze"]
    what: str = Field(description='such as `carol\'s lock of production ("audit")`')
    right: str = Field(description="such as `a rollback does not wait`")
    reason: str | None = None
    urgency: Urgency | None = Field(
        default=None, description="the hurry that gives the right, while the release is one of that type"
    )


class ReleaseRequested(Happened):
    """Somebody asked for a release, a rollback or a drill; from here on it holds its environment."""

    event: Literal["release_requested"] = "release_requested"
    kind: RequestKind
    environment: str
    version: str | None = Field(description="the version asked for; None for a rollback or a promotion")
    target: Target | None = Field(default=None, description="where a rollback goes")
    strategy: str
    services: tuple[str, ...] = Field(default=(), description="only these; empty for all")
    reason: str | None = None
    by: Actor
    channel: str = Field(description="the environment's channel, where the release's message stands")
    approval: ApprovalNeeded | None
    via: AskedVia = "slack"
    passed: tuple[Passage, ...] = Field(default=(), description="the locks and freezes that it passed")
    over_freezes: Passage | None = Field(
        default=None, description="the right to pass freezes, now and when it starts; None: it has none"
    )
    approval_by_type: dict[ReleaseType, ApprovalNeeded | None] = Field(
        default={}, description="what is asked instead for releases of these types; None: nobody has to agree"
    )
    grace_seconds: int = Field(
        default=0, ge=0, description="the moment before its start in which it can be stopped"
    )
    grace_by_type: dict[ReleaseType, int] = Field(
        default={}, description="the moment of releases of these types instead"
    )
    urgency: Urgency | None = None
    source: str | None = Field(
        default=None, description="a promotion: the environment whose version is released; `version` is None"
    )
    follows: str | None = Field(
        default=None, description="the release of another environment that a standby follows with this one"
    )
    suites: tuple[str, ...] = Field(default=(), description="of a validation: what is run, in this order")
    database: Literal["restore", "keep"] | None = Field(
        default=None,
        description="a rollback: restore the backup, or leave the database as it is; None: undo what can be",
    )
    latest: str | None = Field(
        default=None, description="the rule by which Buzzy asked for this newest build, such as `3.x`"
    )


class PlanProposed(Happened):
    """A worker has read the cluster and says what it would do."""

    event: Literal["plan_proposed"] = "plan_proposed"
    plan: Plan
    seen: tuple[ServiceSeen, ...] = ()
    because: str | None = Field(default=None, description="why it was planned again; None the first time")


class PlanRefused(Happened):
    """There is nothing that could be done: the release ends before it touched anything."""

    event: Literal["plan_refused"] = "plan_refused"
    reason: str
    hint: str = ""
    ready_at: AwareDatetime | None = Field(
        default=None, description="when it could be done, if time alone lacks"
    )
    who: tuple[str, ...] = Field(default=(), description="ids of those who could do it otherwise")


class ReplanRequested(Happened):
    """What the plan was made from has changed; it is made again and, if need be, asked again."""

    event: Literal["replan_requested"] = "replan_requested"
    because: str
    by: Actor | None = Field(default=None, description="who asked for it; None: Buzzy saw it itself")


class NotesRead(Happened):
    """A worker has read the release notes of the version, or could not."""

    event: Literal["notes_read"] = "notes_read"
    url: str
    lines: tuple[str, ...] = Field(default=(), description="the first lines, as plain text")
    problem: str = Field(default="", description="why there are none, after `the release notes`")
