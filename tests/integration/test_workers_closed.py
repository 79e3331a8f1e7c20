"""A release that could start and finds its environment closed: it waits, says so, and goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from releases import events as e
from releases.closing import Closure
from releases.lifecycle import State
from releases.record import Store
from releases.record.closures import Closures
from releases.record.schedules import Schedules
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.resources import CONFIG_MAPS
from tests.integration.workers_world import ALICE, BOB, CONFIG, World, now, world
from workers.reaper import Reaper
from workers.timekeeper import Timekeeper

FROZEN = CONFIG.replace(
    "    namespace: buzzy-staging\n",
    """    namespace: buzzy-staging
    freezes:
      windows: [{deny: "* * * * *", for: 1h, reason: year-end}]
""",
)


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world whose workers look at what closes environments."""
    with world(store, tmp_path) as made:
        made.jobs = made.worker(holds_back=timekeeper(made).holds_back)
        yield made


def timekeeper(here: World, *, hours: float = 0) -> Timekeeper:
    """A worker's timekeeper, so many hours from now."""
    closures, schedules = Closures(here.store), Schedules(here.store)
    return Timekeeper(here.config, here.record, closures, schedules, lambda: now() + timedelta(hours=hours))


def reap(here: World, *, hours: float = 0) -> None:
    """Let a worker look for what should be moving."""
    here.store.call("DEL", "buzzy:reaper")
    clock = timekeeper(here, hours=hours)
    Reaper(
        here.store, here.record, here.queue, now=lambda: now() + timedelta(hours=hours), timekeeper=clock
    ).reap()


def lock(here: World, by: e.Actor = BOB, *, place: str = "staging", **more: object) -> None:
    """Somebody locks."""
    closures = Closures(here.store)
    made = Closure.model_validate(
        {"kind": "lock", "place": place, "by": by, "reason": "audit", "at": now(), "claim": "x", **more}
    )
    closures.write(closures.board(place), {("lock", place): made.model_dump_json()})


def unlock(here: World) -> None:
    """The lock goes."""
    closures = Closures(here.store)
    closures.write(closures.board("staging"), {("lock", "staging"): ""})


@pytest.mark.requirement("C7", "X3")
def test_a_release_that_meets_a_lock_at_its_start_waits_and_goes_on(here: World) -> None:
    """It was asked for before the lock came: nothing is touched while it holds; nobody has to ask again."""
    id_ = here.ask("3.2.1")
    lock(here)
    here.work()
    release = here.load(id_)
    assert release.state is State.HELD
    assert release.held is not None
    assert release.held.because == "staging is locked by bob: “audit”."
    assert set(here.versions().values()) == {"3.2.0"}
    reap(here)
    assert here.load(id_).state is State.HELD
    unlock(here)
    reap(here)
    here.work()
    assert here.load(id_).state is State.RELEASED
    assert here.said(id_)[:6] == [
        "release_requested",
        "plan_proposed",
        "approved",
        "release_held",
        "hold_ended",
        "release_started",
    ]


@pytest.mark.requirement("C7")
@pytest.mark.parametrize(
    ("by", "more", "version", "state"),
    [
        (ALICE, {}, "3.2.1", State.RELEASED),
        (BOB, {}, None, State.RELEASED),
        (BOB, {"rollbacks_too": True}, None, State.HELD),
        (BOB, {"until": now()}, "3.2.1", State.RELEASED),
        (BOB, {"place": "all"}, "3.2.1", State.HELD),
    ],
    ids=["own lock", "rollback", "rollbacks too", "run out", "all"],
)
def test_what_a_lock_holds_back_at_the_start(
    here: World, by: e.Actor, more: dict[str, object], version: str | None, state: State
) -> None:
    """The same rules as when it was asked for."""
    lock(here, by, **more)  # type: ignore[arg-type] # what a lock may have
    id_ = here.ask(version)
    here.work()
    assert here.load(id_).state is state


@pytest.mark.requirement("C7")
def test_a_release_that_is_held_can_be_stopped_and_expires_with_its_approvals(here: World) -> None:
    """What was agreed to hours ago is not what people expect any more."""
    needed = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=3600)
    id_ = here.ask("3.2.1", approval=needed)
    here.work()
    plan = here.load(id_).plan
    assert plan is not None
    lock(here)
    here.write(id_, e.ApprovalGiven(at=now(), by=BOB, digest=plan.digest, via="button"))
    here.write(id_, e.Approved(at=now(), digest=plan.digest))
    here.queue.put("deployment", "advance", id_)
    here.work()
    assert here.load(id_).state is State.HELD
    reap(here, hours=0.9)
    assert here.load(id_).state is State.HELD
    reap(here, hours=1.1)
    assert here.load(id_).state is State.EXPIRED
    assert here.record.holder("staging") is None


@pytest.mark.requirement("C7", "Q1")
def test_what_has_begun_is_not_held_back_although_the_record_lost_that(here: World) -> None:
    """A Redis that crashed forgot the start, which the Deployments alone show: it goes on to its end."""
    id_ = here.release("3.2.1").id
    call, key = here.store.call, here.store.key
    happened = [event.event for event in here.events(id_)]
    for _ in happened[happened.index("approved") + 1 :]:
        call("RPOP", key("release", id_, "events"))
    call("HSET", key("environment", "staging"), "release", id_)
    call("SADD", key("active"), id_)
    registry = here.cluster.registry
    here.cluster.run(lambda: registry.delete(CONFIG_MAPS, "buzzy-staging", "buzzy-ledger", DeleteOptions()))
    assert here.load(id_).state is State.APPROVED
    lock(here)
    reap(here)
    here.work()
    assert here.load(id_).state is State.RELEASED
    assert "release_held" not in here.said(id_)


@pytest.mark.requirement("C7", "S2")
def test_a_freeze_is_looked_at_again_at_the_start(store: Store, tmp_path: Path) -> None:
    """A right to pass it, which was given when the release was asked for, still counts."""
    with world(store, tmp_path, config=FROZEN) as here:
        here.jobs = here.worker(holds_back=timekeeper(here).holds_back)
        id_ = here.ask("3.2.1")
        here.work()
        held = here.load(id_).held
        assert held is not None
        assert "staging is frozen" in held.because
        here.abort(id_)
        here.write(id_, e.ReleaseCancelled(at=now()))
        right = e.Passage(kind="freeze", what="", right="carol may pass it", reason="security")
        request = here.load(id_).request.model_copy(update={"over_freezes": right})
        passing = here.record.open(request, delivery="again").release.id
        here.queue.put("deployment", "plan", passing)
        here.work()
        assert here.load(passing).state is State.RELEASED
