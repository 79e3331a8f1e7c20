"""The App Home: who opens it, and its buttons that are about no release."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App, BoltResponse

from bot.messages.home import notice_form
from bot.messages.presses import HOME_FORM, HOME_LOOK
from bot.messages.refusals import note
from bot.reception import Reception
from bot.voice import Voice
from releases.record import RecordUnavailableError


def register(app: App, reception: Reception, voice: Voice) -> None:
    """Take openings. The tab with the app's messages is no home."""

    @app.event("app_home_opened")
    def opened(ack: Ack, event: dict[str, Any]) -> BoltResponse:
        if event.get("tab") == "home":
            reception.home_opened(event["user"])
        return ack()

    @app.action(HOME_LOOK)
    def look(ack: Ack, body: dict[str, Any]) -> BoltResponse:
        try:
            reception.home_opened(body["user"]["id"])
        except RecordUnavailableError as error:
            view = notice_form(note(f"Nothing can be shown: {error}. Press it again in a minute."))
            voice.open_form(body["trigger_id"], view)
        return ack()

    @app.action(HOME_FORM)
    def form(ack: Ack, body: dict[str, Any]) -> BoltResponse:
        voice.open_form(body["trigger_id"], reception.form_for_home())
        return ack()
