"""What the lines of a release's thread have in common."""

from __future__ import annotations

from bot.messages.parts import SENTENCE, Message, Piece, Row, clip, lines, message, plain
from releases import events as e
from releases.lifecycle import Release


def line(sign: str, *rows: Row, below: list[Piece] | None = None) -> Message:
    """A line with its sign in front, and what stands below it."""
    row = [f"{sign} ", *rows[0]]
    return message(plain(row), lines(row, *rows[1:]), *(below or ()))


def reason(reason: str | None) -> Row:
    """A reason that somebody gave, behind what they did."""
    return [f": “{clip(reason, SENTENCE)}”"] if reason else []


def passed(passage: e.Passage) -> Row:
    """That something was closed, and why this went through all the same."""
    right = clip(passage.right, SENTENCE)
    return [f"⚠️ It passes {clip(passage.what, SENTENCE)}: {right}", *reason(passage.reason)]


def place(release: Release, index: int) -> str:
    """Which of how many steps: `3/6`, or `back 1/4`."""
    if index < len(release.forward):
        return f"{index + 1}/{len(release.forward)}"
    return f"back {index - len(release.forward) + 1}/{len(release.back)}"
