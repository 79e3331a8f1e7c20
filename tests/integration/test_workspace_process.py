"""The workspace as a process of its own, and the server that it stands on."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.serving import cut_connection, serve
from sandbox.workspace import attach

pytestmark = pytest.mark.calm


def test_it_says_where_it_is_and_ends_when_told() -> None:
    """One line of JSON has what the bot needs; SIGTERM ends it with 0."""
    command = [sys.executable, "-m", "sandbox.workspace", "--port", "0", "--signing-secret", "mine"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  our own program
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        with attach(told["url"]) as workspace:
            assert workspace.environment() | {"url": workspace.url} == told
            assert workspace.signing_secret == "mine"
            assert "Buzzy workspace" in httpx.get(workspace.url).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


class TestServing:
    """The helper that runs both halves of the sandbox."""

    def test_long_connections_are_cut_when_it_stops(self) -> None:
        """A stream that would go on for ever does not keep the server, nor its client."""
        begun = threading.Event()
        reading_ended = threading.Event()

        async def forever() -> AsyncIterator[bytes]:
            begun.set()
            await asyncio.Event().wait()
            yield b"never"

        async def endpoint(_request: Request) -> Response:
            return StreamingResponse(forever())

        def read() -> None:
            with pytest.raises(httpx.HTTPError):
                httpx.get(served.url, timeout=60)
            reading_ended.set()

        served = serve(Starlette(routes=[Route("/", endpoint)]))
        threading.Thread(target=read).start()
        assert begun.wait(10)
        started = time.monotonic()
        served.stop()
        assert time.monotonic() - started < 1.5
        assert reading_ended.wait(10)
        served.stop()

    def test_a_connection_of_just_before_is_ended_as_well(self) -> None:
        """Accepted, but not yet known to the server when it stops: it must not be left hanging."""
        for _ in range(10):
            served = serve(Starlette())
            with socket.create_connection(("127.0.0.1", served.port), timeout=5) as client:
                served.stop()
                assert ended(client)

    def test_a_taken_port_is_told_to_the_caller(self) -> None:
        """Not in the thread, where nobody would see it."""
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
            serve(Starlette(), port=taken.getsockname()[1])

    def test_a_connection_can_be_cut_by_its_endpoint(self) -> None:
        """Without an answer, while the server goes on for others."""

        async def endpoint(request: Request) -> Response:
            if request.url.path == "/cut":
                cut_connection(request)
            return PlainTextResponse("here")

        app = Starlette(routes=[Route("/cut", endpoint), Route("/", endpoint)])
        with serve(app) as served:
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{served.url}/cut")
            assert httpx.get(served.url).text == "here"


def ended(client: socket.socket) -> bool:
    """Whether the other end has closed or reset the connection."""
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True
