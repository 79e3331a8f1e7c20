"""Promotions, what is required of them, and standbys, on clusters: planned, checked again, followed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from releases import events as e
from releases.lifecycle import Release, State
from releases.record import Record, Store
from releases.version import ReleaseType
from sandbox.cluster.resources import DEPLOYMENTS
from sandbox.redis_server import RedisServer
from tests.integration.workers_world import BOB, CONFIG, World, now, settle, world
from workers.reaper import Reaper
from workers.standbys import Standbys

PRODUCTION = "buzzy-production"
NEEDS_PROOF = "requires: {proven_in: staging, major: {soak: 1h}}"
RULES = (
    CONFIG
    + f"""
  production:
    namespace: buzzy-production
    channel: C0RELEASES
    {NEEDS_PROOF}
  standby: {{namespace: buzzy-dr, channel: C0DR, follows: production, after: 4h}}
"""
)
ONE = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=3600)


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """Staging and production at 3.2.0; production takes what staging proved."""
    with world(store, tmp_path, config=RULES) as made:
        made.cluster.seed_buzzy(namespaces=(PRODUCTION,))
        settle(made.cluster)
        yield made


def tags(here: World, namespace: str = PRODUCTION) -> set[str]:
    """The versions that the Deployments of a namespace ask for."""
    listed = here.cluster.run(lambda: here.cluster.store.listing(DEPLOYMENTS))
    return {
        each["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]
        for each in listed
        if each["metadata"]["namespace"] == namespace
    }


def approve(here: World, id_: str) -> None:
    """Bob approves the plan that waits."""
    plan = here.load(id_).plan
    assert plan is not None
    here.write(id_, e.ApprovalGiven(at=now(), by=BOB, digest=plan.digest, via="button"))
    here.write(id_, e.Approved(at=now(), digest=plan.digest))
    here.queue.put("deployment", "advance", id_)


def promote(here: World, approval: e.ApprovalNeeded | None = None) -> str:
    """Alice promotes staging to production; its id."""
    id_ = here.ask(source="staging", environment="production", approval=approval)
    here.work()
    return id_


@pytest.mark.requirement("C4", "S1")
def test_a_promotion_releases_what_the_other_environment_runs(here: World) -> None:
    """Never retyped: the version is read from the cluster."""
    here.release("3.2.1")
    promoted = here.load(promote(here))
    assert promoted.state is State.RELEASED
    assert promoted.plan is not None
    assert (promoted.plan.new, promoted.plan.type) == ("3.2.1", ReleaseType.PATCH)
    assert tags(here) == {"3.2.1"}


@pytest.mark.requirement("C4")
def test_what_does_not_run_as_one_is_not_promoted(here: World) -> None:
    """Somebody's kubectl in staging: what was seen is said, and nothing changes."""
    here.release("3.2.1")
    here.set_tag("buzzy-api", "3.2.2")
    settle(here.cluster)
    refused = here.load(promote(here))
    assert refused.state is State.IMPOSSIBLE
    assert "staging does not run one version" in refused.reason
    assert "buzzy-api 3.2.2" in refused.reason
    assert tags(here) == {"3.2.0"}


@pytest.mark.requirement("S3")
def test_a_version_that_staging_has_not_proven_is_not_planned(here: World) -> None:
    """Typed or promoted: it runs there, but nobody released it with Buzzy."""
    for name in ("buzzy-main", "buzzy-api", "buzzy-files", "buzzy-worker"):
        here.set_tag(name, "3.2.1")
    settle(here.cluster)
    for id_ in (promote(here), here.ask("3.2.1", environment="production")):
        here.work()
        refused = here.load(id_)
        assert refused.state is State.IMPOSSIBLE
        assert "3.2.1 is not proven in staging" in refused.reason
        assert "`/buzzy release 3.2.1 staging`" in refused.hint


@pytest.mark.requirement("Q2", "S3")
def test_that_another_installation_is_at_work_is_said_before_what_is_not_proven(here: World) -> None:
    """What runs there is in motion: nothing can be said of a plan, whatever is missing in staging."""
    with RedisServer() as server:
        there = Store.connect(server.url, answer_seconds=10)
        other = World(here.cluster, here.kubeconfig, there, config=RULES.replace(NEEDS_PROOF, ""))
        id_ = other.ask("3.2.2", environment="production")
        other.jobs.plan(id_)
        other.worker(stopping=lambda: bool(other.load(id_).changed_services)).advance(id_)
        for asked in (promote(here), here.ask("3.9.9", environment="production")):
            here.work()
            refused = here.load(asked)
            assert refused.state is State.IMPOSSIBLE
            assert refused.reason.startswith("Another Buzzy is releasing to production just now")
        there.close()


@pytest.mark.requirement("Q4", "S3")
def test_that_the_record_was_lost_is_said_before_what_is_not_proven(here: World) -> None:
    """Staging did prove it: the record that says so is the one to bring back."""
    here.release("3.2.1")
    assert here.load(promote(here)).state is State.RELEASED
    here.store.call("FLUSHALL")
    here.queue.waiting.clear()
    for asked in (promote(here), here.ask("3.2.1", environment="production")):
        here.work()
        refused = here.load(asked)
        assert refused.state is State.IMPOSSIBLE
        assert refused.reason.startswith("The record of production was lost")


@pytest.mark.requirement("S1", "S3")
def test_a_major_release_has_to_soak_and_is_told_until_when(here: World) -> None:
    """The type is that of production's own step: from 3.2.0 to 4.0.0."""
    staged = here.release("4.0.0")
    refused = here.load(promote(here))
    assert refused.state is State.IMPOSSIBLE
    assert staged.ended_at is not None
    assert refused.ready_at is not None
    assert abs(refused.ready_at - staged.ended_at - timedelta(hours=1)) < timedelta(seconds=1)


@pytest.mark.requirement("S3", "Q3")
def test_what_was_given_up_since_it_was_approved_does_not_start(here: World) -> None:
    """Proven when it was asked for; then staging went back."""
    here.release("3.2.1")
    id_ = promote(here, approval=ONE)
    assert here.load(id_).state is State.WAITING
    here.rollback()
    assert set(here.versions().values()) == {"3.2.0"}
    approve(here, id_)
    here.work()
    refused = here.load(id_)
    assert refused.state is State.IMPOSSIBLE
    assert "staging does not run 3.2.1 any more" in refused.reason
    assert tags(here) == {"3.2.0"}


@pytest.mark.requirement("C4", "Q3")
def test_what_was_approved_is_promoted_although_staging_has_gone_on(here: World) -> None:
    """The version was settled when it was planned; a newer one in its place is no reason to ask again."""
    here.release("3.2.1")
    id_ = promote(here, approval=ONE)
    here.release("3.2.2")
    approve(here, id_)
    here.work()
    assert here.load(id_).state is State.RELEASED
    assert "replan_requested" not in here.said(id_)
    assert tags(here) == {"3.2.1"}


@pytest.mark.requirement("S1", "Q3")
def test_when_the_base_moves_the_type_moves_and_it_is_asked_again(here: World) -> None:
    """Approved as a patch by one; by the time it starts it would be a minor release, which wants two."""
    two = ONE.model_copy(update={"quorum": 2})
    id_ = here.ask("3.2.1", approval=ONE, approval_by_type={ReleaseType.MINOR: two})
    here.work()
    assert here.load(id_).approvals_missing == 1
    here.set_tag("buzzy-api", "3.1.4")
    settle(here.cluster)
    approve(here, id_)
    here.work()
    again = here.load(id_)
    assert again.state is State.WAITING
    assert again.plan is not None
    assert again.plan.type is ReleaseType.MINOR
    assert (again.approvals, again.approvals_missing) == ((), 2)


@pytest.mark.requirement("S1")
def test_where_a_type_needs_nobody_it_starts_by_itself(here: World) -> None:
    """The same environment asks for one approval of a patch, and for none of a hotfix."""
    rules: dict[str, Any] = {"approval": ONE, "approval_by_type": {ReleaseType.HOTFIX: None}}
    hotfix = here.release("3.2.1", urgency="hotfix", reason="exports fail", **rules)
    assert hotfix.state is State.RELEASED
    minor = here.load(here.ask("3.3.0", urgency="hotfix", reason="exports fail", **rules))
    here.work()
    minor = here.load(minor.id)
    assert minor.state is State.WAITING
    assert minor.plan is not None
    assert "asked for as a hotfix, but is a minor release" in minor.plan.warnings[-1]


@pytest.mark.requirement("S3", "Q1")
def test_a_standby_follows_once_however_often_it_is_looked_at(here: World) -> None:
    """Not before its time; then once, by whichever worker, also if one dies before the job is queued."""
    here.cluster.seed_buzzy(namespaces=("buzzy-dr",))
    settle(here.cluster)
    here.release("3.2.1")
    leading = promote(here)
    ended = here.load(leading).ended_at
    assert ended is not None

    def look(hours: float, closed: object = None) -> None:
        later = ended + timedelta(hours=hours)
        standbys = Standbys(
            here.record, here.config, here.queue, now=lambda: later, closed_to=lambda _: closed
        )
        standbys.look()

    look(3.9)
    look(4.1, closed="frozen")
    assert here.record.recent("standby", 10) == ()
    look(4.1)
    here.queue.waiting.clear()  # the worker died right then
    look(4.1)
    (asked,) = here.record.recent("standby", 10)
    assert (asked.request.by, asked.request.follows) == (e.BUZZY, leading)
    here.queue.waiting.clear()
    Reaper(here.store, here.record, here.queue, now=now).reap()
    here.work()
    assert here.load(asked.id).state is State.RELEASED
    assert tags(here, "buzzy-dr") == {"3.2.1"}
    look(99)
    assert len(here.record.recent("standby", 10)) == 1


@pytest.mark.requirement("S3")
def test_the_reaper_looks_after_standbys_and_costs_little_between(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without news of either environment nothing is read again until it is time."""
    here.release("3.2.1")
    promote(here)
    at = now() + timedelta(hours=5)
    standbys = Standbys(here.record, here.config, here.queue, now=lambda: at)
    Reaper(here.store, here.record, here.queue, now=now, standbys=standbys).reap()
    assert len(here.record.recent("standby", 10)) == 1
    standbys.look()
    read: list[str] = []
    all_of_it = Record.recent

    def recent(record: Record, environment: str, count: int) -> tuple[Release, ...]:
        read.append(environment)
        return all_of_it(record, environment, count)

    monkeypatch.setattr(Record, "recent", recent)
    standbys.look()
    assert read == []
    Standbys(here.record, here.config, here.queue, now=lambda: at).look()
    assert read == ["production", "standby"]
