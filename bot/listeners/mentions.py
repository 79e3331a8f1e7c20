"""`@buzzy …`: the same lines as behind the slash command, answered in a thread."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt import Ack, App, BoltResponse

from bot.reception import Reception
from bot.slack import Identity


def register(app: App, reception: Reception, me: Identity) -> None:
    """Take mentions at the beginning of a message; somebody who only speaks of Buzzy asks for nothing."""
    named = re.compile(rf"\s*<@{re.escape(me.user)}(?:\|[^>]*)?>[:,]?\s*(?P<line>.*)", re.DOTALL)

    @app.event("app_mention")
    def mentioned(ack: Ack, event: dict[str, Any], body: dict[str, Any]) -> BoltResponse:
        found = named.fullmatch(event.get("text") or "")
        by_a_person = "user" in event and "bot_id" not in event and "edited" not in event
        if found is not None and by_a_person:
            thread = event.get("thread_ts") or event["ts"]
            reception.mention(found["line"], event["user"], event["channel"], thread, body["event_id"])
        return ack()
