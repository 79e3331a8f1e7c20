"""The Bolt app, made so that it calls Slack for nothing and acknowledges nothing that was not recorded.

Read in slack_bolt 1.30: with `process_before_response` a listener runs in the thread that took the request,
before the answer to Slack, and an exception makes that answer a 500, which Socket Mode does not send at
all: Slack then delivers an event again. Without it, events are acknowledged before their listener runs,
and all listeners share a pool of five threads. An `authorize` of our own keeps the first request from
waiting for `auth.test`.
"""

from __future__ import annotations

import logging

import structlog
from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult

from bot.listeners import register
from bot.reception import Reception
from bot.slack import Identity, Slack, web_client
from releases.record import RecordUnavailableError

log = structlog.get_logger(__name__)


def make_app(  # noqa: PLR0913 - what an app is made of
    me: Identity, reception: Reception, slack: Slack, *, token: str, signing_secret: str, api_url: str
) -> App:
    """The app with all its listeners. `signing_secret` is empty where requests come over Socket Mode."""
    logger = logging.getLogger("slack_bolt")
    logger.setLevel(logging.ERROR)  # its warnings are about the choices made here

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None, team_id=me.team, bot_id=me.bot, bot_user_id=me.user, bot_token=token
        )

    app = App(
        name="buzzy",
        logger=logger,
        client=web_client(token, api_url),
        authorize=authorize,
        signing_secret=signing_secret,
        request_verification_enabled=bool(signing_secret),
        process_before_response=True,
        token_verification_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    register(app, reception, slack, me)

    @app.error
    def failed(error: Exception, request: BoltRequest) -> None:
        kind = request.body.get("event", {}).get("type") or request.body.get("type") or "command"
        if isinstance(error, RecordUnavailableError):
            log.warning("Not recorded, so not acknowledged: Slack sends it again", kind=kind, why=str(error))
        else:
            log.error("A listener failed", kind=kind, exc_info=error)

    return app
