"""A release that waits for long: what its approvers are reminded of, and what on-call is told.

Read on a phone at night: what waits, whose it is, until when, and how to answer.
"""

from __future__ import annotations

from slack_sdk.models.blocks import ActionsBlock

from bot.messages import wording
from bot.messages.parts import (
    DAY_AND_TIME,
    NAME,
    PARAGRAPH,
    SENTENCE,
    Message,
    Row,
    bold,
    button,
    buttons,
    clip,
    code,
    joined,
    lines,
    link,
    message,
    moment,
    phrase,
    plain,
    several,
    who,
    whom,
)
from bot.messages.presses import ABORT, APPROVE, PLAN, REFUSE, Press
from releases.checklist import blocking, needs_work
from releases.config import format_duration
from releases.lifecycle import Release, State

GATES = frozenset({State.WAITING, State.HELD})
"""States in which somebody is waited for."""


def reminder_message(release: Release, application: str) -> Message:
    """A line of the thread, for those who can answer."""
    row = joined(
        ["⏰ ", *several([whom(id_) for id_ in _asked(release)])],
        [wording.title(release, application)],
        [_waits(release)],
    )
    return message(plain(row), lines(row, _whose(release), *_how(release, "the message above")))


def escalation_message(release: Release, application: str, on_call: str | None, url: str | None) -> Message:
    """What on-call is told. `url` leads to the release's message."""
    headline = f"🔔 {wording.title(release, application)}: {_waits(release)}"
    others = several([whom(id_) for id_ in _asked(release)])
    return message(
        headline,
        lines(
            phrase(bold(headline), *((" — ", whom(on_call)) if on_call else ())),
            _whose(release, url),
            ["It waits for ", *others] if others else None,
            *_how(release, "its message"),
        ),
        _buttons(release),
    )


def answered_message(told: Release, now: Release, application: str, url: str | None) -> Message:
    """The same when nobody is waited for any more; `told` is the release as it was then."""
    title = wording.title(told, application)
    return message(
        f"✅ {title}: {_answer(now)}",
        lines([bold(f"✅ {title}")], [_answer(now)], _whose(told, url)),
    )


def _answer(now: Release) -> str:
    if now.ended and now.started_at is None:
        return wording.headline(now)
    if now.state is State.REQUESTED:
        return "it is planned again"
    return "it was answered, nobody is waited for"


def _waits(release: Release) -> str:
    """What it waits for, and for how long already, when that is said."""
    since = release.held.at if release.held is not None else release.planned_at
    at = release.last_at
    for_ = f", for {format_duration(at - since)}" if since is not None and at is not None else ""
    return f"{wording.headline(release)}{for_}"


def _whose(release: Release, url: str | None = None) -> Row:
    request = release.request
    return joined(
        [
            "asked by ",
            who(request.by),
            *([f": “{clip(request.reason, SENTENCE)}”"] if request.reason else []),
        ],
        ["expires ", moment(release.expires_at, DAY_AND_TIME)] if release.expires_at else None,
        [link(url, f"{release.id}'s message")] if url else None,
    )


def _asked(release: Release) -> tuple[str, ...]:
    """The people and groups who can let it go on; nobody in particular where that is not known."""
    asker = release.request.by.id
    if release.state is State.HELD or needs_work(release.checklist):
        return (asker,) if asker[:1] in {"U", "W"} else ()
    if release.approvals_missing and release.approval is not None:
        return release.approval.approvers
    return tuple(dict.fromkeys(id_ for item in blocking(release.checklist) for id_ in item.by))


def _how(release: Release, where: str) -> list[Row]:
    """What to do about it."""
    if release.state is State.HELD and release.held is not None:
        return [[clip(release.held.because, PARAGRAPH)]]
    if wrong := needs_work(release.checklist):
        first = wrong[0]
        row = [f"{clip(first.name, NAME)}: {clip(first.evidence, SENTENCE)}"]
        mend = [f"To mend it: {clip(first.fix, SENTENCE)}"] if first.fix else None
        return [joined(row, mend, [f"then press Look again on {where}"])]
    if not release.approvals_missing:
        names = ", ".join(clip(item.name, NAME) for item in blocking(release.checklist))
        return [[f"To tick on {where}: {clip(names, PARAGRAPH)}"]]
    return [
        [
            f"✅ or ❌ on {where}, its buttons, or ",
            code(f"/buzzy approve {release.id}"),
            ", ",
            code(f"/buzzy refuse {release.id}"),
        ]
    ]


def _buttons(release: Release) -> ActionsBlock | None:
    press = Press(release=release.id, digest=release.plan.digest if release.plan else None).value()
    plan = button("Plan", PLAN, press)
    if release.state is State.HELD:
        return buttons(plan, button("Stop it", ABORT, press, style="danger"))
    if not release.approvals_missing or needs_work(release.checklist):
        return buttons(plan)
    return buttons(
        button("Approve", APPROVE, press, style="primary"),
        button("Refuse", REFUSE, press, style="danger"),
        plan,
    )
