"""The rules of an environment, from what people type and press to what is recorded and told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from releases import events as e
from releases.lifecycle import State
from releases.snapshot import Snapshot
from releases.version import ReleaseType
from sandbox.workspace import Message
from tests.integration.bot_house import (
    GENERAL,
    PRODUCTION,
    STAGING,
    TICK,
    House,
    eventually,
    now,
    open_house,
)
from tests.unit.bot_tales import seen

CONFIG = """
services:
  - {name: buzzy-main, image: buzzybuzz/buzzy-main}
  - {name: buzzy-api, image: buzzybuzz/buzzy-api}
environments:
  staging:
    namespace: buzzy-staging
    channel: C0STAGING
    permissions:
      release: {from: [U0ALICE], in: [C0STAGING]}
      rollback: {from: [S0ONCALL]}
      abort: {from: [S0ONCALL]}
      hotfix: {from: [U0DAN]}
  production:
    namespace: buzzy-production
    channel: C0RELEASES
    requires: {proven_in: staging, soak: 24h, hotfix: {soak: 1h}}
    approval: {quorum: 2, from: [S0APPROVERS], major: {quorum: 3}, hotfix: {quorum: 1}, security: {quorum: 0}}
    audience: [C0GENERAL, C0ONCALL]
  standby: {namespace: buzzy-standby, channel: C0DR, follows: production, after: 24h}
"""


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot with rules."""
    with open_house(redis_url, config=CONFIG) as opened:
        yield opened


def proven(house: House, hours: float) -> None:
    """Staging ran 3.2.1 whole for so many hours, and does."""
    at = now() - timedelta(hours=hours)
    alice = e.Actor(id="U0ALICE", name="alice")
    asked = e.ReleaseRequested(
        at=at,
        kind="release",
        environment="staging",
        version="3.2.1",
        strategy="rolling",
        by=alice,
        channel=STAGING,
        approval=None,
    )
    release = house.record.open(asked, delivery="long ago").release
    made = house.planned(release.id)
    house.append(release.id, e.ReleaseStarted(at=at))
    for index, _ in enumerate(made.steps):
        house.append(release.id, e.StepStarted(at=at, index=index))
        house.append(release.id, e.StepFinished(at=at, index=index, changed=True))
    house.append(release.id, e.ReleaseFinished(at=at))
    eventually(lambda: house.record.behind() == (), "it is told")
    look(house, "staging", "3.2.1")
    look(house, "production", "3.2.0")


def look(house: House, environment: str, version: str) -> None:
    """A worker looked at an environment."""
    services = tuple(seen(name, 3, version=version) for name in ("buzzy-main", "buzzy-api"))
    house.record.see(Snapshot(environment=environment, at=now(), services=services))


def whisper(house: House, who: str, line: str, says: str, channel: str = PRODUCTION) -> Message:
    """Somebody types a line, and is told something."""
    person = house.person(who)
    person.command(line, channel)
    return person.wait_for_ephemeral(channel, says)


@pytest.mark.requirement("C11")
def test_a_release_is_for_those_whom_the_rule_names(house: House) -> None:
    """The refusal names the rule and who may; nothing is held."""
    told = whisper(house, "bob", "/buzzy release 3.2.1 staging", "asked for by others", STAGING)
    assert "permissions.release" in told
    assert "U0ALICE" in str(told.blocks)
    assert house.record.holder("staging") is None
    house.ask("/buzzy release 3.2.1 staging", STAGING)


@pytest.mark.requirement("C11")
def test_a_release_is_asked_for_where_the_rule_says(house: House) -> None:
    """The same person, in another channel."""
    told = whisper(house, "alice", "/buzzy release 3.2.1 staging", "in other channels", GENERAL)
    assert STAGING in str(told.blocks)
    assert house.record.holder("staging") is None


@pytest.mark.requirement("C11", "S2")
def test_who_is_in_a_hurry_is_judged_by_the_rule_for_that(house: House) -> None:
    """Dan may ask for hotfixes, Alice for the others; neither for both."""
    line = '/buzzy release 3.2.1 staging --hotfix --reason "exports fail"'
    whisper(house, "alice", line, "Hotfixes to staging are asked for by others", STAGING)
    house.ask(line, STAGING, who="dan")
    assert house.record.load("R1").release.request.urgency == "hotfix"


@pytest.mark.requirement("S2")
def test_a_hurry_needs_a_reason(house: House) -> None:
    """Said at once, with the line to complete."""
    told = whisper(house, "dan", "/buzzy release 3.2.1 staging --hotfix", "--hotfix needs a reason", STAGING)
    assert '--reason "what it is for"' in told


@pytest.mark.requirement("C11")
def test_an_abort_is_for_those_whom_the_rule_names_and_for_who_asked(house: House) -> None:
    """By command and by button alike."""
    message = house.ask("/buzzy release 3.2.1 staging", STAGING)
    house.planned("R1")
    house.until(message, "approved, about to start")
    whisper(house, "bob", "/buzzy abort R1", "stopped by others", STAGING)
    house.person("dan").click(message, "Abort")
    house.person("dan").wait_for_ephemeral(STAGING, "stopped by others")
    assert house.record.load("R1").release.state is State.APPROVED
    house.person("alice").command("/buzzy abort R1", STAGING)
    eventually(lambda: house.record.load("R1").release.abort is not None, "it is stopped")


@pytest.mark.requirement("C11")
@pytest.mark.parametrize("who", ["gus", "mallory"])
def test_no_rule_lets_guests_and_strangers_in(redis_url: str, who: str) -> None:
    """Not even one that names them."""
    config = CONFIG.replace("{from: [U0ALICE], in: [C0STAGING]}", "{from: [U0GUEST, U0OTHER]}")
    with open_house(redis_url, config=config) as house:
        whisper(house, who, "/buzzy release 3.2.1 staging", "members of this", STAGING)
        assert house.record.holder("staging") is None


@pytest.mark.requirement("C7", "C11")
def test_who_may_not_release_may_not_lock_or_schedule(house: House) -> None:
    """The rule for releases, with who may and where; and nobody is in anybody's way."""
    for who, line, says, channel in [
        (
            "bob",
            '/buzzy lock staging --reason "audit"',
            "Locks of staging are set and opened by others",
            STAGING,
        ),
        ("alice", '/buzzy lock staging --reason "audit"', "in other channels", PRODUCTION),
        ("alice", '/buzzy lock all --reason "audit"', "in other channels", PRODUCTION),
        (
            "bob",
            "/buzzy schedule 3.2.1 staging tomorrow 10:00",
            "Releases to staging are asked for by",
            STAGING,
        ),
        ("alice", "/buzzy schedule 3.2.1 staging tomorrow 10:00", "in other channels", PRODUCTION),
    ]:
        whisper(house, who, line, says, channel)
    whisper(house, "alice", "/buzzy calendar", "Open; nothing is due.", STAGING)
    whisper(house, "alice", '/buzzy lock all --reason "audit"', "locked until you unlock it", STAGING)
    whisper(house, "bob", "/buzzy unlock all", "set and opened by others", STAGING)


@pytest.mark.requirement("C4", "C7", "S2")
def test_a_promotion_waits_in_line_and_a_hotfix_is_stopped_by_a_lock(house: House) -> None:
    """What was typed comes back as it was; a hurry passes freezes, and no lock of somebody."""
    proven(house, 25)
    house.person("carol").command('/buzzy lock production --reason "audit"', PRODUCTION)
    house.person("carol").wait_for_message(PRODUCTION, "production is locked")
    told = whisper(house, "alice", "/buzzy promote staging production --wait", "You are next for production")
    assert "/buzzy promote staging production" in told
    whisper(
        house,
        "bob",
        '/buzzy promote staging production --hotfix --reason "exports fail"',
        "production is locked by",
    )
    house.person("carol").command("/buzzy unlock production", PRODUCTION)
    turn = house.person("alice").wait_for_message(PRODUCTION, "you are next")
    assert "/buzzy promote staging production" in turn
    house.ask("/buzzy promote staging production", PRODUCTION)


@pytest.mark.requirement("S3")
def test_what_staging_has_not_proven_is_refused_at_once(house: House) -> None:
    """With the line that proves it."""
    told = whisper(house, "alice", "/buzzy release 3.2.1 production", "3.2.1 is not proven in staging")
    assert "/buzzy release 3.2.1 staging" in told
    assert house.record.holder("production") is None


@pytest.mark.requirement("C4", "S3")
def test_a_promotion_of_what_has_not_soaked_says_when_it_will_have(house: House) -> None:
    """In the reader's own time; and how a hotfix could go sooner."""
    proven(house, 2)
    told = whisper(
        house, "alice", "/buzzy promote staging production", "has run in staging for 2 h of the 1 d"
    )
    assert "--hotfix" in told
    assert "1 h would do" in told
    assert "'type': 'date'" in str(told.blocks)
    line = '/buzzy promote staging production --hotfix --reason "exports fail"'
    message = house.ask(line, PRODUCTION)
    house.planned("R2", type_=ReleaseType.HOTFIX)
    message = house.until(message, "waiting for approval")
    assert "hotfix · rolling · from staging" in message


@pytest.mark.requirement("C4")
def test_a_promotion_is_recorded_without_a_version(house: House) -> None:
    """Which one it is, the worker sees in the cluster."""
    proven(house, 25)
    house.ask("/buzzy promote staging production", PRODUCTION)
    request = house.record.load("R2").release.request
    assert (request.source, request.version) == ("staging", None)


@pytest.mark.requirement("S1")
def test_the_type_of_the_plan_says_how_many_have_to_agree(house: House) -> None:
    """Planned as a patch two; when its base moved and it is a major release, three, and all anew."""
    proven(house, 25)
    message = house.ask("/buzzy promote staging production", PRODUCTION)
    house.planned("R2")
    house.until(message, "waiting for 2 of 2 approvals")
    house.person("bob").react(message, TICK)
    house.until(message, "waiting for 1 of 2 approvals")
    house.append("R2", e.ReplanRequested(at=now(), because="Since the plan was made, something moved."))
    house.planned("R2", type_=ReleaseType.MAJOR)
    message = house.until(message, "waiting for 3 of 3 approvals")
    assert "major · rolling" in message


@pytest.mark.requirement("C3", "C11", "Q3")
def test_who_is_an_approver_no_more_has_not_approved(house: House) -> None:
    """Bob said yes and left the group: before the last yes counts, his is taken off, and told so."""
    proven(house, 25)
    message = house.ask("/buzzy promote staging production", PRODUCTION)
    house.planned("R2")
    message = house.until(message, "waiting for 2 of 2 approvals")
    house.person("bob").react(message, TICK)
    house.until(message, "waiting for 1 of 2 approvals")
    house.workspace.set_group("S0APPROVERS", ["U0CAROL", "U0DAN"])
    house.person("carol").click(message, "Approve")
    house.person("carol").wait_for_reply(message, "bob may not approve any more")
    release = house.record.load("R2").release
    assert release.state is State.WAITING
    assert [given.by.name for given in release.approvals] == ["carol"]
    house.person("dan").click(message, "Approve")
    house.until(message, "approved, about to start")


@pytest.mark.requirement("S2", "Q1")
def test_a_wider_audience_hears_of_a_hurry_at_its_start_and_at_its_end(house: House) -> None:
    """Once each, in each channel, although an answer is lost; what never started is told to nobody."""
    proven(house, 25)
    line = '/buzzy promote staging production --security --reason "a leak"'
    message = house.ask(line, PRODUCTION)
    house.planned("R2", type_=ReleaseType.SECURITY)
    house.until(message, "approved, about to start")
    assert house.person("alice").messages(GENERAL) == []
    house.workspace.fail("chat.postMessage", cut="after", channel=GENERAL)
    house.run_steps("R2")
    for channel in (GENERAL, "C0ONCALL"):
        first, last = house.person("alice").wait(
            lambda channel=channel: (both := house.person("alice").messages(channel)) and both[1:] and both,  # type: ignore[misc]
            10,
            "both are told",
        )
        assert "security release R2" in first.shown
        assert "has started" in first.shown
        assert "“a leak”" in first.shown
        assert "released in" in last.shown
    eventually(lambda: house.record.behind() == (), "everything is told")
    assert len(house.person("alice").messages(GENERAL)) == 2


@pytest.mark.requirement("S3")
def test_status_says_whether_the_standby_is_in_step(house: House) -> None:
    """Behind, with both versions; in step."""
    look(house, "production", "3.2.1")
    look(house, "standby", "3.2.0")
    look(house, "staging", "3.2.1")
    whisper(house, "alice", "/buzzy status", "behind production: 3.2.0, production has 3.2.1", STAGING)
    look(house, "standby", "3.2.1")
    whisper(house, "alice", "/buzzy status standby", "in step with production", STAGING)
