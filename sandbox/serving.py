"""Serve an ASGI app on this machine from a background thread, and stop it cleanly.

Both halves of the sandbox (the workspace and the cluster) keep connections open for as long as they
live: Slack's WebSockets, a cluster's watches, a page that waits for changes. Uvicorn's own shutdown waits
for such connections to end by themselves; here they are given a moment and then cut.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

import uvicorn
from websockets.exceptions import InvalidState

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Receive, Scope, Send

GRACE_SECONDS = 0.2
"""How long a request that is under way may take to end after `stop` was asked for."""

SETTLING_SECONDS = 0.01
"""How long a connection that was accepted just now may take to be known to the server; asyncio forgets, and
leaves hanging, those that it does not know yet when the server is closed."""

LONGEST_STOP_SECONDS = 5.0

CUT = "sandbox.cut"


class _Server(uvicorn.Server):
    """A uvicorn server that stops when told, not at its next tick, and cuts what does not end by itself."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            self.app_that_can_cut,
            interface="asgi3",
            log_config=None,  # the program that embeds the sandbox decides about logging
            log_level="error",
            access_log=False,
            date_header=False,  # uvicorn refreshes it in the tick that this class does without
            ws_ping_interval=None,  # a debugger's pause on the other side must not end a connection
        )
        super().__init__(config)
        self.app = app
        self.loop: asyncio.AbstractEventLoop | None = None
        self.ready = threading.Event()
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self._stopping.wait()

    async def app_that_can_cut(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app, with a way to cut its caller off: see `cut_connection`."""
        scope.setdefault("extensions", {})[CUT] = lambda: self._cut(scope["client"])
        await self.app(scope, receive, send)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End without uvicorn's fixed pauses, which would be most of the time of a short test."""
        loop = asyncio.get_running_loop()
        for listening in sockets or ():
            loop.remove_reader(listening)
        await asyncio.sleep(SETTLING_SECONDS)
        for server in self.servers:
            server.close()
        for last_resort in (self._cut, self._cancel):
            if not await self._quiet():
                last_resort()
        await self._quiet()
        await self.lifespan.shutdown()

    async def _quiet(self) -> bool:
        """Ask every connection to end and give it a moment; whether all did."""
        state = self.server_state
        told: set[object] = set()
        deadline = asyncio.get_running_loop().time() + GRACE_SECONDS
        while state.connections or state.tasks:
            for connection in state.connections - told:
                with contextlib.suppress(InvalidState):  # a WebSocket that its other end is closing just now
                    connection.shutdown()
            told |= state.connections
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.002)  # uvicorn tells nobody when a connection has ended
        return True

    def _cancel(self) -> None:
        for task in self.server_state.tasks:
            task.cancel()

    def request_stop(self) -> None:
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._stopping.set)

    def _cut(self, client: object = None) -> None:
        """Abort the connection from `client`, or all of them."""
        for connection in list(self.server_state.connections):
            if client is None or connection.transport.get_extra_info("peername") == client:
                connection.transport.abort()


class Served:
    """A running server: where it is, and how to end it. Also a context manager that stops on the way out."""

    def __init__(self, server: _Server, thread: threading.Thread, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.url = f"http://{host}:{port}"
        self._server = server
        self._thread = thread

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that the app runs in, for whoever shares its state from another thread."""
        if self._server.loop is None:
            raise RuntimeError("the server has not started")
        return self._server.loop

    def stop(self) -> None:
        """Stop accepting, let short requests end, cut long ones, wait for the thread. May be called twice."""
        self._server.request_stop()
        self._thread.join(LONGEST_STOP_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError(f"the server at {self.url} did not stop within {LONGEST_STOP_SECONDS} s")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _listen(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is; with it on, every
    # answer over a kept connection takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def serve(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> Served:
    """Run `app` in a background thread; return once it accepts connections.

    Port 0 takes a free one, which `Served.port` and `Served.url` then tell. A port that is taken raises
    `OSError` here, in the caller's thread; an app whose startup fails raises `RuntimeError`.
    """
    listener = _listen(host, port)
    server = _Server(app)

    def run() -> None:
        try:
            asyncio.run(server.serve(sockets=[listener]))
        finally:
            listener.close()
            server.ready.set()

    thread = threading.Thread(target=run, name=f"serving-{listener.getsockname()[1]}", daemon=True)
    served = Served(server, thread, host, listener.getsockname()[1])
    thread.start()
    server.ready.wait()
    if not server.started:
        thread.join(LONGEST_STOP_SECONDS)
        raise RuntimeError("the app did not start")
    return served


def cut_connection(request: HTTPConnection) -> None:
    """Cut the connection that `request` came over, now and without an answer: the network's worst moment."""
    cut: Callable[[], None] = request.scope["extensions"][CUT]
    cut()
