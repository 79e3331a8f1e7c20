"""Reading a message as a person does: its lines, with mentions as `@id` and buttons in brackets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.messages import Message

Json = dict[str, Any]


def read(message: Message) -> str:
    """All that is shown, line by line."""
    return read_blocks(message.payload()["blocks"])


def read_blocks(blocks: list[Json]) -> str:
    """The same of blocks, such as a home's."""
    return "\n".join(_shown(block) for block in blocks)


def elements(message: Message) -> Iterator[Json]:
    """Every element of every block, however deep."""
    yield from _walk(message.payload()["blocks"])


def button_labels(message: Message) -> list[str]:
    """What stands on the buttons."""
    return [each["text"]["text"] for each in elements(message) if each.get("type") == "button"]


def _shown(part: Json) -> str:
    match part["type"]:
        case "rich_text":
            return "\n".join(_shown(each) for each in part["elements"])
        case "header":
            return f"# {part['text']['text']}"
        case "actions":
            return " ".join(f"[ {each['text']['text']} ]" for each in part["elements"])
        case "rich_text_section" | "rich_text_preformatted" | "rich_text_quote":
            return "".join(_shown(each) for each in part["elements"])
        case "user":
            return f"@{part['user_id']}"
        case "usergroup":
            return f"@{part['usergroup_id']}"
        case "channel":
            return f"#{part['channel_id']}"
        case "date":
            return f"<{part['fallback']}>"
        case _:
            return str(part["text"])


def _walk(part: object) -> Iterator[Json]:
    if isinstance(part, list):
        for each in part:
            yield from _walk(each)
    elif isinstance(part, dict):
        yield part
        for each in part.values():
            yield from _walk(each)
