"""A person's word to a release that is under way, or that has failed: stop it, pause it, let it go on.

Each function returns the events to append, nothing (`()`) when the word changes nothing, or a `Refusal` for
the person. Whoever asked for the release may say any of it; for others, `allowed` has the environment's rule.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from releases import events as e
from releases.again import again
from releases.lifecycle import MOVING, UNASKED_EXPIRES, Release, State
from releases.people import Person
from releases.policy import Refusal, admit

Outcome = tuple[e.Event, ...] | Refusal
Rule = Callable[[Person], Refusal | None]


def abort(  # noqa: PLR0913 - who wants what stopped, why, from where, and whether they may
    release: Release,
    who: Person,
    now: datetime,
    reason: str | None,
    *,
    via: e.AskedVia = "slack",
    allowed: Rule = admit,
) -> Outcome:
    """Stop it: at once while nothing was changed, at its next safe point while it runs.

    `allowed` has the environment's rule for that; whoever asked for the release may always stop it, and who
    may approve it may until it has started.
    """
    involved = who.id == release.request.by.id or _may_still_stop(release, who)
    refusal = admit(who) if involved else allowed(who)
    if refusal is not None:
        return refusal
    if release.ended:
        return Refusal(
            f"{release.id} has ended already: {release.state}.",
            "To undo it, roll back.",
            copy=f"/buzzy rollback {release.environment}",
        )
    if release.state in {State.ABORTING, State.CANCELLING}:
        return ()
    if release.state is State.TURNING_BACK:
        return Refusal(f"{release.id} is going back already; that is not stopped half-way.")
    wanted = e.AbortRequested(at=now, by=who.actor, reason=reason, via=via)
    if release.state in MOVING:
        return (wanted,)
    return (wanted, e.ReleaseCancelled(at=now))


def finish(
    release: Release,
    who: Person,
    now: datetime,
    *,
    via: e.Via,
    allowed: Rule = admit,
) -> Outcome:
    """Say that it is good, where what was watched could not say so.

    `allowed` has the environment's rule for releases; whoever asked for this one may in any case.
    """
    refusal = admit(who) if who.id == release.request.by.id else allowed(who)
    if refusal is not None:
        return refusal
    if release.ended:
        return Refusal(f"{release.id} has ended already: {release.state}.", "Your answer changes nothing.")
    if release.state is not State.UNDECIDED:
        return Refusal(f"{release.id} does not ask anybody whether it is good.", "Nothing was changed.")
    return (e.MonitorSettled(at=now, by=who.actor, via=via),)


def pause(  # noqa: PLR0913 - who wants it paused, why, from where, and whether they may
    release: Release,
    who: Person,
    now: datetime,
    reason: str | None,
    *,
    via: e.AskedVia = "slack",
    allowed: Rule = admit,
) -> Outcome:
    """Have it stay where it is from its next safe point on: between two steps. Nothing is undone."""
    refusal = _may(release, who, allowed) or _not_paused(release)
    if refusal is not None:
        return refusal
    if release.pause is not None:
        return ()
    if not any(each.started_at is None for each in release.forward):
        return Refusal(f"{release.id} is at its last step: there is nothing left to pause before.")
    return (e.PauseRequested(at=now, by=who.actor, reason=reason, via=via),)


def _not_paused(release: Release) -> Refusal | None:
    """Why it cannot be paused as it stands."""
    abort = f"/buzzy abort {release.id}"
    if release.ended:
        return Refusal(f"{release.id} has ended already: {release.state}.", "There is nothing to pause.")
    if release.request.kind != "release":
        return Refusal(f"{release.id} is a {release.request.kind}; it is not paused.", copy=abort)
    match release.state:
        case State.RUNNING | State.PAUSED:
            return None
        case State.TURNING_BACK | State.ABORTING | State.CANCELLING:
            return Refusal(f"{release.id} is going back already; that is not stopped half-way.")
        case State.SIGNING | State.UNDECIDED:
            return Refusal(f"{release.id} waits for somebody as it is.", "It goes on when they answer.")
        case _:
            return Refusal(
                f"{release.id} has not started.",
                "A lock keeps releases from starting:",
                copy=f'/buzzy lock {release.environment} --reason "…"',
            )


def resume(release: Release, who: Person, now: datetime, *, via: e.Via, allowed: Rule = admit) -> Outcome:
    """Let it go on with its next step. Whoever had it paused may, too."""
    paused_it = release.pause is not None and release.pause.by.id == who.id
    refusal = admit(who) if paused_it else _may(release, who, allowed)
    if refusal is not None:
        return refusal
    if release.ended:
        hint = f"/buzzy retry {release.id}" if release.state is State.FAILED else None
        return Refusal(f"{release.id} has ended already: {release.state}.", "It is not paused.", copy=hint)
    if release.pause is None:
        return Refusal(f"{release.id} is not paused.", "Nothing was changed.")
    return (e.Resumed(at=now, by=who.actor, via=via),)


def retry(  # noqa: PLR0913 - what is known of it and its environment, who wants it, and whether they may
    release: Release,
    who: Person,
    now: datetime,
    *,
    via: e.Via,
    newest: str | None,
    passed: tuple[e.Passage, ...] = (),
    delivery: str = "",
    allowed: Rule = admit,
) -> Outcome:
    """Have it go on from the step at which it failed, with the plan that was agreed to.

    A `delivery` counts once, also when it comes again after the release has failed again.
    `newest` is the environment's newest release: after another nobody knows what there is to go on from.
    `passed` is what closes the environment and does not stop this. The approvals hold for as long as they
    would have been waited for; each step looks at what it finds before it changes anything, as ever.
    """
    refusal = _may(release, who, allowed)
    if refusal is not None:
        return refusal
    if delivery and release.retried is not None and release.retried.delivery == delivery:
        return ()
    if not release.ended:
        if release.retried is not None and release.retried.by.id == who.id:
            return ()
        return Refusal(f"{release.id} has not failed: it is {release.state}.", "Nothing was changed.")
    if release.state is not State.FAILED or release.request.kind not in {"release", "rollback"}:
        return Refusal(
            f"{release.id} has ended: {release.state}. There is no failed step to go on from.",
            "Ask for it anew:",
            copy=again(release),
        )
    if newest != release.id:
        return Refusal(
            f"{newest} has been asked for since {release.id} failed.", "Ask for it anew:", copy=again(release)
        )
    if release.ended_at is not None and now - release.ended_at >= holds(release):
        return Refusal(
            f"{release.id} failed too long ago: its approval does not hold any more.",
            "Ask for it anew:",
            copy=again(release),
        )
    if release.back:
        return (e.WayBackRetried(at=now, by=who.actor, via=via, delivery=delivery),)
    return (e.Retried(at=now, by=who.actor, via=via, delivery=delivery, passed=passed),)


def holds(release: Release) -> timedelta:
    """How long after its failure it may be retried."""
    needed = release.approval
    return UNASKED_EXPIRES if needed is None else timedelta(seconds=needed.expires_seconds)


def _may(release: Release, who: Person, allowed: Rule) -> Refusal | None:
    return admit(who) if who.id == release.request.by.id else allowed(who)


def _may_still_stop(release: Release, who: Person) -> bool:
    """Whether somebody may stop it because they may approve it, and it has not started."""
    agreed = release.state in {State.ABOUT_TO_START, State.APPROVED, State.HELD}
    return agreed and release.approval is not None and who.is_any_of(release.approval.approvers)
