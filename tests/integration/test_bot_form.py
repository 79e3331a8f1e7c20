"""The form of a release: opened in time, filled in, judged and recorded as the line that it stands for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.doors import PATH, HttpDoor
from releases.lifecycle import State
from sandbox.redis_server import RedisServer
from sandbox.workspace import View
from tests.integration.bot_house import GENERAL, PRODUCTION, STAGING, House, eventually, open_house


@pytest.fixture(params=["socket", "http"])
def house(request: pytest.FixtureRequest, redis_url: str) -> Iterator[House]:
    """A bot behind each of the two doors: a WebSocket, and signed requests."""
    with open_house(redis_url, start=False) as opened:
        start(opened, request.param)
        yield opened


def start(house: House, door: str) -> None:
    """Start the bot, and let Slack reach it."""
    bot = house.start(http=None if door == "socket" else ("127.0.0.1", 0))
    if isinstance(bot.door, HttpDoor):
        house.workspace.deliver_to(f"http://127.0.0.1:{bot.door.port}{PATH}")


def opened_form(house: House, who: str = "alice", channel: str = STAGING) -> View:
    """Somebody asks for the form, and has it in front of them."""
    delivery = house.person(who).command("/buzzy release", channel)
    assert delivery.acknowledged, delivery.error
    assert delivery.seconds < 3
    return house.person(who).wait_for_view("Release a version")


@pytest.mark.requirement("C8", "C1")
def test_a_form_is_opened_filled_in_and_released(house: House) -> None:
    """The same event in the record as of the typed line; the environment of the channel is chosen already."""
    form = opened_form(house)
    alice = house.person("alice")
    assert alice.ephemerals(STAGING) == []
    delivery = alice.submit(
        form, {"version": "v3.2.1", "services": ["buzzy-api"], "reason": "fix the export"}
    )
    assert (delivery.acknowledged, delivery.errors) == (True, {})
    assert delivery.seconds < 3
    alice.wait_for_message(STAGING, "R1 · buzzy 3.2.1 · staging")
    assert alice.views() == []
    request = house.record.load("R1").release.request
    assert (request.version, request.environment, request.services) == ("3.2.1", "staging", ("buzzy-api",))
    assert (request.reason, request.by.name, request.urgency) == ("fix the export", "alice", None)
    assert house.queue.depth("deployment") == 1


@pytest.mark.requirement("C8", "C9")
def test_what_is_wrong_is_shown_at_its_field(house: House) -> None:
    """The form stays open with what was typed; nothing is recorded until all of it is right."""
    form = opened_form(house)
    alice = house.person("alice")
    wrong = {"version": "3.2", "hurry": "hotfix"}
    errors = alice.submit(form, wrong).errors
    assert errors.keys() == {"version", "reason"}
    assert "Did you mean 3.2.0?" in errors["version"]
    assert errors["reason"] == "A hotfix needs a reason."
    assert house.store.call("XLEN", "buzzy:inbox") == 0
    assert [view.id for view in alice.views()] == [form.id]
    right = {"version": "3.2.1", "hurry": "hotfix", "reason": "exports fail"}
    assert alice.submit(form, right).errors == {}
    alice.wait_for_message(STAGING, "R1")
    assert house.record.load("R1").release.request.urgency == "hotfix"


@pytest.mark.requirement("C8", "Q1")
def test_a_form_that_comes_again_is_one_release(house: House) -> None:
    """Slack delivers it again; another form of the same kind is another request."""
    form = opened_form(house)
    delivery = house.person("alice").submit(form, {"version": "3.2.1"})
    house.person("alice").wait_for_message(STAGING, "R1")
    house.workspace.deliver_again(delivery)
    opened = opened_form(house)
    house.person("alice").submit(opened, {"version": "3.2.2"})
    house.person("alice").wait_for_ephemeral(STAGING, "R1 is being planned in staging")
    assert len(house.record.recent("staging", 10)) == 1
    assert house.queue.depth("deployment") == 1


@pytest.mark.requirement("C8", "C11")
def test_the_rules_and_the_answers_are_those_of_the_typed_line(house: House) -> None:
    """A guest is refused; who asks from elsewhere is told where to look."""
    form = opened_form(house, "gus")
    house.person("gus").submit(form, {"version": "3.2.1"})
    house.person("gus").wait_for_ephemeral(STAGING, "Guests can read along")
    assert house.record.holder("staging") is None
    form = opened_form(house, "alice", GENERAL)
    house.person("alice").submit(form, {"version": "3.2.1", "environment": "production"})
    told = house.person("alice").wait_for_ephemeral(GENERAL, "R1 is being planned; follow it in")
    assert PRODUCTION in str(told.blocks)


@pytest.mark.requirement("C8", "C10")
def test_who_mentions_buzzy_is_answered_in_words(house: House) -> None:
    """There is no form without a trigger; and a line that was begun is gone on with in words."""
    alice = house.person("alice")
    alice.say("@buzzy release", STAGING)
    alice.wait_for_ephemeral(STAGING, "The version and the environment are missing.")
    alice.command("/buzzy release 3.2.1", STAGING)
    alice.wait_for_ephemeral(STAGING, "The environment is missing.")
    assert alice.views() == []


@pytest.mark.requirement("C8")
def test_a_form_that_slack_does_not_open_is_answered_in_words(house: House) -> None:
    """The trigger was spent, or Slack stumbled: the command was acknowledged in time all the same."""
    house.workspace.fail("views.open", error="expired_trigger_id")
    alice = house.person("alice")
    delivery = alice.command("/buzzy release", STAGING)
    assert delivery.acknowledged
    alice.wait_for_ephemeral(STAGING, "Slack did not open the form.")
    house.workspace.fail("views.open", delay=2)
    delivery = alice.command("/buzzy release", STAGING)
    assert delivery.acknowledged
    assert delivery.seconds < 1
    alice.wait_for_view("Release a version")


@pytest.mark.requirement("C8")
def test_who_fills_it_in_late_is_answered_for_all_that(redis_url: str) -> None:
    """After half an hour Slack takes no answers to the command any more: they are told in the channel."""
    with open_house(redis_url) as house:
        house.ask("/buzzy release 3.2.1 staging", STAGING)
        form = opened_form(house, "carol")
        house.workspace.advance(31 * 60)
        carol = house.person("carol")
        assert carol.submit(form, {"version": "3.2.2"}).errors == {}
        carol.wait_for_ephemeral(STAGING, "R1 is being planned in staging, asked for by alice")


@pytest.mark.requirement("C8", "C1")
def test_without_redis_the_form_stays_and_nothing_typed_is_lost(tmp_path: Path) -> None:
    """Redis hangs: the form opens, says in time that nothing was recorded, and is submitted again later."""
    with RedisServer(folder=tmp_path) as server, open_house(server.url) as house:
        alice = house.person("alice")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            form = opened_form(house)
            delivery = alice.submit(form, {"version": "3.2.1"})
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert delivery.seconds < 3
        assert delivery.errors == {
            "version": "Nothing was recorded: Redis does not answer. Press Release again in a minute."
        }
        assert alice.submit(form, {"version": "3.2.1"}).errors == {}
        alice.wait_for_message(STAGING, "R1")
        eventually(lambda: house.record.load("R1").release.state is State.REQUESTED, "it is on the record")
        assert len(house.record.recent("staging", 10)) == 1
