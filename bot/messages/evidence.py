"""Why a step failed, in the pods' own words: their reason, last lines, and the cluster's warnings."""

from __future__ import annotations

from bot.messages.parts import SENTENCE, Piece, Row, bold, clip, count, joined, lines, monospace
from releases.events import Evidence

MOST_PODS = 4
LOG, EVENTS = 1_500, 600
"""Characters for one pod's log lines and for the warnings about it; with four pods, below Slack's limit."""


def evidence_pieces(evidence: tuple[Evidence, ...]) -> list[Piece]:
    """The evidence of a failure, the first few pods of it."""
    pieces: list[Piece | None] = []
    logs: set[tuple[str, ...]] = set()
    for one in evidence[:MOST_PODS]:
        told = one.log in logs  # pods of one template mostly fail with the same words
        logs.add(one.log)
        pieces += [
            lines(_heading(one), ["The same last lines as above."] if told and one.log else None),
            None if told else monospace(one.log, at_most=LOG, keep_end=True),
            monospace(one.events, at_most=EVENTS, keep_end=True),
        ]
    if len(evidence) > MOST_PODS:
        pieces.append(lines([f"… {count(len(evidence) - MOST_PODS, 'more pod')}"]))
    return [piece for piece in pieces if piece is not None]


def _heading(one: Evidence) -> Row:
    return joined(
        [bold(clip(one.pod or one.service, 100))],
        [clip(one.reason, 100)],
        [clip(one.message, SENTENCE)] if one.message else None,
    )
