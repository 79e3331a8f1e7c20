"""Slack's Web API as the workspace answers it, asked by the unmodified SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.workspace import RunningWorkspace, running_workspace
from sandbox.workspace.settings import Settings
from tests.integration.workspace_bots import sdk, section

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


def refusal(method: Callable[..., object], **arguments: object) -> Json:
    """What Slack answers to a call that it refuses."""
    with pytest.raises(SlackApiError) as caught:
        method(**arguments)
    answer: Json = caught.value.response.data
    return answer


def post(client: WebClient, text: str = "hello", **more: Any) -> str:  # noqa: ANN401  the SDK's arguments
    """Post to the channel and return the timestamp."""
    return str(client.chat_postMessage(channel=CHANNEL, text=text, **more)["ts"])


def history(client: WebClient, **arguments: Any) -> list[Json]:  # noqa: ANN401  the SDK's arguments
    """What the channel shows."""
    messages: list[Json] = client.conversations_history(channel=CHANNEL, **arguments)["messages"]
    return messages


class TestWhoMay:
    """Tokens and scopes."""

    def test_the_token_says_who_the_bot_is(self, client: WebClient) -> None:
        """`auth.test` names the bot, its user and its team, which is how Bolt learns them."""
        answer = client.auth_test()
        assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == ("U0BUZZY", "B0BUZZY", "T0BUZZY")

    @pytest.mark.parametrize(
        ("token", "error"),
        [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("app", "not_allowed_token_type")],
    )
    def test_a_wrong_token_is_refused(self, workspace: RunningWorkspace, token: str, error: str) -> None:
        """No token, an unknown one, and the app's where the bot's is wanted each have their own code."""
        client = sdk(workspace, token=workspace.app_token if token == "app" else token)
        assert refusal(client.chat_postMessage, channel=CHANNEL, text="x")["error"] == error

    def test_a_bot_token_opens_no_connection(self, workspace: RunningWorkspace) -> None:
        """`apps.connections.open` wants the app's token."""
        client = sdk(workspace)
        assert (
            refusal(client.apps_connections_open, app_token=workspace.bot_token)["error"]
            == "not_allowed_token_type"
        )

    def test_a_missing_scope_is_named(self) -> None:
        """The answer says which scope is needed and which there are; the header says so as well."""
        with running_workspace(Settings(scopes=frozenset({"commands", "users:read"}))) as workspace:
            client = sdk(workspace)
            answer = refusal(client.chat_postMessage, channel=CHANNEL, text="x")
            header = client.users_list().headers["x-oauth-scopes"]
        assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
        assert answer["provided"] == header == "commands,users:read"

    def test_an_unknown_method_is_refused(self, client: WebClient) -> None:
        """So that a typing error is told from a wrong argument."""
        assert refusal(client.api_call, api_method="chat.postmessage")["error"] == "unknown_method"


class TestPosting:
    """Where messages go and what is refused."""

    def test_a_thread_is_counted_on_its_root(self, client: WebClient) -> None:
        """Replies are not in the channel; the root has their number, their authors and the latest."""
        root = post(client)
        reply = post(client, "step 1", thread_ts=root)
        (seen,) = history(client)
        assert (seen["reply_count"], seen["reply_users"], seen["latest_reply"]) == (1, ["U0BUZZY"], reply)
        thread = client.conversations_replies(channel=CHANNEL, ts=root)["messages"]
        assert [message["text"] for message in thread] == ["hello", "step 1"]
        assert thread[1]["parent_user_id"] == "U0BUZZY"

    def test_a_broadcast_reply_is_in_the_channel_too(self, client: WebClient) -> None:
        """`reply_broadcast` shows a reply in both places."""
        root = post(client)
        post(client, "over", thread_ts=root, reply_broadcast=True)
        assert [message["text"] for message in history(client)] == ["over", "hello"]

    def test_a_person_is_written_to_directly(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """A user id as the channel opens the direct conversation."""
        answer = client.chat_postMessage(channel="U0ALICE", text="your release waits")
        assert answer["channel"].startswith("D")
        assert "your release waits" in workspace.person("alice").messages(answer["channel"])[0]
        assert client.conversations_open(users="U0ALICE")["channel"]["id"] == answer["channel"]

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
            ({"channel": CHANNEL, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
            ({"channel": CHANNEL, "text": ""}, "no_text"),
            ({"channel": CHANNEL, "text": "x" * 40_001}, "msg_too_long"),
            ({"channel": CHANNEL, "text": "x", "blocks": "no json"}, "invalid_blocks_format"),
            ({"channel": CHANNEL, "text": "x", "metadata": {"event_payload": {}}}, "invalid_metadata_schema"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_cannot_be_posted(self, client: WebClient, arguments: Json, error: str) -> None:
        """Each refusal has Slack's code, and nothing was posted."""
        assert refusal(client.api_call, api_method="chat.postMessage", json=arguments)["error"] == error
        assert history(client) == []

    def test_the_bot_posts_only_where_it_is(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """Out of the channel it is refused, until it joins."""
        workspace.remove("U0BUZZY", CHANNEL)
        assert refusal(client.chat_postMessage, channel=CHANNEL, text="x")["error"] == "not_in_channel"
        assert refusal(client.conversations_history, channel=CHANNEL)["error"] == "not_in_channel"
        client.conversations_join(channel=CHANNEL)
        assert post(client)

    def test_an_ephemeral_message_is_one_persons(
        self, workspace: RunningWorkspace, client: WebClient
    ) -> None:
        """The others do not see it and no method finds it; who is not in the channel cannot get one."""
        client.chat_postEphemeral(channel=CHANNEL, user="U0ALICE", text="for you")
        assert "for you" in workspace.person("alice").ephemerals(CHANNEL)[0]
        assert workspace.person("bob").ephemerals(CHANNEL) == []
        assert history(client) == []
        answer = refusal(client.chat_postEphemeral, channel="C0DEV", user="U0GUEST", text="x")
        assert answer["error"] == "user_not_in_channel"

    def test_a_permalink_leads_to_the_message(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """In Slack's form, with the workspace's address in front."""
        ts = post(client)
        link = client.chat_getPermalink(channel=CHANNEL, message_ts=ts)["permalink"]
        assert link == f"{workspace.url}/archives/{CHANNEL}/p{ts.replace('.', '')}"
        answer = refusal(client.chat_getPermalink, channel=CHANNEL, message_ts="1.000001")
        assert answer["error"] == "message_not_found"


class TestUpdating:
    """`chat.update` and `chat.delete`."""

    def test_text_alone_takes_the_blocks_away(self, client: WebClient) -> None:
        """It also marks the message as edited, as Slack does."""
        ts = post(client, blocks=[section("*hello*")])
        client.chat_update(channel=CHANNEL, ts=ts, text="bye")
        (message,) = history(client)
        assert (message["text"], "blocks" in message, message["edited"]["user"]) == ("bye", False, "U0BUZZY")

    def test_blocks_alone_keep_the_text_and_no_mark(self, client: WebClient) -> None:
        """A message that is edited in place all the time does not say so all the time."""
        ts = post(client, blocks=[section("*hello*")])
        client.api_call("chat.update", json={"channel": CHANNEL, "ts": ts, "blocks": [section("*bye*")]})
        (message,) = history(client)
        assert (message["text"], message["blocks"][0]["text"]["text"]) == ("hello", "*bye*")
        assert "edited" not in message

    def test_metadata_stays_until_it_is_replaced(self, client: WebClient) -> None:
        """Left out it stays, `{}` removes it; and it is shown only to who asks for it."""
        metadata: Json = {"event_type": "release", "event_payload": {"id": "R42"}}
        ts = post(client, metadata=metadata)
        client.chat_update(channel=CHANNEL, ts=ts, text="bye")
        assert "metadata" not in history(client)[0]
        assert history(client, include_all_metadata=True)[0]["metadata"] == metadata
        client.chat_update(channel=CHANNEL, ts=ts, text="bye", metadata={})
        assert "metadata" not in history(client, include_all_metadata=True)[0]

    def test_only_the_bots_own_messages(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """A person's message, and one that is not there, each have their own code."""
        ts = workspace.person("alice").say("mine", CHANNEL).ts
        assert refusal(client.chat_update, channel=CHANNEL, ts=ts, text="x")["error"] == "cant_update_message"
        assert refusal(client.chat_delete, channel=CHANNEL, ts=ts)["error"] == "cant_delete_message"
        gone = refusal(client.chat_update, channel=CHANNEL, ts="1.000001", text="x")
        assert gone["error"] == "message_not_found"
        long = refusal(client.chat_update, channel=CHANNEL, ts=post(client), text="x" * 4_001)
        assert long["error"] == "msg_too_long"

    def test_a_deleted_root_leaves_its_thread(self, client: WebClient) -> None:
        """With replies a tombstone stays, without them nothing does."""
        root = post(client)
        reply = post(client, "step 1", thread_ts=root)
        client.chat_delete(channel=CHANNEL, ts=root)
        (tombstone,) = history(client)
        assert (tombstone["subtype"], tombstone["reply_count"]) == ("tombstone", 1)
        client.chat_delete(channel=CHANNEL, ts=reply)
        assert "reply_count" not in history(client)[0]
        lone = post(client)
        client.chat_delete(channel=CHANNEL, ts=lone)
        assert lone not in [message["ts"] for message in history(client)]


class TestReading:
    """Histories, reactions, the directory."""

    def test_a_history_comes_in_pages_newest_first(self, client: WebClient) -> None:
        """`limit` and `cursor` walk back in time; `oldest` and `latest` cut, `inclusive` or not."""
        stamps = [post(client, str(number)) for number in range(5)]
        pages = [page["messages"] for page in client.conversations_history(channel=CHANNEL, limit=2)]
        assert [[message["text"] for message in page] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]
        cut = {"oldest": stamps[1], "latest": stamps[3]}
        assert [message["text"] for message in history(client, **cut)] == ["2"]
        assert len(history(client, **cut, inclusive=True)) == 3

    def test_reactions_are_added_once_and_taken_back(
        self, workspace: RunningWorkspace, client: WebClient
    ) -> None:
        """With the codes for what was there already, is not there, or is no emoji."""
        ts = post(client)
        item: Json = {"channel": CHANNEL, "timestamp": ts}
        client.reactions_add(**item, name="eyes")
        workspace.person("bob").react(workspace.person("bob").messages(CHANNEL)[0], "eyes")
        answer = client.reactions_get(**item, full=True)["message"]["reactions"]
        assert answer == [{"name": "eyes", "users": ["U0BUZZY", "U0BOB"], "count": 2}]
        assert refusal(client.reactions_add, **item, name="eyes")["error"] == "already_reacted"
        assert refusal(client.reactions_add, **item, name="nonsense")["error"] == "invalid_name"
        client.reactions_remove(**item, name="eyes")
        assert refusal(client.reactions_remove, **item, name="eyes")["error"] == "no_reaction"
        missing = refusal(client.reactions_add, channel=CHANNEL, timestamp="1.000001", name="eyes")
        assert missing["error"] == "message_not_found"
        client.reactions_add(**item, name="+1::skin-tone-3")

    def test_people_are_told_apart(self, client: WebClient) -> None:
        """Guests are restricted; of people of other workspaces only their team is known."""
        guest = client.users_info(user="U0GUEST")["user"]
        assert (guest["is_restricted"], guest["is_ultra_restricted"]) == (True, True)
        stranger = client.users_info(user="U0OTHER")["user"]
        assert (stranger["team_id"], stranger["is_stranger"], "is_restricted" in stranger) == (
            "T0OTHER",
            True,
            False,
        )
        assert client.users_info(user="U0BUZZY")["user"]["is_bot"]
        assert refusal(client.users_info, user="U0NOBODY")["error"] == "user_not_found"
        assert len(client.users_list()["members"]) == 8

    def test_groups_have_members(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """Who approves and who is on call, which a test may change."""
        assert client.usergroups_users_list(usergroup="S0APPROVERS")["users"] == ["U0BOB", "U0CAROL"]
        workspace.set_group("S0ONCALL", ["U0GUEST"])
        groups = client.usergroups_list(include_users=True)["usergroups"]
        assert {group["handle"]: group["users"] for group in groups}["oncall"] == ["U0GUEST"]
        assert refusal(client.usergroups_users_list, usergroup="S0NONE")["error"] == "no_such_subteam"

    def test_channels_say_whether_they_are_shared(self, client: WebClient) -> None:
        """A channel with people of another workspace says so, and who is in it."""
        info = client.conversations_info(channel=CHANNEL, include_num_members=True)["channel"]
        assert (info["is_ext_shared"], info["is_member"], info["num_members"]) == (True, True, 8)
        assert "U0OTHER" in client.conversations_members(channel=CHANNEL)["members"]
        assert len(client.conversations_list()["channels"]) == 6
        assert client.team_info()["team"]["id"] == "T0BUZZY"
        assert client.bots_info(bot="B0BUZZY")["bot"]["user_id"] == "U0BUZZY"

    def test_a_picture_is_uploaded_into_a_thread(
        self, workspace: RunningWorkspace, client: WebClient
    ) -> None:
        """The three steps that the SDK takes end in a message with the file."""
        root = post(client)
        client.files_upload_v2(
            channel=CHANNEL, thread_ts=root, content=b"\x89PNG", filename="errors.png", title="Errors"
        )
        (reply,) = workspace.person("erin").thread(workspace.person("erin").messages(CHANNEL)[0])
        assert (
            reply.data["files"][0] | {"title": "Errors", "mimetype": "image/png", "size": 4}
            == (reply.data["files"][0])
        )
        unknown = refusal(client.files_completeUploadExternal, files=[{"id": "F0", "title": "x"}])
        assert unknown["error"] == "file_not_found"
