"""The steps of a blue-green release, as data: green is made beside blue, looked at, and only then used.

A service has two slots, a Deployment each: the one that buzzy.yaml names, and another beside it. Their pods
differ in one label, by which the Service picks those of one of them. How plans use this is told in
`workers.planning.blue_green`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from releases.config.durations import format_seconds
from releases.frozen import Frozen
from releases.template import Template

DRAIN_SECONDS = 30
"""How long what was prepared stays when it is given up: requests that still find it must be answered."""


class Slot(Frozen):
    """One of a service's two Deployments, and the labels by which the Service picks its pods."""

    deployment: str
    selector: dict[str, str]


class Prepare(Frozen):
    """Bring the slot without traffic to a template, as large as the other, and wait until it is healthy."""

    kind: Literal["prepare"] = "prepare"
    service: str
    deployment: str = Field(description="the slot's Deployment")
    container: str
    like: str = Field(description="the Deployment that serves; this one is made like it, and as large")
    labels: dict[str, str] = Field(
        description="what the slot's Deployment selects its pods by, if it is made"
    )
    stable: Template | None = Field(description="what the slot has now; None if it has to be made")
    new: Template
    at_least: int = Field(default=0, ge=0, description="pods, though the one that serves has fewer just now")
    deadline_seconds: int = Field(gt=0, description="how long it may take before it has failed")

    def undo(self) -> Keep:
        """It gets no requests any more, and goes."""
        return Keep(service=self.service, deployment=self.deployment, seconds=DRAIN_SECONDS)

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        what = self.new.version or self.new.image
        if self.stable is not None and self.stable.digest == self.new.digest:
            return f"{self.service} {what} stands by in {self.deployment}"
        return f"{self.service} {what} prepared in {self.deployment}, without traffic"


class Look(Frozen):
    """Where what was prepared can be looked at: a Service of its own beside the one that people use."""

    name: str
    like: str = Field(description="the Service that people use")
    selector: dict[str, str]


class Preview(Frozen):
    """Let people look at what was prepared before it gets traffic."""

    kind: Literal["preview"] = "preview"
    looks: tuple[Look, ...]

    def undo(self) -> None:
        """Nothing: a preview of what is gone leads nowhere, and hurts nobody."""

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return f"preview at {', '.join(look.name for look in self.looks)}"


class Validate(Frozen):
    """Look at all that was prepared, together, before any of it gets traffic."""

    kind: Literal["validate"] = "validate"
    deployments: dict[str, str] = Field(description="service → the digest of the template that it must run")
    names: dict[str, str] = Field(description="service → the name of its Deployment")

    def undo(self) -> None:
        """Nothing: looking changes nothing."""

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return "all of it validated, before it gets traffic"


class Switch(Frozen):
    """Send a service's traffic from one slot to the other: one write of its Service."""

    kind: Literal["switch"] = "switch"
    service: str
    name: str = Field(description="the Service's name in the cluster")
    container: str
    leaves: Slot
    to: Slot
    stable: Template
    new: Template
    deadline_seconds: int = Field(gt=0, description="how long it may take until all pods are seen well")

    def undo(self) -> Switch:
        """The same step with its ends exchanged."""
        ends = {"leaves": self.to, "to": self.leaves, "stable": self.new, "new": self.stable}
        return self.model_copy(update=ends)

    @property
    def deployment(self) -> str:
        """The Deployment that has the traffic afterwards."""
        return self.to.deployment

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return f"{self.service}: traffic to {self.new.version or self.new.image}, in {self.to.deployment}"


class Follow(Frozen):
    """Let a service's autoscaler look after the slot that has the traffic."""

    kind: Literal["follow"] = "follow"
    service: str
    name: str = Field(description="the HorizontalPodAutoscaler's name")
    leaves: str = Field(description="the Deployment that it scales")
    to: str = Field(description="the one that it scales afterwards")

    def undo(self) -> Follow:
        """The same step with its ends exchanged."""
        return self.model_copy(update={"leaves": self.to, "to": self.leaves})

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return f"autoscaler {self.name} follows to {self.to}"


class Watch(Frozen):
    """Watch what has the traffic now, for a while: whatever is wrong there sends the traffic back."""

    kind: Literal["watch"] = "watch"
    seconds: int = Field(gt=0)
    deployments: dict[str, str] = Field(description="service → the digest of the template that it must run")
    names: dict[str, str] = Field(description="service → the name of its Deployment")

    def undo(self) -> None:
        """Nothing: looking changes nothing."""

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return f"watched for {format_seconds(self.seconds)}"


class Keep(Frozen):
    """Keep a slot that has no traffic for a while; then it is scaled to 0, by whoever looks next.

    Nobody waits for that, and nothing is held meanwhile: the Deployment itself says until when it is kept.
    """

    kind: Literal["keep"] = "keep"
    service: str
    deployment: str
    seconds: int = Field(ge=0, description="0: for as long as it has traffic; it is kept no more")

    def undo(self) -> Keep:
        """It is kept for good: it is to have traffic again."""
        return self.model_copy(update={"seconds": 0})

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        if not self.seconds:
            return f"{self.deployment} stays"
        return f"{self.deployment} kept for {format_seconds(self.seconds)}, then scaled to 0"
