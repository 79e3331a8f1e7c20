"""Commands, from what is typed to what is recorded, queued and answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from releases import events as e
from releases.difference import Difference, ServiceDifference
from releases.lifecycle import State
from releases.snapshot import Answer, Snapshot
from sandbox.workspace import Message
from tests.integration.bot_house import (
    CONFIG,
    CROSS,
    GENERAL,
    PRODUCTION,
    STAGING,
    TICK,
    House,
    eventually,
    now,
    open_house,
)
from tests.unit.bot_tales import plan, seen


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot at work."""
    with open_house(redis_url) as opened:
        yield opened


def snapshot(environment: str, version: str) -> Snapshot:
    """What a worker saw."""
    services = tuple(seen(name, 3, version=version) for name in ("buzzy-main", "buzzy-api"))
    return Snapshot(environment=environment, at=now(), services=services)


@pytest.mark.requirement("C1", "C2")
def test_a_release_is_recorded_queued_and_shown(house: House) -> None:
    """One command: an event in the record, a job in the queue, a message in the channel, a thread."""
    alice = house.person("alice")
    delivery = alice.command('/buzzy release 3.2.1 staging --reason "fix export"', STAGING)
    assert delivery.acknowledged
    assert delivery.seconds < 1
    message = alice.wait_for_message(STAGING, "R1 · buzzy 3.2.1 · staging")
    alice.wait_for_reply(message, "asked for buzzy 3.2.1: “fix export”")
    requested = house.record.load("R1").release.request
    assert (requested.version, requested.reason, requested.by.name) == ("3.2.1", "fix export", "alice")
    assert house.queue.depth("deployment") == 1


@pytest.mark.requirement("C1")
def test_who_asks_elsewhere_is_told_where_to_look(house: House) -> None:
    """The release's message stands in its environment's channel."""
    alice = house.person("alice")
    alice.command("/buzzy release 3.2.1 staging", GENERAL)
    told = alice.wait_for_ephemeral(GENERAL, "R1 is being planned; follow it in")
    assert STAGING in str(told.blocks)


@pytest.mark.requirement("C9")
def test_a_wrong_command_is_answered_in_three_lines(house: House) -> None:
    """What is wrong and what was meant, a line to copy, the names; nothing is recorded."""
    alice = house.person("alice")
    alice.command("/buzzy release 3.2.1 stagign", STAGING)
    answer = alice.wait_for_ephemeral(STAGING, "stagign")
    assert 'There is no environment "stagign". Did you mean staging?' in answer
    assert "/buzzy release 3.2.1 staging" in answer
    assert "Environments: development, staging, production" in answer
    assert house.store.call("XLEN", "buzzy:inbox") == 0
    assert house.record.idle() == ()


def test_help_comes_from_the_grammar(house: House) -> None:
    """All verbs; one verb with its flags."""
    alice = house.person("alice")
    alice.command("/buzzy help", STAGING)
    everything = alice.wait_for_ephemeral(STAGING, "What you can say")
    assert all(f"/buzzy {verb}" in everything for verb in ("release", "rollback", "abort", "status"))
    alice.command("/buzzy help release", STAGING)
    assert "--services" in alice.wait_for_ephemeral(STAGING, "Release a version to an environment.")


@pytest.mark.requirement("Q1")
def test_the_same_delivery_twice_is_one_release(house: House) -> None:
    """Slack delivers at least once."""
    delivery = house.person("alice").command("/buzzy release 3.2.1 staging", STAGING)
    house.person("alice").wait_for_message(STAGING, "R1")
    house.workspace.deliver_again(delivery)
    house.planned("R1")
    house.person("bob").wait_for_message(STAGING, "waiting for approval")
    assert house.record.holder("staging") == "R1"
    assert len(house.record.recent("staging", 10)) == 1
    assert house.queue.depth("deployment") == 1


@pytest.mark.requirement("Q2")
def test_a_second_release_is_told_who_holds_the_environment(house: House) -> None:
    """Which release, since when, by whom, a way to its message, and how to stop it."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    carol = house.person("carol")
    carol.command("/buzzy release 3.2.2 staging", STAGING)
    busy = carol.wait_for_ephemeral(STAGING, "R1 is being planned in staging, asked for by alice")
    assert "/buzzy abort R1" in busy
    assert "/buzzy release 3.2.2 staging" in busy
    assert f"p{message.ts.replace('.', '')}" in str(busy.blocks)
    assert "'type': 'date'" in str(busy.blocks)


@pytest.mark.requirement("C11")
@pytest.mark.parametrize(
    ("who", "says"), [("gus", "Guests can read along"), ("mallory", "from another workspace")]
)
def test_guests_and_strangers_are_refused_with_a_word(house: House, who: str, says: str) -> None:
    """And nothing is held or queued."""
    house.person(who).command("/buzzy release 3.2.1 staging", STAGING)
    house.person(who).wait_for_ephemeral(STAGING, says)
    assert house.record.holder("staging") is None
    assert house.queue.depth("deployment") == 0


def test_an_abort_stops_what_waits(house: House) -> None:
    """Before anything was changed it is cancelled at once, and the environment is free."""
    message = house.ready_for_approval()
    dan = house.person("dan")
    dan.command('/buzzy abort R1 --reason "wrong version"', STAGING)
    house.until(message, "cancelled, nothing was changed")
    dan.wait_for_reply(message, "wrong version")
    assert house.record.holder("staging") is None
    dan.command("/buzzy abort R1", STAGING)
    dan.wait_for_ephemeral(STAGING, "R1 has ended already: cancelled")
    dan.command("/buzzy abort R99", STAGING)
    dan.wait_for_ephemeral(STAGING, "There is no release R99")


@pytest.mark.requirement("B6")
def test_a_rollback_asks_for_itself(house: House) -> None:
    """Of an approver it needs nobody's approval, and it goes to the queue that is served first."""
    house.person("bob").command('/buzzy rollback production --reason "exports fail"', PRODUCTION)
    house.person("bob").wait_for_message(PRODUCTION, "rollback of buzzy")
    requested = house.record.load("R1").release.request
    assert (requested.kind, requested.approval) == ("rollback", None)
    assert house.queue.depth("rollback") == 1


def under_way(house: House, line: str = "/buzzy release 3.2.1 staging") -> Message:
    """Alice's release to staging, approved by Bob, after its first steps."""
    message = house.ready_for_approval(line)
    house.person("bob").react(message, TICK)
    eventually(lambda: house.record.load("R1").release.state is State.APPROVED, "it is approved")
    house.run_steps("R1", count=2)
    return house.until(message, "service 2 of 2")


@pytest.mark.requirement("B5", "C6")
def test_a_rollback_of_what_is_under_way_stops_it_and_takes_it_back(house: House) -> None:
    """It is said what will happen; it happens in that release's thread, and no release is opened for it."""
    message = under_way(house)
    erin = house.person("erin")
    delivery = erin.command('/buzzy rollback staging --reason "exports fail"', STAGING)
    told = erin.wait_for_ephemeral(STAGING, "R1 is under way in staging")
    assert "it stops at its next safe point and goes back to 3.2.0" in told
    house.until(message, "stopping at the next safe point")
    erin.wait_for_reply(message, "wants it stopped: “exports fail”")
    stopped = house.record.load("R1").release
    house.append("R1", e.TurnedBack(at=now(), steps=stopped.way_back(), because="erin stopped it."))
    house.append("R1", e.RolledBack(at=now()))
    house.until(message, "stopped, and back at 3.2.0")
    house.store.call("DEL", f"buzzy:delivery:{delivery.id}")  # whoever acted on it died right after
    house.workspace.deliver_again(delivery.id)
    eventually(lambda: len(erin.ephemerals(STAGING)) == 2, "it is acted on again")
    assert [release.id for release in house.record.recent("staging", 10)] == ["R1"]
    assert house.record.holder("staging") is None


@pytest.mark.requirement("B5", "C9")
def test_a_rollback_to_elsewhere_waits_for_what_is_under_way(house: House) -> None:
    """It is told where stopping leads, and has a line for each of the two."""
    under_way(house)
    bob = house.person("bob")
    bob.command("/buzzy rollback staging --to 3.1.4", STAGING)
    busy = bob.wait_for_ephemeral(STAGING, "R1 is under way in staging, asked for by alice")
    assert "/buzzy abort R1" in busy
    assert ", which takes it back to 3.2.0." in busy
    assert "/buzzy rollback staging --to 3.1.4" in busy
    assert house.record.load("R1").release.state is State.RUNNING


RULED = CONFIG.replace(
    "    channel: C0STAGING\n", "    channel: C0STAGING\n    permissions: {abort: {from: [U0CAROL]}}\n"
)


@pytest.mark.requirement("B5", "C11")
def test_who_may_go_back_at_once_may_do_so_under_way_and_others_as_aborts_are_ruled(redis_url: str) -> None:
    """Dan, whose rollback somebody has to agree to, cannot stop it; Erin, who is on call, can."""
    with open_house(redis_url, config=RULED) as house:
        message = under_way(house)
        dan = house.person("dan")
        dan.command("/buzzy rollback staging", STAGING)
        dan.wait_for_ephemeral(STAGING, "stopped by others")
        assert house.record.load("R1").release.state is State.RUNNING
        house.person("erin").command("/buzzy rollback staging", STAGING)
        house.until(message, "stopping at the next safe point")


@pytest.mark.requirement("B6")
def test_status_is_answered_at_once_and_again_only_if_something_differs(house: House) -> None:
    """From what was last seen, with its age; what a worker then finds is told if it is different."""
    alice = house.person("alice")
    for environment in ("development", "staging", "production"):
        house.record.see(snapshot(environment, "3.2.0"))
    alice.command("/buzzy status", STAGING)
    first = alice.wait_for_ephemeral(STAGING, "What runs where")
    assert "staging      3.2.0  healthy" in first
    assert "looking again, and telling you if anything differs" in first
    house.questions.answer("Q1", Answer(at=now()))
    eventually(lambda: house.record.behind() == (), "the answer was dealt with")
    assert len(alice.ephemerals(STAGING)) == 1
    alice.command("/buzzy status", STAGING)
    house.record.see(snapshot("staging", "3.2.1"))
    house.questions.answer("Q2", Answer(at=now()))
    assert "As seen" in alice.wait_for_ephemeral(STAGING, "staging      3.2.1  healthy")
    assert house.queue.depth("validation") == 2


@pytest.mark.requirement("B6")
def test_status_of_one_environment_has_a_line_a_service(house: House) -> None:
    """Pods, version, revision; and what is under way there."""
    house.record.see(snapshot("staging", "3.2.0"))
    house.ready_for_approval()
    alice = house.person("alice")
    alice.command("/buzzy status staging", STAGING)
    answer = alice.wait_for_ephemeral(STAGING, "What runs in staging")
    assert "buzzy-main  ██████████ 3/3  3.2.0  healthy" in answer
    assert "R1 waits for approval" in answer


@pytest.mark.requirement("B6")
def test_history_tells_releases_and_what_happened_beside_them(house: House) -> None:
    """Version, who, outcome; and revisions that no release made."""
    message = house.ready_for_approval()
    house.person("bob").react(message, CROSS)
    house.until(message, "refused")
    alice = house.person("alice")
    alice.command("/buzzy history staging", STAGING)
    answer = alice.wait_for_ephemeral(STAGING, "3.2.1")
    assert "refused" in answer
    assert "alice" in answer


@pytest.mark.requirement("C1")
def test_a_dry_run_is_answered_when_a_worker_has_looked(house: House) -> None:
    """First that somebody looks, then every step, the object diff, the way back, the line that does it."""
    alice = house.person("alice")
    alice.command("/buzzy plan 3.2.1 staging", STAGING)
    alice.wait_for_ephemeral(STAGING, "Looking at staging …")
    made = plan(services=("buzzy-main", "buzzy-api"))
    house.questions.answer("Q1", Answer(at=now(), plan=made))
    answer = alice.wait_for_ephemeral(STAGING, "What changes")
    assert "2. buzzy-main to 3.2.1" in answer
    assert "buzzybuzz/buzzy-api:3.2.0 → buzzybuzz/buzzy-api:3.2.1" in answer
    assert "/buzzy release 3.2.1 staging" in answer
    alice.command("/buzzy plan 3.2.0 staging", STAGING)
    house.questions.answer("Q2", Answer(at=now(), refused="3.2.0 runs there already.", hint="Nothing to do."))
    alice.wait_for_ephemeral(STAGING, "3.2.0 runs there already.")


@pytest.mark.requirement("C5")
def test_a_diff_is_found_by_a_worker_and_shown(house: House) -> None:
    """In a command's own answer, and in the thread of a mention; or why there is none."""
    alice = house.person("alice")
    alice.command("/buzzy diff staging production", STAGING)
    alice.wait_for_ephemeral(STAGING, "Looking at staging and production …")
    differs = ServiceDifference(service="buzzy-api", version=("3.2.1", "3.2.0"), pods=(2, 3))
    found = Difference(first="staging", second="production", services=(differs,), same=("buzzy-main",))
    house.questions.answer("Q1", Answer(at=now(), difference=found))
    answer = alice.wait_for_ephemeral(STAGING, "staging and production differ in 1 of 2 services")
    assert "buzzy-api  version  3.2.1    3.2.0" in answer
    said = alice.say("@buzzy diff staging production", STAGING)
    alice.wait_for_reply(said, "Looking at staging and production …")
    house.questions.answer("Q2", Answer(at=now(), refused="staging cannot be compared: it is silent"))
    alice.wait_for_reply(said, "staging cannot be compared: it is silent")
    assert len(alice.thread(said)) == 1
    assert house.record.idle() == ()


@pytest.mark.requirement("C10")
def test_a_mention_takes_the_same_lines(house: House) -> None:
    """A release; a mistake, told to its author alone; a question, answered in the thread and edited there."""
    alice = house.person("alice")
    said = alice.say("@buzzy release 3.2.1 staging", STAGING)
    alice.wait_for_message(STAGING, "R1 · buzzy 3.2.1 · staging")
    alice.say("@buzzy releese 3.2.1 staging", STAGING)
    alice.wait_for_ephemeral(STAGING, "Did you mean release?")
    said = alice.say("@buzzy status staging", STAGING)
    answer = alice.wait_for_reply(said, "looking now")
    house.record.see(snapshot("staging", "3.2.0"))
    house.questions.answer("Q1", Answer(at=now()))
    alice.wait_until_shows(answer, "As seen")
    assert len(alice.thread(said)) == 1


def test_speaking_of_buzzy_asks_for_nothing(house: House) -> None:
    """Only a mention at the beginning is a command."""
    alice = house.person("alice")
    alice.say("thanks @buzzy!", STAGING)
    house.workspace.wait_for_delivery("events_api", event="app_mention")
    alice.say("@buzzy help", STAGING)
    alice.wait_for_ephemeral(STAGING, "What you can say")
    assert len(alice.ephemerals(STAGING)) == 1


def test_a_release_that_cannot_be_done_says_why_on_its_message(house: House) -> None:
    """A worker refuses the plan; the environment is free again."""
    message: Message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.append("R1", e.PlanRefused(at=now(), reason="3.2.1 runs there already.", hint="Nothing to do."))
    house.until(message, "3.2.1 runs there already.")
    assert house.record.load("R1").release.state is State.IMPOSSIBLE
