"""Which reactions are answers: the emoji's name, whatever skin tone it has."""

from __future__ import annotations

from typing import Literal

Answer = Literal["approve", "refuse"]

_ANSWERS: dict[str, Answer] = {
    **dict.fromkeys(("white_check_mark", "heavy_check_mark", "ballot_box_with_check"), "approve"),
    **dict.fromkeys(("+1", "thumbsup"), "approve"),
    **dict.fromkeys(("x", "heavy_multiplication_x", "negative_squared_cross_mark"), "refuse"),
    **dict.fromkeys(("-1", "thumbsdown", "no_entry", "no_entry_sign"), "refuse"),
}


def answer_of(reaction: str) -> Answer | None:
    """What a reaction says, such as `white_check_mark` or `+1::skin-tone-3`; None if it says nothing."""
    return _ANSWERS.get(reaction.partition("::")[0])
