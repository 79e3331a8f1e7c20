"""What stands on a release's message: who says what by reaction, as Slack has it now."""

from __future__ import annotations

from collections.abc import Mapping

from bot.emoji import Answer, answer_of
from bot.slack import RefusedError, Slack
from releases.lifecycle import Approval
from releases.record.told import Place


class Reactions:
    """Who says what on a message now. One who says both yes and no says no."""

    def __init__(self, by_emoji: Mapping[str, frozenset[str]]) -> None:
        """`by_emoji` is what Slack has."""
        self._answers: dict[str, set[Answer]] = {}
        for emoji, users in by_emoji.items():
            if (answer := answer_of(emoji)) is not None:
                for user in users:
                    self._answers.setdefault(user, set()).add(answer)

    def of(self, user: str) -> Answer | None:
        """A person's answer."""
        answers = self._answers.get(user, set())
        if "refuse" in answers:
            return "refuse"
        return "approve" if answers else None

    def approvers(self) -> tuple[str, ...]:
        """Everybody who says yes."""
        return tuple(sorted(user for user in self._answers if self.of(user) == "approve"))

    def bears_out(self, given: Approval) -> bool:
        """Whether an approval still stands: one by reaction is there, any other is not spoken against."""
        said = self.of(given.by.id)
        return said == "approve" if given.via == "reaction" else said != "refuse"


def read_reactions(slack: Slack, place: Place | None) -> Reactions:
    """The reactions to a message; none where there is no message. Raises Slack's errors."""
    try:
        return Reactions(slack.reactions(place) if place is not None else {})
    except RefusedError as error:
        if error.code == "message_not_found":  # somebody deleted it, and all reactions with it
            return Reactions({})
        raise
