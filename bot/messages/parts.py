"""The pieces that messages are made of, each within Slack's limits by its making.

Limits: https://docs.slack.dev/reference/block-kit/blocks. Slack refuses a message whose blocks have more
than about 13,000 characters of text in all (`msg_blocks_too_long`); a message here is made of few pieces,
each clipped, so that their sum stays well below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    RichTextBlock,
    RichTextElementParts,
    RichTextPreformattedElement,
    RichTextSectionElement,
)
from slack_sdk.models.blocks.block_elements import RichTextElement

from releases.events import Actor

FALLBACK = 300
"""Characters of the sentence in notifications: phones cut off earlier."""

NAME, SENTENCE, PARAGRAPH = 60, 300, 600
"""Characters that text from outside may take in a message: a name, a sentence, a few sentences."""

MONOSPACE_LINE, MONOSPACE = 160, 2_800
"""Characters of one line, and of one block, of monospace text."""

Inline = str | RichTextElement
Row = list[Inline]
Piece = RichTextSectionElement | RichTextPreformattedElement


@dataclass(frozen=True)
class Message:
    """Blocks, and the one sentence that stands for them in notifications and to screen readers."""

    text: str
    blocks: tuple[Block, ...]
    sentence: str = ""
    """The sentence as it was, before it was made harmless to Slack's markup."""

    refused: bool = False
    """Whether it says that something is not done; who reads it sees that, a script does not."""

    def payload(self) -> dict[str, Any]:
        """The two as JSON, as Slack's methods take them."""
        return {"text": self.text, "blocks": [block.to_dict() for block in self.blocks]}


def message(sentence: str, *pieces: Piece | ActionsBlock | None) -> Message:
    """A message of rich text and, between or below it, rows of buttons. `sentence` is plain text."""
    blocks: list[Block] = []
    texts: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, ActionsBlock):
            _close(texts, blocks)
            blocks.append(piece)
        elif piece is not None and piece.elements:
            texts.append(piece)
    _close(texts, blocks)
    return Message(escape(clip(sentence, FALLBACK)) or "Buzzy", tuple(blocks), sentence)


def _close(texts: list[Piece], blocks: list[Block]) -> None:
    if texts:
        blocks.append(RichTextBlock(elements=list(texts)))
        texts.clear()


def lines(*rows: Sequence[Inline] | None) -> Piece:
    """Lines of text, one below the other; a row that is None or empty is left out."""
    inlines: Row = []
    for row in rows:
        if row and any(inline != "" for inline in row):
            inlines += ["\n", *row] if inlines else row
    return RichTextSectionElement(elements=_elements(inlines))


def monospace(rows: Iterable[str], *, at_most: int = MONOSPACE, keep_end: bool = False) -> Piece | None:
    """Lines in a monospace block, as many as fit; None without any.

    What does not fit is left out at the end (at the beginning with `keep_end`, as of a log) and counted.
    """
    shown = fit([clip(row.rstrip() or " ", MONOSPACE_LINE) for row in rows], at_most, keep_end=keep_end)
    if not shown:
        return None
    return RichTextPreformattedElement(elements=[RichTextElementParts.Text(text="\n".join(shown))])


def fit(rows: list[str], at_most: int, *, keep_end: bool = False) -> list[str]:
    """As many of the lines as have `at_most` characters in all, with a line that counts the others."""
    if sum(len(row) + 1 for row in rows) <= at_most:
        return rows
    room = at_most - 30  # for the line that counts
    kept: list[str] = []
    for row in reversed(rows) if keep_end else rows:
        room -= len(row) + 1
        if room < 0:
            break
        kept.append(row)
    more = f"… {len(rows) - len(kept)} more lines"
    return [more, *reversed(kept)] if keep_end else [*kept, more]


def _elements(inlines: Iterable[Inline]) -> list[RichTextElement]:
    """Plain text that stands together is one element; Slack refuses a text element without text."""
    elements: list[RichTextElement] = []
    for plain, group in groupby(inlines, lambda inline: isinstance(inline, str)):
        if plain:
            text = "".join(part for part in group if isinstance(part, str))
            elements.append(RichTextElementParts.Text(text=text))
        else:
            elements += (part for part in group if not isinstance(part, str))
    return [element for element in elements if getattr(element, "text", None) != ""]


# -- within a line ---------------------------------------------------------------------------------


def bold(text: str) -> RichTextElement:
    """Bold text."""
    return RichTextElementParts.Text(text=text, style=RichTextElementParts.TextStyle(bold=True))


def code(text: str) -> RichTextElement:
    """A line to copy, or a name as a machine has it."""
    return RichTextElementParts.Text(text=text, style=RichTextElementParts.TextStyle(code=True))


def with_code(text: str) -> Row:
    """Text in which what stands between backticks is shown as code."""
    return [code(part) if index % 2 and part else part for index, part in enumerate(text.split("`"))]


def link(url: str, text: str) -> RichTextElement:
    """A link of our own making; links that people wrote stay text."""
    return RichTextElementParts.Link(url=url, text=text)


class Mention(RichTextElementParts.User):
    """A mention that knows the person's name, for where mentions are not shown."""

    def __init__(self, user_id: str, name: str) -> None:
        super().__init__(user_id=user_id)
        self.name = name


def plain(row: Row) -> str:
    """A line as plain text, for the sentence in notifications."""
    return "".join(inline if isinstance(inline, str) else _plain(inline) for inline in row)


def _plain(element: RichTextElement) -> str:
    match element:
        case Mention():
            return element.name
        case RichTextElementParts.Date():
            return element.fallback or ""
        case _:
            return getattr(element, "text", None) or "…"


def who(actor: Actor) -> RichTextElement:
    """Somebody of the record: a mention if Slack knows them, else their name."""
    name = clip(actor.name, NAME)
    return Mention(actor.id, name) if is_user(actor.id) else RichTextElementParts.Text(text=name)


def whom(id_: str) -> RichTextElement:
    """A person or a user group, by id."""
    if is_user(id_):
        return RichTextElementParts.User(user_id=id_)
    return RichTextElementParts.UserGroup(usergroup_id=id_)


def room(channel: str) -> RichTextElement:
    """A channel, by id."""
    return RichTextElementParts.Channel(channel_id=channel)


def is_user(id_: str) -> bool:
    """Whether an id is a person's of Slack (U…, W…), not a group's and not Buzzy's own."""
    return id_[:1] in {"U", "W"}


def moment(at: datetime, form: str = "{time}") -> RichTextElement:
    """A moment in the reader's own time. Forms: https://docs.slack.dev/messaging/formatting-message-text."""
    return RichTextElementParts.Date(
        timestamp=int(at.timestamp()), format=form, fallback=at.strftime("%Y-%m-%d %H:%M UTC")
    )


DAY_AND_TIME = "{date_short_pretty} {time}"


def several(parts: Sequence[RichTextElement], *, at_most: int = 5) -> Row:
    """`a, b and 3 more`."""
    shown: Row = []
    for part in parts[:at_most]:
        shown += [", ", part] if shown else [part]
    if len(parts) > at_most:
        shown.append(f" and {len(parts) - at_most} more")
    return shown


def joined(*groups: Sequence[Inline] | None, by: str = " · ") -> Row:
    """Groups of inline parts with a separator between those that have anything."""
    row: Row = []
    for group in groups:
        if group:
            row += [by, *group] if row else group
    return row


# -- buttons ---------------------------------------------------------------------------------------


def button(
    label: str, action: str, value: str, *, style: str | None = None, confirm: ConfirmObject | None = None
) -> ButtonElement:
    """A button. `value` comes back when it is pressed."""
    return ButtonElement(text=label, action_id=action, value=value, style=style, confirm=confirm)


def buttons(*row: ButtonElement | None) -> ActionsBlock | None:
    """A row of buttons; None without any."""
    there = [each for each in row if each is not None]
    return ActionsBlock(elements=there) if there else None


# -- plain text ------------------------------------------------------------------------------------


def clip(text: str, at_most: int) -> str:
    """The text on one line, cut with an ellipsis when it is too long."""
    flat = " ".join(text.split()) if "\n" in text or "\r" in text else text
    return flat if len(flat) <= at_most else flat[: at_most - 1] + "…"


def escape(text: str) -> str:
    """Text in which Slack's markup finds no mention, link or formatting, and which reads the same.

    `&`, `<` and `>` are escaped as Slack has it (https://docs.slack.dev/messaging/formatting-message-text);
    the characters that format have look-alikes; a word joiner, which nobody sees, parts `@here` and `://`.
    """
    return text.translate(_HARMLESS).replace("://", f":{WORD_JOINER}//")


WORD_JOINER = "\u2060"

_HARMLESS = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "@": f"@{WORD_JOINER}",
        "*": "\u2217",
        "_": "\u02cd",
        "~": "\u223c",
        "`": "\u02cb",
    }
)


def phrase(*inlines: Inline) -> Row:
    """Parts of a line."""
    return list(inlines)


def count(number: int, one: str, many: str = "") -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
