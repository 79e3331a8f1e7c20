"""Socket Mode's server side: WebSockets that the app opens, envelopes down, acknowledgements up."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any, Literal

from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.workspace.delivery import Attempt, UndeliveredError
from sandbox.workspace.model import APP

if TYPE_CHECKING:
    from sandbox.workspace.state import Workspace

Json = dict[str, Any]
Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]

MOST_CONNECTIONS = 10
ANSWERABLE = {"view_submission"}
"""Interactions whose acknowledgement may carry an answer; so may a slash command's."""


class SocketMode:
    """The app's open connections. Each envelope goes to one of them, in turn."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._tickets: set[str] = set()
        self._connections: list[WebSocket] = []
        self._unanswered: dict[str, asyncio.Future[Json]] = {}
        self._turn = 0

    @property
    def connections(self) -> int:
        """How many connections the app has open."""
        return len(self._connections)

    def new_url(self) -> str:
        """A WebSocket URL that admits once, which is what `apps.connections.open` answers."""
        ticket = str(uuid.uuid4())
        self._tickets.add(ticket)
        return f"{self._workspace.url.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={APP}"

    async def endpoint(self, socket: WebSocket) -> None:
        """Serve one connection of the app for as long as it lasts."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await socket.close()
            return
        self._tickets.discard(ticket)
        await socket.accept()
        if self.connections >= MOST_CONNECTIONS:
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return
        await socket.send_json(self._hello())
        self._connections.append(socket)
        self._count_changed()
        try:
            while True:
                self._acknowledge(await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            if socket in self._connections:
                self._connections.remove(socket)
            self._count_changed()

    async def send(self, attempt: Attempt) -> Json:
        """Send an envelope to the next connection and wait for its acknowledgement."""
        if not self._connections:
            raise UndeliveredError("no_connection")
        self._turn += 1
        socket = self._connections[self._turn % len(self._connections)]
        envelope = _envelope(attempt)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._unanswered[envelope["envelope_id"]] = answer
        deadline = self._workspace.clock.deadline(self._workspace.settings.answer_seconds)
        try:
            await socket.send_json(envelope)
            return await self._workspace.clock.answer_by(answer, deadline)
        except (TimeoutError, WebSocketDisconnect, RuntimeError) as error:  # RuntimeError: closed just now
            raise UndeliveredError("timeout") from error
        finally:
            self._unanswered.pop(envelope["envelope_id"], None)

    async def disconnect(self, reason: Reason) -> None:
        """Tell every connection why it should go; all but `warning` mean that this end closes it now."""
        for socket in list(self._connections):
            if reason != "warning":
                self._connections.remove(socket)
            await socket.send_json(_disconnect(reason))
            if reason != "warning":
                await socket.close()

    async def drop(self) -> None:
        """Close every connection without a word, as a network that fails does."""
        for socket in list(self._connections):
            self._connections.remove(socket)
            await socket.close(1011)

    async def close(self) -> None:
        """Nothing to let go of: the server ends its WebSockets itself."""

    def _acknowledge(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            return  # Slack ignores what it does not understand
        answer = self._unanswered.get(message.get("envelope_id", ""))
        if answer is not None and not answer.done():
            answer.set_result(message.get("payload") or {})

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": self.connections + 1,
            "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18_060},
            "connection_info": {"app_id": APP},
        }

    def _count_changed(self) -> None:
        self._workspace.changes.add("app", connections=self.connections)


def _envelope(attempt: Attempt) -> Json:
    """A retry is a new envelope around the same payload: `event_id` is what tells that it is the same."""
    envelope = {
        "envelope_id": str(uuid.uuid4()),
        "type": attempt.kind,
        "payload": attempt.payload,
        "accepts_response_payload": attempt.kind == "slash_commands"
        or attempt.payload.get("type") in ANSWERABLE,
    }
    if attempt.kind == "events_api":
        envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return envelope


def _disconnect(reason: Reason) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
