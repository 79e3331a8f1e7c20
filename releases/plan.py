"""A plan: frozen data that says, before anything runs, every step there and every step back.

People approve a plan by its digest, so a plan holds nothing that changes by itself (no times, no pod
counts): planning the same release twice against an unchanged cluster gives the same digest, and that is
how the bot notices at the moment of starting that something moved.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from releases.blue_green import Follow, Keep, Prepare, Preview, Switch, VerifyGreen, Watch
from releases.checklist import VOLATILE, Item
from releases.database import Applied, Backup, Migrate, Migration, Restore, in_the_way
from releases.frozen import Frozen, Json, canonical_json, digest_of
from releases.identifying import Identify
from releases.monitoring import Monitor
from releases.template import Template
from releases.validation import Validate
from releases.version import ReleaseType

__all__ = [
    "Change",
    "EnsureConfiguration",
    "Follow",
    "Frozen",
    "Identify",
    "Json",
    "Keep",
    "Plan",
    "Prepare",
    "Preview",
    "RollOut",
    "Step",
    "Switch",
    "Template",
    "Verify",
    "VerifyGreen",
    "Watch",
    "canonical_json",
    "digest_of",
    "template_diff",
    "verification",
    "way_back",
]


RequestKind = Literal["release", "rollback", "drill", "validation"]
"""What somebody can ask for; a drill changes nothing."""


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


class EnsureFiles(Frozen):
    """Create the immutable ConfigMap of the version's files, if it is not there yet.

    As with the configuration, nothing has to be undone. The files themselves are not in the plan.
    """

    kind: Literal["ensure_files"] = "ensure_files"
    name: str
    folder: str = Field(description="where they are, from where buzzy.yaml is")
    files: dict[str, str] = Field(description="name → the SHA-256 of its content")
    changes: tuple[str, ...] = Field(
        default=(),
        description="what differs from those that the services have now: `+ new`, `~ changed`, `- gone`",
    )

    def undo(self) -> Step | None:
        """Nothing: the files before are still there, and the templates switch back to them."""
        return None

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return f"files {self.name}"


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


Change = RollOut | Switch
"""The steps by which a service comes to run something else for those who use it."""


class Expected(Frozen):
    """What one service of a standby has to be like to take over; what is empty is not asked."""

    service: str
    image: str = Field(default="", description="as the environment that it follows runs it")
    pods: int = Field(default=0, description="how many it has to ask for at least")
    configuration: tuple[str, ...] = Field(
        default=(), description="names of variables and files that its pods have to be given"
    )


DrillPart = Literal["pods", "health", "versions", "configuration", "database"]


class Drill(Frozen):
    """Look whether a standby could take over now, in one respect."""

    kind: Literal["drill"] = "drill"
    part: DrillPart
    follows: str = Field(description="the environment whose place it would take")
    expected: tuple[Expected, ...] = ()

    def undo(self) -> Step | None:
        """Nothing: looking changes nothing."""
        return None

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        match self.part:
            case "pods":
                return "every pod is there and ready"
            case "health":
                return "every pod answers for its health"
            case "versions":
                return f"the versions of {self.follows}"
            case "configuration":
                return f"the configuration that {self.follows} has"
            case "database":
                return "the database answers"


Step = Annotated[
    EnsureConfiguration
    | EnsureFiles
    | RollOut
    | Prepare
    | Preview
    | VerifyGreen
    | Switch
    | Follow
    | Watch
    | Verify
    | Keep
    | Backup
    | Migrate
    | Restore
    | Identify
    | Drill
    | Validate
    | Monitor,
    Field(discriminator="kind"),
]


_LATER = frozenset({"checklist", "notes", "database", "on_failure"})
_LATER_OF_STEPS = frozenset({"metric", "backup", "after_seconds"})
_UNSAID: dict[str, Any] = {
    "checklist": {"__all__": set(VOLATILE)},
    "steps": {"__all__": {"suspects": {"__all__": {"since", "by"}}}},
}


class Plan(Frozen):
    """What will be done to an environment, in order, and how each step is undone."""

    kind: RequestKind
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
    database: tuple[Applied, ...] | None = Field(
        default=None, description="the migrations that its database has before it; None: nobody keeps track"
    )
    on_failure: Literal["rollback"] | None = Field(
        default=None,
        description="whether it goes back by itself once it is seen to be ill; None: a person decides",
    )

    @property
    def digest(self) -> str:
        """What an approval is bound to: the SHA-256 of the plan's canonical JSON.

        Of the checklist counts how each item stands, not the numbers that say so; of what changed, not since
        when and by whom. Fields that came with later
        versions of Buzzy count once they are used, so that a plan keeps the digest that it was approved by.
        """
        content = self.model_dump(mode="json", exclude=_UNSAID)
        for step in content["steps"]:
            for name in _LATER_OF_STEPS & step.keys():
                if not step[name]:
                    del step[name]
        return digest_of({key: value for key, value in content.items() if key not in _LATER or value})

    @property
    def goes_back(self) -> bool:
        """Whether it goes back by itself: always in blue-green, else where `on_failure` says so."""
        return self.kind == "release" and (self.strategy == "blue-green" or self.on_failure == "rollback")

    @property
    def short_digest(self) -> str:
        """The digest as people see it, such as `7f3a`."""
        return self.digest[:4]

    def way_back(self) -> tuple[Step, ...]:
        """The steps that would undo it; none for a rollback, which is never rolled back in turn."""
        return () if self.kind == "rollback" else way_back(self.steps)

    @property
    def stays(self) -> tuple[Migration, ...]:
        """The migrations that stay, and with which the version before would not run."""
        return in_the_way(self.steps)

    def rollouts(self) -> Iterator[Change]:
        """The steps that change what a service runs, in their order."""
        for step in self.steps:
            if isinstance(step, Change):
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
    changes = [step for step in undone if isinstance(step, Change)]
    if not changes:
        return tuple(undone)
    return (*undone, verification(changes))


def verification(changes: Iterable[Change]) -> Verify:
    """The step that verifies what the given steps leave behind."""
    known = tuple(changes)
    return Verify(
        deployments={step.service: step.new.digest for step in known},
        names={step.service: step.deployment for step in known},
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
