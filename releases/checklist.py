"""What must be so before a release starts: a list that is part of the plan, each item with its evidence.

Items that check themselves are judged when the plan is made. The others wait for a person, who ticks them
with a button; a tick counts for the plan of one digest, as an approval does. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Outcome(StrEnum):
    """How an item stands."""

    GREEN = "green"
    RED = "red"
    UNKNOWN = "not known"  # it could not be found out: neither good nor bad
    WAITING = "waiting"  # for a person


class Item(BaseModel):
    """One item of a checklist."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="what people call it; unique in its list")
    outcome: Outcome
    evidence: str = Field(default="", description="one line: what was found")
    fix: str = Field(default="", description="what would make it green")
    by: tuple[str, ...] = Field(default=(), description="who may tick it: ids of people and user groups")
    stops: bool = Field(default=False, description="whether the release waits although it is not known")

    @property
    def blocks(self) -> bool:
        """Whether the release cannot start while it stands like this."""
        return self.outcome in {Outcome.RED, Outcome.WAITING} or (
            self.outcome is Outcome.UNKNOWN and self.stops
        )

    @property
    def is_for_people(self) -> bool:
        """Whether a person decides about it, not Buzzy."""
        return self.outcome is Outcome.WAITING


VOLATILE = frozenset({"evidence", "fix"})
"""What an item says beside how it stands: numbers of the moment, which no approval is bound to."""


def ticked(items: tuple[Item, ...], names: Collection[str]) -> tuple[Item, ...]:
    """The list after people have ticked the items of these names."""
    return tuple(
        each.model_copy(update={"outcome": Outcome.GREEN})
        if each.is_for_people and each.name in names
        else each
        for each in items
    )


def blocking(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items for which a release waits."""
    return tuple(each for each in items if each.blocks)


def needs_work(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Those of them that no tick helps against: something has to be mended, and looked at again."""
    return tuple(each for each in blocking(items) if not each.is_for_people)


def green(items: tuple[Item, ...]) -> int:
    """How many items are as they should be."""
    return sum(each.outcome is Outcome.GREEN for each in items)
