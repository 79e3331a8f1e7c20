"""From Slack to the database: what is migrated is shown, tracked and taken back, or a person is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from releases.database import LABEL
from sandbox.registry import push_image
from tests.e2e.houses import CHANNELS, PATIENCE, TICK, House

OpenHouse = Callable[..., House]
pytestmark = pytest.mark.timeout(300)

INDEX = {"id": "index-exports", "title": "an index", "reversible": True}
DROP = {"id": "drop-legacy", "reversible": False}
LISTS: dict[str, list[dict[str, Any]]] = {"3.2.0": [], "3.2.1": [INDEX], "3.3.0": [INDEX, DROP]}
DATABASE: dict[str, Any] = {
    "backup": {"image": "buzzybuzz/backup:1.4", "deadline": "1m"},
    "migrations": {"image": "buzzybuzz/migrations", "deadline": "1m"},
    "restore": {"image": "buzzybuzz/backup:1.4", "deadline": "1m"},
}


@pytest.fixture
def staging(open_house: OpenHouse) -> House:
    """A staging with a database, and a registry with the migrations of each version."""
    house = open_house("staging", registry=True, rules={"staging": {"database": DATABASE}}, deadline="90s")
    with httpx.Client(base_url=house.registry_url) as client:
        for version, migrations in LISTS.items():
            labels = {LABEL: json.dumps(migrations)}
            push_image(client, "buzzybuzz/migrations", version, labels=labels)
    return house


def asked(house: House, line: str, says: str) -> str:
    """What a question is answered with."""
    house.alice.command(line, CHANNELS["staging"])
    return house.alice.wait_for_ephemeral(CHANNELS["staging"], says, timeout=PATIENCE).shown


@pytest.mark.requirement("V4", "D1", "B5")
def test_migrations_run_once_are_tracked_and_undone(staging: House) -> None:
    """Backup, migration, services; `migrations` says by which release; a rollback undoes it behind them."""
    message = staging.ask("/buzzy release 3.2.1 staging", "staging")
    staging.until(message, "waiting for approval")
    thread = staging.told(message, "undo migration of 3.2.1: index-exports")
    assert " migration of 3.2.1: index-exports" in thread
    staging.bob.react(message, TICK)
    staging.until(message, "🟢")
    thread = staging.told(message, "🟢")
    done = [thread.index(f"{step} ·") for step in ("backup of the database", "index-exports", "to 3.2.1")]
    assert done == sorted(done)
    jobs = staging.kubectl("staging", "get", "jobs", "-o", "name")
    assert jobs.count("-backup-") == jobs.count("-migration-") == 1
    assert "R1" in asked(staging, "/buzzy migrations staging", "index-exports")
    back = staging.released("/buzzy rollback staging", "staging", staging.bob)
    assert set(staging.images("staging").values()) == {"3.2.0"}
    thread = staging.told(back, "🟢")
    assert thread.index("buzzy-main to 3.2.0 ·") < thread.index("undo migration of 3.2.1: index-exports ·")
    asked(staging, "/buzzy migrations staging", "No migration has run.")


@pytest.mark.requirement("X1", "B5", "V4")
def test_over_a_migration_that_cannot_be_undone_a_person_decides(staging: House) -> None:
    """Approvers are warned; an abort stops there and asks; a rollback wants a word, and is agreed to."""
    staging.released("/buzzy release 3.2.1 staging", "staging", staging.bob)
    with httpx.Client(base_url=staging.registry_url) as client:
        digest = push_image(client, "buzzybuzz/buzzy-api", "3.3.0", env={"NODE_VERSION": "14.21.3"})
    staging.arena.behave(digest, "never-ready")
    message = staging.ask("/buzzy release 3.3.0 staging", "staging")
    shown = staging.until(message, "waiting for approval").shown
    assert "way back: ⚠️ a person decides about the database" in shown
    assert "From drop-legacy there is no way back by itself" in shown
    staging.bob.react(message, TICK)
    staging.alice.click(staging.until(message, "service 2 of 4"), "Abort")
    shown = staging.until(message, "🔴").shown
    assert "It does not go back by itself over drop-legacy" in shown
    assert staging.images("staging")["buzzy-main"] == "3.3.0"

    refused = staging.ask("/buzzy rollback staging", "staging", who=staging.bob)
    shown = staging.until(refused, "cannot be done, nothing was changed").shown
    assert "/buzzy rollback staging --restore" in shown
    assert "/buzzy rollback staging --keep-database" in shown
    back = staging.ask("/buzzy rollback staging --restore", "staging", who=staging.bob)
    shown = staging.until(back, "waiting for approval").shown
    assert "What was written to the database since the backup" in shown
    staging.carol.react(back, TICK)
    staging.until(back, "🟢")
    assert set(staging.images("staging").values()) == {"3.2.1"}
    assert "drop-legacy" not in asked(staging, "/buzzy migrations staging", "index-exports")
