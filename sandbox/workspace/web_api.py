"""The Web API's front door: who calls, whether they may, what trouble was asked for, then the method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.serving import cut_connection
from sandbox.workspace.args import Args
from sandbox.workspace.errors import SlackError
from sandbox.workspace.methods import chat, conversations, directory, files, reactions, view_methods
from sandbox.workspace.methods.registry import METHODS, Method

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.workspace.faults import Fault
    from sandbox.workspace.state import Workspace

Json = dict[str, Any]

MODULES = (chat, conversations, directory, files, reactions, view_methods)
"""Importing them is what fills `METHODS`."""

REMEMBERED_CALLS = 10_000


async def call_method(workspace: Workspace, request: Request) -> Response:
    """Answer `/api/<method>`."""
    name = request.path_params["method"]
    try:
        args = Args.parse(request.headers.get("content-type", ""), await request.body(), request.url.query)
        channel = args.text("channel") or args.text("channel_id")
        token = _token(request, args)
        fault = workspace.faults.take(name, channel)
        if fault is not None and (response := await _refusal(request, fault)) is not None:
            _remember(workspace, name, args, {"ok": False, "error": "fault"})
            return response
        answer = _answer(workspace, name, args, token, channel)
    except SlackError as error:
        answer, args, fault = error.as_json(), Args({}), None
    _remember(workspace, name, args, answer)
    if fault is not None:
        await workspace.clock.sleep(fault.delay)
        if fault.cut == "after":
            return _cut(request)
    return _respond(workspace, name, answer)


def _answer(workspace: Workspace, name: str, args: Args, token: str, channel: str) -> Json:
    """What the method says, refusals included."""
    try:
        method = _permitted(workspace, name, token)
        wait = workspace.limits.seconds_to_wait(name, channel)
        if wait:
            return {"ok": False, "error": "ratelimited", "_retry_after": wait}
        return {"ok": True, **method.handler(workspace, args)}
    except SlackError as error:
        return error.as_json()


def _permitted(workspace: Workspace, name: str, token: str) -> Method:
    settings = workspace.settings
    if name not in METHODS:
        raise SlackError("unknown_method", req_method=name)
    method = METHODS[name]
    if name == "api.test":
        return method
    if not token:
        raise SlackError("not_authed")
    if token not in {settings.bot_token, settings.app_token}:
        raise SlackError("invalid_auth")
    if method.app_token != (token == settings.app_token):
        raise SlackError("not_allowed_token_type")
    if method.scope and method.scope not in settings.scopes:
        raise SlackError("missing_scope", needed=method.scope, provided=",".join(sorted(settings.scopes)))
    return method


def _token(request: Request, args: Args) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else str(args.values.pop("token", ""))


async def _refusal(request: Request, fault: Fault) -> Response | None:
    """The answer of a fault that keeps the method from doing anything; None when it lets it."""
    if fault.cut == "before":
        return _cut(request)
    if fault.status == 429:
        return _rate_limited(fault.retry_after)
    if fault.status:
        return PlainTextResponse("", status_code=fault.status)
    if fault.error:
        return JSONResponse({"ok": False, "error": fault.error})
    return None


def _respond(workspace: Workspace, name: str, answer: Json) -> Response:
    if "_retry_after" in answer:
        return _rate_limited(answer["_retry_after"])
    method = METHODS.get(name)
    headers = {"x-oauth-scopes": ",".join(sorted(workspace.settings.scopes))}
    if method is not None and method.scope:
        headers["x-accepted-oauth-scopes"] = method.scope
    return JSONResponse(answer, headers=headers)


def _rate_limited(seconds: int) -> Response:
    answer = {"ok": False, "error": "ratelimited"}
    return JSONResponse(answer, status_code=429, headers={"Retry-After": str(seconds)})


def _cut(request: Request) -> Response:
    cut_connection(request)
    return Response()  # nobody is left to read it


def _remember(workspace: Workspace, name: str, args: Args, answer: Json) -> None:
    workspace.calls.append(
        {
            "method": name,
            "args": args.values,
            "ok": answer["ok"],
            "error": answer.get("error", ""),
            "at": workspace.clock.now(),
        }
    )
    del workspace.calls[:-REMEMBERED_CALLS]
