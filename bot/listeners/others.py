"""What comes in and means nothing to Buzzy: acknowledged, so that Slack does not send it again."""

from __future__ import annotations

import re

from slack_bolt import Ack, App, BoltResponse

ANYTHING = re.compile(".*")


def register(app: App) -> None:
    """Acknowledge events that an app manifest of somebody's own subscribes to, and links that are buttons."""

    @app.event(ANYTHING)
    @app.action(ANYTHING)
    def anything(ack: Ack) -> BoltResponse:
        return ack()
