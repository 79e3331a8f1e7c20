"""The gateway to Slack: the few things that the bot asks of it, bounded in time, with errors of three kinds.

What may be tried again, and how, is the error's type: `RateLimitedError` says when, `UnclearError` says
that it may have happened, so a post is looked up before it is posted again, and `RefusedError` says that
trying again changes nothing. Nothing is tried again in here: the SDK's own retries are off, because one
of them posts twice.
"""

from __future__ import annotations

import errno
import logging
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.models.metadata import Metadata
from slack_sdk.webhook import WebhookClient

from bot.messages import Message
from releases.record.told import Place

CALL_SECONDS = 4
"""How long a call may take; the relay's lead and the people who wait are longer than two of them."""

EVENT_TYPE = "buzzy"
"""The type of the metadata that says which event a message of ours tells."""

PAGES, PAGE = 5, 200
"""How far back a message is looked for."""

_WRITES = {"chat.postMessage", "chat.update", "chat.postEphemeral", "views.open", "views.publish"}
_CODE = re.compile(r"[a-z][a-z0-9_]*")
_THEIR_TROUBLE = {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "server_error"}


class SlackError(Exception):
    """Slack did not do what it was asked to."""


class RateLimitedError(SlackError):
    """Too much in too short a time; nothing happened."""

    def __init__(self, method: str, retry_after: float) -> None:
        """It may be tried again after `retry_after` seconds."""
        super().__init__(f"{method}: again in {retry_after:g} s")
        self.retry_after = retry_after


class UnclearError(SlackError):
    """No answer, or none that can be trusted: it may have happened or not."""


class NotSentError(UnclearError):
    """Slack could not even be reached: nothing happened, which is clear at least."""


class RefusedError(SlackError):
    """Slack said no; `code` is its word for why."""

    def __init__(self, method: str, code: str) -> None:
        """Nothing happened."""
        super().__init__(f"{method}: {code}")
        self.code = code


@dataclass(frozen=True)
class Identity:
    """Whose token this is."""

    team: str
    user: str
    bot: str
    workspace: str = ""
    """The workspace's name, as people know it."""


@dataclass(frozen=True)
class Picture:
    """A PNG with a name of its own, what stands over it, and what it shows for those who cannot see it."""

    name: str
    title: str
    alt_text: str
    png: bytes = field(repr=False)


class Slack:
    """What the bot asks of Slack. Every method raises `SlackError`s."""

    def __init__(self, client: WebClient) -> None:
        """`client` is made by `web_client`."""
        self._client = client

    def whoami(self) -> Identity:
        """Whose token this is. Refused as `invalid_auth` and the like when it is nobody's."""
        answer = self._call("auth.test")
        return Identity(
            str(answer["team_id"]),
            str(answer["user_id"]),
            str(answer.get("bot_id") or ""),
            str(answer.get("team") or ""),
        )

    def scopes(self) -> frozenset[str]:
        """What the token may do; none when Slack does not say."""
        with _translated("auth.test"):
            answer = self._client.api_call("auth.test")
        said = {name.lower(): value for name, value in dict(answer.headers).items()}
        return frozenset(str(said.get("x-oauth-scopes", "")).replace(",", " ").split())

    def try_socket(self) -> None:
        """Ask for a Socket Mode connection, with an app's token, and leave it."""
        self._call("apps.connections.open")

    # -- messages ----------------------------------------------------------------------------------

    def post(self, channel: str, message: Message, *, id_: str, thread_ts: str | None = None) -> str:
        """Post a message; its timestamp. `id_` goes along as metadata, to find it by."""
        answer = self._call(
            "chat.postMessage",
            channel=channel,
            thread_ts=thread_ts,
            metadata=Metadata(EVENT_TYPE, {"id": id_}).to_dict(),
            unfurl_links=False,
            unfurl_media=False,
            **message.payload(),
        )
        return str(answer["ts"])

    def update(self, place: Place, message: Message) -> None:
        """Replace what a message of ours says."""
        self._call("chat.update", channel=place.channel, ts=place.ts, **message.payload())

    def find(self, channel: str, id_: str, *, oldest: float, thread_ts: str | None = None) -> str | None:
        """The timestamp of the message that was posted with this id, in a channel or a thread of it.

        `oldest` bounds the search, in seconds since 1970.
        """
        method = "conversations.history" if thread_ts is None else "conversations.replies"
        where = {"channel": channel, **({} if thread_ts is None else {"ts": thread_ts})}
        for message in self._pages(method, oldest, **where):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == EVENT_TYPE and metadata["event_payload"].get("id") == id_:
                return str(message["ts"])
        return None

    def _pages(self, method: str, oldest: float, **where: str) -> Iterator[Mapping[str, Any]]:
        """The messages that are there, as far back as it is looked."""
        cursor = ""
        for _ in range(PAGES):
            page = self._call(
                method, **where, oldest=f"{oldest:.6f}", limit=PAGE, include_all_metadata=True, cursor=cursor
            )
            yield from page["messages"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break

    def upload(self, channel: str, picture: Picture, *, thread_ts: str | None = None) -> str:
        """Show a picture in a channel or a thread of it; its name is what it is found by. The file's id."""
        with _translated("files.completeUploadExternal"):
            answer = self._client.files_upload_v2(
                filename=picture.name,
                content=picture.png,
                title=picture.title,
                alt_txt=picture.alt_text,
                channel=channel,
                thread_ts=thread_ts,
            )
        return str(answer["files"][0]["id"])

    def find_picture(self, channel: str, name: str, thread_ts: str, *, oldest: float) -> str | None:
        """The timestamp of the message in a thread that shows a picture of that name."""
        for message in self._pages("conversations.replies", oldest, channel=channel, ts=thread_ts):
            if any(file.get("name") == name for file in message.get("files") or ()):
                return str(message["ts"])
        return None

    def permalink(self, place: Place) -> str | None:
        """A link to a message; None when there is none to be had, which stops nobody."""
        try:
            answer = self._call("chat.getPermalink", channel=place.channel, message_ts=place.ts)
        except SlackError:
            return None
        return str(answer["permalink"])

    def whisper(self, channel: str, user: str, message: Message, *, thread_ts: str | None = None) -> None:
        """Show a message to one member of a channel."""
        self._call("chat.postEphemeral", channel=channel, user=user, thread_ts=thread_ts, **message.payload())

    def respond(self, response_url: str, message: Message) -> None:
        """Show the person behind a response URL one more message, for their eyes only.

        A slash command's own answer is not replaced by it: Slack replaces the message of a button alone.
        """
        webhook = WebhookClient(response_url, timeout=CALL_SECONDS, retry_handlers=[], logger=_quiet())
        with _translated("response_url"):
            answer = webhook.send_dict(
                {**message.payload(), "response_type": "ephemeral", "replace_original": False}
            )
        if answer.status_code == 429:
            raise RateLimitedError("response_url", _retry_after(answer.headers))
        if answer.status_code >= 500:
            raise UnclearError(f"response_url: HTTP {answer.status_code}")
        if answer.status_code != 200:
            raise RefusedError("response_url", answer.body[:40] or f"HTTP {answer.status_code}")

    # -- forms and the App Home ---------------------------------------------------------------------

    def open_form(self, trigger: str, view: Mapping[str, Any]) -> None:
        """Open a form in front of the person whose trigger id this is, which lives for three seconds."""
        self._call("views.open", trigger_id=trigger, view=view)

    def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """Show a person's App Home from now on."""
        self._call("views.publish", user_id=user, view=view)

    # -- people and reactions ----------------------------------------------------------------------

    def user(self, user: str) -> Mapping[str, Any]:
        """A person's record, as `users.info` has it."""
        record: Mapping[str, Any] = self._call("users.info", user=user)["user"]
        return record

    def members(self, group: str) -> frozenset[str]:
        """Who is in a user group."""
        return frozenset(self._call("usergroups.users.list", usergroup=group)["users"])

    def reactions(self, place: Place) -> dict[str, frozenset[str]]:
        """Who reacted to a message now, by emoji."""
        answer = self._call("reactions.get", channel=place.channel, timestamp=place.ts, full=True)
        found = answer["message"].get("reactions", [])
        return {str(each["name"]): frozenset(each["users"]) for each in found}

    # -- how ---------------------------------------------------------------------------------------

    def _call(self, method: str, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401 - Slack's arguments
        given = {name: value for name, value in arguments.items() if value not in (None, "")}
        with _translated(method):
            if method in _WRITES:  # take JSON; those that read take a form only
                answer = self._client.api_call(method, json=given)
            else:
                answer = self._client.api_call(method, params=given)
        data = answer.data
        if not isinstance(data, dict):
            raise UnclearError(f"{method}: an answer that is no JSON")
        return data


def web_client(token: str, api_url: str) -> WebClient:
    """The SDK's client as the gateway needs it: bounded in time, and without retries of its own."""
    return WebClient(token=token, base_url=api_url, timeout=CALL_SECONDS, retry_handlers=[], logger=_quiet())


def _quiet() -> logging.Logger:
    """A logger that keeps still: what goes wrong is told by who knows what it means."""
    logger = logging.getLogger("bot.slack.sdk")
    logger.setLevel(logging.CRITICAL)
    return logger


@contextmanager
def _translated(method: str) -> Iterator[None]:
    try:
        yield
    except SlackApiError as error:
        raise _meant(method, error) from error
    except URLError as error:
        kind = NotSentError if _never_left(error.reason) else UnclearError
        raise kind(f"{method}: {type(error).__name__}") from error
    except (OSError, HTTPException, SlackClientError, ValueError) as error:
        # OSError has urllib's errors and timeouts; ValueError an answer that is no text of its charset.
        raise UnclearError(f"{method}: {type(error).__name__}") from error


def _never_left(reason: object) -> bool:
    """Whether a request cannot have reached anybody: no name, no way, or nobody who listens there."""
    nowhere = isinstance(reason, (ConnectionRefusedError, socket.gaierror))
    return nowhere or getattr(reason, "errno", None) in {errno.EHOSTUNREACH, errno.ENETUNREACH}


def _meant(method: str, error: SlackApiError) -> SlackError:
    answer = error.response
    status = getattr(answer, "status_code", 200)
    data = getattr(answer, "data", answer)
    code = data.get("error", "") if isinstance(data, dict) else ""
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return RateLimitedError(method, _retry_after(getattr(answer, "headers", {})))
    if status >= 500 or code in _THEIR_TROUBLE or not _CODE.fullmatch(code):
        return UnclearError(f"{method}: {code if _CODE.fullmatch(code) else f'HTTP {status}'}")
    return RefusedError(method, code)


def _retry_after(headers: Mapping[str, Any]) -> float:
    value: Any = next((headers[name] for name in headers if name.lower() == "retry-after"), "1")
    try:
        return max(float(value[0] if isinstance(value, list) else value), 0.1)
    except (TypeError, ValueError, IndexError):
        return 1.0
