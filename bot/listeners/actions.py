"""The buttons on messages of ours."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt import Ack, App, BoltResponse

from bot.deliveries import Pressed
from bot.messages import Message
from bot.messages.presses import ACTIONS, Press
from bot.reception import Reception
from bot.slack import Slack, SlackError

log = structlog.get_logger(__name__)


def register(app: App, reception: Reception, slack: Slack) -> None:
    """Take presses."""
    # Only for what must be told although Redis is away: an acknowledgement of a press can say nothing.
    voice = ThreadPoolExecutor(2, thread_name_prefix="voice")

    def tell(response_url: str, answer: Message) -> None:
        try:
            slack.respond(response_url, answer)
        except SlackError as error:
            log.warning("Somebody could not be told", slack=str(error))

    @app.action(re.compile("|".join(ACTIONS)))
    def pressed(ack: Ack, action: dict[str, Any], body: dict[str, Any]) -> BoltResponse:
        press = Press.read(action.get("value", ""))
        if press is not None:
            answer = reception.press(_pressed(press, action, body), body["trigger_id"])
            if answer is not None:
                voice.submit(tell, body["response_url"], answer)
        return ack()


def _pressed(press: Press, action: dict[str, Any], body: dict[str, Any]) -> Pressed:
    return Pressed(
        action=action["action_id"].partition(":")[0],
        release=press.release,
        digest=press.digest,
        item=press.item,
        user=body["user"]["id"],
        channel=body["channel"]["id"],
        at=datetime.now(UTC),
        response_url=body["response_url"],
    )
