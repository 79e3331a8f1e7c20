"""HTTP instead of Socket Mode: the same bot behind a request URL, for requests that Slack has signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from structlog.testing import capture_logs

from bot.doors import MOST_BYTES, PATH, DoorError, HttpDoor
from bot.replays import Replays
from releases.record import RequestsSeen
from sandbox.redis_server import RedisServer
from tests.integration.bot_house import STAGING, TICK, House, eventually, open_house

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


def beside(house: House) -> House:
    """One more bot on the same record, at a port of its own."""
    other = House(house.workspace, house.redis_url)
    other.start(http=("127.0.0.1", 0))
    return other


@pytest.mark.requirement("Q1")
@pytest.mark.parametrize("line", ["release 3.2.1 staging", "status", "help"])
def test_a_request_that_comes_again_is_refused_by_every_bot(house: House, line: str) -> None:
    """The same signature and time again: 401 and nothing done, also for questions; no secret in the log."""
    body = COMMAND.replace("release+3.2.1+staging", line.replace(" ", "+"))
    headers = signed(house, body)
    other = beside(house)
    try:
        with capture_logs() as logs:
            assert httpx.post(url(house), content=body, headers=headers).status_code == 200
            asked = house.store.call("GET", "buzzy:questions")
            for each in (house, other, house):
                again = httpx.post(url(each), content=body, headers={**headers, "x-slack-retry-num": "1"})
                assert (again.status_code, again.text) == (401, "")
        assert house.store.call("GET", "buzzy:questions") == asked
        events = [entry for entry in logs if entry.get("security") == "replayed_request"]
        assert len(events) == 3
        assert headers["x-slack-signature"] not in str(logs)
        assert house.workspace.signing_secret not in str(logs)
        anew = signed(house, body, at=time.time() - 100)  # what Slack signs anew is another request
        assert httpx.post(url(other), content=body, headers=anew).status_code == 200
    finally:
        other.stop()
        other.store.close()


@pytest.mark.requirement("Q1")
def test_of_many_that_come_at_once_one_is_taken(house: House) -> None:
    """Whoever sends it does not wait for an answer first."""
    headers = signed(house, COMMAND)

    def post(_: int) -> int:
        return httpx.post(url(house), content=COMMAND, headers=headers).status_code

    with ThreadPoolExecutor(12) as at_once:
        codes = sorted(at_once.map(post, range(12)))
    assert codes == [200] + [401] * 11


@pytest.mark.requirement("Q1")
def test_while_redis_is_away_each_bot_remembers_by_itself(tmp_path: Path) -> None:
    """In time for Slack; an event that could not be recorded may come again as it was, and is taken then."""
    with RedisServer(folder=tmp_path) as server, open_house(server.url, start=False) as house:
        house.start(http=("127.0.0.1", 0))
        server.kill()
        headers = signed(house, COMMAND)
        begun = time.monotonic()
        answer = httpx.post(url(house), content=COMMAND, headers=headers)
        assert time.monotonic() - begun < 3
        assert answer.json()["text"].startswith("Nothing was recorded")
        assert httpx.post(url(house), content=COMMAND, headers=headers).status_code == 401
        said = {
            "type": "app_mention",
            "user": "U0ALICE",
            "text": f"<@{house.workspace.bot_user}> release 3.2.1 staging",
            "channel": STAGING,
            "ts": "1.1",
        }
        event = json.dumps({"type": "event_callback", "team_id": "T0BUZZY", "event_id": "Ev1", "event": said})
        mention = {**signed(house, event), "content-type": "application/json"}
        assert httpx.post(url(house), content=event, headers=mention).status_code == 500
        server.start()
        eventually(lambda: RequestsSeen(house.store).first("any", seconds=1), "Redis is back")
        assert httpx.post(url(house), content=event, headers=mention).status_code == 200
        assert httpx.post(url(house), content=event, headers=mention).status_code == 401
        house.person("alice").wait_for_message(STAGING, "R1")
        retried = signed(house, event, at=time.time() - 100)
        retried |= {"content-type": "application/json", "x-slack-retry-num": "1"}
        assert httpx.post(url(house), content=event, headers=retried).status_code == 200
        eventually(lambda: house.store.call("XLEN", "buzzy:inbox") == 0, "everything is done with")
        assert len(house.record.recent("staging", 5)) == 1


@pytest.mark.parametrize("stamp", ["soon", "", "9" * 30, "½"])
def test_a_time_that_is_none_is_turned_away(house: House, stamp: str) -> None:
    """Whatever stands in the headers: 401, not a mistake of ours."""
    headers = signed(house, COMMAND) | {
        "x-slack-request-timestamp": stamp.encode("latin-1").decode("latin-1")
    }
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert httpx.post(url(house), content=COMMAND, headers=raw).status_code == 401


def test_what_is_not_good_any_more_is_forgotten() -> None:
    """A bot that runs for months remembers the last ten minutes."""
    now = [0.0]
    replays = Replays(ForgetfulRequests(), clock=lambda: now[0])
    assert replays.first("a")
    now[0] = 599
    assert not replays.first("a")
    now[0] = 601
    assert replays.first("a")
    assert len(replays._here) == 1
    replays.close()


class ForgetfulRequests(RequestsSeen):
    """Another bot's memory, of which nothing is known."""

    def __init__(self) -> None:
        """Without a store."""

    def first(self, name: str, *, seconds: int) -> bool:  # noqa: ARG002 - as in what it stands for
        """Always."""
        return True
