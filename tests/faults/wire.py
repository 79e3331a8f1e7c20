"""Where one request ends and the next begins: as much of HTTP and of Redis' protocol as a proxy must know.

Nothing is interpreted that faults are not matched by: of HTTP the method, the path and how long the body is,
of Redis the name of the command. What is read is handed on byte for byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

Protocol = Literal["http", "redis"]
Stream = asyncio.StreamReader
LIMIT = 1 << 20
"""The longest line or header, in bytes."""
WORDS = 4
"""How many words of a Redis command are kept: of a script, its digest, number of keys and first key."""


@dataclass(frozen=True)
class Asked:
    """One request, whole. `words` is what faults are matched by: `PATCH /apis/…` or `SET key`."""

    words: str
    data: bytes
    upgrades: bool = False
    """Whether the connection speaks something else from here on, such as WebSocket."""


async def http_requests(stream: Stream) -> AsyncIterator[Asked]:
    """The requests of a connection, until it ends or becomes something else."""
    while True:
        try:
            head = await stream.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = b""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = await _chunks(stream)
        elif length := int(headers.get("content-length", "0")):
            body = await stream.readexactly(length)
        method, path, *_ = first.split(" ")
        upgrades = "upgrade" in headers
        yield Asked(f"{method} {path}", head + body, upgrades)
        if upgrades:
            return


async def _chunks(stream: Stream) -> bytes:
    whole = b""
    while True:
        line = await stream.readline()
        size = int(line.split(b";")[0], 16)
        whole += line + await stream.readexactly(size + 2)
        if size == 0:
            return whole


async def redis_commands(stream: Stream) -> AsyncIterator[Asked]:
    """The commands of a connection: arrays of bulk strings, or a line as a person types it."""
    while line := await stream.readline():
        if not line.startswith(b"*"):
            yield Asked(line.decode("latin-1").strip(), line)
            continue
        data, words = line, []
        for index in range(int(line[1:])):
            size = await stream.readline()
            part = await stream.readexactly(int(size[1:]) + 2)
            data += size + part
            if index < WORDS:
                words.append(part[:-2].decode("latin-1"))
        yield Asked(" ".join(words), data)


REQUESTS: dict[Protocol, Callable[[Stream], AsyncIterator[Asked]]] = {
    "http": http_requests,
    "redis": redis_commands,
}


def http_error(status: int, retry_after: int | None) -> bytes:
    """An answer as a gateway between gives it: plain text, and nothing of the server behind it."""
    lines = [f"HTTP/1.1 {status} Fault", "Content-Type: text/plain", "Content-Length: 6"]
    if retry_after is not None:
        lines.append(f"Retry-After: {retry_after}")
    return ("\r\n".join(lines) + "\r\n\r\nfault\n").encode()
