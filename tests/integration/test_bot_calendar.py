"""Freezes, releases for later, trains and the calendar, from what is typed to what the channel is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from releases.events import Actor
from releases.record.closures import Closures
from releases.record.schedules import Schedules
from releases.schedule import Scheduled
from tests.integration.bot_house import (
    CONFIG,
    GENERAL,
    PRODUCTION,
    STAGING,
    House,
    eventually,
    now,
    open_house,
)

DEV = "C0DEV"
SETTINGS = CONFIG.replace(
    "environments:\n",
    """
time_zone: Europe/Berlin
freezes: {managers: [U0CAROL]}
trains:
  monthly: {leaves: "0 10 1 * *", environment: production, owner: U0DAN}
environments:
""",
).replace(
    "    channel: C0STAGING\n",
    """    channel: C0STAGING
    freezes: {windows: [{deny: "0 0 * * *", for: 1d, reason: stocktaking, owner: U0DAN}]}
""",
)


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot at work where staging is frozen day and night, and production by a monthly train."""
    with open_house(redis_url, config=SETTINGS) as opened:
        yield opened


def schedules(house: House) -> tuple[Scheduled, ...]:
    """What waits for its time."""
    return Schedules(house.store).all()


@pytest.mark.requirement("C7", "S2")
def test_a_freeze_of_the_calendar_is_passed_by_a_manager_with_a_reason(house: House) -> None:
    """Anybody else is told who could; approvers see that it was passed, by whom and why."""
    alice, carol = house.person("alice"), house.person("carol")
    alice.command("/buzzy release 3.2.1 staging", STAGING)
    refused = alice.wait_for_ephemeral(STAGING, "staging is frozen")
    assert "stocktaking" in refused
    assert "U0DAN" in str(refused.blocks)
    assert "U0CAROL" in str(refused.blocks)
    assert '/buzzy release 3.2.1 staging --override-freeze --reason "…"' in refused
    alice.command("/buzzy release 3.2.1 staging --override-freeze --reason mine", STAGING)
    alice.wait_for_ephemeral(STAGING, "You may not pass a freeze of staging.")
    line = '/buzzy release 3.2.1 staging --override-freeze --reason "CVE-2026-1"'
    message = house.ask(line, STAGING, who="carol")
    assert "“CVE-2026-1”" in carol.wait_for_reply(message, "It passes the calendar's freeze (stocktaking)")
    house.planned("R1")
    assert "passes the calendar's freeze (stocktaking): carol may pass it" in house.until(
        message, "waiting for approval"
    )
    release = house.record.load("R1").release
    assert release.request.over_freezes is not None
    assert release.request.over_freezes.reason == "CVE-2026-1"
    assert house.timekeeper().holds_back(release) is None
    without = release.request.model_copy(update={"over_freezes": None})
    assert house.timekeeper().holds_back(replace(release, request=without)) is not None


@pytest.mark.requirement("C7")
def test_a_manager_freezes_and_ends_it(house: House) -> None:
    """The channel is told both; nobody else may; it ends by itself as well."""
    alice, carol = house.person("alice"), house.person("carol")
    alice.command('/buzzy freeze production --reason "big sale" --for 2h', PRODUCTION)
    told = alice.wait_for_ephemeral(PRODUCTION, "You may not freeze or unfreeze production.")
    assert "U0CAROL" in str(told.blocks)
    carol.command('/buzzy freeze production --reason "big sale" --until "tomorrow 9:00"', PRODUCTION)
    frozen = carol.wait_for_message(PRODUCTION, "production is frozen until")
    assert "big sale" in frozen
    carol.command("/buzzy release 3.2.1 production", PRODUCTION)
    carol.wait_for_ephemeral(PRODUCTION, "can pass it with a reason")
    carol.command("/buzzy status", PRODUCTION)
    row = carol.wait_for_ephemeral(PRODUCTION, "What runs where").shown
    assert "❄️ frozen until " in row
    carol.command("/buzzy unfreeze production", PRODUCTION)
    carol.wait_for_message(PRODUCTION, "ended the freeze of production")
    house.ask("/buzzy release 3.2.1 production", PRODUCTION)
    carol.command("/buzzy unfreeze staging", STAGING)
    carol.wait_for_ephemeral(STAGING, "That is the calendar of buzzy.yaml")


@pytest.mark.requirement("C7")
def test_a_time_is_shown_as_it_was_understood_and_can_be_taken_back(house: House) -> None:
    """In words and absolute, in the person's own time zone; the button takes it off."""
    erin = house.person("erin")  # in New York, whatever the environment's zone
    erin.command("/buzzy schedule 3.2.1 development tomorrow at 10", GENERAL)
    told = erin.wait_for_ephemeral(GENERAL, "S1 · 3.2.1 to development is asked for on")
    due = schedules(house)[0].due
    assert f"{due:%M}" == "00"
    assert due.hour in {14, 15}
    assert "10:00 E" in told
    assert f"{due:%A}" in told
    assert ", in " in told
    posted = erin.wait_for_message(DEV, "S1 · 3.2.1 to development is due")
    assert posted.buttons == ["Unschedule"]
    erin.click(told, "Unschedule")
    erin.wait_for_message(DEV, "was taken off the calendar by")
    assert schedules(house) == ()
    erin.command("/buzzy unschedule S1", GENERAL)
    erin.wait_for_ephemeral(GENERAL, "S1 is not scheduled: it was due, or taken back.")


@pytest.mark.requirement("C7", "S2")
def test_what_is_due_is_asked_for_in_its_persons_name(house: House) -> None:
    """By the rules of that moment, planned and approved as any other; once, however many workers look."""
    alice = house.person("alice")
    alice.command('/buzzy schedule 3.2.1 production in 1 hour --reason "the fix"', PRODUCTION)
    alice.wait_for_message(PRODUCTION, "S1 · 3.2.1 to production is due")
    house.timekeeper().look()
    assert house.record.holder("production") is None
    for _ in range(3):
        house.timekeeper(now() + timedelta(hours=1)).look()
    message = alice.wait_for_message(PRODUCTION, "R1 · buzzy 3.2.1 · production")
    request = house.record.load("R1").release.request
    assert (request.by.name, request.reason) == ("alice", "the fix")
    assert request.approval is not None
    assert house.queue.depth("deployment") == 1
    house.planned("R1")
    house.until(message, "waiting for 2 of 2 approvals")
    assert len(house.record.recent("production", 5)) == 1


@pytest.mark.requirement("C7", "Q1")
def test_a_bot_that_is_down_when_it_is_due_does_it_when_it_is_back(house: House) -> None:
    """Within the hour; nothing is lost with the process."""
    alice = house.person("alice")
    alice.command("/buzzy schedule 3.2.1 development in 1 hour", DEV)
    alice.wait_for_message(DEV, "S1 · 3.2.1 to development is due")
    house.stop()
    house.timekeeper(now() + timedelta(hours=1)).look()
    house.start()
    alice.wait_for_message(DEV, "R1 · buzzy 3.2.1 · development")


def add(house: House, due: datetime, line: str = "release 3.2.1 development") -> None:
    """Something that Alice had scheduled, as the record has it."""
    environment = line.split()[2]

    def make(id_: str) -> tuple[Scheduled, tuple[()]]:
        by = Actor(id="U0ALICE", name="alice")
        made = Scheduled(id=id_, environment=environment, version="3.2.1", line=line, by=by, at=due, due=due)
        return made, ()

    assert Schedules(house.store).add(make, delivery=f"{line} {due}")


@pytest.mark.requirement("C7", "Q1")
def test_what_is_more_than_an_hour_late_is_not_done_and_that_is_said(house: House) -> None:
    """Its person is mentioned, with the line to copy; what is less late is done."""
    alice = house.person("alice")
    add(house, now() - timedelta(minutes=61))
    house.timekeeper().look()
    told = alice.wait_for_message(DEV, "was due")
    assert "U0ALICE" in str(told.blocks)
    assert "It was not asked for" in told
    assert "/buzzy release 3.2.1 development" in told
    assert house.record.holder("development") is None
    add(house, now() - timedelta(minutes=59))
    house.timekeeper().look()
    alice.wait_for_message(DEV, "R1 · buzzy 3.2.1 · development")


@pytest.mark.requirement("C7", "X3")
def test_what_is_refused_when_it_is_due_is_told_and_waits_in_line(house: House) -> None:
    """Nobody sits there to read an answer: the channel is told, and the release is not forgotten."""
    alice, carol = house.person("alice"), house.person("carol")
    carol.command("/buzzy lock development --reason audit", DEV)
    carol.wait_for_message(DEV, "development is locked by")
    add(house, now())
    house.timekeeper().look()
    told = alice.wait_for_message(DEV, "was due and was refused")
    assert "U0ALICE" in str(told.blocks)
    assert "development is locked by carol: “audit”." in told
    assert "You are in line" in told
    assert Closures(house.store).board("development").waiting[0].by.name == "alice"
    carol.command("/buzzy unlock development", DEV)
    alice.wait_for_message(DEV, "development is open, and you are next")


@pytest.mark.requirement("C7")
def test_what_finds_another_release_under_way_is_told_with_the_line_to_copy(house: House) -> None:
    """One release at a time; the other one's end is not waited for in silence."""
    house.ask("/buzzy release 3.2.2 development", DEV, who="dan")
    add(house, now())
    house.timekeeper().look()
    told = house.person("alice").wait_for_message(DEV, "was due and was refused")
    assert "R1 is being planned in development" in told
    assert "/buzzy release 3.2.1 development" in told


@pytest.mark.requirement("C7", "Q1")
def test_what_can_be_understood_no_more_when_it_is_due_is_told(house: House) -> None:
    """A service that it names has gone from buzzy.yaml since."""
    add(house, now(), "release 3.2.1 development --services buzzy-gone")
    house.timekeeper().look()
    told = house.person("alice").wait_for_message(DEV, "was due and was refused")
    assert 'There is no service "buzzy-gone".' in told
    assert house.record.holder("development") is None


@pytest.mark.requirement("S2", "C7")
def test_a_train_takes_what_is_scheduled_on_it_and_reminds_its_owner_of_nothing(house: House) -> None:
    """A day before it leaves, once; not when something is on it."""
    dan, alice = house.person("dan"), house.person("alice")
    train = house.config.trains["monthly"]
    zone = house.config.time_zone
    assert zone == "Europe/Berlin"
    alice.command("/buzzy schedule 3.2.1 staging monthly", STAGING)
    alice.wait_for_ephemeral(STAGING, "The train monthly goes to production.")
    alice.command("/buzzy schedule 3.2.1 production monthly", PRODUCTION)
    told = alice.wait_for_message(PRODUCTION, "with the train monthly")
    leaves = schedules(house)[0].due
    assert (leaves.day, leaves.hour in {8, 9}) == (1, True)
    house.timekeeper(leaves - timedelta(hours=20)).look()
    assert not [each for each in Closures(house.store).notices() if each.notice == "train_empty"]
    alice.click(told, "Unschedule")
    eventually(lambda: not schedules(house), "it is off")
    for hours in (25, 20, 19, 1):
        house.timekeeper(leaves - timedelta(hours=hours)).look()
    reminder = dan.wait_for_message(PRODUCTION, "with nothing on it")
    assert "U0DAN" in str(reminder.blocks)
    assert "/buzzy schedule <version> production monthly" in reminder
    empty = [each for each in Closures(house.store).notices() if each.notice == "train_empty"]
    assert len(empty) == 1
    assert train.owner == "U0DAN"


@pytest.mark.requirement("C7")
def test_the_calendar_has_what_is_closed_and_what_is_due(house: House) -> None:
    """Of one environment or of all, for two weeks; nothing is asked of a cluster."""
    alice = house.person("alice")
    alice.command("/buzzy schedule 3.2.1 staging in 2 days", STAGING)
    warned = alice.wait_for_message(STAGING, "S1 · 3.2.1 to staging is due")
    assert "⚠️ staging is frozen" in warned
    alice.command("/buzzy lock production --reason audit --for 2h", PRODUCTION)
    alice.wait_for_message(PRODUCTION, "production is locked by")
    alice.command("/buzzy calendar", GENERAL)
    shown = alice.wait_for_ephemeral(GENERAL, "The next two weeks").shown
    for part in (
        "🔒 production is locked by",
        "S1 · 3.2.1",
        "❄️ frozen (stocktaking)",
        "Open; nothing is due.",
    ):
        assert part in shown
    alice.command("/buzzy calendar development", GENERAL)
    alice.wait_for_ephemeral(GENERAL, "Open; nothing is due.")
    mention = alice.say("@buzzy calendar staging", STAGING)
    alice.wait_for_ephemeral(STAGING, "The next two weeks")
    assert mention.shown


@pytest.mark.requirement("C9")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/buzzy schedule 3.2.1 production whenever", "Trains: monthly."),
        ("/buzzy schedule 3.2.1 development yesterday", "that is over"),
        ("/buzzy unschedule S9", "S9 is not scheduled"),
    ],
)
def test_what_cannot_be_scheduled_is_said(house: House, line: str, says: str) -> None:
    """With how to say it; nothing is kept."""
    alice = house.person("alice")
    alice.command(line, GENERAL)
    alice.wait_for_ephemeral(GENERAL, says)
    assert schedules(house) == ()


@pytest.mark.requirement("C11")
def test_guests_schedule_nothing_and_take_nothing_back(house: House) -> None:
    """Nor do people of other workspaces."""
    add(house, datetime(2100, 1, 1, tzinfo=UTC))
    for name in ("gus", "mallory"):
        person = house.person(name)
        person.command("/buzzy schedule 3.2.1 staging tomorrow 10:00", STAGING)
        person.wait_for_ephemeral(STAGING, "members of this")
        person.command("/buzzy unschedule S1", STAGING)
    eventually(lambda: house.store.call("XLEN", "buzzy:inbox") == 0, "all is acted on")
    assert len(schedules(house)) == 1
