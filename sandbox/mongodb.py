"""A server that says which MongoDB it is: it speaks as much of the wire protocol as that takes.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/: a driver greets with OP_QUERY, as it did
before OP_MSG was known, and goes on with OP_MSG.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import bson

VERSION = "4.4.29"
"""What runs in the sandbox."""

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
_HEADER = struct.Struct("<iiii")

# What servers of these versions say in their handshake.
WIRE = {"3.6": 6, "4.0": 7, "4.2": 8, "4.3": 9, "4.4": 9, "5.0": 13, "7.0": 21}


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - only that one has this handler
        while (header := self._read(16)) is not None:
            size, request, _, code = _HEADER.unpack(header)
            body = self._read(size - 16)
            if body is None:
                return
            if code == OP_QUERY:
                start = body.index(b"\0", 4) + 1 + 8
                answer = bson.encode(server.answer(bson.decode(body[start:])))
                self._send(OP_REPLY, request, struct.pack("<iqii", 8, 0, 0, 1) + answer)
            else:
                answer = bson.encode(server.answer(bson.decode(body[5:])))
                self._send(OP_MSG, request, struct.pack("<i", 0) + b"\0" + answer)

    def _read(self, size: int) -> bytes | None:
        content = b""
        while len(content) < size:
            try:
                part = self.request.recv(size - len(content))
            except OSError:
                return None
            if not part:
                return None
            content += part
        return content

    def _send(self, code: int, request: int, body: bytes) -> None:
        self.request.sendall(_HEADER.pack(16 + len(body), 1, request, code) + body)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, version: str, *, refuses: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._version = version
        self._refuses = refuses
        self.asked: list[str] = []

    def answer(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """What a command is answered with."""
        name = next(iter(command)).lower()
        self.asked.append(name)
        match name:
            case "hello" | "ismaster":
                wire = WIRE[".".join(self._version.split(".")[:2])]
                return {
                    "ismaster": True,
                    "helloOk": True,
                    "minWireVersion": 0,
                    "maxWireVersion": wire,
                    "ok": 1.0,
                }
            case "buildinfo" if self._refuses:
                return {"ok": 0.0, "code": 13, "codeName": "Unauthorized", "errmsg": "not authorized"}
            case "buildinfo":
                return {"version": self._version, "ok": 1.0}
            case _:
                return {"ok": 1.0}


@contextmanager
def mongo_server(version: str, *, refuses: bool = False) -> Iterator[str]:
    """A server of that version; its address."""
    with _Server(version, refuses=refuses) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"mongodb://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
