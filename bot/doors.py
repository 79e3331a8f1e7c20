"""The two ways in which Slack reaches the bot: a WebSocket that the bot opens, or requests over HTTP."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from typing import Protocol

import structlog
import uvicorn
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

PATH = "/slack/events"
MOST_BYTES = 1_000_000
"""Slack's requests are a few kilobytes; more is somebody else's."""

CONCURRENCY = 32
"""Requests that are answered side by side: with ten, the SDK's default, a hung Redis would make the
eleventh wait longer than Slack does."""

PING_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
CLOSE_SECONDS = 3.0

_WRONG_TOKEN = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "not_allowed_token_type"}

Dispatch = Callable[[BoltRequest], BoltResponse]
"""Answers a request."""

log = structlog.get_logger(__name__)


class DoorError(Exception):
    """Slack cannot reach the bot, and trying again would not change that."""


class Door(Protocol):
    """A way in."""

    def open(self, stop: threading.Event) -> None:
        """Let Slack in, trying until it works or `stop` is set. Raises `DoorError`."""

    def close(self) -> None:
        """Take nothing more in; bounded in time."""


class SocketDoor:
    """Socket Mode. The SDK keeps the connection: it answers pings and connects anew when it is lost."""

    def __init__(self, app: App, app_token: str) -> None:
        """`app_token` is an app-level token (xapp-…)."""
        self._handler = SocketModeHandler(app, app_token, ping_interval=PING_SECONDS, concurrency=CONCURRENCY)

    def open(self, stop: threading.Event) -> None:
        """Connect."""
        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                self._handler.connect()  # type: ignore[no-untyped-call] # Bolt has no types here
            except SlackApiError as error:
                code = str(error.response.get("error", ""))
                if code in _WRONG_TOKEN:
                    raise DoorError(f"Slack does not take SLACK_APP_TOKEN ({code})") from error
                if code == "missing_scope":
                    raise DoorError("SLACK_APP_TOKEN lacks the scope connections:write") from error
                log.warning("Socket Mode cannot be opened; trying again", slack=code, in_seconds=pause)
            except Exception as error:  # noqa: BLE001 - the SDK lets through whatever the network raises
                why = type(error).__name__
                log.warning("Socket Mode cannot be opened; trying again", why=why, in_seconds=pause)
            else:
                log.info("Connected to Slack over Socket Mode")
                return
            stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def close(self) -> None:
        """Disconnect. The SDK waits for its threads, one of which may wait for Slack: not for ever."""
        closing = threading.Thread(target=self._close, name="closing", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def _close(self) -> None:
        """Let what was taken be answered, then go: the SDK's own `close` would cut it off first.

        The socket is shut down before it is closed, because the SDK waits for the thread that reads it,
        which otherwise reads for three seconds more.
        """
        client = self._handler.client
        client.closed = True
        client.message_queue.put(None)
        with contextlib.suppress(Exception):  # it goes away whether it closed well or not
            client.message_processor.shutdown()  # type: ignore[no-untyped-call] # the SDK has no types here
            client.message_workers.shutdown()
            client.auto_reconnect_enabled = False
            if client.current_session is not None and client.current_session.sock is not None:
                client.current_session.sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(Exception):
            self._handler.close()  # type: ignore[no-untyped-call] # Bolt has no types here


class HttpDoor:
    """Requests over HTTP, each signed by Slack, served by uvicorn.

    Bolt's adapters for Starlette would run its blocking dispatch in the event loop; here it runs in threads.
    """

    def __init__(self, dispatch: Dispatch, address: tuple[str, int]) -> None:
        """`address` is host and port; port 0 takes a free one."""
        self._address = address
        config = uvicorn.Config(
            web_app(dispatch), log_config=None, access_log=False, timeout_graceful_shutdown=int(CLOSE_SECONDS)
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None
        self.port = 0

    def open(self, stop: threading.Event) -> None:  # noqa: ARG002 - one try is enough: a port is free or is not
        """Listen."""
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listening = socket.create_server((host, port), family=family, backlog=128)
        except OSError as error:
            raise DoorError(f"{host}:{port} cannot be listened at: {error.strerror}") from error
        self.port = listening.getsockname()[1]
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="http", daemon=True
        )
        self._thread.start()
        log.info("Listening for Slack", host=host, port=self.port, path=PATH)

    def close(self) -> None:
        """Let requests that are under way end, and stop."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)


def web_app(dispatch: Dispatch) -> Starlette:
    """The dispatch at Slack's request URL, and a word for who asks whether the process is well."""

    async def events(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return PlainTextResponse("too long", 413)
        try:
            bolt_request = to_bolt_request(request, bytes(body))
        except UnicodeDecodeError:
            return PlainTextResponse("not UTF-8", 400)
        return to_starlette_response(await run_in_threadpool(dispatch, bolt_request))

    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(
        routes=[Route(PATH, events, methods=["POST"]), Route("/health", health, methods=["GET"])]
    )
