"""Who may answer what, and what the answer does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from releases import approval, gates, steering
from releases import events as e
from releases.lifecycle import Release, State, apply, fold
from releases.people import Person, Standing
from releases.plan import Plan
from releases.policy import Refusal

T0 = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
LATER = T0 + timedelta(minutes=5)
ALICE = Person("U0ALICE", "alice")
BOB = Person("U0BOB", "bob", groups=frozenset({"S0APPROVERS"}))
CAROL = Person("U0CAROL", "carol", groups=frozenset({"S0APPROVERS"}))
DAN = Person("U0DAN", "dan")
PLAN = Plan(
    kind="release",
    application="buzzy",
    environment="production",
    namespace="buzzy-production",
    strategy="rolling",
    stable="3.2.0",
    new="3.2.1",
    steps=(),
)


def waiting(*, quorum: int = 2, own_release: bool = False, by: Person = ALICE) -> Release:
    """A release to production whose plan waits for approvals by the approvers' group."""
    needed = e.ApprovalNeeded(
        quorum=quorum, approvers=("S0APPROVERS",), own_release=own_release, expires_seconds=3600
    )
    requested = e.ReleaseRequested(
        at=T0,
        kind="release",
        environment="production",
        version="3.2.1",
        strategy="rolling",
        by=by.actor,
        channel="C0RELEASES",
        approval=needed,
    )
    return fold("R7", [requested, e.PlanProposed(at=T0, plan=PLAN)])


def after(release: Release, outcome: approval.Outcome) -> Release:
    """The release after an answer that counts."""
    assert not isinstance(outcome, Refusal), outcome
    for event in outcome:
        release = apply(release, event)
    return release


def yes(release: Release, who: Person, now: datetime = LATER, digest: str | None = None) -> approval.Outcome:
    """A tick on the message."""
    return approval.approve(release, who, now, via="reaction", digest=digest)


@pytest.mark.requirement("Q3")
def test_while_it_is_planned_again_a_yes_has_nothing_to_count_for() -> None:
    """The plan that is gone cannot be approved, and the next is not there yet: it is said, no more."""
    again = apply(
        after(waiting(quorum=1), yes(waiting(quorum=1), BOB)), e.ReplanRequested(at=LATER, because="it moved")
    )
    refusal = yes(again, CAROL)
    assert isinstance(refusal, Refusal)
    assert "is being planned" in refusal.problem


@pytest.mark.requirement("C3")
def test_the_quorum_approves() -> None:
    """Two different approvers make it approved; one does not."""
    release = after(waiting(), yes(waiting(), BOB))
    assert release.state is State.WAITING
    release = after(release, yes(release, CAROL))
    assert release.state is State.APPROVED


@pytest.mark.requirement("C3")
def test_one_person_counts_once() -> None:
    """A reaction and a button of the same person are one approval."""
    release = after(waiting(), yes(waiting(), BOB))
    assert yes(release, BOB) == ()
    assert approval.approve(release, BOB, LATER, via="button", digest=PLAN.digest) == ()


@pytest.mark.requirement("C3")
def test_taking_it_back_counts_until_the_start() -> None:
    """Before the start a withdrawal takes the approval away; afterwards they are told how to stop it."""
    one = after(waiting(), yes(waiting(), BOB))
    assert after(one, approval.withdraw(one, BOB, LATER)).approvals == ()
    both = after(one, yes(one, CAROL))
    assert after(both, approval.withdraw(both, BOB, LATER)).state is State.WAITING
    too_late = approval.withdraw(apply(both, e.ReleaseStarted(at=LATER)), BOB, LATER)
    assert isinstance(too_late, Refusal)
    assert too_late.copy == "/buzzy abort R7"
    assert approval.withdraw(one, DAN, LATER) == ()


@pytest.mark.requirement("C11")
@pytest.mark.parametrize(
    "who",
    [
        DAN,
        ALICE,
        Person("U1", "gus", Standing.GUEST, frozenset({"S0APPROVERS"})),
        Person("U2", "mallory", Standing.FOREIGN, frozenset({"S0APPROVERS"})),
        Person("U3", "robot", Standing.BOT, frozenset({"S0APPROVERS"})),
        Person("U4", "left", Standing.GONE, frozenset({"S0APPROVERS"})),
    ],
    ids=["no approver", "asker", "guest", "other workspace", "bot", "deactivated"],
)
def test_whoever_may_not_approve_changes_nothing(who: Person) -> None:
    """Membership of the group does not help a guest, a stranger or a bot."""
    for answer in (yes(waiting(), who), approval.approve(waiting(), who, LATER, via="button", digest=None)):
        assert isinstance(answer, Refusal)
        assert answer.problem


@pytest.mark.requirement("C11")
def test_own_release_where_the_environment_allows_it() -> None:
    """An approver may approve their own release only where `own_release` says so."""
    forbidden, allowed = waiting(by=BOB), waiting(by=BOB, own_release=True)
    assert isinstance(yes(forbidden, BOB), Refusal)
    assert after(allowed, yes(allowed, BOB)).approvals_missing == 1


@pytest.mark.requirement("Q3")
def test_an_answer_to_an_earlier_plan_does_not_count() -> None:
    """A button carries the digest that was on the screen when it was pressed."""
    answer = approval.approve(waiting(), BOB, LATER, via="button", digest="0" * 64)
    assert isinstance(answer, Refusal)
    assert "changed" in answer.problem


def test_after_expiry_nothing_counts_and_the_person_is_told() -> None:
    """Also when the expiry has not been written down yet."""
    late = T0 + timedelta(hours=2)
    answer = yes(waiting(), BOB, late)
    assert isinstance(answer, Refusal)
    assert answer.copy == "/buzzy release 3.2.1 production"
    assert [type(event) for event in gates.settle(waiting(), late)] == [e.ReleaseExpired]
    assert gates.settle(waiting(), LATER) == ()
    expired = after(waiting(), gates.settle(waiting(), late))
    assert isinstance(yes(expired, BOB, late), Refusal)


def test_a_no_by_an_approver_or_by_the_asker_ends_it() -> None:
    """One refusal is enough; somebody else's is not a refusal."""
    for who in (BOB, ALICE):
        release = after(waiting(), approval.refuse(waiting(), who, LATER, via="reaction"))
        assert release.state is State.REFUSED
    assert isinstance(approval.refuse(waiting(), DAN, LATER, via="reaction"), Refusal)


def test_abort_while_it_waits_ends_it_at_once() -> None:
    """Nothing was changed, so there is nothing to undo."""
    release = after(waiting(), steering.abort(waiting(), ALICE, LATER, None))
    assert release.state is State.CANCELLED


def test_abort_while_it_runs_asks_the_worker() -> None:
    """The worker stops at its next safe point; asking twice is asking once."""
    approved = apply(waiting(), e.Approved(at=T0, digest=PLAN.digest))
    running = apply(approved, e.ReleaseStarted(at=T0))
    aborting = after(running, steering.abort(running, DAN, LATER, "wrong one"))
    assert aborting.state is State.ABORTING
    assert steering.abort(aborting, DAN, LATER, None) == ()
    ended = apply(aborting, e.ReleaseCancelled(at=T0))
    assert isinstance(steering.abort(ended, DAN, LATER, None), Refusal)


@pytest.mark.requirement("C11", "B2")
def test_who_may_say_that_a_release_is_good() -> None:
    """Whoever asked for it, and those whom the rule lets; while it asks, and never strangers."""
    nobody = Refusal("Releases to production are asked for by others.")
    running = after(waiting(quorum=1), yes(waiting(quorum=1), BOB))
    running = apply(running, e.ReleaseStarted(at=LATER))
    asking = apply(running, e.DecisionAsked(at=LATER, index=0, because="Nothing could be said."))

    def finish(release: Release, who: Person, rule: Refusal | None = nobody) -> approval.Outcome:
        return steering.finish(release, who, LATER, via="button", allowed=lambda _: rule)

    assert finish(asking, ALICE) == (e.MonitorSettled(at=LATER, by=ALICE.actor, via="button"),)
    assert isinstance(finish(asking, BOB, None), tuple)
    assert finish(asking, BOB) is nobody
    guest = Person("U0ALICE", "alice", standing=Standing.GUEST)
    for release, who in ((asking, guest), (running, ALICE), (waiting(), ALICE)):
        assert isinstance(finish(release, who, None), Refusal)
