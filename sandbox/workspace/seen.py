"""What a person has in front of them: messages, forms, and how what they did reached the app."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.workspace.elements import interactive_elements
from sandbox.workspace.errors import PersonError
from sandbox.workspace.escapes import unescaped

Json = dict[str, Any]


@dataclass(frozen=True)
class Delivery:
    """How what a person did reached the app: after how many seconds it was acknowledged, or why not."""

    id: str
    kind: str
    payload: Json
    attempts: int
    acknowledged: bool
    error: str
    seconds: float
    answer: Json
    errors: dict[str, str] = field(default_factory=dict)
    """What a form says beside its inputs when the app, or Slack itself, did not accept it; by block id."""

    @classmethod
    def from_json(cls, data: Json, errors: dict[str, str] | None = None) -> Delivery:
        """A delivery as the workspace tells it."""
        return cls(**data, errors=errors or {})

    @classmethod
    def not_sent(cls, errors: dict[str, str]) -> Delivery:
        """What Slack's own client keeps from the app, because of these errors."""
        return cls("", "interactive", {}, 0, False, "", 0.0, {}, errors)


@dataclass(frozen=True)
class Message:
    """A message as it was when it was read."""

    channel: str
    data: Json

    @property
    def ts(self) -> str:
        """Its timestamp, which names it within its channel."""
        return str(self.data["ts"])

    @property
    def thread_ts(self) -> str:
        """The timestamp of the thread that it is in or has, or nothing."""
        return str(self.data.get("thread_ts", ""))

    @property
    def user(self) -> str:
        """The id of its author."""
        return str(self.data["user"])

    @property
    def text(self) -> str:
        """Its text, which notifications show even where there are blocks."""
        return str(self.data["text"])

    @property
    def blocks(self) -> list[Json]:
        """Its blocks as Slack stores them."""
        return list(self.data.get("blocks", []))

    @property
    def edited(self) -> bool:
        """Whether it is marked as edited."""
        return "edited" in self.data

    @property
    def reactions(self) -> dict[str, list[str]]:
        """Who reacted, by emoji name."""
        return {each["name"]: each["users"] for each in self.data.get("reactions", [])}

    @property
    def reply_count(self) -> int:
        """How many replies there are under it."""
        return int(self.data.get("reply_count", 0))

    @property
    def buttons(self) -> list[str]:
        """What stands on the buttons, in order."""
        return [
            element["text"]["text"]
            for _, element in interactive_elements(self.blocks)
            if element["type"] == "button"
        ]

    @property
    def shown(self) -> str:
        """All the text that a reader sees: the blocks' if there are any, else the message's."""
        return "\n".join(_texts(self.blocks)) if self.blocks else self.text

    def __contains__(self, text: str) -> bool:
        return text in self.shown


@dataclass(frozen=True)
class View:
    """A form or an App Home as it was when it was read."""

    data: Json

    @property
    def id(self) -> str:
        """Its id, which stays the same when it is updated."""
        return str(self.data["id"])

    @property
    def callback_id(self) -> str:
        """What the app calls it."""
        return str(self.data["callback_id"])

    @property
    def title(self) -> str:
        """What stands at its top."""
        return str(self.data["title"]["text"])

    @property
    def blocks(self) -> list[Json]:
        """Its blocks as Slack stores them."""
        return list(self.data["blocks"])

    @property
    def inputs(self) -> list[str]:
        """The action ids of the inputs, in order."""
        return [
            element["action_id"]
            for _, element in interactive_elements(self.blocks)
            if element["type"] not in {"button", "overflow"}
        ]

    @property
    def buttons(self) -> list[str]:
        """What stands on the buttons, in order."""
        return Message("", self.data).buttons

    @property
    def shown(self) -> str:
        """All the text that a reader sees."""
        return "\n".join(_texts(self.blocks))

    def __contains__(self, text: str) -> bool:
        return text in self.shown


def find_named(blocks: list[Json], name: str) -> tuple[Json, Json]:
    """The element that a person means by `name`: its action id, its block's id, what stands on or over it."""
    choices = list(interactive_elements(blocks))
    for block, element in choices:
        label = (element.get("text") or block.get("label") or {}).get("text")
        if name in {element["action_id"], block["block_id"], label}:
            return block, element
    there = ", ".join(element["action_id"] for _, element in choices) or "nothing"
    raise PersonError(f"There is no {name!r} to click or fill in; there is {there}.")


def _texts(part: object) -> Iterable[str]:
    """Every text in blocks, in reading order, with Slack's three entities undone."""
    if isinstance(part, list):
        for value in part:
            yield from _texts(value)
    elif isinstance(part, dict):
        if isinstance(part.get("text"), str):
            yield unescaped(part["text"])
        for key, value in part.items():
            if isinstance(value, (list, dict)) and key not in {"confirm", "options"}:
                yield from _texts(value)
