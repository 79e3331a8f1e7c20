"""What is written into the record when somebody asks, and who is turned away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from releases import events as e
from releases import grammar
from releases.config import Environment, parse_config
from releases.events import ReleaseRequested, Target
from releases.lifecycle import Release, fold
from releases.people import Person, Standing
from releases.policy import Refusal, busy, request, takes_back
from releases.version import Version
from tests.unit.bot_tales import plan
from tests.unit.workers_things import requested

T0 = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
ALICE = Person("U0ALICE", "alice")
BOB = Person("U0BOB", "bob", groups=frozenset({"S0APPROVERS"}))
ERIN = Person("U0ERIN", "erin", groups=frozenset({"S0ONCALL"}))
CONFIG = parse_config(
    """
    services: [{name: buzzy-main, image: buzzybuzz/buzzy-main}]
    environments:
      development: {namespace: buzzy-development, channel: C0DEV}
      production:
        namespace: buzzy-production
        channel: C0RELEASES
        strategy: blue-green
        strategies: [rolling]
        approval: {quorum: 2, from: [S0APPROVERS], own_release: false, expires: 4h}
        alerts: {critical: C0ONCALL, on_call: S0ONCALL}
    """
)
PRODUCTION = CONFIG.environment("production")
DEVELOPMENT = CONFIG.environment("development")
RELEASE = grammar.Release(Version.parse("3.2.1"), "production", reason="fix export timeout")


def asked(
    command: grammar.Release | grammar.Rollback, environment: Environment, who: Person
) -> ReleaseRequested:
    """What is recorded, where it is not refused."""
    outcome = request(command, environment, who, T0)
    assert isinstance(outcome, ReleaseRequested), outcome
    return outcome


@pytest.mark.requirement("C1")
def test_a_release_carries_the_rules_of_its_environment() -> None:
    """The rules are those of the moment of asking: a later edit of the file changes no vote under way."""
    wanted = asked(RELEASE, PRODUCTION, ALICE)
    assert (wanted.version, wanted.environment, wanted.channel) == ("3.2.1", "production", "C0RELEASES")
    assert wanted.reason == "fix export timeout"
    assert wanted.approval is not None
    assert (wanted.approval.quorum, wanted.approval.approvers) == (2, ("S0APPROVERS",))
    assert wanted.approval.expires_seconds == 4 * 3600
    assert not wanted.approval.own_release


def test_where_no_approval_is_wanted_none_is_asked() -> None:
    """Development goes at once."""
    assert asked(grammar.Release(Version.parse("3.2.1"), "development"), DEVELOPMENT, ALICE).approval is None


@pytest.mark.requirement("C11")
@pytest.mark.parametrize("standing", [Standing.GUEST, Standing.FOREIGN, Standing.BOT, Standing.GONE])
@pytest.mark.parametrize("command", [RELEASE, grammar.Rollback("production")], ids=["release", "rollback"])
def test_guests_strangers_and_bots_ask_for_nothing(
    standing: Standing, command: grammar.Release | grammar.Rollback
) -> None:
    """Whatever groups they are in."""
    who = Person("U9", "somebody", standing, frozenset({"S0APPROVERS", "S0ONCALL"}))
    assert isinstance(request(command, PRODUCTION, who, T0), Refusal)


@pytest.mark.requirement("D2")
def test_a_strategy_is_the_environments_own_or_one_that_it_lists() -> None:
    """Any other is refused, with a line without it to copy; a rollback goes by the environment's own."""
    assert asked(RELEASE, PRODUCTION, ALICE).strategy == "blue-green"
    assert asked(replace(RELEASE, strategy="rolling"), PRODUCTION, ALICE).strategy == "rolling"
    assert asked(grammar.Rollback("production"), PRODUCTION, BOB).strategy == "blue-green"
    line = grammar.Release(Version.parse("3.2.1"), "development", strategy="blue-green")
    refusal = request(line, DEVELOPMENT, ALICE, T0)
    assert isinstance(refusal, Refusal)
    assert "Releases to development are rolling, not blue-green" in refusal.problem
    assert refusal.copy == "release 3.2.1 development"


@pytest.mark.parametrize("who", [BOB, ERIN], ids=["approver", "on call"])
def test_a_rollback_by_who_may_approve_or_is_on_call_waits_for_nobody(who: Person) -> None:
    """At three in the morning there is one person awake."""
    assert asked(grammar.Rollback("production"), PRODUCTION, who).approval is None


def test_a_rollback_by_anybody_else_waits_for_one_of_them() -> None:
    """One, whatever quorum a release would need; on-call may be the one."""
    needed = asked(grammar.Rollback("production"), PRODUCTION, ALICE).approval
    assert needed is not None
    assert needed.quorum == 1
    assert needed.approvers == ("S0APPROVERS", "S0ONCALL")


@pytest.mark.requirement("B6")
@pytest.mark.parametrize(
    ("to", "target"),
    [
        (None, None),
        (grammar.ToVersion(Version.parse("3.2.0")), Target(version="3.2.0")),
        (grammar.ToRevision(4), Target(revision=4)),
        (grammar.ToRelease("R37"), Target(release="R37")),
    ],
    ids=["the one before", "version", "revision", "release"],
)
def test_where_a_rollback_goes(to: grammar.Target | None, target: Target | None) -> None:
    """As it was asked for, for the worker to find."""
    assert asked(grammar.Rollback("production", to), PRODUCTION, ERIN).target == target


@pytest.mark.requirement("Q2")
def test_whoever_finds_it_busy_is_told_by_what_and_how_to_stop_it() -> None:
    """The line that was typed is given back, to be sent again."""
    holder = fold("R42", [asked(RELEASE, PRODUCTION, ALICE)])
    refusal = busy(holder, "/buzzy release 3.2.2 production")
    assert "R42 is being planned in production, asked for by alice" in refusal.problem
    assert "/buzzy abort R42" in refusal.hint
    assert refusal.copy == "/buzzy release 3.2.2 production"


def moving(*happened: e.Event, kind: str = "release") -> Release:
    """A release from 3.2.0 to 3.2.1 that has started, and what happened to it since."""
    known = plan(kind=kind)
    begun = (
        requested(kind),
        e.PlanProposed(at=T0, plan=known),
        e.Approved(at=T0, digest=known.digest),
        e.ReleaseStarted(at=T0),
    )
    return fold("R7", (*begun, *happened))


STOPPED = e.AbortRequested(at=T0, by=e.Actor(id="U0BOB", name="bob"))
BACK = grammar.Rollback("staging")


@pytest.mark.requirement("B5", "C6")
@pytest.mark.parametrize(
    ("command", "holder", "expected"),
    [
        pytest.param(BACK, moving(), True, id="what is under way"),
        pytest.param(replace(BACK, to=grammar.ToVersion(Version.parse("3.2.0"))), moving(), True, id="there"),
        pytest.param(
            replace(BACK, to=grammar.ToVersion(Version.parse("3.1.4"))), moving(), False, id="lower"
        ),
        pytest.param(replace(BACK, to=grammar.ToRevision(2)), moving(), False, id="a revision"),
        pytest.param(replace(BACK, services=("buzzy-api",)), moving(), False, id="some of it"),
        pytest.param(replace(BACK, restore=True), moving(), False, id="with the backup"),
        pytest.param(BACK, moving(kind="rollback"), False, id="a rollback is not rolled back"),
        pytest.param(BACK, moving(STOPPED), False, id="it is stopped already"),
        pytest.param(BACK, fold("R7", [requested()]), False, id="nothing was changed yet"),
    ],
)
def test_a_rollback_of_what_is_under_way_is_to_stop_it(
    command: grammar.Rollback, holder: Release, *, expected: bool
) -> None:
    """Where that leads to the same: all of it to what was stable."""
    assert takes_back(command, holder) is expected


@pytest.mark.requirement("B5")
def test_a_rollback_to_elsewhere_is_told_where_stopping_leads() -> None:
    """And that what goes back already is waited for."""
    assert busy(moving(), "/buzzy rollback staging --to 3.1.4").hint == (
        "One release at a time: wait until it has ended, or stop it with `/buzzy abort R7`, "
        "which takes it back to 3.2.0."
    )
    stopping = busy(moving(STOPPED), "/buzzy rollback staging")
    assert stopping.problem == "R7 is being stopped in staging, asked for by alice."
    assert stopping.hint == "One release at a time: wait until it has ended."


STANDBYS = parse_config(
    """
    services: [{name: buzzy-main, image: buzzybuzz/buzzy-main}]
    environments:
      production: {namespace: a, channel: C0A}
      open: {namespace: b, channel: C0B, follows: production, after: 24h, approval: {quorum: 2, from: [S0A]}}
      ruled:
        namespace: c
        channel: C0C
        follows: production
        after: 24h
        permissions: {release: {from: [S0ONCALL]}}
      own:
        namespace: d
        channel: C0D
        follows: production
        after: 24h
        permissions: {release: {from: [S0ONCALL]}, drill: {from: [S0APPROVERS]}}
    """
)


@pytest.mark.requirement("S3", "C11")
def test_a_drill_waits_for_nobody_and_is_for_standbys() -> None:
    """It changes nothing; what follows nobody has nothing to prove."""
    outcome = request(grammar.Drill("open", "quarterly"), STANDBYS.environment("open"), ALICE, T0)
    assert isinstance(outcome, ReleaseRequested)
    assert (outcome.kind, outcome.approval, outcome.reason) == ("drill", None, "quarterly")
    refused = request(grammar.Drill("production"), STANDBYS.environment("production"), ALICE, T0)
    assert isinstance(refused, Refusal)
    assert "production is no standby" in refused.problem
    guest = Person("U0GUEST", "gus", Standing.GUEST)
    assert isinstance(request(grammar.Drill("open"), STANDBYS.environment("open"), guest, T0), Refusal)


@pytest.mark.requirement("S3", "C11")
@pytest.mark.parametrize(
    ("environment", "who", "may"),
    [("ruled", ALICE, False), ("ruled", ERIN, True), ("own", ERIN, False), ("own", BOB, True)],
)
def test_who_may_release_may_drill_unless_there_is_a_rule_for_that(
    environment: str,
    who: Person,
    may: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """The rule is named in the refusal."""
    outcome = request(grammar.Drill(environment), STANDBYS.environment(environment), who, T0)
    assert isinstance(outcome, ReleaseRequested) is may
    if isinstance(outcome, Refusal):
        assert outcome.problem.startswith(f"Drills of {environment} are asked for by others")
