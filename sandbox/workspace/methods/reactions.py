"""`reactions.*`: the bot's own reactions, and who reacted."""

from __future__ import annotations

from typing import Any

from sandbox.workspace import messages
from sandbox.workspace.args import Args
from sandbox.workspace.errors import SlackError
from sandbox.workspace.methods.chat import permalink, without_metadata
from sandbox.workspace.methods.registry import method
from sandbox.workspace.model import BOT_USER, Channel
from sandbox.workspace.state import Workspace

Json = dict[str, Any]


@method("reactions.add", "reactions:write")
def add(workspace: Workspace, args: Args) -> Json:
    """React as the bot."""
    channel, message = _item(workspace, args)
    messages.react(workspace, channel, message, BOT_USER, args.required("name", "invalid_name"))
    return {}


@method("reactions.remove", "reactions:write")
def remove(workspace: Workspace, args: Args) -> Json:
    """Take the bot's reaction back."""
    channel, message = _item(workspace, args)
    messages.unreact(workspace, channel, message, BOT_USER, args.required("name", "invalid_name"))
    return {}


@method("reactions.get", "reactions:read")
def get(workspace: Workspace, args: Args) -> Json:
    """A message with its reactions, which have every user's id when `full` is given."""
    channel, message = _item(workspace, args)
    shown = {**without_metadata(message), "permalink": permalink(workspace, channel, message)}
    return {"type": "message", "channel": channel.id, "message": shown}


def _item(workspace: Workspace, args: Args) -> tuple[Channel, Json]:
    channel = workspace.channel(args.required("channel", "no_item_specified"))
    ts = args.required("timestamp", "no_item_specified")
    seconds, _, fraction = ts.partition(".")
    if not (seconds.isdigit() and fraction.isdigit()):
        raise SlackError("bad_timestamp")
    return channel, workspace.message(channel.id, ts)
