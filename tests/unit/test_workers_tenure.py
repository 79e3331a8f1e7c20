"""The hold on the Lease: taken, renewed and let go, with others in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from releases.record import StaleError
from tests.unit.lease_cluster import LeaseCluster
from tests.unit.workers_things import T0, seconds
from workers.cluster import ClusterUnreachableError, LeaseSeen
from workers.tenant import Tenant, is_left, rival, runs_out, tenant_of, usurper
from workers.tenure import LASTS, RENEW_SECONDS, HeldError, TakenOverError, Tenure

OURS = Tenant("ours", "staging", "Acme", "R42", "3.2.1", "alice")
THEIRS = Tenant("theirs", "staging", "Bright", "R7", "3.2.2", "carol")


class Clock:
    """A time that goes on when it is told to."""

    def __init__(self) -> None:
        """It is T0."""
        self.now = T0

    def __call__(self) -> datetime:
        """The time."""
        return self.now


@pytest.fixture
def cluster() -> LeaseCluster:
    """A cluster in which nobody has held anything."""
    return LeaseCluster()


@pytest.fixture
def clock() -> Clock:
    """The time that all have."""
    return Clock()


def tenure(
    cluster: LeaseCluster, clock: Callable[[], datetime], own: Tenant = OURS, writer: str = "a"
) -> Tenure:
    """A worker's, of a release."""
    return Tenure(cluster.port, "buzzy-staging", own, writer, clock)


def nothing() -> None:
    """No fence is needed."""
    raise AssertionError("nobody went without letting go")


def stored(cluster: LeaseCluster) -> LeaseSeen:
    """The Lease as it is."""
    assert cluster.stored is not None
    return cluster.stored


# -- verdicts --------------------------------------------------------------------------------------


def held(by: Tenant, *, holder: str = "b", age: float = 0.0) -> LeaseSeen:
    """A Lease that was renewed so many seconds ago."""
    return LeaseSeen(
        {"name": "buzzy-release", "annotations": replace(by, since=T0).notes()},
        holder=holder,
        lasts=LASTS,
        acquired_at=T0,
        renewed_at=T0 - seconds(age),
    )


@pytest.mark.requirement("Q2")
@pytest.mark.parametrize(
    ("seen", "waits", "took"),
    [
        (LeaseSeen({}), False, False),
        (held(THEIRS), True, True),
        (held(THEIRS, age=59.9), True, True),
        (held(THEIRS, age=60.0), False, True),
        (held(THEIRS, holder=""), False, True),
        (held(replace(OURS, release="R41")), False, False),
        (held(replace(OURS, environment="staging-2")), True, True),
        (held(OURS, holder=""), False, False),
        (replace(held(THEIRS), metadata={}), True, True),
        (replace(held(THEIRS), renewed_at=None), False, True),
    ],
    ids=[
        "never held",
        "held by others",
        "nearly run out",
        "run out",
        "let go by others",
        "an ended release of ours",
        "our other environment in the same namespace",
        "let go by us",
        "held by a stranger that says nothing",
        "no sign of life at all",
    ],
)
def test_who_has_to_be_waited_for_and_who_took_it_over(seen: LeaseSeen, *, waits: bool, took: bool) -> None:
    """Before the start those that are alive count; after it, all others that were there."""
    assert (rival(seen, OURS, T0) is not None) is waits
    assert (usurper(seen, OURS) is not None) is took
    assert is_left(seen, OURS) is (took and bool(seen.holder))


def test_a_tenant_is_read_as_it_was_noted() -> None:
    """All that others are told; what somebody wrote there by hand is no reason to fail."""
    assert tenant_of(held(THEIRS)) == replace(THEIRS, since=T0)
    notes = {"buzzy/installation": "x", "buzzy/since": "yesterday"}
    odd = tenant_of(LeaseSeen({"annotations": notes}, acquired_at=T0))
    assert odd == Tenant("x", "", since=T0)
    assert tenant_of(LeaseSeen({"annotations": notes | {"buzzy/since": "2026-03-01"}})) == Tenant("x", "")
    assert runs_out(held(THEIRS)) == T0 + LASTS


# -- the hold --------------------------------------------------------------------------------------


@pytest.mark.requirement("Q2")
def test_it_is_taken_renewed_and_let_go(cluster: LeaseCluster, clock: Clock) -> None:
    """The holder is the worker, the notes say who; each change of holder counts, a renewal does not."""
    mine = tenure(cluster, clock)
    mine.renew()
    assert (mine.held, cluster.asked) == (False, [])
    mine.take(fence=nothing)
    assert (mine.held, stored(cluster).holder, stored(cluster).transitions) == (True, "a", 1)
    assert tenant_of(stored(cluster)) == replace(OURS, since=T0)
    clock.now += seconds(30)
    mine.renew()
    assert (stored(cluster).renewed_at, stored(cluster).acquired_at) == (clock.now, T0)
    assert stored(cluster).transitions == 1
    assert 0 < mine.rest() <= RENEW_SECONDS
    mine.let_go()
    mine.let_go()
    assert (mine.held, stored(cluster).holder, stored(cluster).transitions) == (False, "", 1)
    assert tenant_of(stored(cluster)) == replace(OURS, since=T0)
    assert cluster.asked == ["get", "create", "update", "update"]


@pytest.mark.requirement("Q2")
def test_the_next_worker_of_the_release_has_it_at_once(cluster: LeaseCluster, clock: Clock) -> None:
    """Since when the release has it stays; the worker before is told to go home."""
    before, after = tenure(cluster, clock), tenure(cluster, clock, writer="b")
    before.take(fence=nothing)
    clock.now += seconds(30)
    after.resume()
    seen = stored(cluster)
    assert (seen.holder, seen.transitions, seen.acquired_at) == ("b", 2, clock.now)
    assert tenant_of(seen) == replace(OURS, since=T0)
    with pytest.raises(StaleError):
        before.renew()
    before.let_go()
    assert stored(cluster).holder == "b"


@pytest.mark.requirement("Q2")
def test_others_are_refused_while_it_is_held(cluster: LeaseCluster, clock: Clock) -> None:
    """They are told who has it and what to do, in a rehearsal as well; nothing is written."""
    tenure(cluster, clock).take(fence=nothing)
    before = cluster.stored
    theirs = tenure(cluster, clock, THEIRS, "b")
    attempts: list[Callable[[], None]] = [
        lambda: theirs.rehearse(theirs.look()),
        lambda: theirs.take(fence=nothing),
    ]
    for attempt in attempts:
        with pytest.raises(HeldError) as refused:
            attempt()
        assert "R42 (3.2.1), asked for by alice in Acme" in str(refused.value)
        assert "/buzzy abort R42" in refused.value.hint
    assert cluster.stored == before
    assert not theirs.held


@pytest.mark.requirement("Q2")
def test_of_two_that_want_it_at_once_one_gets_it(cluster: LeaseCluster, clock: Clock) -> None:
    """Whether it is there already or not: the slower one finds the quicker one's."""
    theirs = tenure(cluster, clock, THEIRS, "b")
    for _ in range(2):
        cluster.before_write = lambda: theirs.take(fence=nothing)
        with pytest.raises(HeldError):
            tenure(cluster, clock).take(fence=nothing)
        assert stored(cluster).holder == "b"
        theirs.let_go()


@pytest.mark.requirement("Q2")
def test_one_that_ran_out_is_fenced_before_it_is_taken(cluster: LeaseCluster, clock: Clock) -> None:
    """The fence comes after the look and before the write; a sign of life in between keeps it theirs."""
    theirs = tenure(cluster, clock, THEIRS, "b")
    theirs.take(fence=nothing)
    clock.now += LASTS
    with pytest.raises(HeldError):
        tenure(cluster, clock).take(fence=theirs.renew)
    clock.now += LASTS
    fenced: list[int] = []
    tenure(cluster, clock).take(fence=lambda: fenced.append(len(cluster.asked)))
    assert cluster.asked[fenced[0] - 1 : fenced[0] + 1] == ["get", "update"]
    with pytest.raises(TakenOverError, match=r"another Buzzy took staging over: R42 \(3\.2\.1\)"):
        theirs.renew()
    with pytest.raises(TakenOverError):
        tenure(cluster, clock, THEIRS, "c").resume()


@pytest.mark.requirement("Q2")
def test_one_that_was_taken_over_is_not_resumed_after_it_was_let_go(
    cluster: LeaseCluster, clock: Clock
) -> None:
    """What the other did meanwhile was not ours."""
    theirs = tenure(cluster, clock, THEIRS, "b")
    theirs.take(fence=nothing)
    theirs.let_go()
    with pytest.raises(TakenOverError):
        tenure(cluster, clock).resume()


@pytest.mark.requirement("Q1")
def test_an_answer_that_is_lost_costs_nothing(cluster: LeaseCluster, clock: Clock) -> None:
    """Whoever cannot know whether the write took effect finds out: at taking, renewing and letting go."""
    mine = tenure(cluster, clock)
    actions: list[Callable[[], None]] = [lambda: mine.take(fence=nothing), mine.renew]
    for action in actions:
        cluster.lose_answer = True
        with pytest.raises(ClusterUnreachableError):
            action()
        action()
        assert (stored(cluster).holder, stored(cluster).transitions) == ("a", 1)
    cluster.lose_answer = True
    with pytest.raises(ClusterUnreachableError):
        mine.renew()
    mine.let_go()
    assert stored(cluster).holder == ""


@pytest.mark.requirement("Q1")
def test_one_that_somebody_removed_is_made_again(cluster: LeaseCluster, clock: Clock) -> None:
    """By who holds it, and by who goes on with a release; there is nothing to let go of."""
    mine = tenure(cluster, clock)
    mine.take(fence=nothing)
    cluster.stored = None
    mine.renew()
    assert stored(cluster).holder == "a"
    cluster.stored = None
    mine.let_go()
    assert cluster.stored is None
    mine.resume()
    assert stored(cluster).holder == "a"


@pytest.mark.requirement("C1")
def test_a_rehearsal_asks_for_each_right_and_changes_nothing(cluster: LeaseCluster, clock: Clock) -> None:
    """To create it only where it is not there."""
    mine = tenure(cluster, clock)
    mine.rehearse(mine.look())
    assert (cluster.stored, cluster.asked) == (None, ["get", "create, rehearsed", "update, rehearsed"])
    mine.take(fence=nothing)
    cluster.asked.clear()
    after = tenure(cluster, clock, writer="b")
    seen = after.look()
    mine.renew()
    after.rehearse(seen)
    cluster.asked.remove("update")
    before = cluster.stored
    assert (cluster.stored, cluster.asked) == (before, ["get", "update, rehearsed"])
