"""What people can do and see, and how a test waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sandbox.workspace import RunningWorkspace, attach, running_workspace
from sandbox.workspace.errors import PersonError
from tests.integration.workspace_bots import sdk, section

CHANNEL = "C0STAGING"


@pytest.fixture
def workspace() -> Iterator[RunningWorkspace]:
    """A workspace of its own for each test."""
    with running_workspace() as running:
        yield running


class TestWhoSeesWhat:
    """Members, guests and people of another workspace."""

    @pytest.mark.parametrize("name", ["gus", "mallory"])
    def test_who_was_not_invited_sees_nothing(self, workspace: RunningWorkspace, name: str) -> None:
        """Guests and strangers are in some channels only, and cannot join others by themselves."""
        person = workspace.person(name)
        assert person.messages(CHANNEL) == []
        with pytest.raises(PersonError, match="no such channel"):
            person.messages("C0GENERAL")
        with pytest.raises(PersonError, match="invite"):
            person.join("C0GENERAL")
        workspace.invite(person, "C0GENERAL")
        assert person.say("hello", "C0GENERAL").user == person.id

    def test_a_member_joins_by_themselves(self, workspace: RunningWorkspace) -> None:
        """They see the channel before, and take part after; the app hears of it."""
        dan = workspace.person("dan")
        workspace.remove(dan, CHANNEL)
        assert dan.messages(CHANNEL) == []
        with pytest.raises(PersonError, match="not a member"):
            dan.say("hello", CHANNEL)
        dan.join(CHANNEL)
        assert dan.say("hello", CHANNEL).user == dan.id
        (joined, _) = workspace.deliveries("events_api")
        assert joined.payload["event"]["type"] == "member_joined_channel"

    def test_a_stranger_has_no_app_home(self, workspace: RunningWorkspace) -> None:
        """The app is not installed where they are."""
        with pytest.raises(PersonError, match="not installed"):
            workspace.person("mallory").home()


class TestWhatPeopleDo:
    """Messages, commands, reactions."""

    @pytest.mark.parametrize(
        ("typed", "sent"),
        [
            ("@bob look at #general", "<@U0BOB> look at <#C0GENERAL|general>"),
            ("`@bob <x>` & @bob", "`@bob &lt;x&gt;` &amp; <@U0BOB>"),
            ("@nobody #nothing", "@nobody #nothing"),
        ],
    )
    def test_what_is_typed_becomes_markup(self, workspace: RunningWorkspace, typed: str, sent: str) -> None:
        """Names outside of code, and the three entities everywhere."""
        assert workspace.person("alice").say(typed, CHANNEL).text == sent

    def test_slack_has_no_commands_in_threads(self, workspace: RunningWorkspace) -> None:
        """The client says so; the app hears nothing."""
        alice = workspace.person("alice")
        root = alice.say("root", CHANNEL)
        alice._act("command", channel=CHANNEL, text="/buzzy status", thread_ts=root.ts)
        assert "not supported in threads" in alice.wait_for_ephemeral(CHANNEL)
        assert workspace.deliveries("slash_commands") == []

    def test_only_the_apps_command_exists(self, workspace: RunningWorkspace) -> None:
        """A mistyped one never reaches the app."""
        with pytest.raises(PersonError, match="/bzzy is not a valid command"):
            workspace.person("alice").command("/bzzy status", CHANNEL)

    def test_a_reaction_is_taken_back(self, workspace: RunningWorkspace) -> None:
        """Both ways are events; doing it twice is refused in Slack's words."""
        bob = workspace.person("bob")
        message = bob.say("approve?", CHANNEL)
        bob.react(message, "white_check_mark")
        with pytest.raises(PersonError, match="already_reacted"):
            bob.react(message, ":white_check_mark:")
        assert bob.read_again(message).reactions == {"white_check_mark": ["U0BOB"]}
        bob.unreact(message, "white_check_mark")
        assert bob.read_again(message).reactions == {}
        kinds = [each.payload["event"]["type"] for each in workspace.deliveries("events_api")]
        assert kinds == ["message", "reaction_added", "reaction_removed"]

    def test_an_ephemeral_message_is_dismissed(self, workspace: RunningWorkspace) -> None:
        """Then it is gone, for good."""
        sdk(workspace).chat_postEphemeral(channel=CHANNEL, user="U0BOB", text="x")
        bob = workspace.person("bob")
        bob.dismiss(bob.ephemerals(CHANNEL)[0])
        assert bob.ephemerals(CHANNEL) == []


class TestWaiting:
    """Waiting follows the workspace's changes."""

    def test_a_message_is_waited_for(self, workspace: RunningWorkspace) -> None:
        """It comes from another thread while somebody waits, and the wait ends with it."""
        alice = workspace.person("alice")
        before = alice.say("R41 released", CHANNEL)
        client = sdk(workspace)
        later = threading.Timer(
            0.1,
            lambda: client.chat_postMessage(channel=CHANNEL, text="x", blocks=[section("R42 *released*")]),
        )
        later.start()
        message = alice.wait_for_message(CHANNEL, "released", after=before)
        later.join()
        assert "R42" in message

    def test_what_was_there_instead_is_told(self, workspace: RunningWorkspace) -> None:
        """A wait in vain says what it waited for and what it saw."""
        alice = workspace.person("alice")
        root = alice.say("R41 failed", CHANNEL)
        alice.say("at step 3", CHANNEL, thread_ts=root.ts)
        with pytest.raises(AssertionError, match=r"(?s)shows 'R42'.*R41 failed"):
            alice.wait_for_message(CHANNEL, "R42", timeout=0.05)
        with pytest.raises(AssertionError, match=r"(?s)thread shows 'step 4'.*at step 3"):
            alice.wait_for_reply(root, "step 4", timeout=0.05)

    def test_another_process_can_attach(self, workspace: RunningWorkspace) -> None:
        """Everything goes over HTTP: the URL is all that is needed."""
        with attach(workspace.url) as attached:
            attached.person("bob").say("from afar", CHANNEL)
            assert attached.environment() == workspace.environment()
        assert workspace.person("alice").messages(CHANNEL)[0].text == "from afar"

    def test_names_for_a_transcript(self, workspace: RunningWorkspace) -> None:
        """Whoever shows messages elsewhere needs to know what ids are called."""
        names = workspace.names()
        assert names["users"]["U0BOB"] == "Bob Brandt"
        assert names["handles"]["U0BOB"] == "bob"
        assert names["groups"]["S0ONCALL"] == "oncall"
        assert names["channels"]["C0RELEASES"] == "buzzy-releases"
