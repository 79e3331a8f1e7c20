"""A version that went back by itself: no proof, and nothing that Buzzy would release again by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from releases import events as e
from releases.config import parse_config
from releases.holding import held, went_back
from releases.lifecycle import Release, fold
from releases.promotion import Candidate, unproven
from releases.proof import Lead, Run, proof_of
from releases.standby import follow
from releases.version import ReleaseType, Version
from tests.unit.test_proof import SERVICES, at, went
from tests.unit.workers_things import ALICE, T0, plan, rollout

CONFIG = """
services: [{name: main, image: buzzybuzz/main}, {name: api, image: buzzybuzz/api}]
environments:
  staging: {namespace: buzzy-staging, channel: C0STAGING}
  production: {namespace: buzzy-production, channel: C0PRODUCTION, requires: {proven_in: staging}}
  dr: {namespace: buzzy-dr, channel: C0DR, follows: production, after: 1h}
"""


def by_itself(number: int, hours: float, new: str, *, alone: bool = True) -> Release:
    """A release that went back after half an hour."""
    planned = plan(*(rollout(each, "3.2.0", new) for each in SERVICES))
    planned = planned.model_copy(update={"new": new, "on_failure": "rollback"})
    asked = e.ReleaseRequested(
        at=at(hours),
        kind="release",
        environment="staging",
        version=new,
        strategy="rolling",
        by=ALICE,
        channel="C0STAGING",
        approval=None,
    )
    back = planned.way_back()
    first = len(planned.steps)
    happened: list[e.Event] = [
        asked,
        e.PlanProposed(at=at(hours), plan=planned),
        e.Approved(at=at(hours), digest=planned.digest),
        e.ReleaseStarted(at=at(hours)),
        *(e.StepStarted(at=at(hours), index=index) for index in range(first)),
        e.TurnedBack(
            at=at(hours + 0.4), steps=back, because="error rate 4.8 % (limit 2 %).", by_itself=alone
        ),
        e.RolledBack(at=at(hours + 0.5)),
    ]
    return fold(f"R{number}", happened)


@pytest.mark.requirement("X9", "S3")
def test_what_went_back_by_itself_is_no_proof_and_says_why() -> None:
    """Also when it had been proven there before; once somebody has released it again, it is."""
    staging = parse_config(CONFIG).environment("production")
    past = [by_itself(2, 2, "3.2.1"), went(1, 0, "3.2.1")]
    proof = proof_of("3.2.1", SERVICES, past)
    assert proof.given_up is past[0]
    assert not proof.released
    refusal = unproven(Candidate(Version.parse("3.2.1"), staging, (ReleaseType.PATCH,), proof), at(3))
    assert refusal is not None
    assert "R2, asked for by alice, went back by itself (error rate 4.8 % (limit 2 %))." in refusal.problem
    again = proof_of("3.2.1", SERVICES, [went(3, 4, "3.2.1"), *past])
    assert again.given_up is None
    assert again.released


@pytest.mark.requirement("X9")
def test_going_back_from_another_version_says_nothing_of_this_one() -> None:
    """3.2.1 stays proven when 3.2.2 goes back to it, and so does what a person stopped."""
    assert proof_of("3.2.1", SERVICES, [by_itself(2, 2, "3.2.2"), went(1, 0, "3.2.1")]).released
    assert proof_of("3.2.1", SERVICES, [by_itself(2, 2, "3.2.1", alone=False), went(1, 0, "3.2.1")]).released


@pytest.mark.requirement("X9")
def test_what_was_wanted_before_it_went_back_is_held() -> None:
    """A person who asks afterwards knows; a release of it that ended otherwise since lifts it."""
    past = [went(2, 1, "3.2.2"), by_itself(1, 0, "3.2.1")]
    assert held("3.2.1", past, at(-1)) is past[1]
    assert held("3.2.1", past, at(1)) is None
    assert held("3.2.2", past, at(-1)) is None
    assert went_back("3.2.1", [went(3, 2, "3.2.1"), *past]) is None


@pytest.mark.requirement("X9", "S3")
def test_a_standby_is_not_given_again_what_it_went_back_from() -> None:
    """Not even when the environment that it follows begins anew to run it."""
    standby = parse_config(CONFIG).environment("dr")
    leading = Lead(Version.parse("3.2.1"), Run("R9", T0))
    has = frozenset({Version.parse("3.2.0")})
    now = T0 + timedelta(hours=2)
    assert follow(standby, leading, [], has, now) is not None
    assert follow(standby, leading, [by_itself(3, 0, "3.2.1")], has, now) is None
