"""The workspace as one web application: Slack's API, Socket Mode, the page, and the strings behind."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from sandbox.workspace import answers, client_api, control, web_api
from sandbox.workspace.delivery import UndeliveredError
from sandbox.workspace.errors import PersonError, SlackError
from sandbox.workspace.state import Workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from sandbox.workspace.settings import Settings

STATIC = Path(__file__).parent / "static"


def build(settings: Settings) -> tuple[Starlette, Workspace]:
    """The application, and the state behind it; the state needs its `url` before the first request."""
    workspace = Workspace(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await workspace.close()

    refusals = dict.fromkeys((PersonError, SlackError, UndeliveredError), refuse)
    app = Starlette(routes=_routes(workspace), lifespan=lifespan, exception_handlers=refusals)
    return app, workspace


def _routes(workspace: Workspace) -> list[BaseRoute]:
    def bound(endpoint: Callable[[Workspace, Request], Any]) -> Callable[[Request], Any]:
        """An endpoint of this workspace, called in the event loop always: that keeps its state whole."""

        async def call(request: Request) -> Response:
            result = endpoint(workspace, request)
            response: Response = await result if hasattr(result, "__await__") else result
            return response

        return call

    async def stream(socket: WebSocket) -> None:
        await client_api.stream_changes(workspace, socket)

    return [
        Route("/api/{method}", bound(web_api.call_method), methods=["GET", "POST"]),
        WebSocketRoute("/link/", workspace.socket_mode.endpoint),
        Route("/commands/{team}/{key}", bound(use_response_url), methods=["POST"]),
        Route("/actions/{team}/{key}", bound(use_response_url), methods=["POST"]),
        Route("/upload/v1/{file}", bound(take_upload), methods=["POST"]),
        Route("/files/{file}/{name}", bound(give_file)),
        Route("/client/boot", bound(client_api.read_everything)),
        Route("/client/channel", bound(client_api.read_channel)),
        Route("/client/views", bound(client_api.read_views)),
        Route("/client/changes", bound(client_api.read_changes)),
        WebSocketRoute("/client/stream", stream),
        Route("/client/{action}", bound(client_api.act), methods=["POST"]),
        Route("/control/settings", bound(control.read_settings)),
        Route("/control/calls", bound(control.read_calls)),
        Route("/control/deliveries", bound(control.read_deliveries)),
        Route("/control/{string}", bound(control.pull), methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/", bound(show_page)),
        Route("/archives/{channel}/{message}", bound(show_page)),
        Route("/archives/{channel}", bound(show_page)),
    ]


def refuse(_request: Request, error: Exception) -> Response:
    """Say no to the page, a `Person` or a test; Slack's own methods answer their refusals themselves."""
    return JSONResponse({"ok": False, "error": str(error)}, status_code=409)


def show_page(_workspace: Workspace, _request: Request) -> Response:
    """The page to work in; the address says which message it opens at."""
    return FileResponse(STATIC / "index.html")


async def use_response_url(workspace: Workspace, request: Request) -> Response:
    """Take an answer at a response URL."""
    fault = workspace.faults.take("response_url", "")
    if fault is not None and fault.status:
        return PlainTextResponse("", status_code=fault.status)
    try:
        answers.show(
            workspace,
            answers.spend(workspace, request.path_params["key"]),
            await request.json(),
        )
    except SlackError as error:
        gone = error.code in {"used_url", "expired_url", "invalid_url"}
        return JSONResponse(error.as_json(), status_code=404 if gone else 400)
    return PlainTextResponse("ok")


async def take_upload(workspace: Workspace, request: Request) -> Response:
    """Take the bytes of a file."""
    file = workspace.files.get(request.path_params["file"])
    if file is None:
        return PlainTextResponse("file not found", status_code=404)
    file.content = await request.body()
    return PlainTextResponse(f"OK - {len(file.content)}")


def give_file(workspace: Workspace, request: Request) -> Response:
    """Give the bytes of a file back, to whoever asks: the page has no token."""
    file = workspace.files.get(request.path_params["file"])
    if file is None:
        return PlainTextResponse("file not found", status_code=404)
    return Response(file.content, media_type=_media_type(file.name))


def _media_type(name: str) -> str:
    # Only images are shown; anything else is downloaded rather than run in the page's name.
    kinds = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif"}
    return kinds.get(name.rpartition(".")[2].lower(), "application/octet-stream")
