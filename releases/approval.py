"""A person's answer to a release that waits, or that is about to start.

Each function returns the events to append, nothing (`()`) when the answer changes nothing, or a
`Refusal` for the person. An approval counts for the plan of one digest; whoever may not approve changes
nothing, and is told.
"""

from __future__ import annotations

from datetime import datetime

from releases import checklist, gates
from releases import events as e
from releases.again import again
from releases.lifecycle import Release, State, apply
from releases.people import Person
from releases.policy import Refusal, admit

Via = e.Via
Outcome = tuple[e.Event, ...] | Refusal


def approve(  # noqa: PLR0913 - what an answer says
    release: Release,
    who: Person,
    now: datetime,
    *,
    via: Via,
    digest: str | None,
    said_at: datetime | None = None,
) -> Outcome:
    """A yes. `digest` is the plan that the person saw, where the answer carries it (a button does).

    A line that somebody types carries none: it means the plan that was there at `said_at`, when it was typed.
    """
    if release.asked is not None:
        return sign_off(release, release.asked, who, now, via=via, good=True)
    refusal = _may_answer(release, who, now)
    if refusal is not None:
        return refusal
    plan = release.plan
    if plan is None or release.state is State.REQUESTED:  # for the first time, or again
        return Refusal(f"{release.id} is being planned.", "Approve when its plan is on the message.")
    planned_since = said_at is not None and release.planned_at is not None and release.planned_at > said_at
    if planned_since or (digest is not None and digest != plan.digest):
        return Refusal(
            f"The plan of {release.id} has changed since you opened it.",
            f"Plan #{plan.short_digest} is the one to look at now.",
        )
    needed = release.approval
    if needed is None:
        return ()
    if who.id == release.request.by.id and not needed.own_release:
        return Refusal(
            f"You asked for {release.id}; in {release.environment} nobody approves their own release.",
            "Somebody else has to approve it.",
            who=needed.approvers,
        )
    if any(approval.by.id == who.id for approval in release.approvals):
        return ()
    if wrong := checklist.needs_work(release.checklist):
        first = wrong[0]
        return Refusal(
            f"{release.id} cannot start as it is: {first.name}: {first.evidence}.",
            f"To make it so: {first.fix}." if first.fix else "",
        )
    given = e.ApprovalGiven(at=now, by=who.actor, digest=plan.digest, via=via)
    return _and_go(release, given)


def sign_off(  # noqa: PLR0913 - what an answer says
    release: Release, asked: e.SignOffAsked, who: Person, now: datetime, *, via: Via, good: bool
) -> Outcome:
    """A word on what a release has come to. One is enough, either way."""
    refusal = admit(who)
    if refusal is not None:
        return refusal
    if gates.settle(release, now):
        return Refusal(f"The question of {release.id} has expired.", "Your answer changes nothing.")
    if not who.is_any_of(asked.by):
        return Refusal(
            f"“{asked.question}” is answered by others.",
            "Your answer does not count; nothing was changed.",
            who=asked.by,
        )
    if good:
        return (e.SignedOff(at=now, index=asked.index, by=who.actor, via=via),)
    return (e.SignOffRefused(at=now, index=asked.index, by=who.actor, via=via),)


def tick(release: Release, who: Person, now: datetime, *, item: str, digest: str | None) -> Outcome:
    """A word for an item of the checklist. `digest` is the plan that the person saw."""
    refusal = admit(who) or _too_late(release, now)
    if refusal is not None:
        return refusal
    plan = release.plan
    wanted = next((each for each in release.checklist if each.name == item), None)
    if plan is None or release.state is not State.WAITING:
        return Refusal(f"{release.id} is still being planned.", "Tick when its plan is on the message.")
    if digest != plan.digest or wanted is None:
        return Refusal(
            f"The plan of {release.id} has changed since you opened it.",
            f"Plan #{plan.short_digest} is the one to look at now.",
        )
    if not wanted.is_for_people:
        return ()
    if not who.is_any_of(wanted.by):
        return Refusal(
            f"“{item}” is confirmed by others.",
            "Your tick does not count; nothing was changed.",
            who=wanted.by,
        )
    return _and_go(release, e.ItemTicked(at=now, by=who.actor, item=item, digest=plan.digest))


def look_again(release: Release, who: Person, now: datetime) -> Outcome:
    """Somebody has mended what the checklist found: plan again. Any member may ask for that."""
    refusal = admit(who) or _too_late(release, now)
    if refusal is not None:
        return refusal
    if release.state is not State.WAITING or not checklist.needs_work(release.checklist):
        return ()
    return (e.ReplanRequested(at=now, because=f"{who.name} asked to look again", by=who.actor),)


def withdraw(release: Release, who: Person, now: datetime) -> Outcome:
    """A yes taken back. Once it has started it is too late: that needs an abort."""
    if not any(approval.by.id == who.id for approval in release.approvals):
        return ()
    if release.state in gates.ANSWERABLE:
        return gates.taken_back(release, [e.ApprovalWithdrawn(at=now, by=who.actor)], now)
    if release.ended or release.state is State.REQUESTED:  # what is planned again is read again
        return ()
    return Refusal(
        f"{release.id} had all its approvals and has started.",
        "It can still be stopped.",
        copy=f"/buzzy abort {release.id}",
    )


def refuse(release: Release, who: Person, now: datetime, *, via: Via) -> Outcome:
    """A no. One is enough; the person who asked may also take the release back this way."""
    if release.asked is not None:
        return sign_off(release, release.asked, who, now, via=via, good=False)
    refusal = _may_answer(release, who, now, asker_may=True, until_start=True)
    if refusal is not None:
        return refusal
    if release.state not in {State.WAITING, State.ABOUT_TO_START}:
        return Refusal(f"{release.id} is being planned.", copy=f"/buzzy abort {release.id}")
    return (e.ReleaseRefused(at=now, by=who.actor, via=via),)


def _and_go(release: Release, said: e.ApprovalGiven | e.ItemTicked) -> tuple[e.Event, ...]:
    """What was said and, if nothing else is waited for, that the plan may run."""
    after = apply(release, said)
    return (said, *gates.go(after, said.at)) if after.may_start else (said,)


def _may_answer(
    release: Release, who: Person, now: datetime, *, asker_may: bool = False, until_start: bool = False
) -> Refusal | None:
    refusal = admit(who) or _too_late(release, now, until_start=until_start)
    if refusal is not None:
        return refusal
    needed = release.approval
    if asker_may and who.id == release.request.by.id:
        return None
    if needed is None or not who.is_any_of(needed.approvers):
        return Refusal(
            f"Releases to {release.environment} are approved by others.",
            "Your answer does not count; nothing was changed.",
            who=() if needed is None else needed.approvers,
        )
    return None


def _too_late(release: Release, now: datetime, *, until_start: bool = False) -> Refusal | None:
    """Why an answer changes nothing any more; `until_start` for those that count until it starts."""
    if gates.expired(release, now):
        return Refusal(
            f"{release.id} waited too long and has expired; nothing was changed.",
            "Ask for it again if it is still wanted.",
            copy=again(release),
        )
    if release.ended:
        return Refusal(f"{release.id} has ended already: {release.state}.", "Your answer changes nothing.")
    if until_start and release.state is State.ABOUT_TO_START:
        return None
    if release.state not in {State.REQUESTED, State.WAITING}:
        started = "is about to start" if release.started_at is None else "is under way"
        return Refusal(
            f"{release.id} has all its approvals and {started}.",
            "It can still be stopped.",
            copy=f"/buzzy abort {release.id}",
        )
    return None
