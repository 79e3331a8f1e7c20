"""A Slack message as text for a terminal: what a person sees in the channel, without the channel.

Pure functions over messages as Slack's API gives them and a directory of names. `render` gives plain text,
the `render_…` functions below it `rich` text, whose `.plain` is the same without bold and colour.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol, Self

from rich.text import Text

from sandbox.workspace import Message
from sandbox.workspace.emoji import character, with_characters
from sandbox.workspace.escapes import unescaped

Json = dict[str, Any]

FIELD_WIDTH = 38
RULE = "─" * 60
SIGNS = {"*": "bold", "_": "italic", "~": "strike"}
MARKUP = re.compile(
    r"```(?P<fence>.*?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<token>[^<>\n]+)>"
    r"|(?<!\w)(?P<sign>[*_~])(?=\S)(?P<styled>[^\n]*?)(?<=\S)(?P=sign)(?!\w)",
    re.DOTALL,
)


class Named(Protocol):
    """Whoever knows what ids are called: a running workspace does."""

    def names(self) -> dict[str, dict[str, str]]:
        """Names by id, under `users`, `handles`, `groups` and `channels`."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Directory:
    """What ids are called, what time it is, and the directory's time zone (None: this machine's)."""

    users: Mapping[str, str] = field(default_factory=dict)
    """People's full names, which stand over what they say."""
    handles: Mapping[str, str] = field(default_factory=dict)
    """People's short names, by which others call them."""
    groups: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    now: Callable[[], datetime] = _now
    zone: tzinfo | None = None

    @classmethod
    def of(cls, workspace: Named) -> Self:
        """The directory of a running workspace."""
        names = workspace.names()
        return cls(names["users"], names["handles"], names["groups"], names["channels"])

    def user(self, user_id: str) -> str:
        """Who said something."""
        return self.users.get(user_id, user_id)

    def channel(self, channel_id: str) -> str:
        """A channel's name, without the sign before it."""
        return self.channels.get(channel_id, channel_id)

    def mention(self, identifier: str, label: str = "") -> str:
        """Somebody, a group or a channel as a message names it."""
        if identifier in self.handles:
            return f"@{self.handles[identifier]}"
        if identifier in self.groups:
            return f"@{self.groups[identifier]}"
        if identifier in self.channels:
            return f"#{self.channels[identifier]}"
        return label or identifier

    def local(self, seconds: float) -> datetime:
        """A moment on the reader's own clock."""
        return datetime.fromtimestamp(seconds, UTC).astimezone(self.zone)


def render(message: Message, replies: Iterable[Message], directory: Directory) -> str:
    """A message and, indented under it, replies: as plain text."""
    return render_thread(message.data, (reply.data for reply in replies), directory).plain


def render_thread(root: Json, replies: Iterable[Json], directory: Directory) -> Text:
    """A message and, indented under it, replies."""
    lines = [render_message(root, directory)]
    lines += [_indented(render_message(reply, directory), "    │ ") for reply in replies]
    return Text("\n").join(lines)


def render_message(message: Json, directory: Directory) -> Text:
    """Who, when, what, the reactions, and how many replies there are."""
    lines = [_head(message, directory), _body(message, directory)]
    lines += [_file(file) for file in message.get("files", [])]
    if message.get("reactions"):
        lines.append(Text("   ").join(_reaction(each) for each in message["reactions"]))
    if message.get("reply_count"):
        count = message["reply_count"]
        lines.append(Text(f"💬 {count} {'reply' if count == 1 else 'replies'}", style="blue"))
    return Text("\n").join(line for line in lines if line.plain)


def _file(file: Json) -> Text:
    """A file, and what it shows in words, if its sender gave any."""
    alt_text = file.get("alt_txt")
    return Text(f"📎 {file['title']} ({file['name']}){f': {alt_text}' if alt_text else ''}")


def render_blocks(blocks: Iterable[Json], directory: Directory) -> Text:
    """The blocks of a message, a form or an App Home, one under the other."""
    return Text("\n").join(_block(block, directory) for block in blocks)


def render_mrkdwn(text: str, directory: Directory) -> Text:
    """Slack's markup as styled text."""
    shown, at = Text(), 0
    for match in MARKUP.finditer(text):
        shown.append(_readable(text[at : match.start()]))
        if match["fence"] is not None and shown.plain and not shown.plain.endswith("\n"):
            shown.append("\n")  # code stands on lines of its own
        shown.append_text(_marked(match, directory))
        at = match.end()
        if match["fence"] is not None and at < len(text) and text[at] != "\n":
            shown.append("\n")
    return shown.append(_readable(text[at:]))


def _head(message: Json, directory: Directory) -> Text:
    when = f"{directory.local(float(message['ts'])):%H:%M}"
    head = Text(directory.user(message.get("user", "")), style="bold")
    head.append(f"  {when}", style="dim")
    if message.get("is_ephemeral"):
        head.append("  (only visible to you)", style="dim")
    if message.get("edited"):
        head.append("  (edited)", style="dim")
    return head


def _body(message: Json, directory: Directory) -> Text:
    if message.get("blocks"):
        return render_blocks(message["blocks"], directory)
    return render_mrkdwn(message.get("text", ""), directory)


def _reaction(reaction: Json) -> Text:
    return Text(f"{character(reaction['name'])} {reaction['count']}")


def _block(block: Json, directory: Directory) -> Text:
    match block["type"]:
        case "header":
            return Text(with_characters(block["text"]["text"]), style="bold")
        case "section":
            return _section(block, directory)
        case "context":
            parts = [_context_part(part, directory) for part in block["elements"]]
            return Text("   ").join(part for part in parts if part.plain)
        case "actions":
            return Text("  ").join(_element(element) for element in block["elements"])
        case "divider":
            return Text(RULE, style="dim")
        case "image":
            title = block.get("title", {}).get("text", "")
            return Text(f"🖼  {title or block['alt_text']}")
        case "markdown":
            return Text(with_characters(block["text"]))
        case "rich_text":
            return Text("\n").join(_rich_part(part, directory) for part in block["elements"])
        case "input":
            return Text(f"{block['label']['text']}: ").append_text(_element(block["element"]))
        case other:
            return Text(f"({other})", style="dim")


def _section(block: Json, directory: Directory) -> Text:
    lines = [_text_object(block["text"], directory)] if "text" in block else []
    fields = [_on_one_line(_text_object(field, directory)) for field in block.get("fields", [])]
    for left, right in zip(fields[::2], [*fields[1::2], Text()], strict=False):
        left.pad_right(max(0, FIELD_WIDTH - left.cell_len))
        line = left.append_text(right)
        line.rstrip()
        lines.append(line)
    if "accessory" in block and block["accessory"]["type"] != "image":
        first, *rest = lines[0].split("\n")
        lines[0] = Text("\n").join([first.append("   ").append_text(_element(block["accessory"])), *rest])
    return Text("\n").join(lines)


def _on_one_line(text: Text) -> Text:
    return Text("  ").join(text.split("\n"))


def _context_part(part: Json, directory: Directory) -> Text:
    if part["type"] == "image":
        return Text()
    shown = _text_object(part, directory)
    shown.stylize_before("dim")
    return shown


def _text_object(text: Json, directory: Directory) -> Text:
    if text["type"] == "mrkdwn":
        return render_mrkdwn(text["text"], directory)
    return Text(with_characters(text["text"]))


def _element(element: Json) -> Text:
    """A button as `[ Approve ]`, a menu as `[ Environment ▾ ]`, an input as a line to write on."""
    match element["type"]:
        case "button":
            style = {"primary": "bold green", "danger": "bold red"}.get(element.get("style", ""), "bold")
            return Text(f"[ {with_characters(element['text']['text'])} ]", style=style)
        case "overflow":
            return Text("[ … ]")
        case "plain_text_input" | "number_input":
            return Text(element.get("initial_value") or "________")
        case "radio_buttons" | "checkboxes":
            return Text("  ").join(Text(f"○ {option['text']['text']}") for option in element["options"])
        case kind:
            label = element.get("placeholder", {}).get("text") or kind.replace("_", " ")
            return Text(f"[ {label} ▾ ]")


def _rich_part(part: Json, directory: Directory) -> Text:
    if part["type"] == "rich_text_list":
        bullets = [f"{number}. " if part["style"] == "ordered" else "• " for number in range(1, 1_000)]
        items = zip(bullets, part["elements"], strict=False)
        return Text("\n").join(
            Text(bullet).append_text(_rich_part(item, directory)) for bullet, item in items
        )
    text = Text().join(_rich_piece(piece, directory) for piece in part["elements"])
    return _indented(text, "▏ ") if part["type"] == "rich_text_quote" else text


def _rich_piece(piece: Json, directory: Directory) -> Text:
    match piece["type"]:
        case "text":
            style = " ".join(
                name for name in ("bold", "italic", "strike") if piece.get("style", {}).get(name)
            )
            return Text(piece["text"], style=style)
        case "link":
            return Text(piece.get("text") or piece["url"], style="underline")
        case "user" | "usergroup" | "channel" as kind:
            return Text(directory.mention(piece[f"{kind}_id"]), style="cyan")
        case "emoji":
            return Text(character(piece["name"]))
        case "broadcast":
            return Text(f"@{piece['range']}", style="cyan")
        case "date":
            return Text(_date(piece["timestamp"], piece["format"], directory))
        case _:
            return Text()


def _marked(match: re.Match[str], directory: Directory) -> Text:
    if match["fence"] is not None:
        return Text(unescaped(_names_only(match["fence"].strip("\n"), directory)), style="cyan")
    if match["code"]:
        return Text(unescaped(_names_only(match["code"], directory)), style="cyan")
    if match["token"]:
        return _token(match["token"], directory)
    styled = render_mrkdwn(match["styled"], directory)
    styled.stylize_before(SIGNS[match["sign"]])
    return styled


def _token(content: str, directory: Directory) -> Text:
    """What stands between `<` and `>`: somebody, a channel, a group, a date, a link."""
    target, _, label = content.partition("|")
    if target[0] in "@#":
        shown = f"{target[0]}{label}" if label else target[1:]
        return Text(directory.mention(target[1:], shown), style="cyan")
    if target.startswith("!date^"):
        _, seconds, template, *_link = target.split("^")
        return Text(_date(int(seconds), _readable(template), directory))
    if target.startswith("!subteam^"):
        return Text(directory.mention(target.removeprefix("!subteam^"), label), style="cyan")
    if target.startswith("!"):
        return Text(f"@{target[1:]}", style="cyan")
    return Text(_readable(label) or unescaped(target), style="underline")


def _names_only(text: str, directory: Directory) -> str:
    return re.sub(r"<([^<>\n]+)>", lambda match: _token(match[1], directory).plain, text)


def _date(seconds: int, template: str, directory: Directory) -> str:
    """Slack's date template filled in, as https://docs.slack.dev/messaging/formatting-message-text has it."""
    when = directory.local(seconds)
    days = (when.date() - directory.local(directory.now().timestamp()).date()).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days)
    forms = {
        "date_num": f"{when:%Y-%m-%d}",
        "date_slash": f"{when:%d/%m/%Y}",
        "date": f"{when.day} {when:%B %Y}",
        "date_short": f"{when.day} {when:%b %Y}",
        "date_long": f"{when:%A}, {when.day} {when:%B %Y}",
        "time": f"{when:%H:%M}",
        "time_secs": f"{when:%H:%M:%S}",
        "ago": _ago(seconds - directory.now().timestamp()),
    }
    forms |= {f"{form}_pretty": near or forms[form] for form in ("date", "date_short", "date_long")}
    return re.sub(r"\{(\w+)\}", lambda match: forms.get(match[1], match[0]), template)


def _ago(seconds: float) -> str:
    sizes = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    size, unit = next(((size, unit) for size, unit in sizes if abs(seconds) >= size), sizes[-1])
    amount = f"{round(abs(seconds) / size)} {unit}"
    return f"{amount} ago" if seconds <= 0 else f"in {amount}"


def _readable(text: str) -> str:
    return with_characters(unescaped(text))


def _indented(text: Text, margin: str) -> Text:
    return Text("\n").join(Text(margin, style="dim").append_text(line) for line in text.split("\n"))
