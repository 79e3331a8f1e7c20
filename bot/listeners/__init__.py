"""What Slack sends, one module a kind. A listener hands on and acknowledges; it calls and decides nothing.

Bolt runs listeners before it answers (`process_before_response`), so an event is acknowledged once it is
recorded; one that could not be recorded is not acknowledged, and Slack sends it again.
"""

from __future__ import annotations

from slack_bolt import App

from bot.listeners import actions, commands, forms, home, mentions, others, reactions
from bot.reception import Reception
from bot.slack import Identity, Slack
from bot.voice import Voice


def register(app: App, reception: Reception, slack: Slack, me: Identity) -> None:
    """Register all listeners; the one for what nobody else takes comes last."""
    voice = Voice(slack)
    commands.register(app, reception, voice)
    forms.register(app, reception)
    home.register(app, reception, voice)
    reactions.register(app, reception, me)
    actions.register(app, reception, voice)
    mentions.register(app, reception, me)
    others.register(app)
