"""Events for the app: what happened in the workspace, in the envelope that the Events API puts around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.workspace.model import APP, BOT_USER, TEAM

if TYPE_CHECKING:
    from sandbox.workspace.model import Channel
    from sandbox.workspace.state import Workspace

Json = dict[str, Any]


def message_posted(workspace: Workspace, channel: Channel, message: Json) -> None:
    """`message`, and `app_mention` as well when the bot is named by somebody else."""
    event = {
        **_without_metadata(message),
        "channel": channel.id,
        "channel_type": _channel_type(channel),
        "event_ts": message["ts"],
        **_origin(workspace, channel, message["user"]),
    }
    _emit(workspace, _message_kind(channel), channel, event)
    if f"<@{BOT_USER}" in message["text"] and message["user"] != BOT_USER and not channel.is_im:
        mention = {key: value for key, value in event.items() if key not in {"channel_type", "subtype"}}
        _emit(workspace, "app_mention", channel, {**mention, "type": "app_mention"})


def message_changed(workspace: Workspace, channel: Channel, message: Json, before: Json) -> None:
    """`message` with the subtype `message_changed`."""
    _message_subtype(
        workspace,
        channel,
        "message_changed",
        message=_without_metadata(message),
        previous_message=_without_metadata(before),
    )


def message_deleted(workspace: Workspace, channel: Channel, before: Json) -> None:
    """`message` with the subtype `message_deleted`."""
    _message_subtype(
        workspace,
        channel,
        "message_deleted",
        deleted_ts=before["ts"],
        previous_message=_without_metadata(before),
    )


def reaction(workspace: Workspace, kind: str, channel: Channel, message: Json, by: tuple[str, str]) -> None:
    """`reaction_added` or `reaction_removed`; `by` is who did it and with which emoji."""
    user, name = by
    event = {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": channel.id, "ts": message["ts"]},
        "item_user": message["user"],
        "event_ts": workspace.ids.ts(),
        **_origin(workspace, channel, user),
    }
    _emit(workspace, kind, channel, event)


def app_home_opened(workspace: Workspace, user: str, tab: str) -> None:
    """`app_home_opened`, with the view that was published for this person, if one was."""
    view = workspace.homes.get(user)
    channel = workspace.direct_channel(user)
    event = {
        "type": "app_home_opened",
        "user": user,
        "channel": channel.id,
        "tab": tab,
        **({"view": view} if view and tab == "home" else {}),
        "event_ts": workspace.ids.ts(),
    }
    _emit(workspace, "app_home_opened", channel, event)


def member_joined(workspace: Workspace, channel: Channel, user: str, inviter: str) -> None:
    """`member_joined_channel`."""
    event = {
        "type": "member_joined_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "C",
        "team": workspace.users[user].team,
        **({"inviter": inviter} if inviter else {}),
        "event_ts": workspace.ids.ts(),
    }
    _emit(workspace, "member_joined_channel", channel, event)


def _message_subtype(workspace: Workspace, channel: Channel, subtype: str, **parts: object) -> None:
    ts = workspace.ids.ts()
    event = {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": channel.id,
        "channel_type": _channel_type(channel),
        "ts": ts,
        "event_ts": ts,
        **parts,
    }
    _emit(workspace, _message_kind(channel), channel, event)


def _emit(workspace: Workspace, subscription: str, channel: Channel, event: Json) -> None:
    """Send the event if the app subscribed to it and is there to see it."""
    if subscription not in workspace.settings.subscriptions or BOT_USER not in channel.members:
        return
    event_id = workspace.ids.new("Ev")
    payload = {
        "token": "sandbox-verification-token",
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(workspace.clock.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": channel.is_shared,
        "event_context": f"4-{workspace.ids.secret(32)}",
    }
    workspace.deliveries.send_event(payload)


def _origin(workspace: Workspace, channel: Channel, user: str) -> Json:
    """In a shared channel Slack says whose workspace the person is of."""
    if not channel.is_shared or user not in workspace.users:
        return {}
    return {"user_team": workspace.users[user].team, "source_team": workspace.users[user].team}


def _without_metadata(message: Json) -> Json:
    return {key: value for key, value in message.items() if key != "metadata"}


def _message_kind(channel: Channel) -> str:
    return "message.im" if channel.is_im else "message.channels"


def _channel_type(channel: Channel) -> str:
    return "im" if channel.is_im else "channel"
