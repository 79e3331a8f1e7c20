"""What an environment ran before: where a rollback goes when nobody says."""

from __future__ import annotations

import pytest

from releases.lifecycle import Release
from tests.unit.workers_things import past
from workers.lineage import lineage

V1, V2, V3 = "3.1.4", "3.2.0", "3.2.1"
BOTH_1, BOTH_2, BOTH_3 = ({"main": v, "api": v} for v in (V1, V2, V3))


def both(number: int, stable: str, new: str, *, end: str = "released", kind: str = "release") -> Release:
    """A release of two services."""
    return past(number, {"main": (stable, new), "api": (stable, new)}, end=end, kind=kind)


UP = (both(2, V2, V3), both(1, V1, V2))
"""3.1.4, then 3.2.0, then 3.2.1; the newest first, as the record has it."""


@pytest.mark.requirement("B6")
@pytest.mark.parametrize(
    ("releases", "running", "target"),
    [
        pytest.param((), BOTH_2, None, id="no record"),
        pytest.param(UP[1:], BOTH_2, BOTH_1, id="one release"),
        pytest.param(UP, BOTH_3, BOTH_2, id="two releases"),
        pytest.param(UP, {"main": V3, "api": V2}, BOTH_3, id="one service is elsewhere: to what was stable"),
        pytest.param(UP, {"main": V3}, BOTH_2, id="one service alone"),
        pytest.param((both(3, V3, V2, kind="rollback"), *UP), BOTH_2, BOTH_1, id="a rollback goes on down"),
        pytest.param(
            (both(2, V2, "3.0.0", kind="rollback"), *UP[1:]),
            {"main": "3.0.0", "api": "3.0.0"},
            None,
            id="lower than the record knows: never forward from there",
        ),
        pytest.param(
            (both(4, V2, V1, kind="rollback"), both(3, V3, V2, kind="rollback"), *UP),
            BOTH_1,
            None,
            id="down to the ground",
        ),
        pytest.param(
            (both(3, V3, "3.3.0", end="failed"), *UP), BOTH_3, BOTH_3, id="failed: to what was stable"
        ),
        pytest.param(
            (both(3, V3, "3.3.0", end="untouched"), *UP),
            BOTH_3,
            BOTH_2,
            id="failed before it touched anything",
        ),
        pytest.param((both(3, V3, "3.3.0", end="rolled back"), *UP), BOTH_3, BOTH_2, id="turned back"),
        pytest.param(
            (both(1, V2, V3, end="failed"),), {"main": V3, "api": V2}, BOTH_2, id="the first one failed"
        ),
        pytest.param(
            (both(3, "3.2.1-hot", "3.3.0"), *UP),
            {"main": "3.3.0", "api": "3.3.0"},
            {"main": "3.2.1-hot", "api": "3.2.1-hot"},
            id="changed beside the bot between two releases",
        ),
    ],
)
def test_where_a_rollback_goes(
    releases: tuple[Release, ...], running: dict[str, str], target: dict[str, str] | None
) -> None:
    """From the record, and from what runs."""
    assert lineage(releases).before(running) == target


def test_a_release_of_one_service_is_undone_alone() -> None:
    """The other service stays where it is: it was not part of the last release."""
    releases = (past(2, {"api": (V2, V3)}), both(1, V1, V2))
    assert lineage(releases).before({"main": V2, "api": V3}) == BOTH_2


def test_a_rollback_of_one_service_keeps_the_way_down_for_both() -> None:
    """After it, the next rollback takes the other one along to the same state."""
    releases = (past(3, {"api": (V3, V2)}, kind="rollback"), *UP)
    assert lineage(releases).before({"main": V3, "api": V2}) == BOTH_2


def test_a_service_that_is_new_is_known_from_its_first_release_on() -> None:
    """What it ran before is what that release found."""
    releases = (past(2, {"worker": ("1.0.0", "1.1.0")}), both(1, V1, V2))
    running = {**BOTH_2, "worker": "1.1.0"}
    assert lineage(releases).before(running) == {**BOTH_2, "worker": "1.0.0"}
