"""Trouble on purpose: answers that fail, come late, break off in the middle, or never come."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from sandbox.cluster.errors import ApiError, conflict
from sandbox.cluster.resources import DEPLOYMENTS

Serve = Callable[[Scope, Receive, Send], Awaitable[None]]
FaultKind = Literal["status", "delay", "cut", "hang"]


@dataclass
class Fault:
    """What is to go wrong with the next requests that match.

    A `status` is answered instead of serving the request; a `delay` waits `seconds` before it is served;
    `cut` serves it and closes the connection half way through a part of the body; `hang` serves it, but lets
    no further byte of the answer out.
    """

    kind: FaultKind
    count: int = 1
    method: str = ""
    path: str = ""
    """A regular expression that is searched in the path with its query: `/pods`, or `watch=true`."""
    status: int = 500
    retry_after: int | None = None
    seconds: float = 0.0
    after_parts: int = 0
    """For `cut` and `hang`: how many parts of the body come through first; of a watch, how many events."""
    after_effect: bool = False
    """For `status`: whether the request takes effect first, so that only its answer is lost."""

    def matches(self, method: str, path: str) -> bool:
        """Say whether a request meets the fault."""
        return self.count > 0 and self.method in {"", method} and re.search(self.path, path) is not None


class Faults:
    """The faults that are set, in the order in which they are tried."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Set a fault."""
        self.waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Let everything work again."""
        self.waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that a request meets, and count it down."""
        for fault in self.waiting:
            if fault.matches(method, path):
                fault.count -= 1
                if fault.count == 0:
                    self.waiting.remove(fault)
                return fault
        return None


async def suffer(  # noqa: PLR0913, PLR0917 - a request, what serves it, and what ends a wait
    fault: Fault, serve: Serve, scope: Scope, receive: Receive, send: Send, closing: asyncio.Event
) -> None:
    """Serve a request the way the fault has it."""
    match fault.kind:
        case "status":
            if fault.after_effect:
                await serve(scope, receive, _nowhere)
            await _failure(fault)(scope, receive, send)
        case "delay":
            with suppress(TimeoutError):
                await asyncio.wait_for(closing.wait(), fault.seconds)
            await serve(scope, receive, send)
        case "cut" | "hang":
            await serve(scope, receive, _Broken(send, fault, closing))


class BrokenOffError(Exception):
    """The connection is to be closed with the answer unfinished."""


class _Broken:
    """Lets some parts of an answer through, then either ends the connection or falls silent."""

    def __init__(self, send: Send, fault: Fault, closing: asyncio.Event) -> None:
        self._send = send
        self._hangs = fault.kind == "hang"
        self._parts = fault.after_parts
        self._closing = closing

    async def __call__(self, message: Message) -> None:
        is_body = message["type"] == "http.response.body"
        if (not is_body and not self._hangs) or self._parts > 0:
            self._parts -= int(is_body)
            await self._send(message)
            return
        if self._hangs:
            await self._closing.wait()
        else:
            half = message.get("body", b"")[: len(message.get("body", b"")) // 2]
            await self._send({"type": "http.response.body", "body": half, "more_body": True})
        raise BrokenOffError


async def _nowhere(message: Message) -> None:
    del message


def _failure(fault: Fault) -> Response:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.status == 429:
        return PlainTextResponse("Too many requests, please try again later.\n", 429, headers)
    error = ApiError(500, "InternalError", "Internal error occurred: the sandbox was told to fail")
    if fault.status == 409:
        error = conflict(DEPLOYMENTS, "sandbox")
    elif fault.status != 500:
        error = ApiError(
            fault.status, "ServiceUnavailable", "the server is currently unable to handle the request"
        )
    return JSONResponse(error.status(), fault.status, headers)


def fault_from(body: bytes) -> Fault:
    """Read a fault that came over HTTP.

    Raises:
        ValueError: It is none.
    """
    fields = json.loads(body)
    try:
        return Fault(**fields)
    except TypeError as error:
        raise ValueError(str(error)) from error
