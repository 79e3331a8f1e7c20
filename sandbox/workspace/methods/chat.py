"""`chat.*`: posting, editing and deleting messages."""

from __future__ import annotations

from typing import Any

from sandbox.workspace import messages
from sandbox.workspace.args import Args
from sandbox.workspace.blocks import check_message
from sandbox.workspace.errors import SlackError
from sandbox.workspace.messages import Draft
from sandbox.workspace.methods.registry import method
from sandbox.workspace.model import BOT_USER, Channel
from sandbox.workspace.state import Workspace

Json = dict[str, Any]

POST_CHARACTERS = 40_000
UPDATE_CHARACTERS = 4_000
METADATA_BYTES = 16_000


@method("chat.postMessage", "chat:write")
def post_message(workspace: Workspace, args: Args) -> Json:
    """Post to a channel, a thread, or a person."""
    channel = writable_channel(workspace, args)
    draft = read_draft(args, POST_CHARACTERS)
    draft.metadata = _metadata(args)
    message = messages.post(workspace, channel, BOT_USER, draft)
    return {"channel": channel.id, "ts": message["ts"], "message": without_metadata(message)}


@method("chat.postEphemeral", "chat:write")
def post_ephemeral(workspace: Workspace, args: Args) -> Json:
    """Show one member of a channel a message."""
    channel = writable_channel(workspace, args)
    user = args.required("user", "user_not_in_channel")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    message = messages.post_ephemeral(workspace, channel.id, user, read_draft(args, POST_CHARACTERS))
    return {"message_ts": message["ts"]}


@method("chat.update", "chat:write")
def update(workspace: Workspace, args: Args) -> Json:
    """Replace a message of the bot's own.

    Text alone takes the blocks away and marks the message as edited; blocks alone keep the text; metadata
    stays unless it is given.
    """
    channel = workspace.channel(args.required("channel", "channel_not_found"))
    message = workspace.message(channel.id, args.required("ts", "message_not_found"))
    if message["user"] != BOT_USER:
        raise SlackError("cant_update_message")
    draft = read_draft(args, UPDATE_CHARACTERS)
    if "text" not in args:
        draft.text = message["text"]
    draft.metadata = _metadata(args)
    messages.edit(workspace, channel, message, draft, mark=not draft.blocks)
    shown = without_metadata(message)
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": shown}


@method("chat.delete", "chat:write")
def delete(workspace: Workspace, args: Args) -> Json:
    """Delete a message of the bot's own."""
    channel = workspace.channel(args.required("channel", "channel_not_found"))
    message = workspace.message(channel.id, args.required("ts", "message_not_found"))
    if message["user"] != BOT_USER:
        raise SlackError("cant_delete_message")
    ts = message["ts"]
    messages.delete(workspace, channel, message)
    return {"channel": channel.id, "ts": ts}


@method("chat.getPermalink")
def get_permalink(workspace: Workspace, args: Args) -> Json:
    """A link that opens the message on the page."""
    channel = workspace.channel(args.required("channel", "channel_not_found"))
    message = workspace.message(channel.id, args.required("message_ts", "message_not_found"))
    return {"channel": channel.id, "permalink": permalink(workspace, channel, message)}


def permalink(workspace: Workspace, channel: Channel, message: Json) -> str:
    """Slack's form of a link to a message, with the page's address in front."""
    link = f"{workspace.url}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    if message.get("thread_ts", message["ts"]) != message["ts"]:
        link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
    return link


def writable_channel(workspace: Workspace, args: Args) -> Channel:
    """Where to post: a channel that the bot is in, or the direct conversation with a person."""
    name = args.required("channel", "channel_not_found")
    if name in workspace.users:
        return workspace.direct_channel(name)
    by_name = next((each for each in workspace.channels.values() if f"#{each.name}" == name), None)
    channel = by_name or workspace.channel(name)
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def read_draft(args: Args, most_characters: int) -> Draft:
    """What to say, checked as Slack checks it."""
    given = args.structure("blocks", "invalid_blocks_format")
    markdown = args.text("markdown_text")
    if markdown and (given or args.text("text")):
        raise SlackError("markdown_text_conflict")
    if markdown:
        given = [{"type": "markdown", "text": markdown}]
    text = args.text("text")
    if not text and not given:
        raise SlackError("no_text")
    if len(text) > most_characters:
        raise SlackError("msg_too_long")
    blocks = check_message(given) if given else []
    return Draft(text, blocks, args.text("thread_ts"), args.flag("reply_broadcast"))


def without_metadata(message: Json) -> Json:
    """A message as Slack shows it to who does not ask for metadata."""
    return {key: value for key, value in message.items() if key != "metadata"}


def _metadata(args: Args) -> Json | None:
    """The metadata to store; `{}` asks to remove it, None says nothing about it."""
    metadata = args.structure("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if metadata == {}:
        return {}
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload", {}), dict):
        raise SlackError("invalid_metadata_format")
    if not metadata.get("event_type"):
        raise SlackError("invalid_metadata_schema")
    if len(str(metadata)) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return {"event_type": metadata["event_type"], "event_payload": metadata.get("event_payload", {})}
