"""`conversations.*`: channels, who is in them, and what was said."""

from __future__ import annotations

from typing import Any

from sandbox.workspace import events, messages
from sandbox.workspace.args import Args
from sandbox.workspace.errors import SlackError
from sandbox.workspace.methods.chat import without_metadata
from sandbox.workspace.methods.registry import method, page
from sandbox.workspace.model import BOT_USER, Channel
from sandbox.workspace.state import Workspace

Json = dict[str, Any]


@method("conversations.list", "channels:read")
def list_conversations(workspace: Workspace, args: Args) -> Json:
    """The public channels; direct conversations too when `types` names `im`."""
    kinds = args.text("types", "public_channel").split(",")
    channels = [
        channel.as_slack()
        for channel in workspace.channels.values()
        if ("im" if channel.is_im else "public_channel") in kinds
    ]
    some, metadata = page(channels, args)
    return {"channels": some, **metadata}


@method("conversations.info", "channels:read")
def info(workspace: Workspace, args: Args) -> Json:
    """One channel."""
    channel = _channel(workspace, args).as_slack()
    if not args.flag("include_num_members"):
        channel.pop("num_members", None)
    return {"channel": channel}


@method("conversations.members", "channels:read")
def members(workspace: Workspace, args: Args) -> Json:
    """The ids of who is in a channel."""
    some, metadata = page(_channel(workspace, args).members, args)
    return {"members": some, **metadata}


@method("conversations.join", "channels:join")
def join(workspace: Workspace, args: Args) -> Json:
    """Bring the bot into a channel."""
    channel = _channel(workspace, args)
    if channel.is_im:
        raise SlackError("method_not_supported_for_channel_type")
    already = BOT_USER in channel.members
    add_member(workspace, channel, BOT_USER)
    return {"channel": channel.as_slack(), **({"warning": "already_in_channel"} if already else {})}


@method("conversations.open", "im:write")
def open_conversation(workspace: Workspace, args: Args) -> Json:
    """The direct conversation with one person."""
    user = args.required("users", "users_list_not_supplied")
    return {"channel": {"id": workspace.direct_channel(user).id}}


@method("conversations.history", "channels:history")
def history(workspace: Workspace, args: Args) -> Json:
    """What is seen in a channel, newest first."""
    channel = _readable(workspace, args)
    seen = _between([*reversed(messages.top_level(channel))], args)
    some, metadata = page(seen, args)
    more = bool(metadata["response_metadata"]["next_cursor"])
    return {"messages": _shown(some, args), "has_more": more, "pin_count": 0, **(metadata if more else {})}


@method("conversations.replies", "channels:history")
def replies(workspace: Workspace, args: Args) -> Json:
    """A thread: its root and then its replies, oldest first."""
    channel = _readable(workspace, args)
    root = messages.root(channel, args.required("ts", "thread_not_found"))
    thread = [root, *_between(messages.replies(channel, root["ts"]), args)]
    some, metadata = page(thread, args, default=1_000)
    more = bool(metadata["response_metadata"]["next_cursor"])
    return {"messages": _shown(some, args), "has_more": more, **(metadata if more else {})}


def add_member(workspace: Workspace, channel: Channel, user: str, inviter: str = "") -> None:
    """Bring somebody into a channel, which the app hears of."""
    if user in channel.members:
        return
    channel.members.append(user)
    workspace.changes.add("channel", channel=channel.id)
    events.member_joined(workspace, channel, user, inviter)


def _channel(workspace: Workspace, args: Args) -> Channel:
    return workspace.channel(args.required("channel", "channel_not_found"))


def _readable(workspace: Workspace, args: Args) -> Channel:
    channel = _channel(workspace, args)
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _between(seen: list[Json], args: Args) -> list[Json]:
    """The messages from `oldest` to `latest`, which are themselves left out unless `inclusive`."""
    oldest = _timestamp(args, "oldest", "0")
    latest = _timestamp(args, "latest", "9999999999")
    if args.flag("inclusive"):
        return [message for message in seen if oldest <= float(message["ts"]) <= latest]
    return [message for message in seen if oldest < float(message["ts"]) < latest]


def _timestamp(args: Args, name: str, default: str) -> float:
    try:
        return float(args.text(name, default) or default)
    except ValueError:
        raise SlackError(f"invalid_ts_{name}") from None


def _shown(some: list[Json], args: Args) -> list[Json]:
    return some if args.flag("include_all_metadata") else [without_metadata(message) for message in some]
