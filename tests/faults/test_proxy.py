"""The proxy does what it is told, once, and says so: each kind of fault against a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest
import redis
import websockets
from redis.backoff import NoBackoff
from redis.retry import Retry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.redis_server import RedisServer
from sandbox.serving import Served, serve
from tests.faults.proxy import Fault, Proxy

ANSWER = "x" * 400
served: list[str] = []


async def _answer(request: Request) -> Response:
    served.append(f"{request.method} {request.url.path} {len(await request.body())}")
    return PlainTextResponse(ANSWER)


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A web server that answers everything, and echoes over a WebSocket."""
    routes = [WebSocketRoute("/link", _echo), Route("/{path:path}", _answer, methods=["GET", "PATCH"])]
    with serve(Starlette(routes=routes)) as running:
        yield running


@pytest.fixture
def proxy(server: Served) -> Iterator[Proxy]:
    """A proxy in front of it."""
    served.clear()
    with Proxy("http", upstream=("127.0.0.1", server.port)) as running:
        yield running


@pytest.fixture
def http(proxy: Proxy) -> Iterator[httpx.Client]:
    """A client whose connections lead through the proxy; it waits half a second."""
    with httpx.Client(base_url=f"http://{proxy.address}", timeout=0.5, trust_env=False) as client:
        yield client


@pytest.fixture
def redis_proxy(redis_server: RedisServer) -> Iterator[tuple[Proxy, redis.Redis]]:
    """A proxy in front of Redis, and a client through it that tries nothing again."""
    with Proxy("redis", upstream=("127.0.0.1", redis_server.port)) as running:
        client = redis.Redis(
            port=running.port, socket_timeout=0.5, retry=Retry(NoBackoff(), 0), decode_responses=True
        )
        client.flushall()
        yield running, client
        client.close()


def test_without_a_fault_everything_goes_through(proxy: Proxy, http: httpx.Client) -> None:
    """Bodies of known length and in chunks, one after another on one connection."""
    assert http.get("/a").text == ANSWER
    assert http.request("PATCH", "/b", content=b"12345").text == ANSWER
    assert http.request("PATCH", "/c", content=iter([b"123", b"45"])).text == ANSWER
    assert served == ["GET /a 0", "PATCH /b 5", "PATCH /c 5"]
    assert proxy.asked == ["GET /a", "PATCH /b", "PATCH /c"]
    assert proxy.applied == []


def test_a_fault_is_for_what_it_matches_and_counted_down(proxy: Proxy, http: httpx.Client) -> None:
    """429 with Retry-After for two requests by method and path; the others do not meet it."""
    fault = proxy.add(Fault("status", count=2, match=r"PATCH .*/b$", status=429, retry_after=7))
    codes = [http.request(*each).status_code for each in [("GET", "/b"), *[("PATCH", "/x/b")] * 3]]
    assert codes == [200, 429, 429, 200]
    assert fault.happened == 2
    assert [(each.kind, each.to) for each in proxy.applied] == [("status", "PATCH /x/b")] * 2
    assert served == ["GET /b 0", "PATCH /x/b 0"]


def test_the_answer_is_lost_and_the_request_was_served(proxy: Proxy, http: httpx.Client) -> None:
    """The worst of all: who asked cannot know."""
    proxy.add(Fault("lost", match="PATCH"))
    with pytest.raises(httpx.NetworkError):
        http.request("PATCH", "/b")
    assert served == ["PATCH /b 0"]
    assert http.get("/a").text == ANSWER


def test_a_reset_keeps_the_request_from_the_server(proxy: Proxy, http: httpx.Client) -> None:
    """On a request, on the next connection, and on all that are open: RST, not an orderly end."""
    proxy.add(Fault("reset", match="/a"))
    with pytest.raises(httpx.NetworkError, match="reset"):
        http.get("/a")
    proxy.add(Fault("reset", at="connection"))
    with pytest.raises(httpx.NetworkError, match="reset"):
        http.get("/b")
    assert http.get("/c").text == ANSWER
    assert proxy.reset_all() == 1
    assert http.get("/d").text == ANSWER  # the client sees at once that its connection is gone
    assert served == ["GET /c 0", "GET /d 0"]


def test_an_answer_is_cut_after_a_byte(proxy: Proxy, http: httpx.Client) -> None:
    """The head and a part of the body come through, and then the connection is gone."""
    fault = proxy.add(Fault("cut", bytes=200))
    got: list[bytes] = []

    def read() -> None:
        with http.stream("GET", "/a") as answer:
            got.extend(answer.iter_raw())

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        read()
    assert 0 < len(b"".join(got)) < len(ANSWER)
    assert fault.happened == 1


def test_silence_and_hanging_stay_open(proxy: Proxy, http: httpx.Client) -> None:
    """A swallowed request, a withheld answer, a connection that never speaks, and one that stops to."""
    for kind, reached in (("silent", False), ("hang", True)):
        served.clear()
        proxy.add(Fault(kind, match="/a"))  # type: ignore[arg-type] # both are kinds
        with pytest.raises(httpx.ReadTimeout):
            http.get("/a")
        assert bool(served) is reached
    proxy.add(Fault("silent", at="connection"))
    with pytest.raises(httpx.ReadTimeout):
        http.get("/b")
    assert http.get("/c").text == ANSWER
    assert proxy.silence_all() >= 1
    with pytest.raises(httpx.ReadTimeout):
        http.get("/d")
    assert http.get("/e").text == ANSWER


def test_delays_latency_and_trickling_take_their_time(proxy: Proxy, http: httpx.Client) -> None:
    """For one request, for all, and by the byte; nothing is lost by it."""

    def took(path: str) -> float:
        began = time.monotonic()
        assert http.get(path).text == ANSWER
        return time.monotonic() - began

    proxy.add(Fault("delay", match="/a", seconds=0.3))
    assert took("/a") >= 0.3
    proxy.add(Fault("trickle", match="/b", bytes=30, seconds=0.01))
    assert took("/b") >= 0.3
    proxy.latency = 0.2
    assert took("/c") >= 0.2
    proxy.clear()
    assert took("/d") < 0.2


def test_connections_are_refused_for_a_while(proxy: Proxy, http: httpx.Client) -> None:
    """As if nobody listened; afterwards the address is the same."""
    with proxy.refusing(), pytest.raises(httpx.ConnectError):
        http.get("/a")
    assert http.get("/b").text == ANSWER
    assert "refuse" in {each.kind for each in proxy.applied}


def test_a_websocket_passes_and_can_fall_silent(proxy: Proxy) -> None:
    """After its upgrade a connection is bytes; it is silenced and reset like any other."""

    async def talk() -> None:
        async with websockets.connect(f"ws://{proxy.address}/link") as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"
            proxy.silence_all()
            await socket.send("anybody there?")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.recv(), 0.3)
            proxy.reset_all()
            with pytest.raises(websockets.ConnectionClosedError):
                await socket.recv()

    asyncio.run(talk())
    assert proxy.asked == ["GET /link"]


def test_redis_commands_meet_their_faults(redis_proxy: tuple[Proxy, redis.Redis]) -> None:
    """By command and key: the answer lost, an error instead, a reset before, silence."""
    proxy, client = redis_proxy
    proxy.add(Fault("lost", match="^INCRBY n 1$"))
    with pytest.raises(redis.ConnectionError):
        client.incr("n")
    assert client.get("n") == "1"
    proxy.add(Fault("reset", match="^INCR"))
    with pytest.raises(redis.ConnectionError):
        client.incr("n")
    proxy.add(Fault("status", match="^INCR"))
    with pytest.raises(redis.BusyLoadingError):
        client.incr("n")
    proxy.add(Fault("silent", match="^INCR"))
    with pytest.raises(redis.TimeoutError):
        client.incr("n")
    assert client.get("n") == "1"
    assert client.incr("n") == 2
    assert [each.kind for each in proxy.applied] == ["lost", "reset", "status", "silent"]


def test_waiting_for_a_fault_that_does_not_happen_fails(proxy: Proxy) -> None:
    """So that no test is green without its fault."""
    with pytest.raises(AssertionError, match="did not happen"):
        proxy.wait(proxy.add(Fault("lost")), timeout=0.05)
