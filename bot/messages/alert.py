"""An alert: what on-call must know at once, with the one button that undoes it."""

from __future__ import annotations

from bot.messages import wording
from bot.messages.evidence import evidence_pieces
from bot.messages.parts import (
    DAY_AND_TIME,
    NAME,
    PARAGRAPH,
    Message,
    Row,
    bold,
    button,
    buttons,
    clip,
    joined,
    lines,
    link,
    message,
    moment,
    phrase,
    who,
    whom,
)
from bot.messages.presses import ROLLBACK, Press
from bot.messages.release_buttons import sure_to_roll_back
from releases.lifecycle import Release, State


def alert_message(release: Release, application: str, on_call: str | None, url: str | None) -> Message:
    """A release has failed: what it changed is still changed, or it went back by itself.

    `url` leads to its message.
    """
    title = wording.title(release, application)
    headline = f"🚨 {title}: {wording.headline(release)}"
    changed = wording.left_changed(release)
    roll_back = button(
        "Roll back",
        ROLLBACK,
        Press(release=release.id, digest=release.plan.digest if release.plan else None).value(),
        style="danger",
        confirm=sure_to_roll_back(release),
    )
    return message(
        headline,
        lines(
            phrase(bold(headline), *((" — ", whom(on_call)) if on_call else ())),
            [clip(_why(release), PARAGRAPH)],
            [_what_now(release)],
            _origin(release, url),
        ),
        buttons(roll_back) if changed and not _goes_back(release) else None,
    )


def _goes_back(release: Release) -> bool:
    """Whether it undoes by itself what it did; one that could not is as any that failed."""
    return release.by_itself and release.state is not State.FAILED


def _why(release: Release) -> str:
    return release.reason or release.turned_back_because or ""


def _what_now(release: Release) -> str:
    changed = wording.left_changed(release)
    if _goes_back(release):
        if release.state is State.ROLLED_BACK:
            stable = clip(release.plan.stable, NAME) if release.plan is not None else "what was stable"
            return f"It went back by itself: {stable} runs as before."
        return f"Going back by itself: {changed}" if changed else "Going back by itself; nothing was changed."
    return f"Changed, and still so: {changed}" if changed else "Nothing was changed."


def resolved_message(release: Release, application: str, by: Release, url: str | None) -> Message:
    """The same alert after `by` has put the environment right, or after somebody has retried it."""
    title = wording.title(release, application)
    if by.id == release.id and release.retried is not None and by.state is not State.RELEASED:
        return message(
            f"🔁 {title}: failed, and is retried by {release.retried.by.name}",
            lines(
                [bold(f"🔁 {title}: failed, and was retried")],
                ["by ", who(release.retried.by), " · ", moment(release.retried.at, DAY_AND_TIME)],
                _origin(release, url),
            ),
        )
    end = f"put right by {by.id}: {wording.what(by, application)}"
    if by.id == release.id and by.state is State.RELEASED:
        end = "put right by a retry"
    elif by.id == release.id:
        end = f"all services are back at {release.plan.stable if release.plan else 'what was before'}"
    return message(
        f"✅ {title}: {wording.headline(release)}; {end}",
        lines(
            [bold(f"✅ {title}: {wording.headline(release)}")],
            [end[0].upper() + end[1:], " · ", *_at(by)],
            [clip(_why(release), PARAGRAPH)],
            _origin(release, url),
        ),
    )


def evidence_message(release: Release) -> Message | None:
    """The alert's thread: the failing pods' own words; None when there are none."""
    if release.failure is None or not release.failure.evidence:
        return None
    pieces = evidence_pieces(release.failure.evidence)
    return message(f"Why {release.id} failed: {release.failure.reason}", *pieces)


def _origin(release: Release, url: str | None) -> Row:
    is_good = release.state is State.RELEASED  # by a retry
    return joined(
        [link(url, f"{release.id}'s message")] if url else None,
        ["asked by ", who(release.request.by)],
        ["failed ", moment(release.ended_at, DAY_AND_TIME)] if release.ended_at and not is_good else None,
    )


def _at(release: Release) -> Row:
    return [moment(release.ended_at, DAY_AND_TIME)] if release.ended_at else []
