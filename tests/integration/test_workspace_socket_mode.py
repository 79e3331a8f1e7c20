"""Socket Mode: commands and events reach Bolt, are acknowledged, or are sent again."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_sdk.socket_mode.request import SocketModeRequest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from sandbox.workspace import RunningWorkspace, running_workspace
from sandbox.workspace.settings import Settings
from tests.integration.workspace_bots import Silent, bolt, connected, sdk

Json = dict[str, Any]

CHANNEL = "C0STAGING"


@pytest.fixture
def workspace() -> Iterator[RunningWorkspace]:
    """A workspace of its own for each test."""
    with running_workspace() as running:
        yield running


class TestCommands:
    """`/buzzy …`."""

    def test_the_acknowledgement_answers_the_person_alone(self, workspace: RunningWorkspace) -> None:
        """What `ack("…")` says is an ephemeral message, and is there when the command returns."""
        app = bolt(workspace)

        @app.command("/buzzy")
        def answer(ack: Ack, command: Json) -> None:
            ack(f"{command['user_name']} in {command['channel_name']} says {command['text']}")

        alice, bob = workspace.person("alice"), workspace.person("bob")
        with connected(workspace, app):
            delivery = alice.command("/buzzy status staging", CHANNEL)
        (told,) = alice.ephemerals(CHANNEL)
        assert told.text == "alice in buzzy-staging says status staging"
        assert (told.user, bob.ephemerals(CHANNEL)) == ("U0BUZZY", [])
        assert (delivery.acknowledged, delivery.seconds < 3) == (True, True)

    def test_an_answer_may_be_for_the_channel(self, workspace: RunningWorkspace) -> None:
        """`response_type` decides; the message is an ordinary one of the bot's."""
        app = bolt(workspace)
        app.command("/buzzy")(lambda ack: ack(response_type="in_channel", text="for all"))
        with connected(workspace, app):
            workspace.person("alice").command("/buzzy", CHANNEL)
        assert workspace.person("bob").messages(CHANNEL)[0].text == "for all"

    def test_an_answer_that_slack_would_refuse_fails(self, workspace: RunningWorkspace) -> None:
        """Blocks that Slack would not have are refused in an acknowledgement as well; the person is told."""
        app = bolt(workspace)
        app.command("/buzzy")(lambda ack: ack(blocks=[{"type": "fancy"}]))
        with connected(workspace, app):
            workspace.person("alice").command("/buzzy", CHANNEL)
        (told,) = workspace.person("alice").ephemerals(CHANNEL)
        assert told.text == '/buzzy failed with the error "invalid_command_response"'

    @pytest.mark.parametrize(
        ("typed", "sent"),
        [
            ("lock staging @bob", "lock staging <@U0BOB|bob>"),
            ("tell @buzzy-approvers", "tell <!subteam^S0APPROVERS|@buzzy-approvers>"),
            ("to #general now", "to <#C0GENERAL|general> now"),
            ("@here look", "<!here|here> look"),
            ("see https://example.com/a?b=1.", "see <https://example.com/a?b=1>."),
            ("see docs.example.com", "see <http://docs.example.com|docs.example.com>"),
            ("a & b <c>", "a &amp; b &lt;c&gt;"),
            ("3.2.1-rc.1 me@nowhere #42", "3.2.1-rc.1 me@nowhere #42"),
            ('--reason "—"', '--reason "—"'),
        ],
    )
    def test_names_and_links_are_escaped(self, workspace: RunningWorkspace, typed: str, sent: str) -> None:
        """With "escape channels, users, and links" on, the text is Slack's markup, not what was typed."""
        assert workspace.person("alice").command(f"/buzzy {typed}", CHANNEL).payload["text"] == sent

    def test_escaping_can_be_off(self) -> None:
        """Then names stay as typed, and only the three entities are made."""
        with running_workspace(Settings(escapes=False)) as workspace:
            delivery = workspace.person("alice").command("/buzzy lock @bob <x>", CHANNEL)
        assert delivery.payload["text"] == "lock @bob &lt;x&gt;"

    def test_without_a_connection_the_person_is_told(self, workspace: RunningWorkspace) -> None:
        """Slack says `dispatch_failed`, to the person alone."""
        alice = workspace.person("alice")
        assert alice.command("/buzzy status", CHANNEL).error == "no_connection"
        (told,) = alice.ephemerals(CHANNEL)
        assert told.text == '/buzzy failed with the error "dispatch_failed"'

    def test_without_an_answer_in_three_seconds_the_person_is_told(self, workspace: RunningWorkspace) -> None:
        """Slack says `operation_timeout` and does not send the command again."""
        alice = workspace.person("alice")
        with Silent(workspace) as app, ThreadPoolExecutor() as pool:
            command = pool.submit(alice.command, "/buzzy status", CHANNEL)
            app.next()
            workspace.advance(3)
            delivery = command.result()
            assert (delivery.error, delivery.attempts) == ("timeout", 1)
        (told,) = alice.ephemerals(CHANNEL)
        assert told.text == '/buzzy failed with the error "operation_timeout"'


class TestEvents:
    """The Events API over Socket Mode."""

    def test_a_mention_arrives_as_slack_sends_it(self, workspace: RunningWorkspace) -> None:
        """The event, and around it team, event id and authorizations."""
        app, seen = bolt(workspace, "app_mention"), queue.Queue[Json]()

        @app.event("app_mention")
        def hear(body: Json) -> None:
            seen.put(body)

        with connected(workspace, app):
            said = workspace.person("alice").say("@buzzy status & more", "C0DEV")
            body = seen.get(timeout=10)
        event = body["event"]
        assert (event["text"], event["ts"]) == ("<@U0BUZZY> status &amp; more", said.ts)
        assert (event["user"], event["channel"]) == ("U0ALICE", "C0DEV")
        assert (body["team_id"], body["type"], body["api_app_id"]) == ("T0BUZZY", "event_callback", "A0BUZZY")
        assert body["authorizations"][0]["user_id"] == "U0BUZZY"
        assert body["event_id"].startswith("Ev")
        assert body["is_ext_shared_channel"] is False

    def test_in_a_shared_channel_a_persons_team_is_told(self, workspace: RunningWorkspace) -> None:
        """Which is how the bot knows that somebody is of another workspace."""
        message = workspace.person("alice").say("approve?", CHANNEL)
        workspace.person("mallory").react(message, "white_check_mark")
        delivery = workspace.deliveries("events_api")[-1]
        assert delivery.payload["is_ext_shared_channel"] is True
        event = delivery.payload["event"]
        assert (event["type"], event["user"], event["user_team"]) == ("reaction_added", "U0OTHER", "T0OTHER")
        assert event["item"] == {"type": "message", "channel": CHANNEL, "ts": message.ts}
        assert event["item_user"] == "U0ALICE"

    def test_only_what_was_subscribed_to_is_sent(self) -> None:
        """Reactions, messages and their edits each are an event; unsubscribed ones are not sent."""
        with running_workspace(Settings(subscriptions=frozenset({"message.channels"}))) as workspace:
            client = sdk(workspace)
            ts = client.chat_postMessage(channel=CHANNEL, text="one")["ts"]
            client.chat_update(channel=CHANNEL, ts=ts, text="two")
            workspace.person("bob").react(workspace.person("bob").messages(CHANNEL)[0], "eyes")
            client.chat_delete(channel=CHANNEL, ts=ts)
            sent = [delivery.payload["event"] for delivery in workspace.deliveries("events_api")]
        assert [event.get("subtype") for event in sent] == [None, "message_changed", "message_deleted"]
        assert sent[0]["bot_id"] == "B0BUZZY"
        assert (sent[1]["message"]["text"], sent[1]["previous_message"]["text"]) == ("two", "one")

    def test_an_event_is_retried_three_times(self, workspace: RunningWorkspace) -> None:
        """At once, after a minute, after five more; each says which retry it is, with the same event id."""
        with Silent(workspace) as app:
            workspace.person("alice").join("C0GENERAL")
            workspace.person("alice").say("buzzy status", "C0GENERAL")
            seen: list[SocketModeRequest] = [app.next()]
            workspace.advance(3)
            seen.append(app.next())
            for seconds in (60, 300):
                workspace.advance(3)
                workspace.wait_for_delivery("events_api", attempts=len(seen))
                workspace.advance(seconds)
                seen.append(app.next())
            workspace.advance(3)
            delivery = workspace.wait_for_delivery("events_api", attempts=4)
        assert [request.retry_attempt for request in seen] == [0, 1, 2, 3]
        assert [request.retry_reason for request in seen] == ["", "timeout", "timeout", "timeout"]
        assert len({request.payload["event_id"] for request in seen}) == 1
        assert len({request.envelope_id for request in seen}) == 4
        assert (delivery.attempts, delivery.error) == (4, "timeout")

    def test_an_event_missed_while_away_comes_with_the_retry(self, workspace: RunningWorkspace) -> None:
        """What happens while no connection is open is not lost, if one opens before Slack gives up."""
        app, seen = bolt(workspace, "reaction_added"), queue.Queue[str]()
        app.event("reaction_added")(lambda event: seen.put(event["reaction"]))
        bob = workspace.person("bob")
        bob.react(bob.say("look", "C0DEV"), "eyes")
        workspace.wait_for_delivery("events_api", event="reaction_added", attempts=2)
        with connected(workspace, app):
            workspace.advance(60)
            assert seen.get(timeout=10) == "eyes"
            delivery = workspace.wait_for_delivery("events_api", event="reaction_added", attempts=3)
        assert (delivery.acknowledged, delivery.attempts) == (True, 3)

    def test_a_second_delivery_is_the_same(self, workspace: RunningWorkspace) -> None:
        """Slack delivers at least once: what a test sends again has the same ids."""
        with Silent(workspace) as app, ThreadPoolExecutor() as pool:
            pool.submit(workspace.person("alice").command, "/buzzy status", CHANNEL)
            first = app.next()
            workspace.advance(3)
            (sent,) = workspace.deliveries("slash_commands")
            again = pool.submit(workspace.deliver_again, sent)
            second = app.next()
            workspace.advance(3)
            again.result()
        assert second.payload["trigger_id"] == first.payload["trigger_id"]
        assert second.payload["response_url"] == first.payload["response_url"]


class TestConnections:
    """What Socket Mode does with its WebSockets."""

    def test_each_payload_goes_to_one_connection(self, workspace: RunningWorkspace) -> None:
        """Two connections of one app share what comes, in turn."""
        seen: list[int] = []
        both = threading.Event()

        def numbered(number: int) -> App:
            app = bolt(workspace)

            @app.command("/buzzy")
            def answer(ack: Ack) -> None:
                ack()
                seen.append(number)
                if len(seen) == 4:
                    both.set()

            return app

        first, second = numbered(1), numbered(2)
        with connected(workspace, first), connected(workspace, second, connections=2):
            for _ in range(4):
                workspace.person("alice").command("/buzzy", CHANNEL)
            assert both.wait(10)
        assert sorted(seen) == [1, 1, 2, 2]

    def test_the_app_comes_back_when_it_is_asked_to_refresh(self, workspace: RunningWorkspace) -> None:
        """Bolt reconnects by itself after `refresh_requested`, and the next command arrives."""
        app = bolt(workspace)
        app.command("/buzzy")(lambda ack: ack("here"))
        with connected(workspace, app):
            workspace.disconnect_app("refresh_requested")
            workspace.wait_for_app()
            assert workspace.person("alice").command("/buzzy", CHANNEL).answer == {"text": "here"}

    def test_a_warning_leaves_the_connection_open(self, workspace: RunningWorkspace) -> None:
        """`warning` only announces that the connection will be refreshed soon."""
        with connect(socket_url(workspace)) as socket:
            assert '"hello"' in str(socket.recv())
            workspace.disconnect_app("warning")
            assert '"warning"' in str(socket.recv())
            workspace.disconnect_app("refresh_requested")
            assert '"refresh_requested"' in str(socket.recv())
            with pytest.raises(ConnectionClosed):
                socket.recv()

    def test_an_eleventh_connection_is_sent_away(self, workspace: RunningWorkspace) -> None:
        """Slack allows ten."""
        sockets = [connect(socket_url(workspace)).__enter__() for _ in range(10)]
        workspace.wait_for_app(10)
        with connect(socket_url(workspace)) as one_more:
            assert '"too_many_websockets"' in str(one_more.recv())
        for socket in sockets:
            socket.close()

    def test_a_url_admits_once(self, workspace: RunningWorkspace) -> None:
        """The ticket in the URL is spent with the first connection."""
        url = socket_url(workspace)
        with connect(url) as socket:
            assert '"hello"' in str(socket.recv())
        with pytest.raises(Exception, match="403"), connect(url):
            pass


def socket_url(workspace: RunningWorkspace) -> str:
    """A fresh WebSocket URL."""
    url: str = sdk(workspace).apps_connections_open(app_token=workspace.app_token)["url"]
    return url
