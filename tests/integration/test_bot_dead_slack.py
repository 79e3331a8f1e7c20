"""A dead Slack costs nothing but time: releases go on, and all is told when it is back, once, in order.

`BUZZY_OUTAGE_SECONDS=600` makes the outage last as long as one does in life.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from bot.messages.thread import thread_message
from bot.relay.story import tale_of
from releases import events as e
from sandbox.workspace import RunningWorkspace
from tests.integration.bot_house import CONFIG, PRODUCTION, House, eventually, now, open_house

OUTAGE_SECONDS = float(os.environ.get("BUZZY_OUTAGE_SECONDS", "2"))
SHORT_SECONDS = 10.0
LONGEST_PAUSE = 10.0
"""How long the relay waits, at most, before it tries a dead Slack again."""

RELEASES = ["development", "staging", "production"]
CHANNELS = {"development": "C0DEV", "staging": "C0STAGING", "production": PRODUCTION}


def cut(workspace: RunningWorkspace) -> None:
    """No call comes through, and nothing comes in."""
    workspace.fail("*", cut="before", times=10**6)
    workspace.drop_connections()


def broken(workspace: RunningWorkspace) -> None:
    """Every call is answered with a 500."""
    workspace.fail("*", status=500, times=10**6)


def too_busy(workspace: RunningWorkspace) -> None:
    """Every call is answered with a 429 that asks for a second."""
    workspace.fail("*", status=429, retry_after=1, times=10**6)


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot at work."""
    with open_house(redis_url, config=CONFIG) as opened:
        yield opened


@pytest.mark.requirement("Q1", "C2", "X10")
@pytest.mark.timeout(120 + 2 * OUTAGE_SECONDS)
@pytest.mark.parametrize("death", [cut, broken, too_busy], ids=lambda death: death.__name__)
def test_whole_releases_while_slack_is_dead(
    house: House, death: Callable[[RunningWorkspace], None], tell: Callable[[str], None]
) -> None:
    """Three, from the question to the end; then each has one message, and each event one line, in order."""
    alice = house.person("alice")
    for name in RELEASES:
        alice.command(f"/buzzy release 3.2.1 {name}", CHANNELS[name])
    eventually(lambda: None not in [house.record.holder(name) for name in RELEASES], "all are asked for")
    ids = [str(house.record.holder(name)) for name in RELEASES]
    death(house.workspace)
    begun = time.monotonic()
    for id_ in ids:
        run(house, id_)
    # An outage lasts as long as it lasts; the bot has to meet it, and to go on meeting it.
    eventually(
        lambda: time.monotonic() - begun >= OUTAGE_SECONDS and failing(house) > 0,
        "the outage is over",
        seconds=OUTAGE_SECONDS + SHORT_SECONDS,
    )
    house.workspace.stop_failing()
    back = time.monotonic()
    eventually(lambda: house.record.behind() == (), "everything is told", seconds=LONGEST_PAUSE + 40)
    tell(f"told {time.monotonic() - back:.1f} s after an outage of {OUTAGE_SECONDS:g} s")
    for name, id_ in zip(RELEASES, ids, strict=True):
        told_once(house, CHANNELS[name], id_)


def failing(house: House) -> int:
    """How many calls did not come through."""
    return sum(not call["ok"] for call in house.workspace.calls())


def run(house: House, id_: str) -> None:
    """A release from its plan to its end, with the approvals that it needs."""
    plan = house.planned(id_)
    release = house.record.load(id_).release
    if release.approvals_missing:
        people = [e.Actor(id=f"U0{name.upper()}", name=name) for name in ("bob", "carol")]
        given = [
            e.ApprovalGiven(at=now(), by=by, digest=plan.digest, via="command line")
            for by in people[: release.approvals_missing]
        ]
        house.append(id_, *given, e.Approved(at=now(), digest=plan.digest))
    house.run_steps(id_)


def told_once(house: House, channel: str, id_: str) -> None:
    """One message, at its newest state, and under it what the record says, each line once and in order."""
    alice = house.person("alice")
    messages = [message for message in alice.messages(channel) if f"{id_} ·" in message]
    assert len(messages) == 1
    assert "released in" in messages[0]
    tale = tale_of(id_, house.record.events(id_))
    lines = [
        thread_message(state, event, "buzzy") for state, event in zip(tale.states, tale.events, strict=True)
    ]
    assert [reply.text for reply in alice.thread(messages[0])] == [line.text for line in lines if line]
