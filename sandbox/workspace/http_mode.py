"""HTTP mode: requests to the app's request URL, signed as Slack signs them.

https://docs.slack.dev/authentication/verifying-requests-from-slack says how; the app must refuse whatever
is not signed so, or was signed more than five minutes ago.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx

from sandbox.workspace.delivery import Attempt, UndeliveredError

if TYPE_CHECKING:
    from sandbox.workspace.state import Workspace

Json = dict[str, Any]


class HttpMode:
    """Delivers to one request URL."""

    def __init__(self, workspace: Workspace, url: str) -> None:
        self._workspace = workspace
        self._url = url
        self._client = httpx.AsyncClient(trust_env=False)  # the app is on this machine, whatever proxies say

    @property
    def connections(self) -> int:
        """A request URL is always there, as far as anybody knows before trying it."""
        return 1

    async def verify(self) -> None:
        """Ask the URL to say a challenge back, as Slack does before it delivers anything there."""
        challenge = self._workspace.ids.secret()
        body = json.dumps({"token": "sandbox", "challenge": challenge, "type": "url_verification"})
        response = await self._post(body, {"content-type": "application/json"})
        if response.status_code != 200 or challenge not in response.text:
            raise UndeliveredError(f"{self._url} did not answer the challenge (HTTP {response.status_code})")

    async def send(self, attempt: Attempt) -> Json:
        """Post it and return what the app answered."""
        body, headers = _encoded(attempt)
        response = await self._post(body, headers)
        if response.status_code != 200:
            again = response.headers.get("x-slack-no-retry") != "1"
            raise UndeliveredError("http_error", try_again=again)
        return _answer(response)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _post(self, body: str, headers: dict[str, str]) -> httpx.Response:
        deadline = self._workspace.clock.deadline(self._workspace.settings.answer_seconds)
        headers |= signature(self._workspace.settings.signing_secret, body, self._workspace.clock.now())
        sent = asyncio.ensure_future(
            self._client.post(self._url, content=body, headers=headers, timeout=None)
        )
        try:
            return await self._workspace.clock.answer_by(sent, deadline)
        except TimeoutError as error:
            raise UndeliveredError("http_timeout") from error
        except httpx.HTTPError as error:
            raise UndeliveredError("connection_failed") from error


def signature(secret: str, body: str, now: float) -> dict[str, str]:
    """The headers that prove that `body` comes from Slack, and when it was sent."""
    timestamp = str(int(now))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": f"v0={digest}",
        "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
    }


def _encoded(attempt: Attempt) -> tuple[str, dict[str, str]]:
    if attempt.kind == "events_api":
        headers = {"content-type": "application/json"}
        if attempt.number:
            headers |= {"x-slack-retry-num": str(attempt.number), "x-slack-retry-reason": attempt.reason}
        return json.dumps(attempt.payload), headers
    form = attempt.payload if attempt.kind == "slash_commands" else {"payload": json.dumps(attempt.payload)}
    return urlencode(form), {"content-type": "application/x-www-form-urlencoded"}


def _answer(response: httpx.Response) -> Json:
    """A plain text is an answer as well: what a command answers with `ack("…")`."""
    if not response.text:
        return {}
    if response.headers.get("content-type", "").startswith("application/json"):
        answer = response.json()
        return answer if isinstance(answer, dict) else {}
    return {"text": response.text}
