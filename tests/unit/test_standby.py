"""A standby follows: what, when, once; and how it is seen to differ."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from releases.config import Environment, parse_config
from releases.events import BUZZY, PlanRefused, Target
from releases.lifecycle import Release, apply, begin
from releases.proof import Lead, lead
from releases.snapshot import Snapshot
from releases.standby import Follow, drift, follow, running
from releases.version import Version
from tests.unit.bot_tales import seen
from tests.unit.test_proof import SERVICES, at, newest_first, went


def standby(**rules: Any) -> Environment:  # noqa: ANN401 - keys of an environment
    """A standby of production that follows after four hours."""
    more = "".join(f", {key}: {value}" for key, value in rules.items())
    text = f"""
    services: [{{name: main, image: buzzybuzz/main}}, {{name: api, image: buzzybuzz/api}}]
    environments:
      production: {{namespace: a, channel: C0A}}
      standby: {{namespace: b, channel: C0B, follows: production, after: 4h{more}}}
    """
    return parse_config(text).environment("standby")


STANDBY = standby()


def leading(*past: Release) -> Lead:
    """What production runs, which it must."""
    found = lead(newest_first(*past), SERVICES)
    assert found is not None
    return found


def versions(*texts: str) -> frozenset[Version]:
    """What the standby has."""
    return frozenset(map(Version.parse, texts))


def wanted(
    past: tuple[Release, ...], hours: float, *own: Release, has: str = "3.2.0", where: Environment = STANDBY
) -> Follow | None:
    """What Buzzy asks for."""
    return follow(where, leading(*past), newest_first(*own), versions(has), at(hours))


def test_the_lead_is_what_every_service_was_left_with() -> None:
    """Not what is on its way, not what broke off, not a part of it."""
    first = went(1, 0, "3.2.1")
    assert str(leading(first).version) == "3.2.1"
    assert lead((), SERVICES) is None
    for end in ("", "failed"):
        assert lead(newest_first(first, went(2, 4, "3.2.2", stable="3.2.1", end=end)), SERVICES) is None
    part = went(2, 4, "3.2.2", stable="3.2.1", services=("main",))
    assert lead(newest_first(first, part), SERVICES) is None


@pytest.mark.requirement("S3")
def test_it_is_followed_after_the_time_and_not_before() -> None:
    """Production has it since 0:30."""
    past = (went(7, 0, "3.2.1"),)
    assert wanted(past, 4.4) is None
    asked = wanted(past, 4.5)
    assert asked is not None
    request = asked.request
    assert (request.kind, request.version, request.source) == ("release", "3.2.1", "production")
    assert (request.by, request.follows, request.channel) == (BUZZY, "R7", "C0B")
    assert request.reason == "production has run 3.2.1 since R7, for 4 h"
    assert request.approval is None


@pytest.mark.requirement("S3")
def test_the_standbys_own_rules_hold_for_buzzy_as_well() -> None:
    """Where people have to agree, they have to agree to this."""
    strict = standby(approval="{quorum: 1, from: [S0A], major: {quorum: 2}}")
    asked = wanted((went(7, 0, "3.2.1"),), 5, where=strict)
    assert asked is not None
    assert asked.request.approval is not None
    assert asked.request.approval.approvers == ("S0A",)
    assert [needed.quorum for needed in asked.request.approval_by_type.values() if needed] == [2]


@pytest.mark.requirement("S3", "Q1")
@pytest.mark.parametrize("end", ["released", "failed", "rolled back", ""])
def test_once_asked_it_is_not_asked_again(end: str) -> None:
    """However that ended: people have seen it, and it is theirs now."""
    past = (went(7, 0, "3.2.1"),)
    asked = wanted(past, 5)
    assert asked is not None
    plain = went(8, 5, "3.2.1", end=end)
    own = Release(**{**vars(plain), "request": asked.request})
    assert wanted(past, 99, own) is None


@pytest.mark.requirement("Q1")
def test_what_could_not_be_planned_is_asked_again_after_an_hour() -> None:
    """Nothing was touched; under another name, for the first was used."""
    past = (went(7, 0, "3.2.1"),)
    asked = wanted(past, 5)
    assert asked is not None
    own = apply(begin("R8", asked.request), PlanRefused(at=at(5), reason="production cannot be seen."))
    assert wanted(past, 5.9, own) is None
    again = wanted(past, 6.1, own)
    assert again is not None
    assert again.delivery != asked.delivery


@pytest.mark.requirement("S3")
def test_what_it_has_already_is_not_asked_for() -> None:
    """Whoever put it there."""
    assert wanted((went(7, 0, "3.2.1"),), 99, has="3.2.1") is None


@pytest.mark.requirement("S3")
def test_when_production_went_back_it_goes_back_as_well() -> None:
    """A standby with the version that production gave up is no standby."""
    past = (
        went(7, 0, "3.2.1"),
        went(8, 10, "3.2.2", stable="3.2.1"),
        went(9, 20, "3.2.1", stable="3.2.2", kind="rollback"),
    )
    assert wanted(past, 24, has="3.2.2") is None
    asked = wanted(past, 25, has="3.2.2")
    assert asked is not None
    assert (asked.request.kind, asked.request.target) == ("rollback", Target(version="3.2.1"))
    assert asked.request.follows == "R9"


def snapshot(name: str, version: str, *more: str) -> Snapshot:
    """What was seen: main and api, of these versions."""
    services = zip(SERVICES, (version, *(more or (version,))), strict=True)
    return Snapshot(environment=name, at=at(0), services=tuple(seen(s, 3, version=v) for s, v in services))


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    ("own", "other", "words", "since"),
    [
        (("3.2.1",), ("3.2.1",), "in step with production", None),
        (("3.2.0",), ("3.2.1",), "behind production: 3.2.0, production has 3.2.1", at(0.5)),
        (("3.2.2",), ("3.2.1",), "ahead of production: 3.2.2, production has 3.2.1", at(0.5)),
        (
            ("3.2.0", "3.2.1"),
            ("3.2.1",),
            "not in step with production: 3.2.0 / 3.2.1, production has 3.2.1",
            at(0.5),
        ),
        (("3.2.0",), ("3.2.5",), "behind production: 3.2.0, production has 3.2.5", None),
    ],
    ids=["in step", "behind", "ahead", "mixed", "beside the bot"],
)
def test_how_it_differs(
    own: tuple[str, ...], other: tuple[str, ...], words: str, since: datetime | None
) -> None:
    """In the words that status shows, with the time where the record knows it."""
    leads = leading(went(7, 0, "3.2.1"))
    found = drift(STANDBY, snapshot("standby", *own), snapshot("production", *other), leads)
    assert found is not None
    assert (found.words, found.since) == (words, since)


def test_without_a_look_nothing_is_said() -> None:
    """Better nothing than a guess; and nothing of what follows nobody."""
    assert drift(STANDBY, None, snapshot("production", "3.2.1"), None) is None
    assert drift(STANDBY, snapshot("standby", "3.2.1"), None, None) is None
    assert running(None, (), SERVICES) == frozenset()
    assert running(None, [went(7, 0, "3.2.1")], SERVICES) == versions("3.2.1")
    assert running(snapshot("standby", "3.2.0"), [went(7, 0, "3.2.1")], SERVICES) == versions("3.2.0")
