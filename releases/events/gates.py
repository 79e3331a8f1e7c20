"""What has to happen before a release starts: what people agree to, and what time brings."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from releases.events.base import Happened
from releases.events.people import Actor, Via


class ApprovalGiven(Happened):
    """An approver agreed to the plan of this digest."""

    event: Literal["approval_given"] = "approval_given"
    by: Actor
    digest: str
    via: Via


class ApprovalWithdrawn(Happened):
    """An approver took the approval back before the release started."""

    event: Literal["approval_withdrawn"] = "approval_withdrawn"
    by: Actor
    because: str | None = Field(
        default=None, description="why it counts no more although the approver said nothing; None: they did"
    )


class ItemTicked(Happened):
    """Somebody confirms an item of the checklist of the plan of this digest."""

    event: Literal["item_ticked"] = "item_ticked"
    by: Actor
    item: str = Field(description="the item's name")
    digest: str


class ReleaseRefused(Happened):
    """An approver said no; the release ends."""

    event: Literal["release_refused"] = "release_refused"
    by: Actor
    via: Via


class MomentBegan(Happened):
    """Nothing is waited for any more: the plan of this digest may run then, unless somebody stops it.

    When the moment has passed the approvals are read again, and it is approved if they still stand.
    """

    event: Literal["moment_began"] = "moment_began"
    digest: str
    starts_at: AwareDatetime = Field(description="the end of the moment; `at` when there is none")


class Approved(Happened):
    """The quorum is reached, or none was needed: the plan of this digest may run."""

    event: Literal["approved"] = "approved"
    digest: str
    unread: bool = Field(
        default=False, description="whether Slack could not be asked if the approvals still stand"
    )


class GateReminded(Happened):
    """It waits for long already: those who can answer are reminded."""

    event: Literal["gate_reminded"] = "gate_reminded"


class GateEscalated(Happened):
    """It waits for so long that on-call is told."""

    event: Literal["gate_escalated"] = "gate_escalated"


class ReleaseExpired(Happened):
    """Nobody decided in time; the release ends before it touched anything."""

    event: Literal["release_expired"] = "release_expired"


class ReleaseHeld(Happened):
    """It could start, but the environment has been closed meanwhile: it waits until that opens."""

    event: Literal["release_held"] = "release_held"
    because: str
    until: AwareDatetime | None = Field(default=None, description="when it opens by itself, if that is known")


class HoldEnded(Happened):
    """The environment is open again; the release is looked at once more and starts."""

    event: Literal["hold_ended"] = "hold_ended"
