"""Which reactions are answers."""

from __future__ import annotations

import pytest

from bot.emoji import answer_of
from bot.reactions import Reactions


@pytest.mark.requirement("C3")
@pytest.mark.parametrize("emoji", ["white_check_mark", "heavy_check_mark", "+1", "thumbsup::skin-tone-6"])
def test_a_yes(emoji: str) -> None:
    """Aliases and skin tones are the emoji."""
    assert answer_of(emoji) == "approve"


@pytest.mark.requirement("C3")
@pytest.mark.parametrize("emoji", ["x", "-1::skin-tone-2", "no_entry"])
def test_a_no(emoji: str) -> None:
    """The same for a refusal."""
    assert answer_of(emoji) == "refuse"


@pytest.mark.parametrize("emoji", ["eyes", "tada", "white_check_mark_2", ""])
def test_neither(emoji: str) -> None:
    """Everything else says nothing."""
    assert answer_of(emoji) is None


@pytest.mark.requirement("C3")
def test_who_says_both_says_no() -> None:
    """In doubt nothing is released."""
    reactions = Reactions({"x": frozenset({"U1"}), "+1": frozenset({"U1", "U2"}), "eyes": frozenset({"U3"})})
    assert reactions.of("U1") == "refuse"
    assert reactions.of("U2") == "approve"
    assert reactions.of("U3") is None
    assert reactions.approvers() == ("U2",)
