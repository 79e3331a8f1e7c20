"""One connection through the proxy: requests up, answers down, and what goes wrong with them in between."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.faults.wire import LIMIT, REQUESTS, Asked, http_error

if TYPE_CHECKING:
    from tests.faults.proxy import Fault, Proxy

_PIECE = 65_536
_GONE = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class ResetError(Exception):
    """The connection is to be reset now."""


class Connection:
    """A client's connection and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """`reader` and `writer` are the client's."""
        self._proxy = proxy
        self._reader = reader
        self._writer = writer
        self._upward: asyncio.StreamWriter | None = None
        self._silent = False
        self._answer: Fault | None = None
        """What is to happen to the answer that comes next."""
        self._sent = 0

    # -- from outside ------------------------------------------------------------------------------------

    def reset(self) -> None:
        """End it with RST, as a machine does that knows nothing of it."""
        sock = self._writer.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        if self._upward is not None:
            self._upward.transport.abort()

    def silence(self) -> None:
        """Let nothing through any more, in either direction, and keep it open."""
        self._silent = True

    # -- its life ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve it until one of its ends closes."""
        try:
            await self._run()
        except ResetError:
            self.reset()
        except _GONE:
            self.reset()
        finally:
            for writer in (self._writer, self._upward):
                if writer is not None:
                    writer.close()

    async def _run(self) -> None:
        fault = self._proxy.take("connection", "connection")
        if fault is not None and fault.kind == "reset":
            raise ResetError
        if fault is not None and fault.kind == "silent":
            self.silence()
        host, port = self._proxy.upstream
        below, self._upward = await asyncio.open_connection(host, port, ssl=self._proxy.tls, limit=LIMIT)
        down = asyncio.create_task(self._pump_down(below))
        up = asyncio.create_task(self._pump_up(self._upward))
        try:
            done, _ = await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _pump_up(self, server: asyncio.StreamWriter) -> None:
        async for asked in REQUESTS[self._proxy.protocol](self._reader):
            if not self._silent:
                await self._ask(asked, server)
        while data := await self._reader.read(_PIECE):  # another protocol, or nothing more
            if not self._silent:
                await self._hand_on(data, server)

    async def _ask(self, asked: Asked, server: asyncio.StreamWriter) -> None:
        fault = self._proxy.take("request", asked.words)
        match fault and fault.kind:
            case "reset":
                raise ResetError
            case "silent":
                self.silence()
                return
            case "status":
                assert fault is not None
                self._writer.write(self._refusal(fault))
                await self._writer.drain()
                return
            case "delay":
                assert fault is not None
                await asyncio.sleep(fault.seconds)
            case _:
                # Clients here do not pipeline what faults are set for: the next answer is this request's.
                self._answer, self._sent = fault, 0
        await self._hand_on(asked.data, server)

    def _refusal(self, fault: Fault) -> bytes:
        if self._proxy.protocol == "redis":
            return f"-{fault.error}\r\n".encode()
        return http_error(fault.status, fault.retry_after)

    async def _hand_on(self, data: bytes, server: asyncio.StreamWriter) -> None:
        if self._proxy.latency:
            await asyncio.sleep(self._proxy.latency)
        server.write(data)
        await server.drain()

    async def _pump_down(self, server: asyncio.StreamReader) -> None:
        while data := await server.read(_PIECE):
            if self._silent:
                continue
            await self._give(data)
        if self._silent:  # the server has gone; the client is not told
            await asyncio.Event().wait()

    async def _give(self, data: bytes) -> None:
        fault = self._answer
        match fault and fault.kind:
            case "lost":
                raise ResetError
            case "hang":
                self.silence()
            case "cut":
                assert fault is not None
                part = data[: fault.bytes - self._sent]
                self._writer.write(part)
                await self._writer.drain()
                self._sent += len(part)
                if self._sent >= fault.bytes:
                    # What was written must arrive before the RST overtakes it.
                    await asyncio.sleep(0.05)
                    raise ResetError
            case "trickle":
                assert fault is not None
                await self._trickle(data, fault)
            case _:
                self._writer.write(data)
                await self._writer.drain()

    async def _trickle(self, data: bytes, fault: Fault) -> None:
        slow = data[: max(fault.bytes - self._sent, 0)]
        for index in range(len(slow)):
            self._writer.write(slow[index : index + 1])
            await self._writer.drain()
            await asyncio.sleep(fault.seconds)
        self._sent += len(slow)
        self._writer.write(data[len(slow) :])
        await self._writer.drain()
