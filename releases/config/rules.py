"""The rules of an environment: who has to agree, what a version has to have shown, who may ask for what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import Field, model_validator

from releases.config.durations import Duration, DurationOrOff
from releases.config.section import Channel, DnsLabel, PersonOrGroup, Section
from releases.version import ReleaseType


class Approval(Section):
    """Who has to agree before a release to the environment starts."""

    quorum: int = Field(ge=1, description="how many people must approve", examples=[2])
    approvers: tuple[PersonOrGroup, ...] = Field(
        alias="from",
        min_length=1,
        description="who may approve: ids of people (U…) and user groups (S…)",
        examples=[["S0APPROVERS"]],
    )
    own_release: bool = Field(
        default=True, description="whether the person who asked may approve", examples=[False]
    )
    expires: Duration = Field(
        default=timedelta(hours=4), description="how long an answer is waited for", examples=["4h"]
    )
    remind: DurationOrOff | None = Field(
        default=None,
        description="when the approvers are reminded, or off; after half of `expires` if left out",
        examples=["2h"],
    )
    escalate: DurationOrOff | None = Field(
        default=None,
        description="when on-call is told, or off; after three quarters of `expires` if left out",
        examples=["3h"],
    )

    @property
    def reminds(self) -> timedelta:
        """When the approvers are reminded; nothing for never."""
        return self.expires / 2 if self.remind is None else self.remind

    @property
    def escalates(self) -> timedelta:
        """When on-call is told; nothing for never."""
        return self.expires * 3 / 4 if self.escalate is None else self.escalate


class ApprovalOfType(Section):
    """What is asked instead for releases of one type; what is left out is as for the others."""

    quorum: int | None = Field(
        default=None, ge=0, description="how many people must approve; 0 for nobody", examples=[3]
    )
    approvers: tuple[PersonOrGroup, ...] | None = Field(
        default=None,
        alias="from",
        min_length=1,
        description="who may approve: ids of people (U…) and user groups (S…)",
        examples=[["S0APPROVERS"]],
    )
    own_release: bool | None = Field(
        default=None, description="whether the person who asked may approve", examples=[False]
    )
    expires: Duration | None = Field(
        default=None, description="how long an answer is waited for", examples=["4h"]
    )
    remind: DurationOrOff | None = Field(
        default=None, description="when the approvers are reminded, or off", examples=["2h"]
    )
    escalate: DurationOrOff | None = Field(
        default=None, description="when on-call is told, or off", examples=["3h"]
    )
    grace: DurationOrOff | None = Field(
        default=None, description="the moment before the start in which it can be stopped", examples=["off"]
    )


class ApprovalByType(Approval):
    """Who has to agree, and for which types of release it is others or more."""

    major: ApprovalOfType | None = Field(
        default=None, description="for a major release: 3.2.1 → 4.0.0", examples=[{"quorum": 3}]
    )
    minor: ApprovalOfType | None = Field(
        default=None, description="for a minor release: 3.2.1 → 3.3.0", examples=[{"quorum": 2}]
    )
    patch: ApprovalOfType | None = Field(
        default=None, description="for a patch: 3.2.1 → 3.2.2", examples=[{"quorum": 1}]
    )
    hotfix: ApprovalOfType | None = Field(
        default=None, description="for a patch asked for with --hotfix", examples=[{"quorum": 1}]
    )
    security: ApprovalOfType | None = Field(
        default=None, description="for a patch asked for with --security", examples=[{"quorum": 1}]
    )

    def of_type(self, type_: ReleaseType) -> ApprovalOfType | None:
        """What is said of a type alone; None when nothing is."""
        rule: ApprovalOfType | None = getattr(self, type_.value)
        return rule

    def of(self, type_: ReleaseType) -> Approval | None:
        """What is asked for releases of a type; None when nobody has to agree."""
        rule = self.of_type(type_)
        asked: dict[str, Any] = (
            {} if rule is None else {name: getattr(rule, name) for name in Approval.model_fields}
        )
        merged = {name: getattr(self, name) for name in Approval.model_fields} | {
            name: value for name, value in asked.items() if value is not None
        }
        return Approval.model_construct(**merged) if merged["quorum"] else None


class SoakOfType(Section):
    """How long a version has to have run first, if its release is of one type."""

    soak: Duration = Field(description="how long it must have run there", examples=["1h"])


class Requires(Section):
    """What a version has to have shown before it may go to the environment."""

    proven_in: DnsLabel = Field(
        description="the environment in which Buzzy must have released it before", examples=["staging"]
    )
    soak: Duration | None = Field(
        default=None, description="how long it must have run there; not at all if left out", examples=["24h"]
    )
    major: SoakOfType | None = Field(
        default=None, description="for a major release", examples=[{"soak": "7d"}]
    )
    minor: SoakOfType | None = Field(
        default=None, description="for a minor release", examples=[{"soak": "2d"}]
    )
    patch: SoakOfType | None = Field(default=None, description="for a patch", examples=[{"soak": "24h"}])
    hotfix: SoakOfType | None = Field(
        default=None, description="for a patch asked for with --hotfix", examples=[{"soak": "1h"}]
    )
    security: SoakOfType | None = Field(
        default=None, description="for a patch asked for with --security", examples=[{"soak": "1h"}]
    )

    def soak_of(self, type_: ReleaseType) -> timedelta:
        """How long a release of that type must have run there."""
        rule: SoakOfType | None = getattr(self, type_.value)
        return (self.soak or timedelta(0)) if rule is None else rule.soak


class Permission(Section):
    """Who may ask for something, and where. What is left out is not limited."""

    people: tuple[PersonOrGroup, ...] = Field(
        default=(),
        alias="from",
        description="who may: ids of people (U…) and user groups (S…); every member if left out",
        examples=[["S0RELEASERS"]],
    )
    channels: tuple[Channel, ...] = Field(
        default=(),
        alias="in",
        description="the channels in which it may be asked for; any channel if left out",
        examples=[["C0RELEASES"]],
    )

    @model_validator(mode="after")
    def _limits_something(self) -> Permission:
        if not self.people and not self.channels:
            raise ValueError("limits nothing: write from: [S0RELEASERS] or in: [C0RELEASES], or leave it out")
        return self


class Permissions(Section):
    """Who may ask for what; every member where nothing is said. Guests and bots never may."""

    release: Permission | None = Field(
        default=None, description="who may ask for a release", examples=[{"from": ["S0RELEASERS"]}]
    )
    promote: Permission | None = Field(
        default=None, description="who may promote to it", examples=[{"from": ["S0RELEASERS"]}]
    )
    rollback: Permission | None = Field(
        default=None, description="who may roll it back", examples=[{"from": ["S0ONCALL"]}]
    )
    drill: Permission | None = Field(
        default=None,
        description="who may ask for a drill; who may ask for a release if left out",
        examples=[{"from": ["S0ONCALL"]}],
    )
    abort: Permission | None = Field(
        default=None,
        description="who may stop a release; whoever asked for it always may",
        examples=[{"from": ["S0ONCALL"]}],
    )
    lock: Permission | None = Field(
        default=None,
        description="who may lock it and open their locks; who may ask for a release if left out",
        examples=[{"from": ["S0ONCALL"]}],
    )
    hotfix: Permission | None = Field(
        default=None,
        description="who may ask for a release or promotion with --hotfix, instead of who may without",
        examples=[{"from": ["S0ONCALL"]}],
    )
    security: Permission | None = Field(
        default=None,
        description="who may ask for a release or promotion with --security, instead of who may without",
        examples=[{"from": ["S0SECURITY"]}],
    )
