"""The slash command."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App, BoltResponse

from bot.messages.refusals import note
from bot.reception import Reception
from bot.voice import Voice

COMMAND = "/buzzy"


NO_FORM = note("Slack did not open the form. Type it instead:", copy="/buzzy help release")


def register(app: App, reception: Reception, voice: Voice) -> None:
    """Answer `/buzzy`; `/buzzy release` alone with a form."""

    @app.command(COMMAND)
    def buzzy(ack: Ack, command: dict[str, Any]) -> BoltResponse:
        view = reception.form_for(command.get("text") or "", command["channel_id"], command["response_url"])
        if view is not None:
            otherwise = (command["response_url"], NO_FORM)
            voice.open_form(command["trigger_id"], view, otherwise=otherwise)
            return ack()
        answer = reception.command(
            command.get("text") or "",
            command["user_id"],
            command["channel_id"],
            command["response_url"],
            command["trigger_id"],
        )
        return ack(response_type="ephemeral", **answer.payload())
