"""Who may ask for what, and what has to be agreed before it starts.

Pure: the rules of `buzzy.yaml` against who asks. Whether an environment is free is decided by the
record, in the same step that takes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from releases import grammar
from releases.config import Environment
from releases.events import ApprovalNeeded, ReleaseRequested, Target
from releases.lifecycle import Release, State
from releases.people import Person, Standing


@dataclass(frozen=True)
class Refusal:
    """Why something is not done: the rule, who could lift it, and a line to copy that would work.

    `who` has ids of people and user groups, for the one who renders it to name.
    """

    problem: str
    hint: str = ""
    who: tuple[str, ...] = ()
    copy: str | None = None


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


def request(
    command: grammar.Release | grammar.Rollback,
    environment: Environment,
    who: Person,
    now: datetime,
) -> ReleaseRequested | Refusal:
    """What is written into the record when this person asks for this, or why it is not.

    `now` is an aware UTC time.
    """
    refusal = admit(who)
    if refusal is not None:
        return refusal
    match command:
        case grammar.Release():
            return ReleaseRequested(
                at=now,
                kind="release",
                environment=environment.name,
                version=str(command.version),
                strategy=command.strategy or environment.strategy,
                services=command.services,
                reason=command.reason,
                by=who.actor,
                channel=environment.channel,
                approval=_needed(environment),
            )
        case grammar.Rollback():
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
                approval=_needed_to_go_back(environment, who),
            )


def busy(holder: Release, line: str) -> Refusal:
    """Why an environment is not free. `line` is the command that wanted it, in the grammar's words."""
    doing = {
        State.REQUESTED: "is being planned",
        State.WAITING: "waits for approval",
        State.APPROVED: "is about to start",
        State.TURNING_BACK: "is going back",
        State.HELD: "waits until the environment opens",
    }.get(holder.state, "is under way")
    return Refusal(
        f"{holder.id} {doing} in {holder.environment}, asked for by {holder.request.by.name}.",
        f"One release at a time: wait until it has ended, or stop it with `/buzzy abort {holder.id}`.",
        copy=line,
    )


def _needed(environment: Environment) -> ApprovalNeeded | None:
    rule = environment.approval
    if rule is None:
        return None
    return ApprovalNeeded(
        quorum=rule.quorum,
        approvers=rule.approvers,
        own_release=rule.own_release,
        expires_seconds=int(rule.expires.total_seconds()),
    )


def _needed_to_go_back(environment: Environment, who: Person) -> ApprovalNeeded | None:
    """A rollback does not wait: whoever may approve, or is on call, starts it at once.

    Anybody else needs one of them to agree, whatever quorum a release would need.
    """
    needed = _needed(environment)
    if needed is None:
        return None
    on_call = (
        ()
        if environment.alerts is None or environment.alerts.on_call is None
        else (environment.alerts.on_call,)
    )
    may = needed.approvers + on_call
    if who.is_any_of(may):
        return None
    return needed.model_copy(update={"quorum": 1, "approvers": may})


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
