"""What an app answers to a command or a click: in the acknowledgement, or later at the response URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.workspace import messages
from sandbox.workspace.args import Args
from sandbox.workspace.errors import SlackError
from sandbox.workspace.methods.chat import POST_CHARACTERS, read_draft
from sandbox.workspace.model import BOT_USER
from sandbox.workspace.state import ResponseUrl

if TYPE_CHECKING:
    from sandbox.workspace.state import Workspace

Json = dict[str, Any]

LIFE_SECONDS = 1_800.0


def new_response_url(workspace: Workspace, path: str, target: ResponseUrl) -> str:
    """A URL that takes up to five answers within half an hour; `path` says whether of a command or action."""
    key = workspace.ids.secret(48)
    workspace.response_urls[key] = target
    return f"{workspace.url}/{path}/T0BUZZY/{key}"


def target_for(workspace: Workspace, user: str, channel: str, original: Json | None = None) -> ResponseUrl:
    """Where answers to what `user` just did will go."""
    return ResponseUrl(user, channel, workspace.clock.now() + LIFE_SECONDS, original=original or {})


def spend(workspace: Workspace, key: str) -> ResponseUrl:
    """The target of a response URL, one use less; `SlackError` when it is used up or too old."""
    target = workspace.response_urls.get(key)
    if target is None:
        raise SlackError("invalid_url")
    if workspace.clock.now() > target.expires:
        raise SlackError("expired_url")
    if target.uses_left <= 0:
        raise SlackError("used_url")
    target.uses_left -= 1
    return target


def show(workspace: Workspace, target: ResponseUrl, answer: Json) -> None:
    """Show what the app answered: to the person alone, unless it asks for everybody or for the original."""
    args = Args(answer)
    if args.flag("delete_original"):
        _delete_original(workspace, target.original)
        return
    draft = read_draft(args, POST_CHARACTERS)
    if args.flag("replace_original") and target.original:
        _replace_original(workspace, target.original, draft)
    elif args.text("response_type") == "in_channel":
        messages.post(workspace, workspace.channel(target.channel), BOT_USER, draft)
    else:
        messages.post_ephemeral(workspace, target.channel, target.user, draft)


def _replace_original(workspace: Workspace, original: Json, draft: messages.Draft) -> None:
    if original["is_ephemeral"]:
        messages.edit_ephemeral(workspace, original["message_ts"], draft)
        return
    channel = workspace.channel(original["channel_id"])
    message = workspace.message(channel.id, original["message_ts"])
    messages.edit(workspace, channel, message, draft, mark=not draft.blocks)


def _delete_original(workspace: Workspace, original: Json) -> None:
    if not original:
        return
    if original["is_ephemeral"]:
        messages.dismiss_ephemeral(workspace, original["message_ts"])
        return
    channel = workspace.channel(original["channel_id"])
    messages.delete(workspace, channel, workspace.message(channel.id, original["message_ts"]))
