"""HTTP instead of Socket Mode: the same bot behind a request URL, for requests that Slack has signed."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest

from bot.doors import MOST_BYTES, PATH, DoorError, HttpDoor
from tests.integration.bot_house import STAGING, TICK, House, open_house

COMMAND = urlencode(
    {
        "command": "/buzzy",
        "text": "release 3.2.1 staging",
        "user_id": "U0ALICE",
        "channel_id": STAGING,
        "team_id": "T0BUZZY",
        "response_url": "http://127.0.0.1:1/",
        "trigger_id": "1.2.3",
    }
)


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot that listens on a free port."""
    with open_house(redis_url, start=False) as opened:
        opened.start(http=("127.0.0.1", 0))
        yield opened


def url(house: House, path: str = PATH) -> str:
    """Where the bot listens."""
    assert house.bot is not None
    assert isinstance(house.bot.door, HttpDoor)
    return f"http://127.0.0.1:{house.bot.door.port}{path}"


def signed(house: House, body: str, *, secret: str = "", at: float | None = None) -> dict[str, str]:
    """The headers with which Slack signs."""
    stamp = str(int(at or time.time()))
    key = secret or house.workspace.signing_secret
    digest = hmac.new(key.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={digest}",
        "content-type": "application/x-www-form-urlencoded",
    }


@pytest.mark.requirement("C1", "C3")
def test_a_release_and_its_approval_over_http(house: House) -> None:
    """Slack proves the URL first; then commands, events and presses come in as requests."""
    house.workspace.deliver_to(url(house))
    message = house.ready_for_approval()
    house.person("bob").react(message, TICK)
    house.until(message, "approved, about to start")
    house.person("dan").click(message, "Plan")
    house.person("dan").wait_for_ephemeral(STAGING, "of R1")


@pytest.mark.requirement("C1")
def test_what_slack_did_not_sign_is_turned_away(house: House) -> None:
    """No signature, another secret's, one of ten minutes ago, another body's: nothing is recorded."""
    old = time.time() - 600
    attempts = [
        {"content-type": "application/x-www-form-urlencoded"},
        signed(house, COMMAND, secret="guessed"),
        signed(house, COMMAND, at=old),
        signed(house, COMMAND.replace("staging", "production")),
    ]
    for headers in attempts:
        assert httpx.post(url(house), content=COMMAND, headers=headers).status_code == 401
    assert house.record.recent("staging", 10) == ()
    answer = httpx.post(url(house), content=COMMAND, headers=signed(house, COMMAND))
    assert answer.status_code == 200
    assert answer.json()["text"].startswith("Noted")


def test_requests_that_are_nobodys(house: House) -> None:
    """Too long, no text, not there; and the word for who asks whether the process is well."""
    long = "x" * (MOST_BYTES + 1)
    assert httpx.post(url(house), content=long, headers=signed(house, long)).status_code == 413
    assert httpx.post(url(house), content=b"\xff\xfe").status_code == 400
    assert httpx.get(url(house, "/elsewhere")).status_code == 404
    assert httpx.get(url(house, "/health")).text == "ok"


def test_a_port_that_is_taken_is_named(house: House) -> None:
    """Trying again would not change it."""
    assert house.bot is not None
    assert isinstance(house.bot.door, HttpDoor)
    port = house.bot.door.port
    other = House(house.workspace, house.redis_url)
    with pytest.raises(DoorError, match=f"127.0.0.1:{port} cannot be listened at"):
        other.start(http=("127.0.0.1", port))
    other.stop()
    other.store.close()
