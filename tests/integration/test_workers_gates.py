"""The clock of a gate and the moment before a start, as workers keep them, by a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from releases import approval, gates, steering
from releases import events as e
from releases.closing import Closure
from releases.lifecycle import State
from releases.people import Person
from releases.record import Store
from releases.record.closures import Closures
from releases.record.schedules import Schedules
from tests.integration.workers_world import ALICE, BOB, World, now, world
from workers.reaper import Reaper
from workers.timekeeper import Timekeeper

NEEDED = e.ApprovalNeeded(
    quorum=1,
    approvers=("U0BOB",),
    own_release=True,
    expires_seconds=4 * 3600,
    remind_seconds=2 * 3600,
    escalate_seconds=3 * 3600,
)


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world whose workers look at what closes environments."""
    with world(store, tmp_path) as made:
        made.jobs = made.worker(holds_back=_timekeeper(made, timedelta(0)).holds_back)
        yield made


def _timekeeper(here: World, later: timedelta) -> Timekeeper:
    closures, schedules = Closures(here.store), Schedules(here.store)
    return Timekeeper(here.config, here.record, closures, schedules, lambda: now() + later)


def reap(here: World, **later: float) -> None:
    """A worker that was started just now looks, so much later."""
    here.store.call("DEL", "buzzy:reaper")
    span = timedelta(**later)
    clock = _timekeeper(here, span)
    Reaper(here.store, here.record, here.queue, now=lambda: now() + span, timekeeper=clock).reap()


def waiting(here: World, *, grace_seconds: int = 0) -> str:
    """A release that waits for Bob; its id."""
    id_ = here.ask("3.2.1", approval=NEEDED, grace_seconds=grace_seconds)
    here.work()
    assert here.load(id_).state is State.WAITING
    return id_


def approve(here: World, id_: str) -> None:
    """Bob approves it, as the bot has it written."""
    bob = Person(BOB.id, BOB.name)
    outcome = approval.approve(here.load(id_), bob, now(), via="button", digest=None)
    assert isinstance(outcome, tuple)
    here.record.append(here.record.load(id_), outcome)


def confirm(here: World, id_: str, *, stands: bool = True, **later: float) -> None:
    """A bot reads the approvals, so much later."""
    held = here.record.load(id_)
    happened = gates.confirm(
        held.release,
        now() + timedelta(**later),
        people=lambda user: Person(user, user),
        stands=lambda _: stands,
    )
    here.record.append(held, happened)
    here.queue.put("deployment", "advance", id_)


@pytest.mark.requirement("X2")
def test_a_gate_is_reminded_of_once_by_however_many_workers(here: World) -> None:
    """Reminder, on-call, expiry; each look is another worker's, which remembers nothing."""
    id_ = waiting(here)
    for hours in (1.9, 2.1, 2.2, 3.1, 3.2):
        reap(here, hours=hours)
    assert here.said(id_) == ["release_requested", "plan_proposed", "gate_reminded", "gate_escalated"]
    reap(here, hours=4.1)
    reap(here, hours=4.2)
    assert here.said(id_)[-1] == "release_expired"
    assert here.said(id_).count("release_expired") == 1


@pytest.mark.requirement("X2")
def test_what_expired_has_cleaned_up_and_the_next_one_goes(here: World) -> None:
    """Its environment is free, the cluster has nothing of it, and another release gets through."""
    id_ = waiting(here)
    before = here.deployment("buzzy-main")
    reap(here, hours=4.1)
    assert here.load(id_).state is State.EXPIRED
    assert here.record.holder("staging") is None
    assert here.record.idle() == ()
    assert here.deployment("buzzy-main") == before
    assert here.release("3.2.1").state is State.RELEASED


@pytest.mark.requirement("X2", "C7")
def test_a_release_that_a_lock_holds_is_reminded_of_as_well(here: World) -> None:
    """Whoever asked for it hears that it still waits, then on-call does, then it ends."""
    id_ = waiting(here)
    lock(here)
    approve(here, id_)
    here.queue.put("deployment", "advance", id_)
    here.work()
    assert here.load(id_).state is State.HELD
    for hours in (2.1, 2.2, 3.1, 4.1):
        reap(here, hours=hours)
    assert here.said(id_)[-4:] == ["release_held", "gate_reminded", "gate_escalated", "release_expired"]


def lock(here: World) -> None:
    """Somebody locks staging."""
    closures = Closures(here.store)
    made = Closure(kind="lock", place="staging", by=ALICE, reason="audit", at=now(), claim="x")
    made = made.model_copy(update={"by": e.Actor(id="U0CAROL", name="carol")})
    closures.write(closures.board("staging"), {("lock", "staging"): made.model_dump_json()})


def unlock(here: World) -> None:
    """The lock goes."""
    closures = Closures(here.store)
    closures.write(closures.board("staging"), {("lock", "staging"): ""})


@pytest.mark.requirement("X5", "Q1")
def test_nothing_starts_in_the_moment_and_a_worker_wakes_it_when_no_bot_does(here: World) -> None:
    """Every bot died after the approval, and every job was lost: the cluster stays as it is until then."""
    id_ = waiting(here, grace_seconds=60)
    approve(here, id_)
    here.queue.put("deployment", "advance", id_)  # a job too many changes nothing
    here.work()
    reap(here, seconds=59)
    here.work()
    reap(here, seconds=61)  # somebody may still be reading the reactions
    here.work()
    assert here.load(id_).state is State.ABOUT_TO_START
    assert set(here.versions().values()) == {"3.2.0"}
    reap(here, seconds=91)
    here.work()
    assert here.load(id_).state is State.RELEASED
    approved = [event for event in here.events(id_) if isinstance(event, e.Approved)]
    assert [event.unread for event in approved] == [True]


@pytest.mark.requirement("X5")
def test_a_moment_without_approvals_is_kept_by_workers_alone(here: World) -> None:
    """Nobody had to agree, and the rules want a moment: there is nothing to read."""
    id_ = here.ask("3.2.1", grace_seconds=60)
    here.work()
    assert here.load(id_).state is State.ABOUT_TO_START
    reap(here, seconds=59)
    assert here.load(id_).state is State.ABOUT_TO_START
    reap(here, seconds=61)
    here.work()
    assert here.load(id_).state is State.RELEASED


@pytest.mark.requirement("X5")
def test_what_is_stopped_in_the_moment_has_changed_nothing(here: World) -> None:
    """The environment is free at once, and a job that comes late finds nothing to do."""
    id_ = waiting(here, grace_seconds=60)
    approve(here, id_)
    stopped = steering.abort(here.load(id_), Person(ALICE.id, ALICE.name), now(), None)
    assert isinstance(stopped, tuple)
    here.record.append(here.record.load(id_), stopped)
    here.queue.put("deployment", "advance", id_)
    here.work()
    reap(here, seconds=120)
    assert here.load(id_).state is State.CANCELLED
    assert here.record.holder("staging") is None
    assert set(here.versions().values()) == {"3.2.0"}


@pytest.mark.requirement("Q3")
def test_a_yes_taken_back_while_no_worker_was_there_is_found_before_the_start(here: World) -> None:
    """It was approved an hour ago: a worker that comes now has the approvals read once more."""
    id_ = waiting(here)
    held = here.record.load(id_)
    assert held.release.plan is not None
    digest, long_ago = held.release.plan.digest, now() - timedelta(hours=1)
    given = e.ApprovalGiven(at=long_ago, by=BOB, digest=digest, via="reaction")
    here.record.append(held, [given, e.Approved(at=long_ago, digest=digest)])
    here.queue.put("deployment", "advance", id_)
    here.work()
    assert here.load(id_).state is State.ABOUT_TO_START
    confirm(here, id_, stands=False)
    here.work()
    assert here.load(id_).state is State.WAITING
    approve(here, id_)
    here.queue.put("deployment", "advance", id_)
    here.work()
    assert here.load(id_).state is State.RELEASED


@pytest.mark.requirement("Q3", "C7")
def test_what_was_held_has_its_approvals_read_again_when_its_environment_opens(here: World) -> None:
    """The lock lasted for a while; whoever agreed before it may think otherwise now."""
    id_ = waiting(here)
    lock(here)
    approve(here, id_)
    here.queue.put("deployment", "advance", id_)
    here.work()
    unlock(here)
    reap(here)
    here.work()
    assert here.load(id_).state is State.ABOUT_TO_START
    confirm(here, id_)
    here.work()
    assert here.load(id_).state is State.RELEASED
    assert set(here.versions().values()) == {"3.2.1"}


@pytest.mark.requirement("Q3")
def test_a_plan_that_is_made_again_with_the_same_result_has_its_approvals_read_again(here: World) -> None:
    """The cluster could not be read at the start; the yes that it had is not taken for granted."""
    id_ = waiting(here)
    approve(here, id_)
    here.write(id_, e.ReplanRequested(at=now(), because="the cluster was away"))
    here.queue.put("deployment", "plan", id_)
    here.work()
    assert here.load(id_).state is State.ABOUT_TO_START
    confirm(here, id_, stands=False)
    assert here.load(id_).state is State.WAITING
