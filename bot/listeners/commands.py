"""The slash command."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App, BoltResponse

from bot.reception import Reception

COMMAND = "/buzzy"


def register(app: App, reception: Reception) -> None:
    """Answer `/buzzy`."""

    @app.command(COMMAND)
    def buzzy(ack: Ack, command: dict[str, Any]) -> BoltResponse:
        answer = reception.command(
            command.get("text") or "",
            command["user_id"],
            command["channel_id"],
            command["response_url"],
            command["trigger_id"],
        )
        return ack(response_type="ephemeral", **answer.payload())
