"""Which version a promotion releases, and what is said of one that has not shown enough yet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from releases.config import parse_config
from releases.events import ServiceSeen
from releases.policy import Refusal
from releases.promotion import Candidate, soaking, types_possible, unproven, version_of, went_back
from releases.proof import proof_of
from releases.version import ReleaseType, Version
from tests.unit.bot_tales import seen
from tests.unit.test_proof import SERVICES, at, newest_first, went

V321 = Version.parse("3.2.1")
CONFIG = parse_config(
    """
    services: [{name: main, image: buzzybuzz/main}, {name: api, image: buzzybuzz/api}]
    environments:
      staging: {namespace: a, channel: C0A}
      production:
        namespace: b
        channel: C0B
        requires: {proven_in: staging, soak: 24h, major: {soak: 7d}, hotfix: {soak: 1h}}
        permissions: {hotfix: {from: [S0MANAGERS]}}
    """
)
PRODUCTION, STAGING = CONFIG.environment("production"), CONFIG.environment("staging")
WELL = tuple(seen(name, 3) for name in SERVICES)


def refused(
    *past: object,
    hours: float,
    types: tuple[ReleaseType, ...] = (ReleaseType.PATCH,),
    now: tuple[ServiceSeen, ...] | None = WELL,
) -> Refusal | None:
    """What is said of 3.2.1 for production after these releases to staging."""
    proof = proof_of("3.2.1", SERVICES, newest_first(*past))  # type: ignore[arg-type] # releases
    return unproven(Candidate(V321, PRODUCTION, types, proof, now), at(hours))


@pytest.mark.requirement("C4")
def test_a_promotion_releases_the_one_version_that_runs() -> None:
    """All services, the same version, healthy."""
    assert version_of("staging", WELL) == V321


@pytest.mark.requirement("C4")
@pytest.mark.parametrize(
    ("services", "says"),
    [
        ((), "staging does not run one version: nothing runs there."),
        (
            (seen("main", 3), seen("api", 3, version="3.2.0")),
            "staging does not run one version: main 3.2.1; api 3.2.0.",
        ),
        (
            (seen("main", 3), seen("api", 1, state="2 crashing")),
            "staging runs 3.2.1, but not all of it is healthy: api 2 crashing.",
        ),
        (
            (ServiceSeen(service="main", image="main:latest", version=None, ready=3, total=3),),
            "staging does not run one version: main main:latest.",
        ),
    ],
    ids=["nothing", "two versions", "not healthy", "no version"],
)
def test_what_cannot_be_promoted_is_said_with_what_was_seen(
    services: tuple[ServiceSeen, ...], says: str
) -> None:
    """The reader sees at once what has to be put right."""
    found = version_of("staging", services)
    assert isinstance(found, Refusal)
    assert found.problem == says


@pytest.mark.requirement("C4")
def test_what_was_to_be_promoted_may_be_replaced_but_not_given_up() -> None:
    """A newer one in its place changes nothing; an older one says that somebody went back."""
    newer, older = seen("main", 3, version="3.2.2"), seen("api", 3, version="3.2.0")
    assert went_back("staging", V321, WELL) is None
    assert went_back("staging", V321, (newer, newer)) is None
    refusal = went_back("staging", V321, (newer, older))
    assert refusal is not None
    assert refusal.problem == "staging does not run 3.2.1 any more: main 3.2.2; api 3.2.0."


@pytest.mark.requirement("S3")
def test_a_version_that_soaked_goes_on() -> None:
    """Released at 0:30; at 24:30 it has run for a day, a moment before it has not."""
    assert refused(went(1, 0, "3.2.1"), hours=24.5) is None
    assert refused(went(1, 0, "3.2.1"), hours=24.49) is not None


@pytest.mark.requirement("S3")
def test_one_that_has_not_soaked_is_told_when_it_will_have_and_who_may_sooner() -> None:
    """The refusal has the time, the shorter way and who may take it."""
    refusal = refused(went(1, 0, "3.2.1"), hours=4.5)
    assert refusal is not None
    assert refusal.problem == "3.2.1 has run in staging for 4 h of the 1 d that production asks for."
    assert refusal.ready_at == at(24.5)
    assert refusal.hint == "With `--hotfix` and a `--reason`, 1 h would do."
    assert refusal.who == ("S0MANAGERS",)


@pytest.mark.requirement("S1")
@pytest.mark.parametrize(
    ("type_", "ready"),
    [(ReleaseType.MAJOR, 7 * 24), (ReleaseType.MINOR, 24), (ReleaseType.PATCH, 24), (ReleaseType.HOTFIX, 1)],
)
def test_the_type_says_how_long(type_: ReleaseType, ready: int) -> None:
    """A major release soaks longer, a hotfix shorter; a hotfix that is a minor release is none."""
    assert refused(went(1, 0, "3.2.1"), hours=0.5 + ready, types=(type_,)) is None
    refusal = refused(went(1, 0, "3.2.1"), hours=0.4 + ready, types=(type_,))
    assert refusal is not None
    assert refusal.ready_at == at(0.5 + ready)


def test_while_the_type_is_not_known_only_what_no_type_allows_is_refused() -> None:
    """A worker, who knows, asks again. What is not said to be in a hurry is none of the hurried types."""
    hurried = types_possible((), V321, "hotfix")
    assert refused(went(1, 0, "3.2.1"), hours=2, types=hurried) is None
    assert refused(went(1, 0, "3.2.1"), hours=1, types=hurried) is not None
    refusal = refused(went(1, 0, "3.2.1"), hours=2, types=types_possible((), V321, None))
    assert refusal is not None
    assert "of the 1 d that production asks for" in refusal.problem


@pytest.mark.requirement("S3")
def test_one_that_was_never_released_there_or_given_up_names_the_line_that_helps() -> None:
    """To copy."""
    never = refused(hours=0)
    assert never is not None
    assert "no release of it has come to its end there" in never.problem
    assert never.copy == "/buzzy release 3.2.1 staging"
    back = went(2, 30, "3.2.0", stable="3.2.1", kind="rollback")
    given_up = refused(went(1, 0, "3.2.1"), back, hours=99)
    assert given_up is not None
    assert "given up in staging: R2, asked for by alice, went back" in given_up.problem
    assert given_up.copy == "/buzzy release 3.2.1 staging"


@pytest.mark.requirement("S3")
def test_all_of_it_has_to_be_well_now_unless_it_was_replaced() -> None:
    """Crashes since, somebody's kubectl, a release that broke off: each is named."""
    ill = (seen("main", 3), seen("api", 1, state="2 crashing"))
    other = (seen("main", 3), seen("api", 3, version="3.2.9"))
    soaked = went(1, 0, "3.2.1")
    for now, says in ((ill, "api 2 crashing"), (other, "api runs 3.2.9")):
        refusal = refused(soaked, hours=99, now=now)
        assert refusal is not None
        assert says in refusal.problem
    assert refused(soaked, went(2, 40, "3.2.2", stable="3.2.1"), hours=99, now=None) is None
    failed = refused(soaked, went(2, 40, "3.2.2", stable="3.2.1", end="failed"), hours=99)
    assert failed is not None
    assert "R2 has left it unsettled" in failed.problem
    going = refused(soaked, went(2, 40, "3.2.2", stable="3.2.1", end=""), hours=99)
    assert going is not None
    assert "R2 is changing it just now" in going.problem


def test_one_that_was_replaced_too_early_says_so() -> None:
    """It will not get ready by waiting."""
    refusal = refused(went(1, 0, "3.2.1"), went(2, 4, "3.2.2", stable="3.2.1"), hours=99)
    assert refusal is not None
    assert "R2 took its place" in refusal.hint
    assert refusal.ready_at is None


def test_where_nothing_is_required_everything_goes() -> None:
    """Staging has no such rule."""
    proof = proof_of("3.2.1", SERVICES, [])
    assert unproven(Candidate(V321, STAGING, tuple(ReleaseType), proof), at(0) + timedelta(0)) is None


@pytest.mark.requirement("S1")
def test_the_type_is_the_largest_step_of_all_services() -> None:
    """3.1.4 → 3.2.1 is the larger one."""
    mixed = (seen("main", 3, version="3.2.0"), seen("api", 3, version="3.1.4"))
    assert types_possible(mixed, V321, "hotfix") == (ReleaseType.MINOR,)
    assert types_possible(mixed[:1], V321, "hotfix") == (ReleaseType.HOTFIX,)
    assert len(types_possible((), V321, None)) == 3


@pytest.mark.requirement("S3")
def test_status_says_what_is_ready_for_where() -> None:
    """In how long, by the rule for patches; nothing of what does not run whole, or is required nowhere."""
    past = newest_first(went(1, 0, "3.2.1"))
    assert soaking(CONFIG, "staging", past, at(0.5)) == ("ready for production in 1 d",)
    assert soaking(CONFIG, "staging", past, at(24)) == ("ready for production in 30 min",)
    assert soaking(CONFIG, "staging", past, at(24.5)) == ("ready for production",)
    assert soaking(CONFIG, "production", past, at(24.5)) == ()
    broken = went(2, 4, "3.2.2", stable="3.2.1", end="failed")
    assert soaking(CONFIG, "staging", newest_first(went(1, 0, "3.2.1"), broken), at(24.5)) == ()
