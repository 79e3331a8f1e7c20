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
from bot.messages.release import sure_to_roll_back
from releases.lifecycle import Release


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
            [clip(_reason(release), PARAGRAPH)],
            [_left(release)],
            _origin(release, url),
        ),
        buttons(roll_back) if changed and not release.went_back_by_itself else None,
    )


def _reason(release: Release) -> str:
    return release.reason or (release.failure.reason if release.failure is not None else "")


def _left(release: Release) -> str:
    if release.went_back_by_itself:
        stable = clip(release.plan.stable, NAME) if release.plan is not None else "what was stable"
        return f"It went back by itself: {stable} has all of the traffic."
    changed = release.changed_services
    return f"Changed, and still so: {wording.changed(changed)}" if changed else "Nothing was changed."


def resolved_message(release: Release, application: str, by: Release, url: str | None) -> Message:
    """The same alert after `by` has put the environment right."""
    title = wording.title(release, application)
    end = f"put right by {by.id}: {wording.what(by, application)}"
    return message(
        f"✅ {title}: {wording.headline(release)}; {end}",
        lines(
            [bold(f"✅ {title}: {wording.headline(release)}")],
            [end[0].upper() + end[1:], " · ", *_at(by)],
            [clip(_reason(release), PARAGRAPH)],
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
    return joined(
        [link(url, f"{release.id}'s message")] if url else None,
        ["asked by ", who(release.request.by)],
        ["failed ", moment(release.ended_at, DAY_AND_TIME)] if release.ended_at else None,
    )


def _at(release: Release) -> Row:
    return [moment(release.ended_at, DAY_AND_TIME)] if release.ended_at else []
