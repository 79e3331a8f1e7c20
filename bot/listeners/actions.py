"""The buttons on messages of ours."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from slack_bolt import Ack, App, BoltResponse

from bot.deliveries import Pressed
from bot.messages import Message
from bot.messages.home import notice_form
from bot.messages.presses import ACTIONS, Press
from bot.reception import Reception
from bot.voice import Voice


def register(app: App, reception: Reception, voice: Voice) -> None:
    """Take presses. An acknowledgement of one can say nothing, so what must be told goes by the voice."""

    @app.action(re.compile("|".join(ACTIONS)))
    def pressed(ack: Ack, action: dict[str, Any], body: dict[str, Any]) -> BoltResponse:
        press = Press.read(action.get("value", ""))
        if press is not None:
            answer = reception.press(_pressed(press, action, body), body["trigger_id"])
            if answer is not None:
                _tell(voice, answer, body)
        return ack()


def _tell(voice: Voice, answer: Message, body: dict[str, Any]) -> None:
    """Where the button stands: beside its message or, on the App Home, in a window of its own."""
    if "response_url" in body:
        voice.tell(body["response_url"], answer)
    else:
        voice.open_form(body["trigger_id"], notice_form(answer))


def _pressed(press: Press, action: dict[str, Any], body: dict[str, Any]) -> Pressed:
    return Pressed(
        action=action["action_id"].partition(":")[0],
        release=press.release,
        digest=press.digest,
        item=press.item,
        user=body["user"]["id"],
        channel=body["channel"]["id"] if "channel" in body else "",  # none: it stands on the App Home
        at=datetime.now(UTC),
        response_url=body.get("response_url", ""),
    )
