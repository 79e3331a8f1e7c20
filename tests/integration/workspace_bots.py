"""Apps for the tests of the workspace: the real, unmodified SDK and Bolt on the other side."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator
from typing import Any, Self

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from sandbox.workspace import RunningWorkspace

Json = dict[str, Any]

APPROVE: Json = {
    "type": "actions",
    "block_id": "decision",
    "elements": [
        {
            "type": "button",
            "action_id": "approve",
            "text": {"type": "plain_text", "text": "Approve"},
            "value": "R42",
            "style": "primary",
        },
    ],
}


DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c494441"
    "54789c63f8ba991100044a01aa8492602f0000000049454e44ae426082"
)
"""A picture of one pixel."""


def plain(text: str) -> Json:
    """A plain text object."""
    return {"type": "plain_text", "text": text}


def section(text: str) -> Json:
    """A section of mrkdwn."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def sdk(workspace: RunningWorkspace, token: str | None = None) -> WebClient:
    """Slack's client, pointed at the workspace."""
    return WebClient(token=workspace.bot_token if token is None else token, base_url=workspace.api_url)


def bolt(workspace: RunningWorkspace, *heard: str) -> App:
    """An app that swallows every event but those that its test wants to hear."""
    app = App(client=sdk(workspace), signing_secret=workspace.signing_secret)
    for kind in {"message", "app_mention", "reaction_added", "reaction_removed", "app_home_opened"} - {
        *heard
    }:
        app.event(kind)(lambda: None)
    return app


@contextlib.contextmanager
def connected(workspace: RunningWorkspace, app: App, connections: int = 1) -> Iterator[None]:
    """Run the app over Socket Mode; `connections` is how many there are with this one."""
    handler = SocketModeHandler(app, workspace.app_token)
    handler.connect()  # type: ignore[no-untyped-call]  # Bolt's handlers are not annotated
    try:
        workspace.wait_for_app(connections)
        yield
    finally:
        _close(workspace, handler.client)


class Silent:
    """A Socket Mode client that notes what it gets and acknowledges nothing."""

    def __init__(self, workspace: RunningWorkspace) -> None:
        self.requests: queue.Queue[SocketModeRequest] = queue.Queue()
        self._workspace = workspace
        self._client = SocketModeClient(app_token=workspace.app_token, web_client=sdk(workspace))
        self._client.socket_mode_request_listeners.append(self._note)

    def __enter__(self) -> Self:
        self._client.connect()
        return self

    def __exit__(self, *_: object) -> None:
        _close(self._workspace, self._client)

    def _note(self, _client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        self.requests.put(request)

    def next(self) -> SocketModeRequest:
        """The next envelope."""
        return self.requests.get(timeout=10)


def _close(workspace: RunningWorkspace, client: SocketModeClient) -> None:
    """Close at once: by itself the SDK's client goes on reading for up to four seconds."""
    client.auto_reconnect_enabled = False
    client.closed = True
    client.enqueue_message("{}")
    workspace.drop_connections()
    client.close()
