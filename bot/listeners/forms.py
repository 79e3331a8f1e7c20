"""Forms that were filled in."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App, BoltResponse

from bot.messages.form import CALLBACK, shown_at
from bot.reception import Reception


def register(app: App, reception: Reception) -> None:
    """Take the form of a release. What is wrong with it is shown in it, and it stays open."""

    @app.view(CALLBACK)
    def submitted(ack: Ack, view: dict[str, Any], body: dict[str, Any]) -> BoltResponse:
        problems = reception.form(view, body["user"]["id"])
        if problems:
            return ack(response_action="errors", errors=shown_at(problems, view))
        return ack()
