"""Who may ask for what, and what has to be agreed before it starts.

Pure: the rules of `buzzy.yaml` against who asks. Whether an environment is free is decided by the
record, in the same step that takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from releases import grammar
from releases.config import Approval, Environment
from releases.events import ApprovalNeeded, ReleaseRequested, Target
from releases.lifecycle import MOVING, Release, State
from releases.people import Person, Standing
from releases.version import ReleaseType

GRACE = timedelta(seconds=10)
"""The moment before the start of a release that somebody had to agree to, unless buzzy.yaml says more."""


@dataclass(frozen=True)
class Refusal:
    """Why something is not done: the rule, who could lift it, and a line to copy that would work.

    `who` has ids of people and user groups and `where` ids of channels, for the one who renders it to name;
    `ready_at` is when time alone lifts it.
    """

    problem: str
    hint: str = ""
    who: tuple[str, ...] = ()
    copy: str | None = None
    where: tuple[str, ...] = ()
    ready_at: datetime | None = None


_STRANGERS = {
    Standing.GUEST: "Guests can read along, but releases are for members of this workspace.",
    Standing.FOREIGN: "You are here from another workspace; releases are for members of this one.",
    Standing.BOT: "Bots cannot ask for releases or approve them.",
    Standing.GONE: "This account is deactivated.",
}


def admit(who: Person) -> Refusal | None:
    """Refuse whoever may change nothing anywhere: guests, other workspaces' people, bots."""
    problem = _STRANGERS.get(who.standing)
    return None if problem is None else Refusal(problem, "Nothing was changed.")


Ruled = Literal["release", "promote", "rollback", "drill", "abort", "lock", "hotfix", "security"]
"""What `permissions` in buzzy.yaml has rules for."""

_WANTED: Mapping[Ruled, str] = MappingProxyType(
    {
        "release": "Releases to {}",
        "promote": "Promotions to {}",
        "rollback": "Rollbacks in {}",
        "drill": "Drills of {}",
        "abort": "Releases to {} that somebody else asked for",
        "lock": "Locks of {}",
        "hotfix": "Hotfixes to {}",
        "security": "Security releases to {}",
    }
)


_DONE: Mapping[Ruled, str] = MappingProxyType({"abort": "stopped", "lock": "set and opened"})

ANYWHERE = "anywhere"
"""No channel: where somebody may ask was looked at earlier, when they did."""


def may(what: Ruled, environment: Environment, who: Person, channel: str | None) -> Refusal | None:
    """Refuse whom the environment's rule for this leaves out; `channel` is where they ask, in Slack.

    Who may release may lock and drill as well, unless there is a rule for that.
    """
    refusal, permissions = admit(who), environment.permissions
    ruled: Ruled = what
    if what in {"lock", "drill"} and permissions is not None and getattr(permissions, what) is None:
        ruled = "release"
    rule = None if permissions is None else getattr(permissions, ruled)
    if refusal is not None or rule is None:
        return refusal
    wanted = _WANTED[what].format(environment.name)
    done = _DONE.get(what, "asked for")
    named = f"(`permissions.{ruled}` of {environment.name} in buzzy.yaml)"
    if rule.people and not who.is_any_of(rule.people):
        return Refusal(f"{wanted} are {done} by others {named}.", "Nothing was changed.", who=rule.people)
    if rule.channels and channel is None:
        return Refusal(
            f"{wanted} are {done} in Slack, in channels of their own, and not from a terminal {named}.",
            "Nothing was changed.",
            where=rule.channels,
        )
    if rule.channels and channel not in {*rule.channels, ANYWHERE}:
        return Refusal(
            f"{wanted} are {done} in other channels {named}.", "Nothing was changed.", where=rule.channels
        )
    return None


def request(
    command: grammar.Release | grammar.Promote | grammar.Rollback | grammar.Drill | grammar.Validate,
    environment: Environment,
    who: Person,
    now: datetime,
    *,
    channel: str | None = None,
) -> ReleaseRequested | Refusal:
    """What is written into the record when this person asks for this, or why it is not.

    `now` is an aware UTC time; `channel` is where they ask, None in a terminal.
    """
    refusal = may(_ruled(command), environment, who, channel) or _strategy_refused(command, environment)
    if refusal is not None:
        return refusal
    match command:
        case grammar.Promote(source=source) if source == environment.name:
            return Refusal(f"{source} cannot be promoted to itself.", "Nothing was changed.")
        case grammar.Release() | grammar.Promote():
            return ReleaseRequested(
                at=now,
                kind="release",
                environment=environment.name,
                version=None if isinstance(command, grammar.Promote) else str(command.version),
                strategy=command.strategy or environment.strategy,
                services=command.services,
                reason=command.reason,
                by=who.actor,
                channel=environment.channel,
                approval=needed(environment),
                approval_by_type=needed_by_type(environment),
                grace_seconds=grace(environment),
                grace_by_type=grace_by_type(environment),
                urgency=command.urgency,
                source=command.source if isinstance(command, grammar.Promote) else None,
            )
        case grammar.Validate():
            suites = (command.suite,) if command.suite else environment.validate_with
            if not suites:
                return Refusal(
                    f"{environment.name} has no suites of its own.",
                    f"Name one, or write in buzzy.yaml: environments.{environment.name}.validate",
                )
            return ReleaseRequested(
                at=now,
                kind="validation",
                environment=environment.name,
                version=None,
                strategy=environment.strategy,
                suites=suites,
                by=who.actor,
                channel=environment.channel,
                approval=None,
            )
        case grammar.Rollback():
            decided = _of_database(command)
            return ReleaseRequested(
                at=now,
                kind="rollback",
                environment=environment.name,
                version=None,
                target=_target(command.to),
                strategy=environment.strategy,
                services=command.services,
                reason=command.reason,
                by=who.actor,
                channel=environment.channel,
                approval=_needed_to_go_back(environment, who) if decided is None else needed(environment),
                database=decided,
            )
        case grammar.Drill() if environment.follows is None:
            return Refusal(
                f"{environment.name} is no standby: it follows no other environment.",
                "A drill proves that a standby could take over (`follows` in buzzy.yaml).",
            )
        case grammar.Drill():
            return ReleaseRequested(
                at=now,
                kind="drill",
                environment=environment.name,
                version=None,
                strategy=environment.strategy,
                reason=command.reason,
                by=who.actor,
                channel=environment.channel,
                approval=None,  # it changes nothing
            )


def _strategy_refused(
    command: grammar.Release | grammar.Promote | grammar.Rollback | grammar.Drill | grammar.Validate,
    environment: Environment,
) -> Refusal | None:
    """Why it cannot go about it in the way that was asked for; None when it can."""
    if isinstance(command, grammar.Rollback | grammar.Drill | grammar.Validate):
        return None
    asked = command.strategy
    if asked is None or asked in environment.may_go_by:
        return None
    return Refusal(
        f"Releases to {environment.name} are {' or '.join(environment.may_go_by)}, not {asked} "
        f"(`strategies` of {environment.name} in buzzy.yaml).",
        "Nothing was changed.",
        copy=replace(command, strategy=None).line(),
    )


def _of_database(command: grammar.Rollback) -> Literal["restore", "keep"] | None:
    """What the person decided about the database. It waits for approval, as a release would."""
    return "restore" if command.restore else "keep" if command.keep_database else None


def _ruled(
    command: grammar.Release | grammar.Promote | grammar.Rollback | grammar.Drill | grammar.Validate,
) -> Ruled:
    """The rule that a command falls under: whoever is in a hurry is judged by the rule for that, if any."""
    match command:
        case grammar.Drill():
            return "drill"
        case grammar.Rollback():
            return "rollback"
        case grammar.Promote():
            return command.urgency or "promote"
        case grammar.Validate():
            return "release"
        case grammar.Release():
            return command.urgency or "release"


def busy(holder: Release, line: str) -> Refusal:
    """Why an environment is not free. `line` is the command that wanted it, in the grammar's words."""
    doing = {
        State.REQUESTED: "is being planned",
        State.WAITING: "waits for approval",
        State.ABOUT_TO_START: "is about to start",
        State.APPROVED: "is about to start",
        State.TURNING_BACK: "is going back",
        State.ABORTING: "is being stopped",
        State.HELD: "waits until the environment opens",
        State.SIGNING: "waits for a sign-off",
        State.PAUSED: "is paused",
        State.UNDECIDED: "waits for somebody to say whether it is good",
    }.get(holder.state, "is under way")
    stop = f", or stop it with `/buzzy abort {holder.id}`"
    if holder.state in {State.ABORTING, State.TURNING_BACK}:
        stop = ""  # it is, and that is not stopped half-way
    elif holder.state in _TAKEN_BACK and holder.request.kind == "release" and holder.plan is not None:
        stop += f", which takes it back to {holder.plan.stable}"
    return Refusal(
        f"{holder.id} {doing} in {holder.environment}, asked for by {holder.request.by.name}.",
        f"One release at a time: wait until it has ended{stop}.",
        copy=line,
    )


_TAKEN_BACK = MOVING - {State.ABORTING, State.TURNING_BACK}


def takes_back(command: grammar.Rollback, holder: Release) -> bool:
    """Whether this rollback is asked for by stopping the release that is under way: it leads to the same.

    That is so while the release moves, and if all of it is to go to what was stable before it.
    """
    if holder.request.kind != "release" or holder.state not in _TAKEN_BACK or holder.plan is None:
        return False
    if command.services or command.restore or command.keep_database:
        return False
    return command.to is None or str(command.to) == holder.plan.stable


def needed(environment: Environment) -> ApprovalNeeded | None:
    """What has to be agreed before a release starts, whatever its type."""
    rule = environment.approval
    return None if rule is None else _as_needed(rule, alerts=environment.alerts is not None)


def needed_by_type(environment: Environment) -> dict[ReleaseType, ApprovalNeeded | None]:
    """The same for the types of release that have rules of their own."""
    rule = environment.approval
    if rule is None:
        return {}
    own = [type_ for type_ in ReleaseType if rule.of_type(type_) is not None]
    alerts = environment.alerts is not None
    return {type_: _as_needed(asked, alerts=alerts) if (asked := rule.of(type_)) else None for type_ in own}


def _as_needed(rule: Approval, *, alerts: bool) -> ApprovalNeeded:
    return ApprovalNeeded(
        quorum=rule.quorum,
        approvers=rule.approvers,
        own_release=rule.own_release,
        expires_seconds=_seconds(rule.expires),
        remind_seconds=_seconds(rule.reminds) or None,
        escalate_seconds=_seconds(rule.escalates) or None if alerts else None,
    )


def grace(environment: Environment) -> int:
    """The moment before a release's start in which it can be stopped, in seconds, whatever its type.

    A rollback has none: going back does not wait.
    """
    if environment.grace is not None:
        return _seconds(environment.grace)
    return 0 if environment.approval is None else _seconds(GRACE)


def grace_by_type(environment: Environment) -> dict[ReleaseType, int]:
    """The same for the types of release that have a moment of their own, or that nobody has to agree to."""
    rule = environment.approval
    own: dict[ReleaseType, int] = {}
    if rule is None:
        return own
    for type_ in ReleaseType:
        said = rule.of_type(type_)
        if said is not None and said.grace is not None:
            own[type_] = _seconds(said.grace)
        elif environment.grace is None and rule.of(type_) is None:
            own[type_] = 0
    return own


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _needed_to_go_back(environment: Environment, who: Person) -> ApprovalNeeded | None:
    """A rollback does not wait: whoever may approve, or is on call, starts it at once.

    Anybody else needs one of them to agree, whatever quorum a release would need.
    """
    asked = needed(environment)
    if asked is None:
        return None
    on_call = (
        ()
        if environment.alerts is None or environment.alerts.on_call is None
        else (environment.alerts.on_call,)
    )
    able = asked.approvers + on_call
    if who.is_any_of(able):
        return None
    return asked.model_copy(update={"quorum": 1, "approvers": able})


def _target(to: grammar.Target | None) -> Target | None:
    match to:
        case None:
            return None
        case grammar.ToVersion(version):
            return Target(version=str(version))
        case grammar.ToRevision(number):
            return Target(revision=number)
        case grammar.ToRelease(id_):
            return Target(release=id_)
