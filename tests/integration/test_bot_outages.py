"""Redis hangs, is away, comes back: people are told the truth, and nothing is recorded behind their back."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.redis_server import RedisServer
from tests.integration.bot_house import STAGING, TICK, House, eventually, open_house


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, which may be hung and killed; it keeps its data."""
    with RedisServer(folder=tmp_path) as running:
        yield running


@pytest.fixture
def house(server: RedisServer) -> Iterator[House]:
    """A bot on that Redis."""
    with open_house(server.url) as opened:
        yield opened


@contextmanager
def hung(server: RedisServer) -> Iterator[None]:
    """A Redis that takes connections and answers nothing, as on a machine that swaps."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


@pytest.mark.requirement("C1")
def test_a_hung_redis_is_answered_in_time_and_nothing_is_recorded(house: House, server: RedisServer) -> None:
    """Twenty people at once are told within Slack's 3 s, and after Redis wakes up there is no release."""
    people = [house.person(name) for name in ("alice", "bob", "carol", "dan", "erin")] * 4
    people[0].command("/buzzy status", STAGING)  # its connections are open, as they are on any day
    with hung(server), ThreadPoolExecutor(len(people)) as at_once:
        lines = ["/buzzy release 3.2.1 staging"] * 18 + ["/buzzy status", "/buzzy plan 3.2.1 staging"]
        asked = [at_once.submit(who.command, line, STAGING) for who, line in zip(people, lines, strict=True)]
        for each in asked:
            delivery = each.result()
            assert delivery.acknowledged, delivery.error
            assert delivery.seconds < 3
            assert "Nothing was recorded: Redis does not answer." in delivery.answer["text"]
    told = people[0].wait_for_ephemeral(STAGING, "Try again in a minute:")
    assert "/buzzy release 3.2.1 staging" in told
    house.person("bob").command("/buzzy release 3.2.2 staging", STAGING)
    message = house.person("bob").wait_for_message(STAGING, "R1")
    assert "3.2.2" in message
    assert [release.request.version for release in house.record.recent("staging", 10)] == ["3.2.2"]


@pytest.mark.requirement("C1")
def test_without_a_redis_the_answer_is_the_same(house: House, server: RedisServer) -> None:
    """And when it is back, with its data, the bot goes on by itself."""
    message = house.ready_for_approval()
    server.kill()
    alice = house.person("alice")
    delivery = alice.command("/buzzy release 3.2.1 production", STAGING)
    assert delivery.seconds < 3
    alice.wait_for_ephemeral(STAGING, "Nothing was recorded: Redis cannot be reached.")
    server.start()
    house.person("bob").react(message, TICK)
    house.until(message, "approved, about to start")


@pytest.mark.requirement("C3", "Q1")
def test_a_reaction_that_cannot_be_recorded_is_not_acknowledged_and_comes_again(
    house: House, server: RedisServer
) -> None:
    """Slack sends an event again until it is acknowledged: then it counts, once."""
    house.workspace.change_settings(answer_seconds=0.5)
    message = house.ready_for_approval()
    server.kill()
    house.person("bob").react(message, TICK)
    house.workspace.wait_for_delivery("events_api", event="reaction_added", attempts=2)
    server.start()
    house.workspace.advance(61)
    delivery = house.workspace.wait_for_delivery("events_api", event="reaction_added", attempts=3)
    assert delivery.acknowledged
    house.until(message, "approved, about to start")


@pytest.mark.requirement("C3")
def test_a_press_that_cannot_be_recorded_is_told(house: House, server: RedisServer) -> None:
    """An acknowledgement of a press can say nothing, so the word comes behind it."""
    message = house.ready_for_approval()
    server.kill()
    delivery = house.person("bob").click(message, "Approve")
    assert delivery.seconds < 3
    house.person("bob").wait_for_ephemeral(STAGING, "Nothing was recorded")
    server.start()
    house.person("bob").click(message, "Approve")
    house.until(message, "approved, about to start")


@pytest.mark.requirement("Q1")
def test_what_is_recorded_is_acted_on_although_slack_is_away(house: House) -> None:
    """Who the person is cannot be looked up at first; the command waits and is not lost."""
    house.workspace.fail("users.info", status=500, times=2)
    house.workspace.fail("usergroups.users.list", cut="before")
    house.person("alice").command("/buzzy release 3.2.1 staging", STAGING)
    house.person("alice").wait_for_message(STAGING, "R1")


def test_a_redis_that_lost_everything_is_gone_on_with(house: House) -> None:
    """The inbox makes what it needs anew."""
    house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.store.call("FLUSHALL")
    alice = house.person("alice")

    def released() -> bool:
        alice.command("/buzzy release 3.2.1 production", STAGING)
        return house.record.holder("production") is not None

    eventually(released, "a release holds production")


def test_what_nobody_can_read_stops_nothing(house: House) -> None:
    """An entry of another version, or of nobody's making, is left out; the next one is acted on."""
    house.store.call("XADD", "buzzy:inbox", "*", "kind", "unheard-of", "payload", "{}", "id", "1")
    house.store.call("XADD", "buzzy:inbox", "*", "kind", "asked", "payload", "no JSON", "id", "2")
    house.store.call("XADD", "buzzy:inbox", "*", "noise", "1")
    house.ask("/buzzy release 3.2.1 staging", STAGING)
    eventually(lambda: house.store.call("XLEN", "buzzy:inbox") == 0, "everything is done with")


@pytest.mark.requirement("Q1")
def test_slack_moves_the_connection_and_nothing_is_missed(house: House) -> None:
    """As Slack does every few hours: the SDK connects anew, and an event that fell in between comes again."""
    message = house.ready_for_approval()
    house.workspace.change_settings(answer_seconds=0.5)
    house.workspace.disconnect_app()
    house.person("bob").react(message, TICK)
    house.workspace.wait_for_app()
    house.workspace.advance(61)
    house.until(message, "approved, about to start")
