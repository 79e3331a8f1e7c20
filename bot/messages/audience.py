"""What a wider audience hears of a release in a hurry: that it has started and why, and how it ended."""

from __future__ import annotations

from bot.messages import wording
from bot.messages.parts import (
    PARAGRAPH,
    SENTENCE,
    Message,
    Row,
    bold,
    clip,
    joined,
    lines,
    link,
    message,
    who,
)
from releases.lifecycle import Release, State


def start_message(release: Release, application: str, url: str | None) -> Message:
    """It has started, asked for by whom and why. `url` leads to its message."""
    return _message(f"⚡ {_title(release, application)} has started", release, url)


def end_message(release: Release, application: str, url: str | None) -> Message:
    """How it ended."""
    failed: Row | None = [clip(release.reason, PARAGRAPH)] if release.state is State.FAILED else None
    ended = f"{wording.emoji(release)} {_title(release, application)}: {wording.headline(release)}"
    return _message(ended, release, url, failed)


def _title(release: Release, application: str) -> str:
    kind = "hotfix" if release.request.urgency == "hotfix" else "security release"
    return f"{kind} {wording.title(release, application)}"


def _message(headline: str, release: Release, url: str | None, more: Row | None = None) -> Message:
    reason = release.request.reason
    return message(
        headline,
        lines(
            [bold(headline)],
            more,
            joined(
                ["asked by ", who(release.request.by)],
                [f"“{clip(reason, SENTENCE)}”"] if reason else None,
                [link(url, f"{release.id}'s message")] if url else None,
            ),
        ),
    )
