"""What `buzzy check` looks at on the bot's side: whether Slack takes the tokens, and what they may do."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from bot.settings import Settings, SettingsError, load_settings
from bot.slack import RefusedError, Slack, SlackError, web_client
from releases.findings import Finding, good, problem, unknown

SUBJECT = "Slack"
SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "groups:history",
        "chat:write",
        "commands",
        "files:write",
        "reactions:read",
        "usergroups:read",
        "users:read",
    }
)
"""What deploy/slack-manifest.yaml asks for."""


def check_settings() -> Iterator[Finding]:
    """The bot's settings and, if they will do, Slack. A machine of workers alone has no tokens."""
    try:
        settings = Settings()
    except ValidationError as error:
        if all(each["type"] == "missing" for each in error.errors()):
            yield unknown("settings", "SLACK_BOT_TOKEN is not set: nothing of Slack was looked at")
            return
        yield _unfit()
        return
    if (
        not settings.slack_app_token.get_secret_value()
        and not settings.slack_signing_secret.get_secret_value()
    ):
        yield _unfit()
    yield from check(settings)


def _unfit() -> Finding:
    """What the bot would say at its start."""
    try:
        load_settings(http=False)
    except SettingsError as error:
        return problem("settings", str(error))
    return good("settings", "as they should be")


def check(settings: Settings) -> Iterator[Finding]:
    """The bot's token and its scopes, and the app's token where there is one."""
    slack = Slack(web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url))
    try:
        me, scopes = slack.whoami(), slack.scopes()
    except RefusedError as error:
        fix = "Set it anew in .env: OAuth & Permissions → Bot User OAuth Token."
        yield problem(SUBJECT, f"it does not take SLACK_BOT_TOKEN ({error.code})", fix)
        return
    except SlackError as error:
        yield problem(SUBJECT, f"it does not answer ({error})", "Is SLACK_API_URL right, and the network?")
        return
    yield good(SUBJECT, f"the token is {me.user}'s of {me.team}")
    yield _scopes(scopes)
    app_token = settings.slack_app_token.get_secret_value()
    if app_token:
        yield _app_token(Slack(web_client(app_token, settings.slack_api_url)))


def _scopes(scopes: frozenset[str]) -> Finding:
    missing = sorted(SCOPES - scopes)
    if not scopes:
        return unknown(SUBJECT, "it does not say which scopes the token has")
    if missing:
        fix = "Take over the manifest of deploy/slack-manifest.yaml, and install the app again."
        return problem(SUBJECT, f"the token lacks {', '.join(missing)}", fix)
    return good(SUBJECT, "every scope of deploy/slack-manifest.yaml")


def _app_token(slack: Slack) -> Finding:
    try:
        slack.try_socket()
    except RefusedError as error:
        fix = "Basic Information → App-Level Tokens: generate one with the scope connections:write."
        return problem(SUBJECT, f"it does not take SLACK_APP_TOKEN ({error.code})", fix)
    except SlackError as error:
        return unknown(SUBJECT, f"whether it takes SLACK_APP_TOKEN cannot be said now ({error})")
    return good(SUBJECT, "Socket Mode is on, and takes SLACK_APP_TOKEN")
