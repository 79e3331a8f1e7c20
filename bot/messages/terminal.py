"""A message as plain text for a terminal: the same words as in Slack, from the same pieces.

Buttons are left out, because nobody can press them there; lines to copy become lines of a shell.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from slack_sdk.models.blocks import (
    RichTextBlock,
    RichTextElementParts,
    RichTextPreformattedElement,
    RichTextSectionElement,
)

from bot.messages.parts import Inline, Message, plain

_TYPED = re.compile(r"/buzzy (?P<line>.*\S)")
_IN_PASSING = re.compile(r"/buzzy (?P<line>help(?: [a-z]+)?)")


def text_of(message: Message, names: Mapping[str, str]) -> str:
    """What a message says. `names` has what people, groups and channels are called, by id."""
    pieces = [
        _piece(element, names)
        for block in message.blocks
        if isinstance(block, RichTextBlock)
        for element in block.elements
    ]
    return "\n".join(piece for piece in pieces if piece) or message.text


def to_type(line: str) -> str:
    """A line of the grammar, with or without `/buzzy`, as one of a shell."""
    return f"buzzy do {shlex.quote(line.removeprefix('/buzzy '))}"


def _piece(element: object, names: Mapping[str, str]) -> str:
    match element:
        case RichTextPreformattedElement():
            rows = "".join(_inlines(element.elements, names)).splitlines()
            return "\n".join(f"    {_of_a_shell(row)}".rstrip() for row in rows)
        case RichTextSectionElement():
            return "".join(_inlines(element.elements, names))
        case _:
            return ""


def _inlines(elements: Iterable[Any], names: Mapping[str, str]) -> Iterable[str]:
    for element in elements:
        match element:
            case RichTextElementParts.UserGroup():
                yield f"@{names.get(element.usergroup_id, element.usergroup_id)}"
            case RichTextElementParts.Channel():
                yield f"#{names.get(element.channel_id, element.channel_id)}"
            case RichTextElementParts.User() if element.user_id in names or not hasattr(element, "name"):
                yield f"@{names.get(element.user_id, element.user_id)}"
            case _:
                yield _of_a_shell(_plain(element))


def _plain(element: Inline) -> str:
    return plain([element])


def _of_a_shell(text: str) -> str:
    typed = _TYPED.fullmatch(text)
    if typed is not None:
        return to_type(typed["line"])
    return _IN_PASSING.sub(lambda found: to_type(found["line"]), text)
