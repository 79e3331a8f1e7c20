"""What a listener hands on of what Slack sends: what a person said to Buzzy, and as they said it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from slack_bolt import App, BoltRequest

from bot.app import make_app
from bot.reception import Reception
from bot.slack import Identity, Slack, web_client
from releases.record.told import Place

ME = Identity(team="T0", user="U0BUZZY", bot="B0BUZZY")


class Noted(Reception):
    """Notes what is handed on, and records nothing."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.mentions: list[tuple[str, ...]] = []
        self.reactions: list[tuple[str, Place, str]] = []

    def mention(self, line: str, user: str, channel: str, thread_ts: str, event: str) -> None:
        """A line behind a mention."""
        self.mentions.append((line, user, channel, thread_ts, event))

    def reaction(self, user: str, place: Place, event: str) -> None:
        """A reaction that is an answer."""
        self.reactions.append((user, place, event))


@pytest.fixture
def noted() -> Noted:
    """Nothing was handed on yet."""
    return Noted()


@pytest.fixture
def app(noted: Noted) -> App:
    """The bot's app, whose Slack is never called."""
    slack = Slack(web_client("xoxb-1", "http://127.0.0.1:1/"))
    return make_app(ME, noted, slack, token="xoxb-1", signing_secret="", api_url="http://127.0.0.1:1/")


def sent(app: App, **event: Any) -> int:  # noqa: ANN401 - fields of an event
    """Slack sends an event; the status that it is answered with."""
    body = {"type": "event_callback", "team_id": "T0", "event_id": "Ev1", "event": event}
    return app.dispatch(BoltRequest(body=body, mode="socket_mode")).status


MENTION = {
    "type": "app_mention",
    "user": "U0ALICE",
    "channel": "C0STAGING",
    "ts": "1.0",
    "text": "<@U0BUZZY> release 3.2.1 staging",
}


@pytest.mark.requirement("C10", "C11")
@pytest.mark.parametrize(
    ("more", "handed"),
    [
        ({}, True),
        ({"edited": {"user": "U0ALICE", "ts": "2.0"}}, False),
        ({"bot_id": "B0OTHER"}, False),
        ({"user": "U0MALLORY", "bot_id": "B0OTHER", "edited": {}}, False),
        ({"text": "thanks <@U0BUZZY> release 3.2.1 staging"}, False),
        ({"text": "<@U0OTHER> release 3.2.1 staging"}, False),
    ],
    ids=["said", "edited", "by a bot", "a bot's, edited", "speaks of it", "to another"],
)
def test_a_mention_is_handed_on_when_a_person_said_it_and_as_they_said_it(
    app: App,
    noted: Noted,
    more: dict[str, Any],
    handed: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """A message that somebody edits later would otherwise ask for a release that nobody sees asked for."""
    assert sent(app, **{**MENTION, **more}) == HTTPStatus.OK
    assert bool(noted.mentions) == handed


@pytest.mark.requirement("C3", "C11")
@pytest.mark.parametrize(
    ("emoji", "author", "kind", "handed"),
    [
        ("white_check_mark", "U0BUZZY", "message", True),
        ("+1::skin-tone-4", "U0BUZZY", "message", True),
        ("x", "U0BUZZY", "message", True),
        ("eyes", "U0BUZZY", "message", False),
        ("white_check_mark", "U0MALLORY", "message", False),
        ("white_check_mark", "U0BUZZY", "file", False),
    ],
    ids=["yes", "skin tone", "no", "no answer", "on another's message", "on a file"],
)
@pytest.mark.parametrize("event", ["reaction_added", "reaction_removed"])
def test_a_reaction_is_handed_on_when_it_is_an_answer_to_a_message_of_ours(  # noqa: PLR0917 - the table
    app: App,
    noted: Noted,
    event: str,
    emoji: str,
    author: str,
    kind: str,
    handed: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """Somebody who copies a release's message does not get it approved."""
    item = {"type": kind, "channel": "C0STAGING", "ts": "1.0"}
    assert sent(app, type=event, user="U0BOB", reaction=emoji, item=item, item_user=author) == HTTPStatus.OK
    assert bool(noted.reactions) == handed
