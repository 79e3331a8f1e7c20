"""At least once in, once done: whatever is delivered, however often, over either door, to several bots."""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import httpx
import pytest

from bot.doors import PATH, HttpDoor
from releases import events as e
from releases.lifecycle import State
from sandbox.workspace import Message
from sandbox.workspace.http_mode import signature
from tests.integration.bot_house import CONFIG, STAGING, TICK, House, eventually, now, open_house

pytestmark = pytest.mark.calm

ENVIRONMENTS = [f"env-{number:02}" for number in range(50)]
COPIES = 20
CROWD = 40
MANY = "\n".join(
    [
        "services: [{name: buzzy-main, image: buzzybuzz/buzzy-main}]",
        "environments:",
        *(f"  {name}: {{namespace: buzzy-{name}, channel: C0DEV}}" for name in ENVIRONMENTS),
    ]
)
LONGEST_SECONDS = 60.0
"""How long a thousand deliveries may take on a calm machine."""


def longest() -> float:
    """How long they may take now."""
    return LONGEST_SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@contextlib.contextmanager
def houses(redis_url: str, config: str, *, bots: int, http: bool = False) -> Iterator[list[House]]:
    """Several bots in one workspace, on one record."""
    with contextlib.ExitStack() as ends:
        first = ends.enter_context(open_house(redis_url, start=False, config=config))
        made = [first]
        for _ in range(1, bots):
            other = House(first.workspace, redis_url, config)
            ends.callback(other.store.close)
            ends.callback(other.stop)
            made.append(other)
        for beside, house in enumerate(made):
            house.start(("127.0.0.1", 0) if http else None, beside=beside)
        yield made


def url(house: House) -> str:
    """Where a bot listens."""
    assert house.bot is not None
    assert isinstance(house.bot.door, HttpDoor)
    return f"http://127.0.0.1:{house.bot.door.port}{PATH}"


def asked_once(house: House) -> None:
    """Each of the 50 environments has one release, asked for once and queued to be planned."""
    eventually(lambda: house.store.call("XLEN", "buzzy:inbox") == 0, "the inbox is empty", seconds=30)
    for name in ENVIRONMENTS:
        releases = house.record.recent(name, 10)
        assert [release.request.version for release in releases] == ["3.2.1"], name
        happened = Counter(event.event for event in house.record.events(releases[0].id))
        assert happened == {"release_requested": 1}
        assert house.queue.holds("deployment", "plan", releases[0].id)
    assert int(house.store.call("GET", "buzzy:releases")) == len(ENVIRONMENTS)
    # A bot that takes over from one that was too slow queues again: `test_workers_jobs` has what comes of it.


@pytest.mark.requirement("Q1", "Q2")
def test_a_thousand_deliveries_of_fifty_commands_over_sockets(
    redis_url: str, tell: Callable[[str], None]
) -> None:
    """Half of the copies at once over the connections of three bots; the others while one bot restarts."""
    with houses(redis_url, MANY, bots=3) as made:
        first, second, _ = made
        workspace = first.workspace
        workspace.change_settings(copies=COPIES // 2)
        begun = time.monotonic()
        alice = first.person("alice")
        with ThreadPoolExecutor(CROWD) as at_once:
            lines = [f"/buzzy release 3.2.1 {name}" for name in ENVIRONMENTS]
            random.shuffle(lines)
            sent = list(at_once.map(lambda line: alice.command(line, STAGING), lines))
            again = [delivery.id for delivery in sent] * (COPIES // 2)
            random.shuffle(again)
            restart = at_once.submit(again_from_the_start, second)
            for _ in at_once.map(workspace.deliver_again, again):
                pass
            restart.result()
        asked_once(first)
        took = time.monotonic() - begun
        deliveries = workspace.deliveries("slash_commands")
        assert sum(delivery.attempts for delivery in deliveries) == len(ENVIRONMENTS) * COPIES
        assert took < longest()
        tell(f"1,000 deliveries of 50 commands over sockets in {took:.1f} s")


@pytest.mark.requirement("Q1", "Q2")
def test_a_thousand_deliveries_of_fifty_commands_over_http(
    redis_url: str, tell: Callable[[str], None]
) -> None:
    """Shuffled, forty at a time, to three bots, each signed anew; one of the bots restarts in between."""
    with houses(redis_url, MANY, bots=3, http=True) as made:
        first, second, third = made
        secret = first.workspace.signing_secret
        posts = [(name, copy) for name in ENVIRONMENTS for copy in range(COPIES)]
        random.shuffle(posts)
        begun, base = time.monotonic(), time.time()

        def post(order: int, name: str, copy: int) -> int:
            form = {
                "command": "/buzzy",
                "text": f"release 3.2.1 {name}",
                "user_id": "U0ALICE",
                "channel_id": "C0DEV",  # where the releases' messages come: nobody has to be told more
                "team_id": "T0BUZZY",
                "response_url": "http://127.0.0.1:1/",
                "trigger_id": f"1.2.{name}",
            }
            body = urlencode(form)
            headers = signature(secret, body, base - copy)
            headers["content-type"] = "application/x-www-form-urlencoded"
            house = (first, second, third)[order % 3]
            try:
                return client.post(url(house), content=body, headers=headers).status_code
            except (httpx.TransportError, AssertionError):  # this bot is away just now: as Slack, to another
                return client.post(url(first), content=body, headers=headers).status_code

        with httpx.Client(timeout=10, trust_env=False) as client, ThreadPoolExecutor(CROWD) as at_once:
            answers = [at_once.submit(post, order, *each) for order, each in enumerate(posts)]
            eventually(lambda: sum(each.done() for each in answers) > 300, "some are done", seconds=30)
            second.stop()
            second.start(("127.0.0.1", 0))
            codes = Counter(each.result() for each in answers)
        asked_once(first)
        took = time.monotonic() - begun
        # The bot that went may have taken a request whose answer was lost: elsewhere it is a replay.
        assert codes[200] + codes[401] == len(posts), codes
        assert codes[200] >= len(posts) - CROWD
        assert took < longest()
        tell(f"1,000 deliveries of 50 commands over HTTP in {took:.1f} s")


def again_from_the_start(house: House) -> None:
    """An upgrade of one bot."""
    house.stop()
    house.start(beside=2)


class Door:
    """Lets everything that people do come in twenty times."""

    def __init__(self, house: House, *, http: bool) -> None:
        self.house = house
        self._http = http
        if not http:
            house.workspace.change_settings(copies=COPIES)

    def repeat(self, kind: str) -> None:
        """Over HTTP: deliver the newest of a kind again, each time signed anew, all at once."""
        if not self._http:
            return
        delivery = self.house.workspace.wait_for_delivery(kind)
        secret, base = self.house.workspace.signing_secret, time.time()
        is_event = kind == "events_api"
        body = (
            json.dumps(delivery.payload) if is_event else urlencode({"payload": json.dumps(delivery.payload)})
        )
        if kind == "slash_commands":
            body = urlencode(delivery.payload)

        def post(copy: int) -> int:
            headers = signature(secret, body, base - 10 - copy)
            headers["content-type"] = "application/json" if is_event else "application/x-www-form-urlencoded"
            if is_event:
                headers["x-slack-retry-num"] = str(copy)
            return client.post(url(self.house), content=body, headers=headers).status_code

        with httpx.Client(timeout=10, trust_env=False) as client, ThreadPoolExecutor(COPIES) as at_once:
            assert set(at_once.map(post, range(1, COPIES))) == {200}


@pytest.fixture(params=["sockets", "http"])
def door(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Door]:
    """A bot behind either door."""
    http = request.param == "http"
    with houses(redis_url, CONFIG, bots=1, http=http) as made:
        if http:
            made[0].workspace.deliver_to(url(made[0]))
        yield Door(made[0], http=http)


def happened(house: House, release_id: str, kind: str) -> int:
    """How often something is on a release's record."""
    return sum(event.event == kind for event in house.record.events(release_id))


@pytest.mark.requirement("Q1", "C3")
def test_mentions_reactions_and_presses_count_once(door: Door) -> None:
    """A release by mention, its approval by reaction, an abort by button; each comes twenty times."""
    house = door.house
    house.person("alice").say("@buzzy release 3.2.1 staging", STAGING)
    door.repeat("events_api")
    message = house.person("alice").wait_for_message(STAGING, "R1")
    house.planned("R1")
    house.until(message, "waiting for approval")
    house.person("bob").react(message, TICK)
    door.repeat("events_api")
    house.until(message, "approved, about to start")
    press(house, message, "Abort", "interactive", door)
    house.until(message, "cancelled")
    eventually(lambda: house.store.call("XLEN", "buzzy:inbox") == 0, "everything is done with")
    assert [release.id for release in house.record.recent("staging", 9)] == ["R1"]
    for kind in ("release_requested", "approval_given", "approved", "abort_requested", "release_cancelled"):
        assert happened(house, "R1", kind) == 1, kind
    eventually(lambda: house.record.behind() == (), "everything is told")
    lines = house.thread(message)
    assert len(lines) == len(set(lines)) == 5


@pytest.mark.requirement("Q1", "B6")
def test_a_rollback_that_is_pressed_twenty_times_is_one(door: Door) -> None:
    """The button of a release that failed."""
    house = door.house
    message = house.ask("/buzzy release 3.2.1 development", "C0DEV")
    house.planned("R1")
    house.append(
        "R1",
        e.ReleaseStarted(at=now()),
        e.StepStarted(at=now(), index=0),
        e.StepFinished(at=now(), index=0, changed=True),
        e.StepStarted(at=now(), index=1),
        e.StepFailed(at=now(), index=1, reason="it crashes"),
        e.ReleaseFailed(at=now(), reason="it crashes", changed=("buzzy-main",)),
    )
    house.until(message, "🔴")
    press(house, message, "Roll back", "interactive", door)
    house.person("alice").wait_for_message("C0DEV", "rollback of buzzy")
    eventually(lambda: house.store.call("XLEN", "buzzy:inbox") == 0, "everything is done with")
    assert [release.id for release in house.record.recent("development", 9)] == ["R2", "R1"]
    assert house.record.load("R2").release.state is State.REQUESTED


def press(house: House, message: Message, button: str, kind: str, door: Door) -> None:
    """Press a button, and let the press come again and again."""
    house.person("bob").click(message, button)
    door.repeat(kind)
