"""The clock of a gate: what time does to a release that waits, and the moment before one starts.

A release that waits for people, or for its environment to open, reminds, then tells on-call, then expires.
One that waits for nothing any more has a moment in which whoever is involved can stop it; nothing is started
before that has passed and its approvals were read again. Pure: each function returns the events to append.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from releases import events as e
from releases.lifecycle import Approval, Release, State, apply
from releases.people import Person
from releases.policy import admit

CONFIRM = timedelta(seconds=30)
"""How long after the moment a Slack that does not answer is waited for. While it is down nobody can take a
reaction back, and approvals are given in terminals: what is on the record counts, and the thread says so."""

BELIEVED = timedelta(seconds=60)
"""How old the reading of the approvals may be when a worker starts; an older one is made anew first."""

ANSWERABLE = frozenset({State.WAITING, State.ABOUT_TO_START, State.APPROVED, State.HELD})
"""States in which nothing has been changed yet, so that an approval can still be taken back."""


# -- a release that waits --------------------------------------------------------------------------


def expired(release: Release, now: datetime) -> bool:
    """Whether it waited too long, also if that has not been written down yet."""
    return release.state is State.EXPIRED or (release.expires_at is not None and now >= release.expires_at)


def settle(release: Release, now: datetime) -> tuple[e.Event, ...]:
    """What time decides by itself about a release that waits; each thing once, whoever asks how often."""
    if release.ended or release.expires_at is None:
        return ()
    if release.asked is not None:
        over = now >= release.asked.expires_at
        return (e.SignOffExpired(at=now, index=release.asked.index),) if over else ()
    if expired(release, now):
        return (e.ReleaseExpired(at=now),)
    remind_at, escalate_at = clock(release)
    due: list[e.Event] = []
    if remind_at is not None and now >= remind_at and release.reminded_at is None:
        due.append(e.GateReminded(at=now))
    if escalate_at is not None and now >= escalate_at and release.escalated_at is None:
        due.append(e.GateEscalated(at=now))
    return tuple(due)


def clock(release: Release) -> tuple[datetime | None, datetime | None]:
    """When a release that waits reminds, and when it tells on-call; None: never.

    A release that is held and whose environment opens by itself in time needs nobody.
    """
    needed, held = release.approval, release.held
    since = held.at if held is not None else release.planned_at
    if needed is None or since is None or release.expires_at is None:
        return None, None
    if held is not None and held.until is not None and held.until < release.expires_at:
        return None, None

    def after(seconds: int | None) -> datetime | None:
        return None if seconds is None else since + timedelta(seconds=seconds)

    return after(needed.remind_seconds), after(needed.escalate_seconds)


# -- the moment before the start -------------------------------------------------------------------


def go(release: Release, now: datetime) -> tuple[e.Event, ...]:
    """Let a release start whose approvals were read just now: at once, or after its moment."""
    if not release.grace:
        return (e.Approved(at=now, digest=_digest(release)),)
    return (_moment(release, now, now + release.grace),)


def go_once_read(release: Release, now: datetime) -> tuple[e.Event, ...]:
    """Let a release start whose approvals were given earlier: after its moment, when they are read again."""
    if release.approval is None:
        return go(release, now)
    return (_moment(release, now, now + release.grace),)


def taken_back(release: Release, gone: Sequence[e.ApprovalWithdrawn], now: datetime) -> tuple[e.Event, ...]:
    """Approvals that count no more. If there are enough others, what they had let go goes on."""
    after = release
    for event in gone:
        after = apply(after, event)
    if after.state is not State.WAITING or release.state is State.WAITING or not after.may_start:
        return tuple(gone)
    rest = release.moment.starts_at if release.state is State.ABOUT_TO_START and release.moment else now
    return (*gone, _moment(after, now, max(rest, now)))


def confirm(
    release: Release, now: datetime, *, people: Callable[[str], Person], stands: Callable[[Approval], bool]
) -> tuple[e.Event, ...]:
    """The moment has passed: start if all approvals still stand, else wait for others.

    `people` tells who somebody is now, and `stands` whether an approval is still on the message.
    """
    if not is_over(release, now):
        return ()
    disowned = disown(release, now, people)
    gone = (
        *disowned,
        *(
            e.ApprovalWithdrawn(at=now, by=given.by)
            for given in release.approvals
            if not stands(given) and given.by.id not in {event.by.id for event in disowned}
        ),
    )
    after = release
    for event in gone:
        after = apply(after, event)
    return (*gone, *_start(after, now)) if after.may_start or not gone else gone


def is_over(release: Release, now: datetime) -> bool:
    """Whether the moment of a release has passed, and it is to be confirmed."""
    moment = release.moment
    return release.state is State.ABOUT_TO_START and moment is not None and now >= moment.starts_at


def overdue(release: Release, now: datetime) -> tuple[e.Event, ...]:
    """What a worker does about a moment that has passed, if no bot did: it starts nothing by halves.

    Where nobody had to agree there is nothing to read. Else Slack is waited for, but not for ever.
    """
    asked = release.approval is not None
    if not is_over(release, now - CONFIRM if asked else now):
        return ()
    return _start(release, now, unread=asked)


def read_again(release: Release, now: datetime) -> tuple[e.Event, ...]:
    """What a worker does that is about to start: nothing, unless the approvals were read too long ago.

    The last look counts from when a worker asked for it, so that no clock that is behind asks for ever.
    """
    if release.approval is None or release.approved is None:
        return ()
    read = release.approved.at
    if release.moment is not None:
        read = max(read, release.moment.at)
    return (_moment(release, now, now),) if now - read >= BELIEVED else ()


def disown(
    release: Release, now: datetime, people: Callable[[str], Person]
) -> tuple[e.ApprovalWithdrawn, ...]:
    """The approvals that count no more, because who gave them may not approve any more.

    `people` tells who somebody is now.
    """
    needed = release.approval
    if needed is None or release.state not in {State.WAITING, State.ABOUT_TO_START}:
        return ()
    gone = []
    for given in release.approvals:
        who = people(given.by.id)
        if admit(who) is not None or not who.is_any_of(needed.approvers):
            because = f"{given.by.name} may not approve any more"
            gone.append(e.ApprovalWithdrawn(at=now, by=given.by, because=because))
    return tuple(gone)


def _start(release: Release, now: datetime, *, unread: bool = False) -> tuple[e.Event, ...]:
    if not release.may_start:
        return (e.ReplanRequested(at=now, because="not all that it waited for is there any more"),)
    return (e.Approved(at=now, digest=_digest(release), unread=unread),)


def _moment(release: Release, now: datetime, starts_at: datetime) -> e.MomentBegan:
    return e.MomentBegan(at=now, digest=_digest(release), starts_at=starts_at)


def _digest(release: Release) -> str:
    if release.plan is None:
        raise ValueError(f"{release.id} has no plan")
    return release.plan.digest
