"""Reactions on messages of ours, those that are an answer."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App, BoltResponse

from bot.emoji import answer_of
from bot.reception import Reception
from bot.slack import Identity
from releases.record.told import Place


def register(app: App, reception: Reception, me: Identity) -> None:
    """Take reactions that come and go."""

    @app.event("reaction_added")
    @app.event("reaction_removed")
    def reaction(ack: Ack, event: dict[str, Any], body: dict[str, Any]) -> BoltResponse:
        item = event["item"]
        ours = item["type"] == "message" and event.get("item_user", me.user) == me.user
        if ours and answer_of(event["reaction"]) is not None:
            reception.reaction(event["user"], Place(item["channel"], item["ts"]), body["event_id"])
        return ack()
