"""Approvers answer, by reaction and by button."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot import inbox
from releases import events as e
from releases.lifecycle import State
from sandbox.workspace import Message
from tests.integration.bot_house import (
    CROSS,
    ON_CALL,
    PRODUCTION,
    STAGING,
    TICK,
    House,
    eventually,
    now,
    open_house,
)
from tests.unit.bot_tales import plan


@pytest.fixture
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot looks at the reactions of what waits many times a second."""
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.1)


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot at work."""
    with open_house(redis_url) as opened:
        yield opened


@pytest.fixture
def staging(house: House) -> Message:
    """A release to staging that waits for one approval."""
    return house.ready_for_approval()


@pytest.fixture
def production(house: House) -> Message:
    """A release to production that waits for two approvals, and not for Alice's."""
    return house.ready_for_approval("/buzzy release 3.2.1 production", PRODUCTION)


def state_of(house: House, release_id: str = "R1") -> State:
    """Where a release stands on the record."""
    return house.record.load(release_id).release.state


@pytest.mark.requirement("C3")
@pytest.mark.parametrize("emoji", [TICK, "heavy_check_mark", "+1::skin-tone-4", "thumbsup"])
def test_an_approvers_reaction_approves(house: House, staging: Message, emoji: str) -> None:
    """Any of its aliases, any skin tone; a worker is sent for."""
    house.person("bob").react(staging, emoji)
    house.until(staging, "approved, about to start")
    house.person("bob").wait_for_reply(staging, "1 of 1, going ahead")
    eventually(lambda: house.queue.depth("deployment") == 2, "the release is queued")
    approval = house.record.load("R1").release.approvals[0]
    assert (approval.by.name, approval.via, approval.digest) == ("bob", "reaction", plan_digest(house))


def plan_digest(house: House) -> str:
    """The digest of the plan that waits."""
    planned = house.record.load("R1").release.plan
    assert planned is not None
    return planned.digest


@pytest.mark.requirement("C3")
def test_a_reaction_that_says_nothing_changes_nothing(house: House, staging: Message) -> None:
    """Nor is it recorded."""
    house.person("bob").react(staging, "eyes")
    house.workspace.wait_for_delivery("events_api", event="reaction_added")
    house.person("bob").react(staging, TICK)
    house.until(staging, "approved")
    assert len(house.record.load("R1").release.approvals) == 1


@pytest.mark.requirement("C3", "C11")
def test_two_approvals_and_not_the_askers(house: House, production: Message) -> None:
    """Who asked is told why theirs does not count; two others make the quorum."""
    house.workspace.set_group("S0APPROVERS", ["U0ALICE", "U0BOB", "U0CAROL"])
    alice = house.person("alice")
    alice.react(production, TICK)
    alice.wait_for_ephemeral(PRODUCTION, "nobody approves their own release")
    house.person("bob").react(production, TICK)
    house.until(production, "waiting for 1 of 2 approvals")
    house.person("carol").react(production, TICK)
    house.until(production, "approved, about to start")


@pytest.mark.requirement("C3")
def test_a_reaction_taken_back_takes_the_approval_back(house: House, production: Message) -> None:
    """Before the start; after it, the person is told how to stop the release."""
    bob, carol = house.person("bob"), house.person("carol")
    bob.react(production, TICK)
    house.until(production, "waiting for 1 of 2 approvals")
    bob.unreact(production, TICK)
    house.until(production, "waiting for 2 of 2 approvals")
    bob.wait_for_reply(production, "took the approval back")
    bob.react(production, TICK)
    carol.react(production, TICK)
    house.until(production, "approved, about to start")
    carol.unreact(production, TICK)
    house.until(production, "waiting for 1 of 2 approvals")
    carol.react(production, TICK)
    house.until(production, "approved, about to start")
    house.append("R1", e.ReleaseStarted(at=now()))
    carol.unreact(production, TICK)
    assert "/buzzy abort R1" in carol.wait_for_ephemeral(PRODUCTION, "had all its approvals and has started")
    assert len(house.record.load("R1").release.approvals) == 2


@pytest.mark.requirement("C3")
def test_a_second_emoji_of_the_same_meaning_changes_nothing(house: House, production: Message) -> None:
    """What counts is what stands on the message, not which event came."""
    bob = house.person("bob")
    bob.react(production, TICK)
    bob.react(production, "thumbsup")
    house.until(production, "waiting for 1 of 2 approvals")
    bob.unreact(production, TICK)
    house.workspace.wait_for_delivery("events_api", event="reaction_removed")
    house.person("carol").react(production, TICK)
    house.until(production, "approved, about to start")


@pytest.mark.requirement("C3")
def test_an_event_that_comes_late_or_twice_tells_of_what_is_no_more(
    house: House, production: Message
) -> None:
    """A reaction is taken back; its first event is delivered once more: it does not come back to life."""
    bob = house.person("bob")
    bob.react(production, TICK)
    house.until(production, "waiting for 1 of 2 approvals")
    added = house.workspace.wait_for_delivery("events_api", event="reaction_added")
    bob.unreact(production, TICK)
    house.until(production, "waiting for 2 of 2 approvals")
    house.store.call("DEL", f"buzzy:delivery:{added.payload['event_id']}")  # as if a day had passed
    house.workspace.deliver_again(added)
    house.person("carol").react(production, TICK)
    house.until(production, "waiting for 1 of 2 approvals")
    assert [each.by.name for each in house.record.load("R1").release.approvals] == ["carol"]


@pytest.mark.requirement("C3")
def test_a_button_is_the_same_as_a_reaction(house: House, production: Message) -> None:
    """One approves by button, the other by reaction; the plan that was shown goes along."""
    house.person("bob").click(production, "Approve")
    house.until(production, "waiting for 1 of 2 approvals")
    house.person("carol").react(production, TICK)
    house.until(production, "approved, about to start")
    vias = [each.via for each in house.record.load("R1").release.approvals]
    assert vias == ["button", "reaction"]


@pytest.mark.requirement("C3", "Q3")
def test_a_button_of_an_older_plan_does_not_count(house: House, production: Message) -> None:
    """What is approved is the plan that was on the message when it was pressed."""
    house.append("R1", e.ReplanRequested(at=now(), because="buzzy-api was changed with kubectl"))
    other = plan(services=("buzzy-main",), environment="production")
    house.append("R1", e.PlanProposed(at=now(), plan=other))
    house.until(production, f"Plan #{other.short_digest}")
    house.person("bob").click(production, "Approve", as_seen=True)
    house.person("bob").wait_for_ephemeral(PRODUCTION, "The plan of R1 has changed since you opened it.")
    assert house.record.load("R1").release.approvals == ()


@pytest.mark.requirement("Q3")
@pytest.mark.usefixtures("_looks_often")
def test_a_reaction_to_an_older_plan_does_not_count(house: House, production: Message) -> None:
    """It stands on the message still when another plan does; looks in between do not take it for a yes."""
    house.person("bob").react(production, TICK)
    house.until(production, "waiting for 1 of 2 approvals")
    house.person("carol").react(production, TICK)
    house.until(production, "approved, about to start")
    house.append("R1", e.ReplanRequested(at=now(), because="buzzy-api was changed with kubectl"))
    other = plan(services=("buzzy-main",), environment="production")
    house.append("R1", e.PlanProposed(at=now(), plan=other))
    house.until(production, f"Plan #{other.short_digest}")
    looks = len(house.workspace.calls("reactions.get"))
    eventually(
        lambda: (
            len(house.workspace.calls("reactions.get")) > looks + 2
            or house.record.load("R1").release.approvals
        ),
        "it was looked at, or taken for a yes",
    )
    assert house.record.load("R1").release.approvals == ()
    house.person("bob").unreact(production, TICK)
    house.person("bob").react(production, TICK)
    house.until(production, "waiting for 1 of 2 approvals")


@pytest.mark.requirement("C3")
@pytest.mark.parametrize("how", ["reaction", "button"])
def test_one_refusal_ends_it(house: House, production: Message, how: str) -> None:
    """By either; the environment is free."""
    if how == "reaction":
        house.person("carol").react(production, CROSS)
    else:
        house.person("carol").click(production, "Refuse")
    house.until(production, "refused, nothing was changed")
    house.person("carol").wait_for_reply(production, "refused; nothing was changed")
    assert house.record.holder("production") is None


@pytest.mark.requirement("C11")
@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("dan", "Releases to staging are approved by others."),
        ("gus", "Guests can read along"),
        ("mallory", "from another workspace"),
    ],
)
def test_who_may_not_is_told_why_and_nothing_changes(
    house: House, staging: Message, who: str, says: str
) -> None:
    """A developer who is no approver, a guest, somebody of another workspace."""
    house.person(who).react(staging, TICK)
    house.person(who).wait_for_ephemeral(STAGING, says)
    assert state_of(house) is State.WAITING
    assert house.record.load("R1").release.approvals == ()


@pytest.mark.requirement("C11")
def test_who_became_an_approver_just_now_is_one(house: House, staging: Message) -> None:
    """Whoever would be refused is looked up again; what is remembered of them may be old."""
    dan = house.person("dan")
    dan.react(staging, TICK)
    dan.wait_for_ephemeral(STAGING, "approved by others")
    house.workspace.set_group("S0APPROVERS", ["U0BOB", "U0DAN"])
    dan.click(staging, "Approve")
    house.until(staging, "approved, about to start")


@pytest.mark.requirement("C3")
def test_an_answer_on_an_old_message_is_told_that_it_is_late(house: House, staging: Message) -> None:
    """The release has ended; so has the one that waited too long."""
    house.append("R1", e.AbortRequested(at=now(), by=house.record.load("R1").release.request.by))
    house.append("R1", e.ReleaseCancelled(at=now()))
    house.until(staging, "cancelled")
    house.person("bob").react(staging, TICK)
    house.person("bob").wait_for_ephemeral(STAGING, "R1 has ended already: cancelled")


@pytest.mark.requirement("C3")
def test_an_answer_after_the_time_is_over_is_none(house: House) -> None:
    """Although nobody has written the expiry into the record yet."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    made = plan(services=("buzzy-main",))
    house.append("R1", e.PlanProposed(at=now() - timedelta(hours=5), plan=made))
    house.until(message, "waiting for approval")
    house.person("bob").react(message, TICK)
    told = house.person("bob").wait_for_ephemeral(STAGING, "R1 waited too long and has expired")
    assert "/buzzy release 3.2.1 staging" in told
    house.append("R1", e.ReleaseExpired(at=now()))
    house.until(message, "expired: nobody decided in time")


@pytest.mark.requirement("C3", "Q1")
def test_a_reaction_made_while_the_bot_was_down_counts_when_it_is_back(
    house: House, production: Message
) -> None:
    """Slack gives up sending an event after a few tries; what stands on the message stands."""
    house.workspace.change_settings(retry_after=[])
    house.stop()
    house.person("bob").react(production, TICK)
    house.workspace.wait_for_delivery("events_api", event="reaction_added")
    house.start()
    house.until(production, "waiting for 1 of 2 approvals")


@pytest.mark.requirement("C3")
def test_before_the_quorum_the_others_reactions_are_read_again(house: House, production: Message) -> None:
    """One was taken back and its event never came: it does not count towards the quorum."""
    bob = house.person("bob")
    bob.react(production, TICK)
    house.until(production, "waiting for 1 of 2 approvals")
    house.workspace.change_settings(subscriptions=["reaction_added"])
    bob.unreact(production, TICK)
    house.person("carol").react(production, TICK)
    bob.wait_for_reply(production, "took the approval back")
    assert [each.by.name for each in house.record.load("R1").release.approvals] == ["carol"]
    assert state_of(house) is State.WAITING


def test_the_plan_button_shows_the_plan_to_who_presses_it(house: House, staging: Message) -> None:
    """Steps, diff and way back, for their eyes only."""
    dan = house.person("dan")
    dan.click(staging, "Plan")
    shown = dan.wait_for_ephemeral(STAGING, "of R1")
    assert "2. buzzy-main to 3.2.1" in shown
    assert "buzzybuzz/buzzy-main:3.2.0 → buzzybuzz/buzzy-main:3.2.1" in shown
    assert house.person("alice").ephemerals(STAGING)[-1].text.startswith("Noted")


def test_the_abort_button_stops_a_running_release(house: House, staging: Message) -> None:
    """The same as the command, for any member; a worker is sent for at once."""
    house.person("bob").react(staging, TICK)
    house.until(staging, "approved")
    house.run_steps("R1", count=2)
    house.until(staging, "service 2 of 2")
    house.person("dan").click(staging, "Abort")
    house.until(staging, "stopping at the next safe point")
    eventually(lambda: house.queue.depth("rollback") == 1, "the way back is queued")


def test_rolling_back_is_offered_while_nothing_else_went_there(house: House) -> None:
    """On a newer release's account an old message's button is refused, with the line that would do it."""
    first = house.ask("/buzzy release 3.2.1 development", "C0DEV")
    house.planned("R1")
    house.run_steps("R1")
    house.until(first, "released in")
    house.ask("/buzzy release 3.2.2 development", "C0DEV")
    house.planned("R2", "3.2.2")
    house.run_steps("R2")
    dan = house.person("dan")
    dan.click(first, "Roll back")
    told = dan.wait_for_ephemeral("C0DEV", "R2 has gone to development since R1.")
    assert "/buzzy rollback development" in told
    second = dan.wait_for_message("C0DEV", "buzzy 3.2.2 · development")
    dan.wait_until_shows(second, "released in")
    dan.click(second, "Roll back")
    dan.wait_for_message("C0DEV", "R3 · rollback of buzzy")
    assert "R2: Roll back was pressed" in str(house.record.load("R3").release.request.reason)


@pytest.mark.requirement("B6")
def test_on_call_rolls_back_from_the_alert(house: House, staging: Message) -> None:
    """A failure wakes on-call in their channel; the button there is the command; the end ends the alert."""
    house.person("bob").react(staging, TICK)
    house.until(staging, "approved")
    house.run_steps("R1", count=1)
    evidence = e.Evidence(
        service="buzzy-main", pod="buzzy-main-1", reason="CrashLoopBackOff", log=("no such table",)
    )
    house.append(
        "R1",
        e.StepStarted(at=now(), index=1),
        e.StepFailed(at=now(), index=1, reason="buzzy-main crashes at start", evidence=(evidence,)),
        e.ReleaseFailed(at=now(), reason="buzzy-main crashes at start", changed=("buzzy-main",)),
    )
    erin = house.person("erin")
    alert = erin.wait_for_message(ON_CALL, "🚨 R1 · buzzy 3.2.0 → 3.2.1 · staging: failed at buzzy-main")
    assert "S0ONCALL" in str(alert.blocks)
    assert f"p{staging.ts.replace('.', '')}" in str(alert.blocks)
    erin.wait_for_reply(alert, "no such table")
    erin.click(alert, "Roll back")
    erin.wait_for_ephemeral(ON_CALL, "R2 is being planned")
    assert house.record.load("R2").release.request.approval is None
    house.planned("R2", "3.2.0")
    house.run_steps("R2")
    ended = erin.wait_until_shows(alert, "Put right by R2")
    assert ended.buttons == []
    assert len(erin.messages(ON_CALL)) == 1
