"""What an environment's record says of a version: released there, kept, for how long it ran."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from releases import events as e
from releases.lifecycle import Release, fold
from releases.plan import Plan, RollOut
from releases.proof import proof_of
from tests.unit.workers_things import ALICE, T0, plan, rollout

HOUR = timedelta(hours=1)
SERVICES = ("main", "api")


def at(hours: float) -> datetime:
    """So many hours after the beginning."""
    return T0 + hours * HOUR


def went(
    number: int,
    hours: float,
    new: str,
    *,
    stable: str = "3.2.0",
    end: str = "released",
    kind: str = "release",
    services: tuple[str, ...] = (),
) -> Release:
    """A release that began at an hour and took half of one."""
    moves = services or SERVICES
    steps = plan(*(rollout(each, stable, new) for each in moves), kind=kind)
    planned = Plan.model_validate({**steps.model_dump(), "stable": stable, "new": new})
    happened: list[e.Event] = [
        e.ReleaseRequested.model_validate(
            {
                "at": at(hours),
                "kind": kind,
                "environment": "staging",
                "version": new if kind == "release" else None,
                "strategy": "rolling",
                "services": services,
                "by": ALICE,
                "channel": "C0STAGING",
                "approval": None,
            }
        ),
        e.PlanProposed(at=at(hours), plan=planned),
        e.Approved(at=at(hours), digest=planned.digest),
        e.ReleaseStarted(at=at(hours)),
        *(e.StepStarted(at=at(hours), index=index) for index in range(len(moves))),
    ]
    ended = at(hours + 0.5)
    match end:
        case "released":
            happened.append(e.ReleaseFinished(at=ended))
        case "failed":
            happened.append(e.ReleaseFailed(at=ended, reason="it did not come up", changed=moves))
        case "rolled back":
            back = tuple(step for each in planned.steps if (step := each.undo()) is not None)
            assert all(isinstance(step, RollOut) for step in back)
            happened += [e.TurnedBack(at=ended, steps=back, because="?"), e.RolledBack(at=ended)]
    return fold(f"R{number}", happened)


def newest_first(*releases: Release) -> tuple[Release, ...]:
    """As the record has them."""
    return tuple(reversed(releases))


@pytest.mark.requirement("S3")
def test_it_soaks_from_the_end_of_its_release() -> None:
    """Asked for at 0:00, at its end at 0:30: at 2:00 it ran for an hour and a half, and still does."""
    proof = proof_of("3.2.1", SERVICES, [went(1, 0, "3.2.1")])
    assert proof.released
    assert proof.run is not None
    assert (proof.run.release, proof.run.began) == ("R1", at(0.5))
    assert proof.soaked(at(2)) == 1.5 * HOUR


@pytest.mark.requirement("S3")
def test_what_replaced_it_ends_the_soak_but_not_the_proof() -> None:
    """A later release that came to its end; what it ran before counts."""
    proof = proof_of(
        "3.2.1", SERVICES, newest_first(went(1, 0, "3.2.1"), went(2, 4, "3.2.2", stable="3.2.1"))
    )
    assert proof.released
    assert proof.run is None
    assert proof.unsettled is None
    assert proof.newest is not None
    assert proof.newest.id == "R2"
    assert proof.soaked(at(99)) == 3.5 * HOUR


@pytest.mark.requirement("S3")
@pytest.mark.parametrize("to", ["3.2.0", "3.1.4"])
def test_what_was_gone_back_from_is_given_up(to: str) -> None:
    """Whether directly or over its head: whoever goes below it does not trust it."""
    proof = proof_of(
        "3.2.1",
        SERVICES,
        newest_first(
            went(1, 0, "3.2.1"),
            went(2, 4, "3.2.2", stable="3.2.1"),
            went(3, 6, to, stable="3.2.2", kind="rollback"),
            went(4, 8, "3.2.3", stable=to),
        ),
    )
    assert not proof.released
    assert proof.given_up is not None
    assert proof.given_up.id == "R3"


def test_going_back_to_it_keeps_it() -> None:
    """The one above is given up, this one runs again, and its soak goes on."""
    past = newest_first(
        went(1, 0, "3.2.1"),
        went(2, 4, "3.2.2", stable="3.2.1"),
        went(3, 6, "3.2.1", stable="3.2.2", kind="rollback"),
    )
    proof = proof_of("3.2.1", SERVICES, past)
    assert proof.released
    assert proof.given_up is None
    assert proof.soaked(at(7.5)) == 3.5 * HOUR + HOUR
    assert proof_of("3.2.2", SERVICES, past).given_up is not None


def test_released_again_after_it_was_given_up_it_begins_anew() -> None:
    """What it ran before somebody went back from it counts no more."""
    past = newest_first(
        went(1, 0, "3.2.1"), went(2, 4, "3.2.0", stable="3.2.1", kind="rollback"), went(3, 6, "3.2.1")
    )
    proof = proof_of("3.2.1", SERVICES, past)
    assert proof.released
    assert proof.given_up is None
    assert proof.soaked(at(8.5)) == 2 * HOUR


def test_one_that_failed_after_it_leaves_everything_unsettled() -> None:
    """Until somebody puts the environment right, or a later release comes to its end."""
    failed = went(2, 4, "3.2.2", stable="3.2.1", end="failed", services=("main",))
    proof = proof_of("3.2.1", SERVICES, newest_first(went(1, 0, "3.2.1"), failed))
    assert proof.released
    assert proof.unsettled is not None
    assert proof.unsettled.id == "R2"
    back = went(3, 6, "3.2.1", stable="3.2.2", kind="rollback", services=("main",))
    proof = proof_of("3.2.1", SERVICES, newest_first(went(1, 0, "3.2.1"), failed, back))
    assert proof.unsettled is None
    assert proof.soaked(at(7.5)) == 4.5 * HOUR


def test_one_that_was_stopped_and_undone_only_interrupts() -> None:
    """It runs as before, but for the time of that release."""
    undone = went(2, 4, "3.2.2", stable="3.2.1", end="rolled back")
    proof = proof_of("3.2.1", SERVICES, newest_first(went(1, 0, "3.2.1"), undone))
    assert proof.run is not None
    assert proof.soaked(at(5.5)) == 4.5 * HOUR


def test_one_that_is_under_way_stops_the_clock() -> None:
    """What it changes is neither this version nor another one that came to its end."""
    going = went(2, 4, "3.2.2", stable="3.2.1", end="")
    proof = proof_of("3.2.1", SERVICES, newest_first(went(1, 0, "3.2.1"), going))
    assert proof.unsettled is not None
    assert proof.soaked(at(9)) == 3.5 * HOUR


def test_a_part_of_the_services_is_no_proof_of_all() -> None:
    """Released to some services it is proven for these; with the rest it is for all, from then on."""
    part = went(1, 0, "3.2.1", services=("main",))
    assert not proof_of("3.2.1", SERVICES, [part]).released
    assert proof_of("3.2.1", ("main",), [part]).released
    rest = went(2, 4, "3.2.1", services=("api",))
    proof = proof_of("3.2.1", SERVICES, newest_first(part, rest))
    assert proof.released
    assert proof.soaked(at(5.5)) == HOUR


@pytest.mark.parametrize("end", ["failed", "rolled back", ""])
def test_what_never_came_to_its_end_proves_nothing(end: str) -> None:
    """Nor does what was never asked for."""
    assert not proof_of("3.2.1", SERVICES, [went(1, 0, "3.2.1", end=end)]).released
    assert not proof_of("3.2.1", SERVICES, []).released
