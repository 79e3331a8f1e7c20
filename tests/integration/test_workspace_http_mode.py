"""HTTP mode: signed requests to the app's request URL, and what comes back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.serving import Served, serve
from sandbox.workspace import RunningWorkspace, running_workspace
from tests.integration.workspace_bots import APPROVE, bolt, sdk

Json = dict[str, Any]

CHANNEL = "C0STAGING"
PATH = "/slack/events"


@pytest.fixture
def workspace() -> Iterator[RunningWorkspace]:
    """A workspace of its own for each test."""
    with running_workspace() as running:
        yield running


class Receiver:
    """A request URL that notes what it gets and answers as told; it proves itself when it is asked to."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], str]] = []
        self.answer = Response()
        app = Starlette(routes=[Route(PATH, self._take, methods=["POST"])])
        self.served = serve(app)
        self.url = f"{self.served.url}{PATH}"

    async def _take(self, request: Request) -> Response:
        body = (await request.body()).decode()
        if "url_verification" in body:
            return Response((await request.json())["challenge"])
        self.requests.append((dict(request.headers), body))
        return self.answer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A request URL for one test."""
    receiving = Receiver()
    with receiving.served:
        yield receiving


def served_bolt(app: App) -> Served:
    """Serve a Bolt app as production does."""
    handler = SlackRequestHandler(app)

    async def endpoint(request: Request) -> Response:
        return await handler.handle(request)

    return serve(Starlette(routes=[Route(PATH, endpoint, methods=["POST"])]))


class TestWithBolt:
    """Bolt checks every signature, and would refuse what Slack would not have sent."""

    def test_commands_clicks_and_events_arrive(self, workspace: RunningWorkspace) -> None:
        """The same app as over Socket Mode, the same effect."""
        app = bolt(workspace, "app_mention")

        @app.command("/buzzy")
        def command(ack: Ack, respond: Respond) -> None:
            ack("working on it")
            respond(text="approve?", blocks=[APPROVE], response_type="in_channel")

        @app.action("approve")
        def approve(ack: Ack, respond: Respond, body: Json) -> None:
            ack()
            respond(text=f"approved by {body['user']['name']}", replace_original=True)

        app.event("app_mention")(lambda say: say("yes?"))
        alice, bob = workspace.person("alice"), workspace.person("bob")
        with served_bolt(app) as served:
            workspace.deliver_to(f"{served.url}{PATH}")
            assert alice.command("/buzzy release", CHANNEL).answer == {"text": "working on it"}
            question = bob.wait_for_message(CHANNEL, "Approve")
            bob.click(question, "Approve")
            bob.wait_until_shows(question, "approved by bob")
            alice.say("@buzzy", CHANNEL)
            alice.wait_for_message(CHANNEL, "yes?")

    def test_another_secret_is_refused(self, workspace: RunningWorkspace) -> None:
        """An app with the wrong signing secret does not even pass the challenge."""
        app = App(client=sdk(workspace), signing_secret="another")
        with served_bolt(app) as served, pytest.raises(RuntimeError, match="did not answer the challenge"):
            workspace.deliver_to(f"{served.url}{PATH}")

    def test_a_signature_of_long_ago_is_refused(self, workspace: RunningWorkspace) -> None:
        """The timestamp is signed as well: ten minutes off, and Bolt does not believe it."""
        app = App(client=sdk(workspace), signing_secret=workspace.signing_secret)
        app.command("/buzzy")(lambda ack: ack())
        with served_bolt(app) as served:
            workspace.deliver_to(f"{served.url}{PATH}")
            workspace.advance(-600)
            assert workspace.person("alice").command("/buzzy", CHANNEL).error == "http_error"


class TestRequests:
    """What stands in the requests, and what is made of the answers."""

    def test_a_request_is_signed(self, workspace: RunningWorkspace, receiver: Receiver) -> None:
        """The SDK's own verifier accepts body, timestamp and signature."""
        workspace.deliver_to(receiver.url)
        workspace.person("alice").command("/buzzy status", CHANNEL)
        ((headers, body),) = receiver.requests
        assert SignatureVerifier(workspace.signing_secret).is_valid_request(body, headers)
        assert not SignatureVerifier("another").is_valid_request(body, headers)
        assert headers["content-type"] == "application/x-www-form-urlencoded"
        assert "command=%2Fbuzzy" in body

    def test_an_event_says_which_retry_it_is(self, workspace: RunningWorkspace, receiver: Receiver) -> None:
        """In headers, with the reason; the first time there are none."""
        receiver.answer = Response(status_code=500)
        workspace.deliver_to(receiver.url)
        workspace.person("alice").say("buzzy status", CHANNEL)
        workspace.wait_for_delivery("events_api", attempts=2)
        (first, _), (second, _) = receiver.requests
        assert "x-slack-retry-num" not in first
        assert (second["x-slack-retry-num"], second["x-slack-retry-reason"]) == ("1", "http_error")

    def test_an_app_can_ask_for_no_retry(self, workspace: RunningWorkspace, receiver: Receiver) -> None:
        """The answer's `x-slack-no-retry` ends it."""
        receiver.answer = Response(status_code=500, headers={"x-slack-no-retry": "1"})
        workspace.deliver_to(receiver.url)
        workspace.person("alice").say("buzzy status", CHANNEL)
        workspace.wait_for_delivery("events_api")
        workspace.advance(400)
        workspace.person("alice").say("once more", CHANNEL)
        last = workspace.person("alice").messages(CHANNEL)[-1].ts
        workspace.person("alice").wait(
            lambda: (
                workspace.deliveries("events_api")[-1].payload["event"]["ts"] == last
                and workspace.deliveries("events_api")[-1].error
            )
        )
        assert [delivery.attempts for delivery in workspace.deliveries("events_api")] == [1, 1]

    def test_an_app_that_is_down_fails_the_command(
        self, workspace: RunningWorkspace, receiver: Receiver
    ) -> None:
        """The person is told, as with Socket Mode."""
        workspace.deliver_to(receiver.url)
        receiver.served.stop()
        delivery = workspace.person("alice").command("/buzzy", CHANNEL)
        assert delivery.error == "connection_failed"
        assert "dispatch_failed" in workspace.person("alice").ephemerals(CHANNEL)[0].text

    def test_an_app_that_is_slow_fails_the_challenge(self, workspace: RunningWorkspace) -> None:
        """Three seconds of the workspace's clock, and Slack gives up."""
        arrived, released = threading.Event(), threading.Event()

        async def hang(_request: Request) -> Response:
            arrived.set()
            await asyncio.to_thread(released.wait, 10)
            return Response()

        app = Starlette(routes=[Route(PATH, hang, methods=["POST"])])
        with serve(app) as served, ThreadPoolExecutor() as pool:
            verified = pool.submit(workspace.deliver_to, f"{served.url}{PATH}")
            assert arrived.wait(10)
            workspace.advance(3)
            with pytest.raises(RuntimeError, match="http_timeout"):
                verified.result()
            released.set()
