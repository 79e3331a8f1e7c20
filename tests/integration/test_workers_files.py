"""A version's files on a cluster: a release switches to them, a rollback switches back."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from releases import events as e
from releases.lifecycle import Release, State
from releases.plan import EnsureFiles
from releases.record import Store
from sandbox.cluster.resources import CONFIG_MAPS
from tests.integration.workers_world import BOB, CONFIG, SERVICES, World, now, world
from workers.around import Around
from workers.files import FileSets

FILES = """
    files:
      folder: config/{version}
      at: /etc/buzzy/files
"""
RULES = CONFIG.replace("channel: C0STAGING\n", f"channel: C0STAGING{FILES}")
ONE = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=3600)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files for 3.2.0 and 3.3.0."""
    for version, mode in (("3.2.0", "old"), ("3.3.0", "new")):
        write(tmp_path, version, "routes.json", f'{{"mode": "{mode}"}}'.encode())
    write(tmp_path, "3.3.0", "logo.png", b"\xff\xd8\x00")
    return tmp_path


@pytest.fixture
def here(folder: Path, store: Store, tmp_path: Path) -> Iterator[World]:
    """Staging has files."""
    with world(store, tmp_path, config=RULES, around=Around(files=FileSets(folder))) as made:
        yield made


def write(folder: Path, version: str, name: str, content: bytes) -> None:
    """Somebody puts a file there."""
    there = folder / "config" / version
    there.mkdir(parents=True, exist_ok=True)
    (there / name).write_bytes(content)


def mounted(here: World) -> set[str]:
    """The ConfigMaps whose files the services find in their folder."""
    found = set()
    for name in SERVICES:
        spec = here.deployment(name)["spec"]["template"]["spec"]
        (mount,) = spec["containers"][0]["volumeMounts"]
        (volume,) = spec["volumes"]
        assert (mount["name"], mount["mountPath"]) == (volume["name"], "/etc/buzzy/files")
        found.add(volume["configMap"]["name"])
    return found


def step(release: Release) -> EnsureFiles:
    """What the plan says of the files."""
    assert release.plan is not None
    return next(each for each in release.plan.steps if isinstance(each, EnsureFiles))


@pytest.mark.requirement("V3")
def test_a_release_switches_to_the_files_of_its_version_and_a_rollback_back(here: World) -> None:
    """Each version's own, or the nearest before; in immutable ConfigMaps that are never removed."""
    first = here.release("3.2.1")
    assert first.state is State.RELEASED
    assert step(first).folder == "config/3.2.0"
    assert step(first).changes == ("+ routes.json",)
    (old,) = mounted(here)
    assert old.startswith("buzzy-version-files-3.2.1-")
    kept = here.config_map(old)
    assert kept["immutable"] is True
    assert kept["data"] == {"routes.json": '{"mode": "old"}'}

    second = here.release("3.3.0")
    assert second.state is State.RELEASED
    assert step(second).changes == ("+ logo.png", "~ routes.json")
    (new,) = mounted(here)
    assert here.config_map(new)["binaryData"] == {"logo.png": base64.b64encode(b"\xff\xd8\x00").decode()}

    back = here.rollback()
    assert back.state is State.RELEASED
    assert mounted(here) == {old}
    assert here.config_map(new)["data"] == {"routes.json": '{"mode": "new"}'}


@pytest.mark.requirement("V3", "D1")
def test_the_checklist_names_the_files(here: World) -> None:
    """Beside the variables."""
    released = here.release("3.2.1")
    (item,) = [each for each in released.checklist if each.name == "configuration"]
    assert "(1 variable)" in item.evidence
    assert "(1 file)" in item.evidence


@pytest.mark.requirement("V3", "D4")
def test_a_version_without_files_is_refused_before_anything_is_touched(here: World) -> None:
    """With what there is."""
    refused = here.release("3.4.0")
    assert refused.state is State.IMPOSSIBLE
    assert refused.reason.startswith("There are no files for 3.4.0 in config: it has those of 3.2.0, 3.3.0")
    assert set(here.versions().values()) == {"3.2.0"}


@pytest.mark.requirement("V3", "Q3")
def test_files_that_change_after_the_approval_are_asked_for_again(here: World, folder: Path) -> None:
    """Somebody edits them while the release waits: what was approved is not what would run."""
    id_ = here.ask("3.2.1", approval=ONE)
    here.work()
    write(folder, "3.2.0", "routes.json", b"{}")
    approve(here, id_)
    here.work()
    again = here.load(id_)
    assert again.state is State.WAITING
    assert again.replanned_because is not None
    assert "the files in config/3.2.0 were changed" in again.replanned_because
    approve(here, id_)
    here.work()
    assert here.load(id_).state is State.RELEASED
    (name,) = mounted(here)
    assert here.config_map(name)["data"] == {"routes.json": "{}"}


def begun(here: World) -> Release:
    """A release of 3.2.1 whose worker died right after the start."""
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)
    here.worker(stopping=lambda: "release_started" in here.said(id_)).advance(id_)
    assert here.load(id_).state is State.RUNNING
    return here.load(id_)


@pytest.mark.requirement("V3", "Q1")
def test_whoever_goes_on_needs_no_files_that_are_in_the_cluster_already(here: World, folder: Path) -> None:
    """The worker before had made the ConfigMap and died; the folder of the next has other files by now."""
    release = begun(here)
    make(here, step(release).name, {"routes.json": '{"mode": "old"}'})
    write(folder, "3.2.0", "routes.json", b"{}")
    here.work()
    assert here.load(release.id).state is State.RELEASED
    assert mounted(here) == {step(release).name}


@pytest.mark.requirement("V3", "Q3")
def test_files_that_change_in_the_middle_are_not_written(here: World, folder: Path) -> None:
    """What was planned is what is written, or nothing: it fails before any service is touched."""
    release = begun(here)
    write(folder, "3.2.0", "routes.json", b"{}")
    here.work()
    failed = here.load(release.id)
    assert failed.state is State.FAILED
    assert "config/3.2.0 are others than those that the plan was made of" in failed.reason
    assert failed.changed_services == ()


@pytest.mark.requirement("V3")
def test_a_config_map_with_another_content_than_its_name_says_is_not_used(here: World) -> None:
    """Somebody made one under that name."""
    id_ = here.ask("3.2.1", approval=ONE)
    here.work()
    name = step(here.load(id_)).name
    make(here, name, {"routes.json": "theirs"})
    approve(here, id_)
    here.work()
    failed = here.load(id_)
    assert failed.state is State.FAILED
    assert "is there with another content than its name says" in failed.reason
    assert failed.changed_services == ()


def make(here: World, name: str, data: dict[str, str]) -> None:
    """Somebody makes a ConfigMap."""
    thing: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "buzzy-staging"},
        "data": data,
    }
    here.cluster.run(lambda: here.cluster.registry.create(CONFIG_MAPS, thing, manager="kubectl"))


def approve(here: World, id_: str) -> None:
    """Bob approves the plan that waits."""
    plan = here.load(id_).plan
    assert plan is not None
    here.write(id_, e.ApprovalGiven(at=now(), by=BOB, digest=plan.digest, via="button"))
    here.write(id_, e.Approved(at=now(), digest=plan.digest))
    here.queue.put("deployment", "advance", id_)
