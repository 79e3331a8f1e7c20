"""What the page and `Person` talk to: Slack's client side, as a small HTTP API of our own.

Everybody says who they are and is believed; this is a sandbox for one machine.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.workspace import events, interactions, messages, views
from sandbox.workspace.elements import Choice
from sandbox.workspace.errors import PersonError
from sandbox.workspace.messages import Draft
from sandbox.workspace.methods.conversations import add_member
from sandbox.workspace.model import APP, BOT_USER, COMMAND, TEAM_NAME, Channel, User
from sandbox.workspace.typing_in import as_message_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from sandbox.workspace.delivery import Delivery
    from sandbox.workspace.state import Workspace

Json = dict[str, Any]

LONGEST_WAIT = 25.0


async def act(workspace: Workspace, request: Request) -> Response:
    """Answer `POST /client/<action>`: somebody does something."""
    action = ACTIONS.get(request.path_params["action"])
    if action is None:
        return JSONResponse({"ok": False, "error": "There is no such action."}, status_code=404)
    body: Json = await request.json()
    return JSONResponse({"ok": True, **await action(workspace, workspace.user(body["user"]), body)})


def read_everything(workspace: Workspace, request: Request) -> Response:
    """Answer `GET /client/boot`: all that `user` can see, and the number of the last change in it."""
    user = _user(workspace, request)
    home = workspace.homes.get(user.id)
    return JSONResponse(
        {
            "seq": workspace.changes.latest,
            "team": TEAM_NAME,
            "app": {"id": APP, "user": BOT_USER, "command": COMMAND, "hints": _hints(workspace)},
            "connections": workspace.deliveries.transport.connections,
            "you": user.id,
            "users": [_for_page(each) for each in workspace.users.values()],
            "groups": [group.as_slack(with_users=True) for group in workspace.groups.values()],
            "channels": [_channel(workspace, channel, user) for channel in _visible(workspace, user)],
            "views": [views.public(view) for view in views.open_forms(workspace, user.id)],
            "home": views.public(home) if home else None,
        }
    )


def read_channel(workspace: Workspace, request: Request) -> Response:
    """Answer `GET /client/channel`: one channel as `user` sees it, thread replies included."""
    user = _user(workspace, request)
    channel = workspace.channel(request.query_params["channel"])
    _must_see(channel, user)
    return JSONResponse({"ok": True, **_channel(workspace, channel, user)})


def read_views(workspace: Workspace, request: Request) -> Response:
    """Answer `GET /client/views`: the open forms, the visible one last, and the App Home."""
    user = _user(workspace, request)
    home = workspace.homes.get(user.id)
    return JSONResponse(
        {
            "ok": True,
            "views": [views.public(view) for view in views.open_forms(workspace, user.id)],
            "home": views.public(home) if home else None,
        }
    )


async def read_changes(workspace: Workspace, request: Request) -> Response:
    """Answer `GET /client/changes`: what changed after `since`; waits for it up to `wait` seconds."""
    user, since = request.query_params["user"], int(request.query_params["since"])
    await workspace.changes.wait(since, min(LONGEST_WAIT, float(request.query_params.get("wait", "0"))))
    return JSONResponse({"seq": workspace.changes.latest, "changes": workspace.changes.since(since, user)})


async def stream_changes(workspace: Workspace, socket: WebSocket) -> None:
    """Serve the page's WebSocket at `/client/stream`: every change after `since`, as it happens."""
    user, since = socket.query_params["user"], int(socket.query_params["since"])
    await socket.accept()
    sending = asyncio.create_task(_send_changes(workspace, socket, user, since))
    async for _ in socket.iter_text():
        pass  # the page says nothing; this ends when it goes away
    sending.cancel()


async def _send_changes(workspace: Workspace, socket: WebSocket, user: str, since: int) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # gone while something was on its way
        while True:
            for change in workspace.changes.since(since, user):
                await socket.send_json(change)
                since = change["seq"]
            since = max(since, workspace.changes.latest)
            await workspace.changes.wait(since, LONGEST_WAIT)


async def _command(workspace: Workspace, user: User, body: Json) -> Json:
    channel = _open_channel(workspace, user, body)
    if body.get("thread_ts"):
        text = f"{COMMAND} is not supported in threads. Sorry!"
        messages.post_ephemeral(
            workspace, channel.id, user.id, Draft(text, thread_ts=body["thread_ts"]), author="USLACKBOT"
        )
        return {"delivery": None}
    return _delivered(await interactions.command(workspace, user, channel, body["text"]))


async def _say(workspace: Workspace, user: User, body: Json) -> Json:
    channel = _open_channel(workspace, user, body)
    if not body["text"].strip():
        raise PersonError("There is nothing to say.")
    draft = Draft(as_message_text(workspace, body["text"]), thread_ts=body.get("thread_ts", ""))
    draft.broadcast = body.get("broadcast", False)
    return {"message": messages.post(workspace, channel, user.id, draft)}


async def _react(workspace: Workspace, user: User, body: Json) -> Json:
    channel = _open_channel(workspace, user, body)
    messages.react(workspace, channel, workspace.message(channel.id, body["ts"]), user.id, body["name"])
    return {}


async def _unreact(workspace: Workspace, user: User, body: Json) -> Json:
    channel = _open_channel(workspace, user, body)
    messages.unreact(workspace, channel, workspace.message(channel.id, body["ts"]), user.id, body["name"])
    return {}


async def _click(workspace: Workspace, user: User, body: Json) -> Json:
    choices: dict[str, dict[str, Choice]] = body.get("choices", {})
    if body.get("view_id"):
        view = _view(workspace, user, body)
        return _delivered(await interactions.click_in_view(workspace, user, view, body["action"], choices))
    channel = _open_channel(workspace, user, body)
    delivery = await interactions.click_in_message(
        workspace, user, channel, body["ts"], body["action"], choices
    )
    return _delivered(delivery)


async def _submit(workspace: Workspace, user: User, body: Json) -> Json:
    view = _view(workspace, user, body)
    delivery, errors = await interactions.submit(workspace, user, view, body.get("choices", {}))
    return {**_delivered(delivery), "errors": errors}


async def _close(workspace: Workspace, user: User, body: Json) -> Json:
    view = _view(workspace, user, body)
    return _delivered(await interactions.close(workspace, user, view, all_of_them=body.get("all", False)))


async def _dismiss(workspace: Workspace, user: User, body: Json) -> Json:
    ephemeral = workspace.ephemerals.get(body["ts"])
    if ephemeral is not None and ephemeral.user == user.id:
        messages.dismiss_ephemeral(workspace, body["ts"])
    return {}


async def _open_home(workspace: Workspace, user: User, body: Json) -> Json:
    if user.is_stranger:
        raise PersonError("The app is not installed in your workspace.")
    events.app_home_opened(workspace, user.id, body.get("tab", "home"))
    return {}


async def _join(workspace: Workspace, user: User, body: Json) -> Json:
    channel = workspace.channel(body["channel"])
    if user.is_guest or user.is_stranger:
        raise PersonError("Somebody has to invite you to this channel.")
    add_member(workspace, channel, user.id)
    return {}


ACTIONS: dict[str, Callable[[Workspace, User, Json], Awaitable[Json]]] = {
    "command": _command,
    "say": _say,
    "react": _react,
    "unreact": _unreact,
    "click": _click,
    "submit": _submit,
    "close": _close,
    "dismiss": _dismiss,
    "home": _open_home,
    "join": _join,
}


def _user(workspace: Workspace, request: Request) -> User:
    return workspace.user(request.query_params["user"])


def _open_channel(workspace: Workspace, user: User, body: Json) -> Channel:
    """The channel that somebody acts in, which they must be a member of."""
    channel = workspace.channel(body["channel"])
    _must_see(channel, user)
    if user.id not in channel.members:
        raise PersonError(f"You are not a member of #{channel.name}.")
    return channel


def _must_see(channel: Channel, user: User) -> None:
    if not _sees(channel, user):
        raise PersonError("There is no such channel for you.")


def _sees(channel: Channel, user: User) -> bool:
    """Public channels are open to members of the workspace; the others see what they were invited to."""
    restricted = channel.is_im or user.is_guest or user.is_stranger
    return user.id in channel.members or not restricted


def _visible(workspace: Workspace, user: User) -> list[Channel]:
    return [channel for channel in workspace.channels.values() if _sees(channel, user)]


def _view(workspace: Workspace, user: User, body: Json) -> Json:
    view = workspace.views.get(body["view_id"])
    if view is None or view["_user"] != user.id:
        raise PersonError("That form is no longer open.")
    return view


def _channel(workspace: Workspace, channel: Channel, user: User) -> Json:
    mine = [
        each.message
        for each in workspace.ephemerals.values()
        if each.user == user.id and each.channel == channel.id
    ]
    return {
        **channel.as_slack(),
        "name": channel.name,
        "topic": channel.topic,
        "members": channel.members,
        "messages": list(channel.messages.values()),
        "ephemerals": mine,
    }


def _for_page(user: User) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "role": user.role,
        "color": user.color,
        "tz": user.tz,
        "is_bot": user.is_bot,
        "is_guest": user.is_guest,
        "is_stranger": user.is_stranger,
    }


def _hints(workspace: Workspace) -> list[Json]:
    return [{"usage": usage, "says": says} for usage, says in workspace.settings.hints]


def _delivered(delivery: Delivery | None) -> Json:
    return {"delivery": delivery.as_json() if delivery else None}
