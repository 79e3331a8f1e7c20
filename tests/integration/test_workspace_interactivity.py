"""Buttons, forms, the App Home and response URLs, with Bolt on the other side."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from sandbox.workspace import Message, RunningWorkspace, running_workspace
from sandbox.workspace.errors import PersonError
from tests.integration.workspace_bots import APPROVE, bolt, connected, plain, sdk, section

Json = dict[str, Any]

CHANNEL = "C0STAGING"


@pytest.fixture
def workspace() -> Iterator[RunningWorkspace]:
    """A workspace of its own for each test."""
    with running_workspace() as running:
        yield running


@pytest.fixture
def client(workspace: RunningWorkspace) -> WebClient:
    """The bot's client."""
    return sdk(workspace)


def posted(workspace: RunningWorkspace, client: WebClient, *blocks: Json) -> Message:
    """Post blocks and see them as Bob."""
    client.chat_postMessage(channel=CHANNEL, text="R42", blocks=list(blocks))
    return workspace.person("bob").messages(CHANNEL)[-1]


class TestClicks:
    """`block_actions`."""

    def test_a_click_says_who_where_and_what(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """The payload that Bolt's listener gets, field by field."""
        app, seen = bolt(workspace), queue.Queue[Json]()

        @app.action("approve")
        def approve(ack: Ack, body: Json) -> None:
            ack()
            seen.put(body)

        message = posted(workspace, client, APPROVE)
        with connected(workspace, app):
            delivery = workspace.person("mallory").click(message, "Approve")
            body = seen.get(timeout=10)
        assert delivery.acknowledged
        assert body["user"] == {
            "id": "U0OTHER",
            "username": "mallory",
            "name": "mallory",
            "team_id": "T0OTHER",
        }
        assert (body["channel"]["id"], body["container"]["message_ts"]) == (CHANNEL, message.ts)
        assert (body["message"]["ts"], body["team"]["id"]) == (message.ts, "T0BUZZY")
        (action,) = body["actions"]
        assert (action["action_id"], action["block_id"], action["value"]) == ("approve", "decision", "R42")
        assert (action["type"], action["style"], action["text"]["text"]) == ("button", "primary", "Approve")

    def test_a_choice_and_the_rest_of_the_form(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """A menu tells its option; `state` tells what stands in everything else."""
        options = [{"text": plain(name), "value": name} for name in ("staging", "production")]
        message = posted(
            workspace,
            client,
            {
                "type": "actions",
                "block_id": "where",
                "elements": [
                    {"type": "static_select", "action_id": "environment", "options": options},
                    {"type": "datepicker", "action_id": "day", "initial_date": "2026-01-31"},
                ],
            },
        )
        payload = workspace.person("bob").click(message, "environment", "production").payload
        assert payload["actions"][0]["selected_option"]["value"] == "production"
        assert payload["state"]["values"]["where"]["day"] == {
            "type": "datepicker",
            "selected_date": "2026-01-31",
        }
        with pytest.raises(PersonError, match="no choice moon"):
            workspace.person("bob").click(message, "environment", "moon")

    def test_what_is_gone_cannot_be_clicked_but_was_perhaps(
        self, workspace: RunningWorkspace, client: WebClient
    ) -> None:
        """A person clicks what is shown now; `as_seen` is the click that crossed the change."""
        message = posted(workspace, client, APPROVE)
        client.chat_update(channel=CHANNEL, ts=message.ts, text="approved")
        with pytest.raises(PersonError, match="no 'Approve'"):
            workspace.person("bob").click(message, "Approve")
        delivery = workspace.person("bob").click(message, "Approve", as_seen=True)
        assert delivery.payload["actions"][0]["value"] == "R42"
        assert "blocks" not in delivery.payload["message"]

    def test_an_ephemeral_message_is_not_told(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """The app gets the container only, and nobody else can click it."""
        client.chat_postEphemeral(channel=CHANNEL, user="U0BOB", text="x", blocks=[APPROVE])
        (message,) = workspace.person("bob").ephemerals(CHANNEL)
        payload = workspace.person("bob").click(message, "Approve").payload
        assert payload["container"]["is_ephemeral"] is True
        assert "message" not in payload
        with pytest.raises(PersonError):
            workspace.person("carol").click(message, "Approve", as_seen=True)


class TestResponseUrls:
    """Answering later."""

    def test_five_answers_and_no_more(self, workspace: RunningWorkspace) -> None:
        """Then Slack says `used_url`."""
        url = workspace.person("alice").command("/buzzy", CHANNEL).payload["response_url"]
        answers = [WebhookClient(url).send(text=str(number)) for number in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [404]
        assert "used_url" in answers[-1].body
        shown = [message.text for message in workspace.person("alice").ephemerals(CHANNEL)[1:]]
        assert shown == ["0", "1", "2", "3", "4"]

    def test_thirty_minutes_and_no_longer(self, workspace: RunningWorkspace) -> None:
        """Then Slack says `expired_url`."""
        url = workspace.person("alice").command("/buzzy", CHANNEL).payload["response_url"]
        workspace.advance(29 * 60)
        assert WebhookClient(url).send(text="still").status_code == 200
        workspace.advance(2 * 60)
        late = WebhookClient(url).send(text="late")
        assert (late.status_code, "expired_url" in late.body) == (404, True)

    def test_an_original_is_replaced_or_deleted(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """The message that the click was on, for everybody; else the answer is the person's alone."""
        bob = workspace.person("bob")
        message = posted(workspace, client, APPROVE)
        respond = WebhookClient(bob.click(message, "Approve").payload["response_url"])
        respond.send(text="noted")
        assert [each.text for each in bob.ephemerals(CHANNEL)] == ["noted"]
        respond.send(text="for all", response_type="in_channel")
        assert [each.text for each in bob.messages(CHANNEL)] == ["R42", "for all"]
        respond.send(text="approved", replace_original=True)
        assert bob.read_again(message).text == "approved"
        respond.send(text="", delete_original=True)
        assert [each.text for each in bob.messages(CHANNEL)] == ["for all"]

    def test_an_ephemeral_original_is_replaced(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """Which nothing else can do."""
        client.chat_postEphemeral(channel=CHANNEL, user="U0BOB", text="sure?", blocks=[APPROVE])
        bob = workspace.person("bob")
        (message,) = bob.ephemerals(CHANNEL)
        respond = WebhookClient(bob.click(message, "Approve").payload["response_url"])
        respond.send(text="done", replace_original=True)
        assert bob.read_again(message).text == "done"
        respond.send(text="", delete_original=True)
        assert bob.ephemerals(CHANNEL) == []

    def test_what_cannot_be_shown_is_refused(self, workspace: RunningWorkspace) -> None:
        """With the code that posting it would have."""
        url = workspace.person("alice").command("/buzzy", CHANNEL).payload["response_url"]
        answer = WebhookClient(url).send(text="x", blocks=[{"type": "fancy"}])
        assert (answer.status_code, "invalid_blocks" in answer.body) == (400, True)


FORM: Json = {
    "type": "modal",
    "callback_id": "release",
    "private_metadata": "C0STAGING",
    "notify_on_close": True,
    "title": plain("New release"),
    "submit": plain("Plan it"),
    "blocks": [
        {
            "type": "input",
            "block_id": "version",
            "label": plain("Version"),
            "element": {"type": "plain_text_input", "action_id": "text", "max_length": 9},
        },
        {
            "type": "input",
            "block_id": "options",
            "optional": True,
            "label": plain("Options"),
            "element": {
                "type": "checkboxes",
                "action_id": "boxes",
                "options": [{"text": plain("hotfix"), "value": "hotfix"}],
            },
        },
    ],
}


def with_form(workspace: RunningWorkspace, answer: Json | None = None) -> App:
    """An app whose command opens the form, and that answers its submission so."""
    app = bolt(workspace)

    @app.command("/buzzy")
    def command(ack: Ack, command: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=command["trigger_id"], view=FORM)

    app.view("release")(lambda ack: ack(**(answer or {})))
    app.view_closed("release")(lambda ack: ack())
    return app


class TestForms:
    """Modals."""

    def test_a_form_is_opened_filled_in_and_submitted(self, workspace: RunningWorkspace) -> None:
        """What was typed arrives as Slack's `state`, and the form closes."""
        alice = workspace.person("alice")
        with connected(workspace, with_form(workspace)):
            alice.command("/buzzy", CHANNEL)
            form = alice.wait_for_view("New release")
            delivery = alice.submit(form, {"Version": "3.2.1", "boxes": ["hotfix"]})
        view = delivery.payload["view"]
        values = view["state"]["values"]
        assert values["version"]["text"] == {"type": "plain_text_input", "value": "3.2.1"}
        assert [each["value"] for each in values["options"]["boxes"]["selected_options"]] == ["hotfix"]
        assert (view["private_metadata"], view["callback_id"]) == ("C0STAGING", "release")
        assert alice.views() == workspace.person("bob").views() == []

    def test_slacks_own_client_complains_first(self, workspace: RunningWorkspace) -> None:
        """What is missing or too long is not even sent."""
        alice = workspace.person("alice")
        with connected(workspace, with_form(workspace)):
            alice.command("/buzzy", CHANNEL)
            form = alice.wait_for_view()
            assert alice.submit(form).errors == {"version": "Please complete this required field."}
            assert "at most 9" in alice.submit(form, {"text": "3.2.1-rc.10"}).errors["version"]
        assert not [each for each in workspace.deliveries("interactive") if "view_submission" in str(each)]

    def test_the_app_complains(self, workspace: RunningWorkspace) -> None:
        """Its errors are shown in the form, which stays open."""
        answer = {"response_action": "errors", "errors": {"version": "No such tag."}}
        alice = workspace.person("alice")
        with connected(workspace, with_form(workspace, answer)):
            alice.command("/buzzy", CHANNEL)
            form = alice.wait_for_view()
            assert alice.submit(form, {"version": "9.9.9"}).errors == {"version": "No such tag."}
            assert [view.id for view in alice.views()] == [form.id]

    @pytest.mark.parametrize("action", ["update", "push"])
    def test_the_app_shows_another_form(self, workspace: RunningWorkspace, action: str) -> None:
        """In the place of the first, or on top of it."""
        answer = {"response_action": action, "view": FORM | {"title": plain("Sure?")}}
        alice = workspace.person("alice")
        with connected(workspace, with_form(workspace, answer)):
            alice.command("/buzzy", CHANNEL)
            form = alice.wait_for_view()
            alice.submit(form, {"version": "3.2.1"})
        titles = [view.title for view in alice.views()]
        assert titles == (["Sure?"] if action == "update" else ["New release", "Sure?"])
        assert (alice.views()[0].id == form.id) is True

    def test_closing_is_told_to_who_asked(self, workspace: RunningWorkspace) -> None:
        """With `notify_on_close`; afterwards the form cannot be submitted."""
        alice = workspace.person("alice")
        with connected(workspace, with_form(workspace)):
            alice.command("/buzzy", CHANNEL)
            form = alice.wait_for_view()
            alice.close(form)
        assert workspace.deliveries("interactive")[-1].payload["type"] == "view_closed"
        with pytest.raises(PersonError, match="no longer open"):
            alice.submit(form)

    def test_a_trigger_id_opens_one_form_within_three_seconds(
        self, workspace: RunningWorkspace, client: WebClient
    ) -> None:
        """Then it is exchanged or expired; one that never was is invalid."""
        alice = workspace.person("alice")
        first = alice.command("/buzzy", CHANNEL).payload["trigger_id"]
        client.views_open(trigger_id=first, view=FORM)
        late = alice.command("/buzzy", CHANNEL).payload["trigger_id"]
        workspace.advance(3.1)
        expected = {first: "exchanged_trigger_id", late: "expired_trigger_id", "1.2.x": "invalid_trigger_id"}
        for trigger_id, error in expected.items():
            with pytest.raises(SlackApiError, match=error):
                client.views_open(trigger_id=trigger_id, view=FORM)

    def test_forms_are_changed_and_stacked(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """By id or by the app's own name; a hash guards against a change that crossed; three is the most."""
        alice = workspace.person("alice")

        def trigger() -> str:
            return str(alice.command("/buzzy", CHANNEL).payload["trigger_id"])

        view = client.views_open(trigger_id=trigger(), view=FORM | {"external_id": "mine"})["view"]
        changed = client.views_update(external_id="mine", view=FORM | {"title": plain("Two")})["view"]
        assert (changed["id"], changed["hash"] != view["hash"]) == (view["id"], True)
        with pytest.raises(SlackApiError, match="hash_conflict"):
            client.views_update(view_id=view["id"], hash=view["hash"], view=FORM)
        with pytest.raises(SlackApiError, match="not_found"):
            client.views_update(view_id="V0", view=FORM)
        for _ in range(2):
            client.views_push(trigger_id=trigger(), view=FORM)
        with pytest.raises(SlackApiError, match="push_limit_reached"):
            client.views_push(trigger_id=trigger(), view=FORM)
        assert len(alice.views()) == 3


class TestHome:
    """The App Home."""

    def test_opening_the_home_makes_the_app_show_it(self, workspace: RunningWorkspace) -> None:
        """The app hears of it and publishes; its buttons are clicked like any other."""
        app = bolt(workspace, "app_home_opened")
        home: Json = {"type": "home", "blocks": [section("*staging* 3.2.1"), APPROVE]}

        @app.event("app_home_opened")
        def opened(event: Json, client: WebClient) -> None:
            client.views_publish(user_id=event["user"], view=home)

        app.action("approve")(lambda ack: ack())
        alice = workspace.person("alice")
        with connected(workspace, app):
            alice.home()
            shown = alice.wait_for_home("3.2.1")
            delivery = alice.click(shown, "Approve")
        assert delivery.payload["container"] == {"type": "view", "view_id": shown.id}
        assert workspace.person("bob").home_now() is None

    def test_a_home_is_replaced_in_place(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """The id stays; the hash of what was read guards the change."""
        first = client.views_publish(user_id="U0BOB", view={"type": "home", "blocks": [section("one")]})[
            "view"
        ]
        second = client.views_publish(
            user_id="U0BOB", hash=first["hash"], view={"type": "home", "blocks": [section("two")]}
        )["view"]
        assert second["id"] == first["id"]
        assert "two" in workspace.person("bob").wait_for_home()
        with pytest.raises(SlackApiError, match="hash_conflict"):
            client.views_publish(user_id="U0BOB", hash=first["hash"], view={"type": "home", "blocks": []})
