"""Who somebody is, as far as the rules ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from releases.events import Actor


class Standing(StrEnum):
    """What a person is to the workspace. Only members may change anything."""

    MEMBER = "member"
    GUEST = "guest"
    FOREIGN = "foreign"  # of another workspace, seen through a shared channel
    BOT = "bot"
    GONE = "gone"  # deactivated


@dataclass(frozen=True)
class Person:
    """Somebody in Slack. `groups` are the user groups that they are in, by id."""

    id: str
    name: str
    standing: Standing = Standing.MEMBER
    groups: frozenset[str] = field(default_factory=frozenset)
    time_zone: str = ""
    """As Slack has it, such as Europe/Berlin; empty when it is not known."""

    @property
    def actor(self) -> Actor:
        """The person as the record names them."""
        return Actor(id=self.id, name=self.name)

    def is_any_of(self, ids: tuple[str, ...]) -> bool:
        """Whether one of these ids of people and groups means this person."""
        return self.id in ids or not self.groups.isdisjoint(ids)
