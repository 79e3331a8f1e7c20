"""The strings behind the scene: faults, time, limits and second deliveries, for tests and for the curious."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from sandbox.workspace.delivery import UndeliveredError
from sandbox.workspace.faults import Fault
from sandbox.workspace.http_mode import HttpMode
from sandbox.workspace.methods.conversations import add_member
from sandbox.workspace.model import APP, BOT_USER, TEAM

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from sandbox.workspace.state import Workspace

Json = dict[str, Any]


def read_settings(workspace: Workspace, _request: Request) -> Response:
    """Answer `GET /control/settings`: where the app finds this workspace, and what it needs to be let in."""
    settings = workspace.settings
    return JSONResponse(
        {
            "url": workspace.url,
            "api_url": f"{workspace.url}/api/",
            "bot_token": settings.bot_token,
            "app_token": settings.app_token,
            "signing_secret": settings.signing_secret,
            "team": TEAM,
            "app": APP,
            "bot_user": BOT_USER,
            "connections": workspace.deliveries.transport.connections,
            "people": {user.name: user.id for user in workspace.users.values()},
        }
    )


def read_calls(workspace: Workspace, request: Request) -> Response:
    """Answer `GET /control/calls`: what the app asked for, oldest first."""
    wanted = request.query_params.get("method", "")
    return JSONResponse({"calls": [call for call in workspace.calls if wanted in {"", call["method"]}]})


def read_deliveries(workspace: Workspace, request: Request) -> Response:
    """Answer `GET /control/deliveries`: what was sent to the app, oldest first."""
    wanted = request.query_params.get("kind", "")
    sent = workspace.deliveries.sent.values()
    return JSONResponse({"deliveries": [each.as_json() for each in sent if wanted in {"", each.kind}]})


async def pull(workspace: Workspace, request: Request) -> Response:
    """Answer `POST /control/<string>`."""
    string = STRINGS.get(request.path_params["string"])
    if string is None:
        return JSONResponse({"ok": False, "error": "There is no such control."}, status_code=404)
    return JSONResponse({"ok": True, **await string(workspace, await request.json())})


async def _fault(workspace: Workspace, body: Json) -> Json:
    workspace.faults.add(Fault(**body))
    return {}


async def _no_faults(workspace: Workspace, _body: Json) -> Json:
    workspace.faults.waiting.clear()
    return {}


async def _advance(workspace: Workspace, body: Json) -> Json:
    workspace.clock.advance(body["seconds"])
    return {"now": workspace.clock.now()}


async def _rate_limits(workspace: Workspace, body: Json) -> Json:
    workspace.limits.on = body["on"]
    return {}


async def _settings(workspace: Workspace, body: Json) -> Json:
    for key in {"scopes", "subscriptions"} & body.keys():
        body[key] = frozenset(body[key])
    workspace.settings = replace(workspace.settings, **body)
    return {}


async def _address(workspace: Workspace, body: Json) -> Json:
    """Give the app another address of this workspace from now on, such as that of a proxy before it."""
    workspace.url = body["url"]
    return {}


async def _disconnect(workspace: Workspace, body: Json) -> Json:
    await workspace.socket_mode.disconnect(body["reason"])
    return {}


async def _drop(workspace: Workspace, _body: Json) -> Json:
    await workspace.socket_mode.drop()
    return {}


async def _deliver_again(workspace: Workspace, body: Json) -> Json:
    return {"delivery": (await workspace.deliveries.send_again(body["delivery"])).as_json()}


async def _invite(workspace: Workspace, body: Json) -> Json:
    add_member(workspace, workspace.channel(body["channel"]), body["user"], body.get("inviter", "U0CAROL"))
    return {}


async def _remove(workspace: Workspace, body: Json) -> Json:
    channel = workspace.channel(body["channel"])
    channel.members.remove(body["user"])
    workspace.changes.add("channel", channel=channel.id)
    return {}


async def _group(workspace: Workspace, body: Json) -> Json:
    workspace.groups[body["group"]].members[:] = body["members"]
    return {}


async def _deactivate(workspace: Workspace, body: Json) -> Json:
    workspace.users[body["user"]].is_deactivated = True
    return {}


async def _request_url(workspace: Workspace, body: Json) -> Json:
    """Deliver to a request URL from now on, once it has answered Slack's challenge."""
    transport = HttpMode(workspace, body["url"])
    try:
        await transport.verify()
    except UndeliveredError:
        await transport.close()
        raise
    await workspace.deliveries.transport.close()
    workspace.deliveries.transport = transport
    workspace.changes.add("app", connections=transport.connections)
    return {}


STRINGS: dict[str, Callable[[Workspace, Json], Awaitable[Json]]] = {
    "fault": _fault,
    "no_faults": _no_faults,
    "advance": _advance,
    "rate_limits": _rate_limits,
    "settings": _settings,
    "address": _address,
    "disconnect": _disconnect,
    "drop": _drop,
    "deliver_again": _deliver_again,
    "invite": _invite,
    "remove": _remove,
    "group": _group,
    "deactivate": _deactivate,
    "request_url": _request_url,
}
