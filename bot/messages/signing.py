"""The question that a release waits with: what is asked, of whom, until when."""

from __future__ import annotations

from bot.messages.parts import DAY_AND_TIME, SENTENCE, Row, clip, joined, moment, several, whom
from releases.events import SignOffAsked


def sign_off_row(asked: SignOffAsked) -> Row:
    """What is asked, of whom, and until when."""
    row: Row = ["⬜ ", *several([whom(id_) for id_ in asked.by]), f": “{clip(asked.question, SENTENCE)}”"]
    return joined(row, ["until ", moment(asked.expires_at, DAY_AND_TIME)])
