"""Trouble on request: rate limits and faults, and what the unmodified SDK makes of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.webhook import WebhookClient

from sandbox.workspace import RunningWorkspace, running_workspace
from tests.integration.workspace_bots import sdk

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


def texts(workspace: RunningWorkspace, channel: str = CHANNEL) -> list[str]:
    """What a channel shows."""
    return [message.text for message in workspace.person("alice").messages(channel)]


class TestRateLimits:
    """Off unless they are turned on, so that other tests are fast."""

    def test_one_message_a_second_in_each_channel(
        self, workspace: RunningWorkspace, client: WebClient
    ) -> None:
        """The second is refused with 429 and when to come back; another channel has its own count."""
        workspace.limit_rates()
        client.chat_postMessage(channel=CHANNEL, text="one")
        with pytest.raises(SlackApiError) as caught:
            client.chat_postMessage(channel=CHANNEL, text="two")
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "1"
        assert caught.value.response["error"] == "ratelimited"
        client.chat_postMessage(channel="C0DEV", text="elsewhere")
        workspace.advance(1)
        client.chat_postMessage(channel=CHANNEL, text="three")
        assert texts(workspace) == ["one", "three"]

    def test_fifty_edits_a_minute(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """A method's limit is for the app, wherever it edits; the window moves with the clock."""
        ts = client.chat_postMessage(channel=CHANNEL, text="0")["ts"]
        workspace.limit_rates()
        for number in range(50):
            client.chat_update(channel=CHANNEL, ts=ts, text=str(number))
        with pytest.raises(SlackApiError) as caught:
            client.chat_update(channel=CHANNEL, ts=ts, text="51")
        assert 58 <= int(caught.value.response.headers["Retry-After"]) <= 60
        workspace.advance(60)
        client.chat_update(channel=CHANNEL, ts=ts, text="51")

    def test_they_can_be_turned_off_again(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """Then nothing is counted."""
        workspace.limit_rates()
        workspace.limit_rates(on=False)
        for number in range(3):
            client.chat_postMessage(channel=CHANNEL, text=str(number))
        assert texts(workspace) == ["0", "1", "2"]


class TestFaults:
    """Scripted for the next calls of a method."""

    def test_429_until_it_is_over(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """The SDK's opt-in handler waits as long as it is told, and the message is there once."""
        workspace.fail("chat.postMessage", times=1, status=429, retry_after=1)
        client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
        started = time.monotonic()
        client.chat_postMessage(channel=CHANNEL, text="one")
        assert time.monotonic() - started >= 1
        assert texts(workspace) == ["one"]

    @pytest.mark.parametrize(
        ("fault", "shown"),
        [({"status": 500}, "non-JSON"), ({"error": "fatal_error"}, "fatal_error")],
        ids=["HTTP status", "error code"],
    )
    def test_a_failure_that_does_nothing(
        self, workspace: RunningWorkspace, client: WebClient, fault: dict[str, Any], shown: str
    ) -> None:
        """As often as was asked for, then all is well."""
        workspace.fail("chat.postMessage", times=2, **fault)
        for _ in range(2):
            with pytest.raises(SlackApiError, match=shown):
                client.chat_postMessage(channel=CHANNEL, text="lost")
        client.chat_postMessage(channel=CHANNEL, text="there")
        assert texts(workspace) == ["there"]

    def test_an_answer_that_never_arrives_posts_twice(
        self, workspace: RunningWorkspace, client: WebClient
    ) -> None:
        """It is posted and the connection cut, and the SDK tries again by default. The hazard is real."""
        workspace.fail("chat.postMessage", cut="after")
        client.chat_postMessage(channel=CHANNEL, text="twice")
        assert texts(workspace) == ["twice", "twice"]

    def test_a_call_that_never_arrives_posts_once(
        self, workspace: RunningWorkspace, client: WebClient
    ) -> None:
        """The same from the app's side, and yet nothing happened the first time."""
        workspace.fail("chat.postMessage", cut="before")
        client.chat_postMessage(channel=CHANNEL, text="once")
        assert texts(workspace) == ["once"]

    def test_an_answer_that_is_late(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """It is done at once and answered later."""
        workspace.fail("chat.postMessage", delay=0.3)
        started = time.monotonic()
        client.chat_postMessage(channel=CHANNEL, text="late")
        assert time.monotonic() - started >= 0.3

    def test_one_channel_only(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """The fault waits for its channel; `*` is any method; what has not happened can be taken back."""
        workspace.fail("*", error="fatal_error", channel="C0DEV", times=5)
        client.chat_postMessage(channel=CHANNEL, text="fine")
        with pytest.raises(SlackApiError, match="fatal_error"):
            client.conversations_info(channel="C0DEV")
        workspace.stop_failing()
        assert client.conversations_info(channel="C0DEV")["ok"]

    def test_a_response_url_fails_as_well(self, workspace: RunningWorkspace) -> None:
        """It is no method, and fails by its own name."""
        url = workspace.person("alice").command("/buzzy", CHANNEL).payload["response_url"]
        workspace.fail("response_url", status=500)
        assert WebhookClient(url).send(text="x").status_code == 500
        assert WebhookClient(url).send(text="x").status_code == 200

    def test_a_fault_is_on_record(self, workspace: RunningWorkspace, client: WebClient) -> None:
        """A test can count what the app asked for, and see what it was told."""
        workspace.fail("auth.test", error="fatal_error")
        with pytest.raises(SlackApiError):
            client.auth_test()
        client.auth_test()
        assert [call["ok"] for call in workspace.calls("auth.test")] == [False, True]
