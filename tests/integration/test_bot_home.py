"""The App Home: opened, kept up to date, pressed; behind a WebSocket and behind signed requests."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.doors import PATH, HttpDoor
from bot.home import HomePace
from releases import events as e
from releases.checklist import Item, Outcome
from releases.lifecycle import State
from releases.record.homes import MOST, Homes
from releases.snapshot import Answer
from sandbox.redis_server import RedisServer
from tests.integration.bot_house import PRODUCTION, STAGING, House, eventually, now, open_house
from tests.integration.test_bot_commands import snapshot

READ = Item(name="release notes read", outcome=Outcome.WAITING, by=("S0APPROVERS",))


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot at work."""
    with open_house(redis_url) as opened:
        yield opened


@pytest.mark.requirement("C8")
@pytest.mark.parametrize("door", ["socket", "http"])
def test_a_home_is_shown_when_it_is_opened_and_when_something_changed(redis_url: str, door: str) -> None:
    """Versions, health and when that was seen; a lock; what is under way, with a link; nobody has to ask."""
    with open_house(redis_url, start=False) as house:
        bot = house.start(http=None if door == "socket" else ("127.0.0.1", 0))
        if isinstance(bot.door, HttpDoor):
            house.workspace.deliver_to(f"http://127.0.0.1:{bot.door.port}{PATH}")
        house.record.see(snapshot("staging", "3.2.0"))
        bob = house.person("bob")
        bob.home()
        home = bob.wait_for_home("staging\n · 3.2.0 · healthy · seen ")
        assert "production\n · ? · not seen yet" in home
        assert "Nothing." in home
        house.ready_for_approval()
        home = bob.wait_for_home("R1 · buzzy 3.2.0 → 3.2.1\n — waiting for approval")
        assert "archives" in str(home.blocks)
        assert "it wants your approval" in home
        house.record.see(snapshot("staging", "3.2.2"))
        bob.wait_for_home("staging\n · 3.2.2 · healthy")
        house.person("alice").command('/buzzy lock production --reason "audit"', PRODUCTION)
        bob.wait_for_home("🔒 @alice: “audit”")


@pytest.mark.requirement("C8", "C3")
def test_what_waits_is_answered_on_the_home(house: House) -> None:
    """Approve and tick where the reader may; nobody else has the buttons; it shows what came of it."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.planned("R1", checklist=(READ,))
    house.until(message, "waiting for approval and 1 tick")
    alice, bob = house.person("alice"), house.person("bob")
    bob.home()
    home = bob.wait_for_home("it wants your approval")
    bob.click(home, "☑ release notes read")
    eventually(lambda: len(house.record.load("R1").release.ticks) == 1, "it is ticked")
    bob.click(bob.wait_for_home("waiting for approval\n"), "Approve R1")
    eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it was approved")
    bob.wait_for_home("Nothing.")
    alice.home()
    alice.wait_for_home("approved, about to start")
    assert "Approve R1" not in alice.wait_for_home()
    assert [event.via for event in house.record.events("R1") if isinstance(event, e.ApprovalGiven)] == [
        "button"
    ]


@pytest.mark.requirement("C8", "C3", "Q3")
def test_a_refusal_stands_on_the_home_until_it_is_opened_anew(house: House) -> None:
    """The finger was on its way when the plan changed: nothing is approved, and the home says why."""
    house.ready_for_approval()
    bob = house.person("bob")
    bob.home()
    home = bob.wait_for_home("it wants your approval")
    house.append("R1", e.ReplanRequested(at=now(), because="the cluster has moved"))
    house.planned("R1", new="3.2.2")
    bob.click(home, "Approve R1", as_seen=True)
    bob.wait_for_home("The plan of R1 has changed since you opened it.")
    assert house.record.load("R1").release.approvals == ()
    assert bob.ephemerals(STAGING) == []
    bob.click(bob.wait_for_home(), "Look again")
    bob.wait(lambda: "has changed since" not in bob.wait_for_home() or None, what="it is gone")


@pytest.mark.requirement("C8")
def test_the_form_is_opened_from_the_home_too(house: House) -> None:
    """What comes of it stands on the home: there is no channel in which it was asked."""
    alice = house.person("alice")
    alice.home()
    alice.click(alice.wait_for_home("Environments"), "Release a version")
    form = alice.wait_for_view("Release a version")
    alice.submit(form, {"version": "3.2.1", "environment": "staging"})
    alice.wait_for_home("R1 is being planned; follow it in")
    alice.wait_for_message(STAGING, "R1 · buzzy 3.2.1 · staging")


@pytest.mark.requirement("C8", "C11")
def test_guests_see_nothing_on_their_home(house: House) -> None:
    """They see the channels that they are in, and no others' environments here."""
    house.record.see(snapshot("production", "3.2.0"))
    gus = house.person("gus")
    gus.home()
    home = gus.wait_for_home("Guests can read along")
    assert "production" not in home
    assert home.blocks[0]["type"] == "rich_text"
    assert house.queue.depth("validation") == 0


@pytest.mark.requirement("C8")
def test_who_opens_it_has_the_clusters_looked_at(house: House) -> None:
    """Once, unless it was just done; what a worker finds is shown as any other change is."""
    for name in ("development", "staging", "production"):
        house.record.see(snapshot(name, "3.2.0").model_copy(update={"at": now() - timedelta(minutes=5)}))
    bob = house.person("bob")
    bob.home()
    bob.wait_for_home("staging\n · 3.2.0")
    eventually(lambda: house.queue.depth("validation") == 1, "a worker is to look")
    for name in ("development", "staging", "production"):
        house.record.see(snapshot(name, "3.2.1"))
    house.questions.answer("Q1", Answer(at=now()))
    bob.wait_for_home("staging\n · 3.2.1")
    eventually(lambda: house.record.behind() == (), "nothing is left to tell")
    carol = house.person("carol")
    carol.home()
    carol.wait_for_home("staging\n · 3.2.1")
    assert house.queue.depth("validation") == 1


@pytest.mark.requirement("C8", "C1")
def test_a_press_on_the_home_without_redis_is_told_in_a_window(tmp_path: Path) -> None:
    """Nothing else can carry it: a home has no answer of its own, and the press was not recorded."""
    with RedisServer(folder=tmp_path) as server, open_house(server.url) as house:
        house.ready_for_approval()
        bob = house.person("bob")
        bob.home()
        home = bob.wait_for_home("it wants your approval")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            bob.click(home, "Approve R1")
            bob.wait_for_view("Nothing was recorded: Redis does not answer.")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        bob.click(home, "Approve R1")
        eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it was approved")


@pytest.mark.requirement("C8")
def test_slack_is_not_flooded(redis_url: str) -> None:
    """A release with many events is a few homes; who is told to wait waits; who is refused is left alone."""
    with open_house(redis_url, start=False) as house:
        house.home_pace = HomePace(publish_seconds=0.02, again_seconds=0.5)
        house.start()
        house.ready_for_approval()
        bob = house.person("bob")
        bob.home()
        bob.wait_for_home("it wants your approval")
        before = len(house.workspace.calls("views.publish"))
        house.person("bob").click(bob.wait_for_home(), "Approve R1")
        eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it was approved")
        house.run_steps("R1")
        bob.wait_for_home("R1\n released ")
        calls = len(house.workspace.calls("views.publish")) - before
        assert 1 <= calls < 6 < house.record.position("R1")
        house.workspace.fail("views.publish", status=429, retry_after=1)
        bob.home()
        house.record.see(snapshot("staging", "3.3.0"))
        bob.wait_for_home("staging\n · 3.3.0")
        house.workspace.fail("views.publish", error="not_enabled")
        bob.home()
        homes = Homes(house.store)
        eventually(lambda: homes.viewers() == (), "Slack shows no homes: nobody is kept")


def test_only_those_who_opened_it_last_are_kept(house: House) -> None:
    """Fifty homes at most, whoever else opened theirs; each opening is a later one."""
    house.stop()
    homes = Homes(house.store)
    for number in range(MOST + 5):
        homes.opened(f"U{number}")
    homes.say("U20", "[]")
    kept = homes.viewers()
    assert len(kept) == MOST
    assert (kept[0].user, kept[0].notice) == ("U20", "[]")
    assert "U4" not in {viewer.user for viewer in kept}
    homes.opened("U20")
    again = homes.viewers()[0]
    assert (again.user, again.notice) == ("U20", "")
    assert again.opened > kept[0].opened
    homes.forget("U20")
    assert len(homes.viewers()) == MOST - 1


def test_one_bot_keeps_the_homes_and_another_goes_on(house: House) -> None:
    """While it lives no other does; when it steps down another may at once."""
    house.stop()
    first, second = Homes(house.store, "one"), Homes(house.store, "two")
    assert first.lead()
    assert not second.lead()
    assert first.lead()
    first.step_down()
    assert second.lead()


@pytest.mark.requirement("C8", "Q1")
def test_of_two_bots_one_shows_homes_and_the_other_goes_on(house: House) -> None:
    """A change is shown once; when the bot that shows them ends, the other does."""
    other = House(house.workspace, house.redis_url)
    with contextlib.ExitStack() as ends:
        ends.callback(other.store.close)
        ends.callback(other.stop)  # also when an assertion fails: it would act on the next test's deliveries
        house.record.see(snapshot("staging", "3.2.0"))
        bob = house.person("bob")
        bob.home()
        bob.wait_for_home("staging\n · 3.2.0")
        other.start(beside=1)
        assert not Homes(house.store, "another").lead()
        house.stop()
        house.record.see(snapshot("staging", "3.2.1"))
        bob.wait_for_home("staging\n · 3.2.1")


@pytest.mark.requirement("C8")
def test_a_home_that_slack_did_not_take_is_shown_later(house: House) -> None:
    """Its answer is lost, or it stumbles: showing a home twice does no harm."""
    house.workspace.fail("views.publish", status=503)
    house.workspace.fail("views.publish", cut="after")
    house.record.see(snapshot("staging", "3.2.0"))
    bob = house.person("bob")
    bob.home()
    bob.wait_for_home("staging\n · 3.2.0")
    eventually(lambda: len(house.workspace.calls("views.publish")) >= 3, "it is shown again")
