"""What becomes of the text that a person types: Slack turns names and links into its own markup.

An app never sees `@bob`. It sees `<@U0BOB>` in a message, `<@U0BOB|bob>` in the text of a command that has
"escape channels, users, and links" turned on, and `&amp;` for every `&`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.workspace.escapes import escaped

if TYPE_CHECKING:
    from sandbox.workspace.state import Workspace

CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
NAMED = re.compile(
    r"(?P<url>https?://[^\s<>|]+[^\s<>|.,;:!?)\"'])"
    r"|(?P<domain>\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev)\b(?:/[^\s<>|]*)?)"
    r"|(?<![\w.])@(?P<name>[a-z0-9][\w.-]*[\w]|[a-z0-9])"
    r"|(?<![\w&])\#(?P<channel>[a-z0-9][\w-]*)",
    re.IGNORECASE,
)
BROADCASTS = {"here", "channel", "everyone"}


def as_command_text(workspace: Workspace, text: str) -> str:
    """The `text` of a slash command."""
    safe = escaped(text)
    return _with_markup(workspace, safe, labelled=True) if workspace.settings.escapes else safe


def as_message_text(workspace: Workspace, text: str) -> str:
    """The `text` of a message; nothing in code is touched but `&`, `<` and `>`."""
    parts = CODE.split(escaped(text))
    return "".join(
        part if number % 2 else _with_markup(workspace, part, labelled=False)
        for number, part in enumerate(parts)
    )


def _with_markup(workspace: Workspace, text: str, *, labelled: bool) -> str:
    def marked(match: re.Match[str]) -> str:
        if match["url"]:
            return f"<{match['url']}>"
        if match["domain"]:
            return f"<http://{match['domain']}|{match['domain']}>"
        found = (
            _channel(workspace, match["channel"]) if match["channel"] else _somebody(workspace, match["name"])
        )
        if not found:
            return match[0]
        reference, label = found
        return f"<{reference}|{label}>" if labelled or match["channel"] else f"<{reference}>"

    return NAMED.sub(marked, text)


def _channel(workspace: Workspace, name: str) -> tuple[str, str] | None:
    channel = next(
        (each for each in workspace.channels.values() if each.name == name and not each.is_im), None
    )
    return (f"#{channel.id}", channel.name) if channel else None


def _somebody(workspace: Workspace, name: str) -> tuple[str, str] | None:
    name = name.lower()
    if name in BROADCASTS:
        return f"!{name}", name
    user = next((each for each in workspace.users.values() if each.name == name), None)
    if user:
        return f"@{user.id}", user.name
    group = next((each for each in workspace.groups.values() if each.handle == name), None)
    return (f"!subteam^{group.id}", f"@{group.handle}") if group else None
