"""What people can ask for, as values. `line()` prints the line (without `/buzzy`) that parses back to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from releases.config.durations import write_duration
from releases.version import Urgency, Version


@dataclass(frozen=True, slots=True)
class ToVersion:
    """Roll back to an earlier version."""

    version: Version

    def __str__(self) -> str:
        return str(self.version)


@dataclass(frozen=True, slots=True)
class ToRevision:
    """Roll back to a revision of Kubernetes' rollout history, as `kubectl rollout undo` can."""

    number: int

    def __str__(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True)
class ToRelease:
    """Roll back to what an earlier release, such as `R37`, had put there."""

    id: str

    def __str__(self) -> str:
        return self.id


Target: TypeAlias = ToVersion | ToRevision | ToRelease
"""Where a rollback goes."""


@dataclass(frozen=True, slots=True)
class Release:
    """Release a version to an environment. No services named means all of them."""

    version: Version
    environment: str
    strategy: str | None = None
    services: tuple[str, ...] = ()
    reason: str | None = None
    wait: bool = False
    override_freeze: bool = False
    hotfix: bool = False
    security: bool = False

    @property
    def urgency(self) -> Urgency | None:
        """Why it is in a hurry; None when it is not."""
        return _urgency(self.hotfix, self.security)

    def line(self) -> str:
        """The line that asks for this."""
        return _line(
            f"release {self.version} {self.environment}",
            wait=self.wait,
            override_freeze=self.override_freeze,
            strategy=self.strategy,
            services=_listed(self.services),
            hotfix=self.hotfix,
            security=self.security,
            reason=_quoted(self.reason),
        )


@dataclass(frozen=True, slots=True)
class Promote:
    """Release to one environment the version that runs in another, whichever that is."""

    source: str
    environment: str
    strategy: str | None = None
    services: tuple[str, ...] = ()
    reason: str | None = None
    wait: bool = False
    override_freeze: bool = False
    hotfix: bool = False
    security: bool = False

    @property
    def urgency(self) -> Urgency | None:
        """Why it is in a hurry; None when it is not."""
        return _urgency(self.hotfix, self.security)

    def line(self) -> str:
        """The line that asks for this."""
        return _line(
            f"promote {self.source} {self.environment}",
            wait=self.wait,
            override_freeze=self.override_freeze,
            strategy=self.strategy,
            services=_listed(self.services),
            hotfix=self.hotfix,
            security=self.security,
            reason=_quoted(self.reason),
        )


@dataclass(frozen=True, slots=True)
class Rollback:
    """Go back to an earlier version: to the one before, unless `to` says which."""

    environment: str
    to: Target | None = None
    services: tuple[str, ...] = ()
    reason: str | None = None
    restore: bool = False
    keep_database: bool = False

    def line(self) -> str:
        """The line that asks for this."""
        return _line(
            f"rollback {self.environment}",
            to=None if self.to is None else str(self.to),
            services=_listed(self.services),
            restore=self.restore,
            keep_database=self.keep_database,
            reason=_quoted(self.reason),
        )


@dataclass(frozen=True, slots=True)
class Drill:
    """Prove that a standby could take over, without touching it or what it follows."""

    environment: str
    reason: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return _line(f"drill {self.environment}", reason=_quoted(self.reason))


@dataclass(frozen=True, slots=True)
class Validate:
    """Run the suites of an environment on what it runs, or one of them."""

    environment: str
    suite: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return f"validate {self.environment} {self.suite or ''}".rstrip()


@dataclass(frozen=True, slots=True)
class Abort:
    """Stop a release, such as `R42`, and return to what was stable."""

    release: str
    reason: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return _line(f"abort {self.release}", reason=_quoted(self.reason))


@dataclass(frozen=True, slots=True)
class Pause:
    """Have a release, such as `R42`, stay where it is from its next safe point on."""

    release: str
    reason: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return _line(f"pause {self.release}", reason=_quoted(self.reason))


@dataclass(frozen=True, slots=True)
class Resume:
    """Let a release go on that was paused."""

    release: str

    def line(self) -> str:
        """The line that asks for this."""
        return f"resume {self.release}"


@dataclass(frozen=True, slots=True)
class Retry:
    """Have a release that failed go on from the step at which it did."""

    release: str

    def line(self) -> str:
        """The line that asks for this."""
        return f"retry {self.release}"


@dataclass(frozen=True, slots=True)
class Approve:
    """Agree to the plan of a release, such as `R42`: the same as its button and ✅."""

    release: str

    def line(self) -> str:
        """The line that asks for this."""
        return f"approve {self.release}"


@dataclass(frozen=True, slots=True)
class Refuse:
    """Say no to a release, such as `R42`: the same as its button and ❌."""

    release: str

    def line(self) -> str:
        """The line that asks for this."""
        return f"refuse {self.release}"


@dataclass(frozen=True, slots=True)
class Finish:
    """Say that a release is good of which what was watched could not: it ends well."""

    release: str

    def line(self) -> str:
        """The line that asks for this."""
        return f"finish {self.release}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Show what a release would do, and change nothing."""

    version: Version
    environment: str
    services: tuple[str, ...] = ()
    strategy: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return _line(
            f"plan {self.version} {self.environment}",
            strategy=self.strategy,
            services=_listed(self.services),
        )


@dataclass(frozen=True, slots=True)
class Diff:
    """Show what one environment has that another has not, and change nothing."""

    source: str
    environment: str

    def line(self) -> str:
        """The line that asks for this."""
        return f"diff {self.source} {self.environment}"


@dataclass(frozen=True, slots=True)
class Lock:
    """Close an environment, or all of them (`all`), to other people's releases."""

    place: str
    reason: str
    length: timedelta | None = None
    until: str | None = None
    take_over: bool = False
    rollbacks_too: bool = False

    def line(self) -> str:
        """The line that asks for this."""
        return _line(
            f"lock {self.place}",
            take_over=self.take_over,
            rollbacks_too=self.rollbacks_too,
            reason=_quoted(self.reason),
            **_end(self.length, self.until),
        )


@dataclass(frozen=True, slots=True)
class Unlock:
    """Open what one has locked."""

    place: str

    def line(self) -> str:
        """The line that asks for this."""
        return f"unlock {self.place}"


@dataclass(frozen=True, slots=True)
class Freeze:
    """Close an environment, or all of them (`all`), to everybody's releases for a time."""

    place: str
    reason: str
    length: timedelta | None = None
    until: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return _line(f"freeze {self.place}", reason=_quoted(self.reason), **_end(self.length, self.until))


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """End a freeze that somebody had begun."""

    place: str

    def line(self) -> str:
        """The line that asks for this."""
        return f"unfreeze {self.place}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Release a version later. `when` is a time as people type it, or the name of a train."""

    version: Version
    environment: str
    when: str
    strategy: str | None = None
    services: tuple[str, ...] = ()
    reason: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return _line(
            f"schedule {self.version} {self.environment} {_quoted(self.when)}",
            strategy=self.strategy,
            services=_listed(self.services),
            reason=_quoted(self.reason),
        )

    def release(self) -> Release:
        """What is asked for when it is due."""
        return Release(self.version, self.environment, self.strategy, self.services, self.reason)


@dataclass(frozen=True, slots=True)
class Unschedule:
    """Take a scheduled release, such as `S3`, back."""

    schedule: str

    def line(self) -> str:
        """The line that asks for this."""
        return f"unschedule {self.schedule}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """What is due and what is closed in the days to come; in one environment, or in all of them."""

    environment: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return f"calendar {self.environment or ''}".rstrip()


@dataclass(frozen=True, slots=True)
class Approvals:
    """What waits for a word: of the one who asks, and of others."""

    def line(self) -> str:
        """The line that asks for this."""
        return "approvals"


@dataclass(frozen=True, slots=True)
class Status:
    """What runs where; in one environment, or in all of them."""

    environment: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return f"status {self.environment or ''}".rstrip()


@dataclass(frozen=True, slots=True)
class History:
    """The releases there were; in one environment, or in all of them."""

    environment: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return f"history {self.environment or ''}".rstrip()


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations of the database: of one environment, or of all of them."""

    environment: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return f"migrations {self.environment or ''}".rstrip()


@dataclass(frozen=True, slots=True)
class Help:
    """What one can say; about one verb, or about all of them."""

    verb: str | None = None

    def line(self) -> str:
        """The line that asks for this."""
        return f"help {self.verb or ''}".rstrip()


Command: TypeAlias = (
    Release
    | Promote
    | Rollback
    | Drill
    | Validate
    | Abort
    | Pause
    | Resume
    | Retry
    | Approve
    | Refuse
    | Finish
    | Plan
    | Diff
    | Lock
    | Unlock
    | Freeze
    | Unfreeze
    | Schedule
    | Unschedule
    | Calendar
    | Approvals
    | Status
    | History
    | Migrations
    | Help
)
"""Everything that `parse` gives."""


def _urgency(hotfix: bool, security: bool) -> Urgency | None:  # noqa: FBT001 - the two flags of a command
    return "security" if security else "hotfix" if hotfix else None


def _line(start: str, **flags: str | bool | None) -> str:
    given = (_flag(name, value) for name, value in flags.items() if value is not None and value is not False)
    return " ".join([start, *given])


def _end(length: timedelta | None, until: str | None) -> dict[str, str | None]:
    return {"for": None if length is None else write_duration(length), "until": _quoted(until)}


def _flag(name: str, value: str | bool) -> str:  # noqa: FBT001 - a switch is there or not
    name = name.replace("_", "-")
    return f"--{name}" if value is True else f"--{name} {value}"


def _listed(services: tuple[str, ...]) -> str | None:
    return ",".join(services) or None


def _quoted(reason: str | None) -> str | None:
    if reason is None:
        return None
    escaped = reason.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
