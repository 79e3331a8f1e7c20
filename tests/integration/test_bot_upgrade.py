"""An upgrade of the bot in the middle of ten releases loses none of them, and tells nothing twice."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.messages.thread import thread_message
from bot.relay.story import tale_of
from releases import events as e
from releases.lifecycle import State
from sandbox.children import Child
from tests.integration.bot_house import House, eventually, now, open_house

ROOMS = ["C0DEV", "C0STAGING", "C0RELEASES", "C0DR", "C0GENERAL"]
NAMES = [f"env-{number}" for number in range(10)]
CONFIG = "\n".join(
    [
        "services:",
        "  - {name: buzzy-main, image: buzzybuzz/buzzy-main}",
        "  - {name: buzzy-api, image: buzzybuzz/buzzy-api}",
        "environments:",
        *(
            f"  {name}: {{namespace: {name}, channel: {ROOMS[number % len(ROOMS)]}"
            + (", approval: {quorum: 1, from: [U0BOB]}, grace: off}" if number % 2 else "}")
            for number, name in enumerate(NAMES)
        ),
    ]
)
PATIENCE = 60.0
"""Slack takes one post a second in a channel, and two releases share each."""


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A workspace and a record; the bots are programs of their own."""
    with open_house(redis_url, start=False, config=CONFIG) as opened:
        yield opened


class Bots:
    """Bots in processes of their own."""

    def __init__(self, house: House, folder: Path) -> None:
        self._house = house
        self._folder = folder
        config = folder / "buzzy.yaml"
        config.write_text(CONFIG)
        self._env = {
            **house.workspace.environment(),
            "REDIS_URL": house.redis_url,
            "BUZZY_CONFIG": str(config),
        }
        self.children: list[Child] = []

    def start(self, *, connections: int) -> Child:
        """One more; `connections` is how many there are with it."""
        number = len(self.children) + 1
        child = Child("bot", ["-m", "buzzy", "bot"], log=self._folder / f"bot-{number}.log", env=self._env)
        self.children.append(child)
        self._house.workspace.wait_for_app(connections, timeout=PATIENCE)
        return child

    def end(self, child: Child, *, connections: int) -> None:
        """SIGTERM; it ends as asked."""
        child.signal(signal.SIGTERM)
        assert child.wait(PATIENCE / 4) == 0, child.tail()
        self._house.workspace.wait_for_app(connections)


@pytest.fixture
def bots(house: House, tmp_path: Path) -> Iterator[Bots]:
    """None runs yet; all end with the test."""
    made = Bots(house, tmp_path)
    yield made
    for child in made.children:
        child.stop()


@pytest.mark.requirement("Q1", "C2")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("overlap", [False, True], ids=["one ends, one starts", "one starts, one ends"])
def test_an_upgrade_in_the_middle_of_ten_releases(house: House, bots: Bots, *, overlap: bool) -> None:
    """Half of them wait for approval, half are under way; all end, with one message and each line once."""
    first = bots.start(connections=1)
    alice = house.person("alice")
    for number, name in enumerate(NAMES):
        alice.command(f"/buzzy release 3.2.1 {name}", ROOMS[number % len(ROOMS)])
    eventually(
        lambda: all(house.record.holder(name) for name in NAMES), "all are asked for", seconds=PATIENCE
    )
    ids = {name: str(house.record.holder(name)) for name in NAMES}
    going = threading.Thread(target=work, args=(house, list(ids.values())))
    going.start()
    if overlap:
        bots.start(connections=2)
        bots.end(first, connections=1)
    else:
        bots.end(first, connections=0)
        bots.start(connections=1)
    going.join()
    for number, id_ in enumerate(ids.values()):
        if number % 2:
            alice_sees(house, id_, number)
            house.person("bob").command(f"/buzzy approve {id_}", ROOMS[number % len(ROOMS)])
    eventually(
        lambda: all(house.record.load(id_).release.state is not State.WAITING for id_ in ids.values()),
        "all are approved",
        seconds=PATIENCE,
    )
    for number, id_ in enumerate(ids.values()):
        if number % 2:
            house.run_steps(id_)
    eventually(lambda: house.record.behind() == (), "everything is told", seconds=PATIENCE)
    for number, id_ in enumerate(ids.values()):
        told_once(house, id_, ROOMS[number % len(ROOMS)])


def work(house: House, ids: list[str]) -> None:
    """The workers go on whatever the bots do: all are planned, those that need nobody run to their end."""
    for number, id_ in enumerate(ids):
        house.planned(id_)
        if number % 2 == 0:
            house.append(id_, e.ReleaseStarted(at=now()))
    for index in range(4):
        for id_ in ids[::2]:
            house.append(
                id_,
                e.StepStarted(at=now(), index=index),
                e.StepFinished(at=now(), index=index, changed=True),
            )
    for id_ in ids[::2]:
        house.append(id_, e.ReleaseFinished(at=now()))


def alice_sees(house: House, id_: str, number: int) -> None:
    """A release's message asks for its approval."""
    message = house.person("alice").wait_for_message(ROOMS[number % len(ROOMS)], f"{id_} ·", timeout=PATIENCE)
    house.person("alice").wait_until_shows(message, "waiting for", PATIENCE)


def told_once(house: House, id_: str, room: str) -> None:
    """One message at its newest state, and under it what the record says, each line once and in order."""
    alice = house.person("alice")
    messages = [message for message in alice.messages(room) if f"{id_} ·" in message]
    assert len(messages) == 1
    assert "🟢" in messages[0]
    tale = tale_of(id_, house.record.events(id_))
    assert Counter(event.event for event in tale.events)["approved"] == 1
    lines = [
        thread_message(state, event, "buzzy") for state, event in zip(tale.states, tale.events, strict=True)
    ]
    assert [reply.text for reply in alice.thread(messages[0])] == [line.text for line in lines if line]
