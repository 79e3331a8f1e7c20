"""The checklist against a cluster and a record: what is there, what is missing, what is mended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from releases import events as e
from releases.checklist import Item, Outcome
from releases.lifecycle import Release, State
from releases.record import Store
from releases.record.told import Place, Told
from sandbox.cluster.resources import CONFIG_MAPS, RESOURCE_QUOTAS
from tests.integration.workers_world import CONFIG, NAMESPACE, TOKEN, World, now, role, world
from workers.around import Around

LISTED = CONFIG.replace(
    "channel: C0STAGING",
    "channel: C0STAGING\n    checklist: [image, configuration, rollback, capacity, alerts]",
)


@pytest.fixture
def stage(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world whose staging has a checklist."""
    with world(store, tmp_path, config=LISTED) as made:
        told = Told(store, "test")

        def failed(environment: str) -> list[Release]:
            return [made.load(id_) for id_ in sorted(told.alerts(environment))]

        made.around = Around(alerts=failed)
        made.jobs = made.worker()
        yield made


def planned(stage: World, **given: Any) -> Release:  # noqa: ANN401 - as `ask`
    """A release that was asked for and planned; it starts if nothing is in its way."""
    id_ = stage.ask("3.2.1", **given)
    stage.work()
    return stage.load(id_)


def item(release: Release, name: str) -> Item:
    """An item of its checklist."""
    return next(each for each in release.checklist if each.name == name)


def quota(stage: World, hard: dict[str, str], used: dict[str, str]) -> None:
    """The namespace gets a quota, and somebody has counted what is used of it."""

    def create() -> None:
        thing = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q", "namespace": NAMESPACE},
        }
        made = stage.cluster.registry.create(
            RESOURCE_QUOTAS, {**thing, "spec": {"hard": hard}}, manager="test"
        )

        def count(each: dict[str, Any]) -> None:
            each["status"] = {"hard": hard, "used": used}

        stage.cluster.registry.modify(RESOURCE_QUOTAS, made, count, manager="test", subresource="status")

    stage.cluster.run(create)


@pytest.mark.requirement("D1")
def test_all_that_checks_itself_is_green_or_says_that_it_is_not_known(stage: World) -> None:
    """In the order of the file, each with its evidence; what is not known does not block."""
    release = planned(stage)
    assert release.state is State.RELEASED
    assert [(each.name, each.outcome) for each in release.checklist] == [
        ("image", Outcome.UNKNOWN),
        ("configuration", Outcome.GREEN),
        ("rollback", Outcome.GREEN),
        ("capacity", Outcome.UNKNOWN),
        ("alerts", Outcome.GREEN),
    ]
    assert all(each.evidence for each in release.checklist)


@pytest.mark.requirement("D1")
@pytest.mark.parametrize(("used", "state"), [("1400m", State.RELEASED), ("1401m", State.WAITING)])
def test_a_quota_that_has_no_room_for_the_surge_blocks(stage: World, used: str, state: State) -> None:
    """One pod of 100 millicores beside those that are there: at the boundary and beyond it."""
    quota(stage, {"requests.cpu": "1500m"}, {"requests.cpu": used})
    release = planned(stage)
    assert release.state is state
    found = item(release, "capacity")
    assert found.outcome is (Outcome.GREEN if state is State.RELEASED else Outcome.RED)
    assert f"needs 0.1 of {'0.1' if state is State.RELEASED else '0.099'} free" in found.evidence


@pytest.mark.requirement("D1")
def test_a_right_that_is_missing_leaves_room_unknown(stage: World) -> None:
    """And says which right it would take; the release goes on."""
    less = [rule for rule in role() if "resourcequotas" not in rule.resources]
    stage.cluster.add_user(TOKEN, "buzzy-worker", less)
    release = planned(stage)
    assert release.state is State.RELEASED
    assert "its Role there needs resourcequotas: list" in item(release, "capacity").evidence


@pytest.mark.requirement("D1")
def test_configuration_that_is_missing_blocks_until_it_is_there(stage: World) -> None:
    """It is looked at again when somebody says so."""

    def wants(thing: dict[str, Any]) -> None:
        container = thing["spec"]["template"]["spec"]["containers"][0]
        container["envFrom"] = [{"configMapRef": {"name": "features"}}]

    stage.change("buzzy-api", wants)
    release = planned(stage)
    assert release.state is State.WAITING
    found = item(release, "configuration")
    assert (found.outcome, found.evidence) == (Outcome.RED, f"there is no ConfigMap features in {NAMESPACE}")

    thing = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "features", "namespace": NAMESPACE},
    }
    stage.cluster.run(lambda: stage.cluster.registry.create(CONFIG_MAPS, thing, manager="test"))
    stage.write(release.id, e.ReplanRequested(at=now(), because="bob asked to look again"))
    stage.queue.put("deployment", "plan", release.id)
    stage.work()
    after = stage.load(release.id)
    assert item(after, "configuration").outcome is Outcome.GREEN
    assert after.state is State.RELEASED, after.failure


@pytest.mark.requirement("D1")
def test_an_open_alert_about_other_services_blocks(stage: World) -> None:
    """The fix of what the alert is about may go; anything else waits until it is put right."""
    stage.cluster.set_behaviours({"3.2.1": "crash"})
    broken = planned(stage, services=("buzzy-api",))
    assert broken.state is State.FAILED
    Told(stage.store, "test").alerted("staging", broken.id, Place("C0ONCALL", "1.1"))
    stage.cluster.set_behaviours({"3.2.1": "ready"})
    other = planned(stage, services=("buzzy-files",))
    assert other.state is State.WAITING
    assert item(other, "alerts").evidence.startswith(f"the alert of {broken.id} is open")
    stage.record.append(
        stage.record.load(other.id),
        [e.AbortRequested(at=now(), by=e.BUZZY), e.ReleaseCancelled(at=now())],
    )
    id_ = stage.ask("3.2.2")
    stage.work()
    fix = stage.load(id_)
    assert fix.state is State.RELEASED
    assert item(fix, "alerts").evidence == f"open: {broken.id}, which this release is to put right"
