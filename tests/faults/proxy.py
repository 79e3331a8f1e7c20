"""A TCP proxy that does on purpose what networks do by themselves, for any server of a release's house.

    with Proxy("http", upstream=("127.0.0.1", 6443)) as proxy:
        fault = proxy.add(Fault("lost", match="PATCH .*/deployments/buzzy-api"))
        ...
        assert fault.happened

Why our own. Toxiproxy, the well-kept one, slows, cuts and resets *streams*; it cannot tell one request from
the next, so it can neither lose the answer to exactly one PATCH nor answer one request with 429, it does not
count its toxics down, and it does not say when one took effect. mitmproxy can do all that for HTTP and
knows nothing of Redis. The asyncio proxies on PyPI are young or abandoned. What is needed is small, and has
to be exact: a test asserts that its fault happened, and how often.

What is under test speaks plain HTTP to the proxy; where the server wants TLS (a real control plane), the
proxy speaks it, with the certificates that the kubeconfig has: see `tests.faults.kubeconfigs`. The sandbox's
own faults (`sandbox/cluster/api/faults.py`, `sandbox/workspace/faults.py`) are those that a server makes;
these are of the way there and back.

Faults on connections: `reset` and `silent` with `at="connection"`, and `refusing`, `reset_all`, `silence_all`
for as long as they are wanted. Faults on requests: see `Kind`. Each is taken by `count` requests that match.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from tests.faults.connection import Connection
from tests.faults.wire import LIMIT, Protocol

Kind = Literal["delay", "trickle", "reset", "silent", "status", "cut", "lost", "hang"]
"""What happens to a request, or to a connection:

- `delay`: it is handed on after `seconds`.
- `trickle`: its answer comes byte by byte, `seconds` apart, for the first `bytes` of it.
- `reset`: the connection is reset (RST) before the request is handed on.
- `silent`: it is swallowed, and so is all that follows on this connection, which stays open.
- `status`: it is answered with `status` (and `retry_after`) instead of being handed on. Redis: with `error`.
- `cut`: it is handed on, and the connection is reset after `bytes` of the answer.
- `lost`: it is handed on, takes its effect, and the connection is reset when the answer comes.
- `hang`: it is handed on, and its answer never comes, nor anything after it.
"""
START_SECONDS, STOP_SECONDS = 10.0, 10.0


@dataclass
class Fault:
    """What is to go wrong, for the next `count` requests or connections that it is about."""

    kind: Kind
    count: int = 1
    at: Literal["request", "connection"] = "request"
    match: str = ""
    """A regular expression searched in `METHOD /path?query`, or in the first words of a Redis command."""
    seconds: float = 0.0
    bytes: int = 0
    status: int = 503
    retry_after: int | None = None
    error: str = "LOADING Redis is loading the dataset in memory"
    happened: int = field(default=0, init=False)
    """How often it happened so far."""

    def concerns(self, at: str, words: str) -> bool:
        """Whether it is about this."""
        return self.count > 0 and self.at == at and re.search(self.match, words) is not None


@dataclass(frozen=True)
class Applied:
    """A fault that happened: when, by `time.monotonic()`, which, and to what."""

    at: float
    kind: str
    to: str


class Proxy:
    """A proxy in a thread of its own, in front of one server, scripted from the test's thread."""

    def __init__(
        self, protocol: Protocol, *, upstream: tuple[str, int], tls: ssl.SSLContext | None = None
    ) -> None:
        """`upstream` is host and port of the server; with `tls` it is spoken to so. `start` listens."""
        self.protocol: Protocol = protocol
        self.upstream = upstream
        self.tls = tls
        self.port = 0
        self.latency = 0.0
        """Seconds that everything takes longer on its way to the server, until it is set to 0 again."""
        self.applied: list[Applied] = []
        self.asked: list[str] = []
        """All requests that came, in order."""
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._open: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{protocol}", daemon=True)
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """Host and port to connect to."""
        return f"127.0.0.1:{self.port}"

    # -- scripting ---------------------------------------------------------------------------------------

    def add(self, fault: Fault) -> Fault:
        """Let something go wrong; the first fault that concerns a request is the one that it meets."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Let everything work again. What hangs or is silent already stays so: see `reset_all`."""
        with self._lock:
            self._faults.clear()
        self.latency = 0.0

    def reset_all(self) -> int:
        """Reset every open connection (RST); how many they were."""
        return self._all("reset", Connection.reset)

    def silence_all(self) -> int:
        """Let every open connection fall silent in both directions, and stay open; how many they were."""
        return self._all("silent", Connection.silence)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse connections for the length of a block, and reset those that are open."""
        self._run(self._deafen())
        self.reset_all()
        self.note("refuse", "connections")
        try:
            yield
        finally:
            self._run(self._listen())

    def wait(self, fault: Fault, *, times: int = 1, timeout: float = 30.0) -> None:
        """Wait until a fault has happened so often. Raises `AssertionError`."""
        with self._news:
            assert self._news.wait_for(lambda: fault.happened >= times, timeout), f"{fault} did not happen"

    # -- what connections ask ----------------------------------------------------------------------------

    def take(self, at: Literal["request", "connection"], words: str) -> Fault | None:
        """The fault that this meets, counted down and noted."""
        with self._lock:
            if at == "request":
                self.asked.append(words)
            fault = next((each for each in self._faults if each.concerns(at, words)), None)
            if fault is None:
                return None
            fault.count -= 1
        self.note(fault.kind, words, fault)
        return fault

    def note(self, kind: str, to: str, fault: Fault | None = None) -> None:
        """Write down what happened."""
        with self._news:
            self.applied.append(Applied(time.monotonic(), kind, to))
            if fault is not None:
                fault.happened += 1
            self._news.notify_all()

    # -- life --------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen on a free port."""
        self._thread.start()
        self._run(self._listen())
        return self

    def stop(self) -> None:
        """Close everything."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)
        self._loop.close()

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def _run(self, work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS)  # type: ignore[arg-type] # a coroutine

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, limit=LIMIT, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        self._open.add(connection)
        try:
            await connection.run()
        finally:
            self._open.discard(connection)

    async def _end(self) -> None:
        await self._deafen()
        for connection in tuple(self._open):
            connection.reset()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=1)

    def _all(self, kind: str, act: Callable[[Connection], None]) -> int:
        done = threading.Event()
        count = 0

        def each() -> None:
            nonlocal count
            for connection in tuple(self._open):
                act(connection)
                count += 1
            done.set()

        self._loop.call_soon_threadsafe(each)
        assert done.wait(STOP_SECONDS)
        self.note(kind, f"{count} open connections")
        return count
