"""Two bots, each with a workspace and a Redis of its own, that release to the same namespaces."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.houses import TICK, House

OpenHouse = Callable[..., House]

pytestmark = pytest.mark.timeout(240)  # there are two of everything to start


@pytest.mark.requirement("Q2")
def test_one_releases_and_the_other_says_who_holds_it(open_house: OpenHouse) -> None:
    """The second is told which release it is, whose and since when, and may when that has ended."""
    one = open_house("development", deadline="90s")
    other = open_house("development", beside=one)
    one.hold("buzzy-api", "3.4.0")
    first = one.ask("/buzzy release 3.4.0 development", "development")
    one.until(first, "service 2 of 4")
    second = other.ask("/buzzy release 3.2.2 development", "development", who=other.carol)
    second = other.until(second, "cannot be done, nothing was changed")
    assert (
        "Another Buzzy is releasing to development just now: R1 (3.4.0), asked for by alice in Buzzy, since "
        in second
    )
    assert "/buzzy abort R1" in second
    one.let_go("development", "buzzy-api", "3.4.0")
    one.until(first, "🟢")
    assert set(one.images("development").values()) == {"3.4.0"}
    other.released("/buzzy release 3.4.1 development", "development")
    assert set(one.images("development").values()) == {"3.4.1"}


@pytest.mark.requirement("Q2", "Q3")
def test_an_approval_that_comes_too_late_starts_nothing(open_house: OpenHouse) -> None:
    """Planned while the way was free, approved when the other was at work: refused in the same words."""
    one = open_house("staging", deadline="90s")
    other = open_house("staging", beside=one)
    late = other.ask("/buzzy release 3.2.2 staging", "staging")
    other.until(late, "waiting for approval")
    one.hold("buzzy-api", "3.4.0")
    first = one.ask("/buzzy release 3.4.0 staging", "staging")
    one.bob.react(one.until(first, "waiting for approval"), TICK)
    one.until(first, "service 2 of 4")
    other.bob.react(late, TICK)
    late = other.until(late, "cannot be done, nothing was changed")
    assert "Another Buzzy is releasing to staging just now: R1 (3.4.0)" in late
    one.let_go("staging", "buzzy-api", "3.4.0")
    one.until(first, "🟢")
    assert set(one.images("staging").values()) == {"3.4.0"}
