"""An alert about something that was released a while ago: what is wrong, and the ways to go back."""

from __future__ import annotations

from slack_sdk.models.blocks import ConfirmObject, PlainTextObject

from bot.messages.evidence import evidence_pieces
from bot.messages.parts import (
    DAY_AND_TIME,
    NAME,
    PARAGRAPH,
    Message,
    bold,
    button,
    buttons,
    clip,
    code,
    lines,
    message,
    moment,
    phrase,
    whom,
)
from bot.messages.presses import ROLLBACK, Press
from releases.notices import Tripped


def tripped_message(notice: Tripped) -> Message:
    """Nothing happens by itself: it says so, and has a button and a line that go back."""
    environment, version = clip(notice.environment, NAME), clip(notice.version, NAME)
    headline = f"🚨 {environment} · {clip(notice.reason, PARAGRAPH)} · {notice.release} ({version})"
    return message(
        headline,
        lines(
            phrase(bold(headline), *((" — ", whom(notice.on_call)) if notice.on_call else ())),
            [f"{version} is released since ", moment(notice.released_at, DAY_AND_TIME)],
            ["It does not go back by itself any more. To go back, or to see how it stands:"],
            [code(f"/buzzy rollback {environment}"), "   ", code(f"/buzzy status {environment}")],
        ),
        *evidence_pieces(notice.evidence),
        buttons(
            button(
                "Roll back",
                ROLLBACK,
                Press(release=notice.release).value(),
                style="danger",
                confirm=_sure(notice),
            )
        ),
    )


def _sure(notice: Tripped) -> ConfirmObject:
    environment, stable = clip(notice.environment, NAME), clip(notice.stable, NAME)
    return ConfirmObject(
        title=f"Roll back {environment}?",
        text=PlainTextObject(
            text=f"This is the same as /buzzy rollback {environment}: back from {notice.release} to {stable}."
        ),
        confirm="Roll back",
        deny="Leave it",
        style="danger",
    )
