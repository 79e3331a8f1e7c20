"""Redis is lost whole, and the record is rebuilt from the cluster by the program that people run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from sandbox.workspace import Message
from tests.e2e.houses import CHANNELS, PATIENCE, House

OpenHouse = Callable[..., House]


def buzzy(house: House, *arguments: str, code: int = 0) -> str:
    """Run `buzzy` as a person does beside the bot; what it said."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "buzzy", *arguments],
        env={**os.environ, **house.settings},
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def lose_redis(house: House) -> None:
    """The server is replaced by an empty one at the same address."""
    house.redis.kill()
    house.redis.start()


def answer(house: House, line: str, says: str) -> str:
    """What a question is answered with."""
    before = len(house.alice.ephemerals(CHANNELS["development"]))
    house.alice.command(line, CHANNELS["development"])
    house.alice.wait_for_ephemeral(CHANNELS["development"], says, timeout=PATIENCE)
    return house.alice.ephemerals(CHANNELS["development"])[before].shown


def posts(house: House) -> list[Message]:
    """The messages of the channel."""
    return house.alice.messages(CHANNELS["development"])


@pytest.mark.requirement("Q4", "Q5", "B6")
@pytest.mark.timeout(240)
def test_redis_is_lost_while_nothing_runs(open_house: OpenHouse) -> None:
    """Nothing is released over the lost history; rebuilt, history, status and rollback are as before."""
    house = open_house("development")
    house.released("/buzzy release 3.2.1 development", "development")
    house.released("/buzzy release 3.2.2 development", "development")
    assert "It is as it was written." in buzzy(house, "record", "verify")
    exported = buzzy(house, "record", "export")
    lose_redis(house)

    message = house.ask("/buzzy release 3.2.3 development", "development")
    refused = house.until(message, "cannot be done, nothing was changed", timeout=90)
    assert "buzzy record rebuild" in refused
    assert set(house.images("development").values()) == {"3.2.2"}
    said = buzzy(house, "record", "rebuild")
    assert "development: R1 to R2, 2 releases; runs buzzy-main 3.2.2 (by R2)" in said
    assert buzzy(house, "record", "export") == exported
    assert "It is as it was written." in buzzy(house, "record", "verify")
    assert "The record is not empty" in buzzy(house, "record", "rebuild", code=1)

    assert "R2" in answer(house, "/buzzy status development", "R2")
    history = answer(house, "/buzzy history development", "R1")
    assert all(word in history for word in ("R1", "R2", "3.2.1", "3.2.2", "alice"))
    before = len(posts(house))
    house.until(house.ask("/buzzy rollback development", "development"), "rolled back in")
    assert set(house.images("development").values()) == {"3.2.1"}
    assert len(posts(house)) == before + 1
    assert "It is as it was written." in buzzy(house, "record", "verify")


@pytest.mark.requirement("Q1", "Q5", "X7")
@pytest.mark.timeout(240)
def test_redis_is_lost_in_the_middle_of_a_release(open_house: OpenHouse) -> None:
    """The rebuilt release goes on to its end, in its one message; the thread says what was found."""
    house = open_house("development", deadline="90s")
    house.released("/buzzy release 3.2.1 development", "development")
    house.hold("buzzy-api", "3.4.0")
    message = house.ask("/buzzy release 3.4.0 development", "development")
    house.until(message, "service 2 of 4")
    house.told(message, "buzzy-main to 3.4.0")
    begun = [reply.shown for reply in house.alice.thread(message)]
    lose_redis(house)
    said = buzzy(house, "record", "rebuild")
    assert "R1 to R2, 2 releases, and R2 goes on where it was" in said
    house.let_go("development", "buzzy-api", "3.4.0")
    house.until(message, "🟢", timeout=120)
    assert set(house.images("development").values()) == {"3.4.0"}
    house.told(message, "The record was lost. As the cluster remembers it")
    house.told(message, "released")
    thread = [reply.shown for reply in house.alice.thread(message)]
    assert thread[: len(begun)] == begun, thread
    lost = next(index for index, line in enumerate(thread) if "The record was lost" in line)
    assert len(set(thread[:lost])) == lost, thread
    assert len(posts(house)) == 2
    assert "It is as it was written." in buzzy(house, "record", "verify")


@pytest.mark.requirement("Q4")
@pytest.mark.timeout(240)
def test_an_export_proves_itself(open_house: OpenHouse) -> None:
    """Who, what, when, why, plan and outcome, a line an event; a file that was edited or cut off shows."""
    house = open_house("development")
    house.released('/buzzy release 3.2.1 development --reason "fix export timeout"', "development")
    lines = buzzy(house, "record", "export", "--environment", "development").splitlines()
    first, last = json.loads(lines[0]), json.loads(lines[-2])
    assert (first["who"].split()[0], first["what"], first["why"]) == (
        "alice",
        "release_requested",
        "fix export timeout",
    )
    assert (last["what"], last["outcome"]) == ("release_finished", "released")
    assert len(last["plan"]) == 64
    file = house.folder / "record.jsonl"
    for changed, says in [
        (lines, "It is as it was written."),
        ([lines[0].replace("alice", "mallory"), *lines[1:]], "R1, event 1"),
        (lines[:-3], "cut off"),
        ([*lines[:2], *lines[3:]], "R1: its events are not all there"),
    ]:
        file.write_text("\n".join(changed) + "\n")
        code = 0 if changed is lines else 1
        assert says in buzzy(house, "record", "verify", "--file", str(file), code=code)
