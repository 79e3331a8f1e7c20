"""A plan: frozen data that says, before anything runs, every step there and every step back.

People approve a plan by its digest, so a plan holds nothing that changes by itself (no times, no pod
counts): planning the same release twice against an unchanged cluster gives the same digest, and that is
how the bot notices at the moment of starting that something moved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from releases.checklist import VOLATILE, Item
from releases.monitoring import Monitor
from releases.version import ReleaseType

Json = dict[str, Any]
"""A JSON object as Kubernetes gives it; opaque to us but for the fields that we name."""


def canonical_json(value: object) -> str:
    """One text for one value: sorted keys, no spaces, no characters that need a second look."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(value: object) -> str:
    """The SHA-256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


class Frozen(BaseModel):
    """Data that is made once and never changed; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Template(Frozen):
    """A Deployment's pod template at one revision.

    `spec` is the whole template as the API server returns it, without the `pod-template-hash` label that
    the controller adds: going back restores all of it, as `kubectl rollout undo` does, not the image alone.
    """

    image: str
    version: str | None = Field(description="what the image's tag says; None if it is no version")
    revision: int | None = Field(description="the rollout revision that has it; None if none has it yet")
    spec: Json

    @property
    def digest(self) -> str:
        """Names the template by content; two templates are the same when their digests are."""
        return digest_of(self.spec)


class EnsureConfiguration(Frozen):
    """Create the version's immutable ConfigMap, if it is not there yet.

    Its name carries a hash of its content, so it is never overwritten, and templates of earlier
    revisions go on referring to their own: nothing has to be undone.
    """

    kind: Literal["ensure_configuration"] = "ensure_configuration"
    name: str
    data: dict[str, str]

    def undo(self) -> Step | None:
        """Nothing: the configuration before is still there, and the templates switch back to it."""
        return None

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return f"configuration {self.name}"


class RollOut(Frozen):
    """Bring one service's Deployment from one pod template to another, and wait until it is healthy."""

    kind: Literal["roll_out"] = "roll_out"
    service: str
    deployment: str
    container: str
    stable: Template
    new: Template
    deadline_seconds: int = Field(gt=0, description="how long the rollout may take before it has failed")

    def undo(self) -> Step | None:
        """The same step with its ends exchanged."""
        return self.model_copy(update={"stable": self.new, "new": self.stable})

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return f"{self.service} to {self.new.version or self.new.image}"


class Verify(Frozen):
    """Look at every service once more, together: all pods new, ready, and none restarting."""

    kind: Literal["verify"] = "verify"
    deployments: dict[str, str] = Field(description="service → the digest of the template that it must run")
    names: dict[str, str] = Field(description="service → the name of its Deployment")

    def undo(self) -> Step | None:
        """Nothing: looking changes nothing."""
        return None

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return "all services verified"


Step = Annotated[EnsureConfiguration | RollOut | Verify | Monitor, Field(discriminator="kind")]


_LATER = frozenset({"checklist", "notes", "on_failure"})
_UNSAID: dict[str, Any] = {"checklist": {"__all__": set(VOLATILE)}}


class Plan(Frozen):
    """What will be done to an environment, in order, and how each step is undone."""

    kind: Literal["release", "rollback"]
    application: str
    environment: str
    namespace: str
    strategy: str
    stable: str = Field(description="what runs now: a version, or several joined by ' / '")
    new: str = Field(description="what will run afterwards, in the same words")
    type: ReleaseType | None = Field(default=None, description="None for a rollback")
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = Field(default=(), description="what approvers should know, a sentence each")
    checklist: tuple[Item, ...] = Field(default=(), description="what must be so before it starts")
    notes: str | None = Field(default=None, description="the address of the new version's release notes")
    on_failure: Literal["rollback"] | None = Field(
        default=None,
        description="whether it goes back by itself once it is seen to be ill; None: a person decides",
    )

    @property
    def digest(self) -> str:
        """What an approval is bound to: the SHA-256 of the plan's canonical JSON.

        Of the checklist counts how each item stands, not the numbers that say so. Fields that came with later
        versions of Buzzy count once they are used, so that a plan keeps the digest that it was approved by.
        """
        content = self.model_dump(mode="json", exclude=_UNSAID)
        return digest_of({key: value for key, value in content.items() if key not in _LATER or value})

    @property
    def short_digest(self) -> str:
        """The digest as people see it, such as `7f3a`."""
        return self.digest[:4]

    def way_back(self) -> tuple[Step, ...]:
        """The steps that would undo it; none for a rollback, which is never rolled back in turn."""
        return () if self.kind == "rollback" else way_back(self.steps)

    def rollouts(self) -> Iterator[RollOut]:
        """The steps that change a service, in their order."""
        for step in self.steps:
            if isinstance(step, RollOut):
                yield step

    @property
    def services(self) -> tuple[str, ...]:
        """The services that change, in rollout order."""
        return tuple(step.service for step in self.rollouts())


def way_back(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps that undo the given ones, in reverse order, with a verification at their end.

    Nothing to undo gives no steps.
    """
    undone = [undo for step in reversed(steps) if (undo := step.undo()) is not None]
    rollouts = [step for step in undone if isinstance(step, RollOut)]
    if not rollouts:
        return tuple(undone)
    return (*undone, verification(rollouts))


def verification(rollouts: list[RollOut]) -> Verify:
    """The step that verifies what the given rollouts leave behind."""
    return Verify(
        deployments={step.service: step.new.digest for step in rollouts},
        names={step.service: step.deployment for step in rollouts},
    )


def template_diff(stable: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """What changes between two pod templates, one line a field: `path: before → after`.

    Paths are Kubernetes' own (`spec.containers[buzzy-main].image`); list items that have a `name` are
    matched by it, others by position.
    """
    before, after = dict(_leaves("", stable)), dict(_leaves("", new))
    lines = []
    for path in sorted(before.keys() | after.keys()):
        old, now = before.get(path), after.get(path)
        if old == now:
            continue
        if old is None:
            lines.append(f"{path}: + {now}")
        elif now is None:
            lines.append(f"{path}: - {old}")
        else:
            lines.append(f"{path}: {old} → {now}")
    return tuple(lines)


def _leaves(path: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from _leaves(f"{path}.{key}" if path else str(key), inner)
        case list() | tuple():
            for index, inner in enumerate(value):
                name = inner.get("name", index) if isinstance(inner, Mapping) else index
                yield from _leaves(f"{path}[{name}]", inner)
        case _:
            yield path, json.dumps(value, ensure_ascii=False).strip('"')
