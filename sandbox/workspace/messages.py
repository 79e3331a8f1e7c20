"""Messages, threads and reactions: what they look like to an app, and what happens when they change.

Everything that changes a message goes through here, whoever asks for it, so that the page hears of it and
the app gets its event.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.workspace import events
from sandbox.workspace.emoji import is_emoji
from sandbox.workspace.errors import SlackError
from sandbox.workspace.model import APP, BOT, BOT_USER, SLACKBOT, TEAM, Channel
from sandbox.workspace.state import Ephemeral, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]

MOST_EMOJI = 50
"""Different emoji on one message."""


@dataclass
class Draft:
    """What somebody is about to post. `blocks` are already as Slack stores them."""

    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str = ""
    broadcast: bool = False
    metadata: Json | None = None
    files: list[Json] = field(default_factory=list)


def post(workspace: Workspace, channel: Channel, author: str, draft: Draft) -> Json:
    """Add a message to a channel or to a thread in it."""
    ts = workspace.ids.ts()
    message = {"type": "message", "ts": ts, "text": draft.text, **_author(workspace, author)}
    if draft.blocks:
        message["blocks"] = draft.blocks
    if draft.metadata:
        message["metadata"] = draft.metadata
    if draft.files:
        message |= {"files": draft.files, "upload": True, "subtype": "file_share"}
    if draft.thread_ts:
        _join_thread(workspace, channel, message, draft)
    channel.messages[ts] = message
    _announce(workspace, channel, message)
    events.message_posted(workspace, channel, message)
    return message


def post_ephemeral(
    workspace: Workspace, channel_id: str, user: str, draft: Draft, author: str = BOT_USER
) -> Json:
    """Show `user` alone a message, which no method of Slack's finds again."""
    ts = workspace.ids.ts()
    message = {
        "type": "message",
        "subtype": "bot_message",
        "is_ephemeral": True,
        "ts": ts,
        "text": draft.text,
        **_author(workspace, author),
        **({"blocks": draft.blocks} if draft.blocks else {}),
        **({"thread_ts": draft.thread_ts} if draft.thread_ts else {}),
    }
    workspace.ephemerals[ts] = Ephemeral(user, channel_id, message)
    workspace.changes.add("ephemeral", [user], channel=channel_id, message=message)
    return message


def notice(workspace: Workspace, channel_id: str, user: str, text: str) -> Json:
    """What Slack itself tells `user`, in Slackbot's name: that a command failed, for instance."""
    return post_ephemeral(workspace, channel_id, user, Draft(text), author=SLACKBOT)


def edit_ephemeral(workspace: Workspace, ts: str, draft: Draft) -> None:
    """Replace what an ephemeral message says; nothing happens when it was dismissed already."""
    ephemeral = workspace.ephemerals.get(ts)
    if ephemeral is not None:
        ephemeral.message |= {"text": draft.text, "blocks": draft.blocks}
        workspace.changes.add(
            "ephemeral", [ephemeral.user], channel=ephemeral.channel, message=ephemeral.message
        )


def dismiss_ephemeral(workspace: Workspace, ts: str) -> None:
    """Take an ephemeral message away."""
    ephemeral = workspace.ephemerals.pop(ts, None)
    if ephemeral is not None:
        workspace.changes.add("ephemeral_deleted", [ephemeral.user], channel=ephemeral.channel, ts=ts)


def edit(workspace: Workspace, channel: Channel, message: Json, draft: Draft, *, mark: bool) -> None:
    """Replace what a message says. `mark` shows "(edited)", which Slack does when its text alone is new."""
    before = dict(message)
    message["text"] = draft.text
    message.pop("blocks", None)
    if draft.blocks:
        message["blocks"] = draft.blocks
    if draft.metadata is not None:
        message["metadata"] = draft.metadata
    if not message.get("metadata"):
        message.pop("metadata", None)
    if mark:
        message["edited"] = {"user": message["user"], "ts": workspace.ids.ts()}
    _announce(workspace, channel, message)
    events.message_changed(workspace, channel, message, before)


def delete(workspace: Workspace, channel: Channel, message: Json) -> None:
    """Take a message away. One that has replies leaves a tombstone, so that the thread can still be read."""
    before = dict(message)
    if message.get("reply_count"):
        kept = {key: value for key, value in message.items() if key in THREAD_FIELDS}
        message.clear()
        message |= {
            "type": "message",
            "subtype": "tombstone",
            "user": SLACKBOT,
            "hidden": True,
            "text": "This message was deleted.",
            **kept,
        }
        _announce(workspace, channel, message)
    else:
        del channel.messages[message["ts"]]
        workspace.changes.add("message_deleted", _readers(channel), channel=channel.id, ts=message["ts"])
        _leave_thread(workspace, channel, message)
    events.message_deleted(workspace, channel, before)


def react(workspace: Workspace, channel: Channel, message: Json, user: str, name: str) -> None:
    """Add `user`'s reaction, or refuse as `reactions.add` does."""
    name = name.strip(":")
    if not is_emoji(name):
        raise SlackError("invalid_name")
    reactions = message.setdefault("reactions", [])
    reaction = next((each for each in reactions if each["name"] == name), None)
    if reaction is None:
        if len(reactions) >= MOST_EMOJI:
            raise SlackError("too_many_emoji")
        reaction = {"name": name, "users": [], "count": 0}
        reactions.append(reaction)
    if user in reaction["users"]:
        raise SlackError("already_reacted")
    reaction["users"].append(user)
    reaction["count"] += 1
    _announce(workspace, channel, message)
    events.reaction(workspace, "reaction_added", channel, message, (user, name))


def unreact(workspace: Workspace, channel: Channel, message: Json, user: str, name: str) -> None:
    """Take `user`'s reaction back, or refuse as `reactions.remove` does."""
    name = name.strip(":")
    reactions = message.get("reactions", [])
    reaction = next((each for each in reactions if each["name"] == name and user in each["users"]), None)
    if reaction is None:
        raise SlackError("no_reaction" if is_emoji(name) else "invalid_name")
    reaction["users"].remove(user)
    reaction["count"] -= 1
    if not reaction["users"]:
        reactions.remove(reaction)
    if not reactions:
        message.pop("reactions", None)
    _announce(workspace, channel, message)
    events.reaction(workspace, "reaction_removed", channel, message, (user, name))


def root(channel: Channel, thread_ts: str) -> Json:
    """The message that the thread of `thread_ts` (its root's or a reply's) hangs on."""
    message = channel.messages.get(thread_ts)
    message = message and channel.messages.get(message.get("thread_ts", thread_ts))
    if not message:
        raise SlackError("thread_not_found")
    return message


def replies(channel: Channel, thread_ts: str) -> list[Json]:
    """The replies under `thread_ts`, oldest first."""
    return [
        message
        for ts, message in channel.messages.items()
        if message.get("thread_ts") == thread_ts and ts != thread_ts
    ]


def top_level(channel: Channel) -> list[Json]:
    """What is seen in the channel itself, oldest first: no replies, except those that were sent there too."""
    return [
        message
        for ts, message in channel.messages.items()
        if message.get("thread_ts", ts) == ts or message.get("subtype") == "thread_broadcast"
    ]


THREAD_FIELDS = ("ts", "thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply")


def _author(workspace: Workspace, author: str) -> Json:
    if author == SLACKBOT:
        return {"user": SLACKBOT, "team": TEAM}
    user = workspace.users[author]
    if not user.is_bot:
        return {"user": author, "team": user.team, "client_msg_id": workspace.ids.secret(32)}
    profile = {
        "id": BOT,
        "app_id": APP,
        "name": user.real_name,
        "deleted": False,
        "updated": 0,
        "team_id": TEAM,
    }
    return {"user": author, "team": TEAM, "bot_id": BOT, "app_id": APP, "bot_profile": profile}


def _join_thread(workspace: Workspace, channel: Channel, message: Json, draft: Draft) -> None:
    parent = root(channel, draft.thread_ts)
    message |= {"thread_ts": parent["ts"], "parent_user_id": parent["user"]}
    if draft.broadcast:
        message["subtype"] = "thread_broadcast"
    users = [*dict.fromkeys([*parent.get("reply_users", []), message["user"]])]
    parent |= {
        "thread_ts": parent["ts"],
        "reply_count": parent.get("reply_count", 0) + 1,
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": message["ts"],
    }
    _announce(workspace, channel, parent)


def _leave_thread(workspace: Workspace, channel: Channel, message: Json) -> None:
    parent = channel.messages.get(message.get("thread_ts", ""))
    if parent is None:
        return
    left = replies(channel, parent["ts"])
    users = [*dict.fromkeys(reply["user"] for reply in left)]
    if left:
        parent |= {"reply_count": len(left), "reply_users": users, "reply_users_count": len(users)}
        parent["latest_reply"] = left[-1]["ts"]
    else:
        for thread_field in THREAD_FIELDS[1:]:
            parent.pop(thread_field, None)
    _announce(workspace, channel, parent)


def _announce(workspace: Workspace, channel: Channel, message: Json) -> None:
    # A copy: the message goes on changing while readers are still behind.
    shown = {
        **message,
        "reactions": [dict(each, users=[*each["users"]]) for each in message.get("reactions", [])],
    }
    workspace.changes.add("message", _readers(channel), channel=channel.id, message=shown)


def _readers(channel: Channel) -> Iterable[str]:
    return channel.members if channel.is_im else ()
