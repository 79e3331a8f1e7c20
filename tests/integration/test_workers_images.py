"""What is released is what was looked up: from the registry into the pod template; the matrix before it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from releases import events as e
from releases.checklist import Item, Outcome
from releases.lifecycle import Release, State
from releases.record import Store
from releases.version import Version
from sandbox.mongodb import mongo_server
from sandbox.registry import push_image
from tests.integration.registries import RunningRegistry, sandbox_registry
from tests.integration.workers_world import CONFIG, SERVICES, World, now, world
from workers.around import Around
from workers.pinning import near
from workers.registry import Logins, OciRegistry

APPROVAL = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=600)
MATRIX = """
compatibility:
  "3.2.x": {kubernetes: ">=1.18", node: 14.x}
  "3.3.x": {kubernetes: ">=1.38", node: 14.x}
  "3.4.x": {mongodb: ">=4.4"}
"""
MakeWorld = Callable[..., World]


@pytest.fixture
def registry() -> Iterator[RunningRegistry]:
    """A registry with 3.2.0 to 3.2.2 of all services; of 3.2.9, one image is missing."""
    with sandbox_registry() as running:
        for service in SERVICES:
            for version in ("3.2.0", "3.2.1", "3.2.2", "3.3.0", "3.4.0"):
                push(running, service, version)
            if service != "buzzy-api":
                push(running, service, "3.2.9")
        yield running


def push(registry: RunningRegistry, service: str, version: str, node: str = "14.21.3") -> str:
    """Push an image of a service; its digest."""
    return push_image(registry.client, f"buzzybuzz/{service}", version, env={"NODE_VERSION": node})


@pytest.fixture
def make(registry: RunningRegistry, store: Store, tmp_path: Path) -> Iterator[MakeWorld]:
    """Worlds whose workers look images up in the registry."""
    with ExitStack() as ends:

        def opened(config: str = CONFIG, **given: Any) -> World:  # noqa: ANN401 - handed on
            made = ends.enter_context(world(store, tmp_path, config=config, **given))
            made.around = Around(registry=lambda: OciRegistry(registry.url, Logins()))
            made.jobs = made.worker()
            return made

        yield opened


def images(stage: World) -> dict[str, str]:
    """Which image each Deployment asks for."""
    return {
        name: stage.deployment(name)["spec"]["template"]["spec"]["containers"][0]["image"]
        for name in SERVICES
    }


def item(release: Release, name: str) -> Item:
    """An item of the plan's checklist."""
    return next(each for each in release.checklist if each.name == name)


@pytest.mark.requirement("V2")
def test_what_runs_is_named_by_digest(make: MakeWorld, registry: RunningRegistry) -> None:
    """The pod templates have tag and digest; versions are read from them as ever; going back works."""
    stage = make()
    digests = {name: push(registry, name, "3.2.1", node="14.21.4") for name in SERVICES}
    release = stage.release("3.2.1")
    assert release.state is State.RELEASED, release
    assert images(stage) == {name: f"buzzybuzz/{name}:3.2.1@{digests[name]}" for name in SERVICES}
    pinned = item(release, "image")
    assert pinned.outcome is Outcome.GREEN
    assert all(digest[: len("sha256:") + 12] in pinned.evidence for digest in digests.values())
    seen = stage.record.seen("staging")
    assert seen is not None
    assert {each.version for each in seen.services} == {"3.2.1"}
    assert {each.release for each in seen.services} == {release.id}
    newer = stage.release("3.2.2")
    assert (newer.plan and newer.plan.stable, newer.state) == ("3.2.1", State.RELEASED)
    back = stage.rollback()
    assert back.state is State.RELEASED, back
    assert images(stage) == {name: f"buzzybuzz/{name}:3.2.1@{digests[name]}" for name in SERVICES}


@pytest.mark.requirement("V2", "Q3")
def test_a_tag_that_moves_after_the_approval_is_asked_about_again(
    make: MakeWorld, registry: RunningRegistry
) -> None:
    """What was approved is what runs: another image under the same tag is another plan."""
    stage = make()
    id_ = stage.ask("3.2.1", approval=APPROVAL)
    stage.work()
    planned = stage.load(id_)
    assert planned.state is State.WAITING
    moved = push(registry, "buzzy-files", "3.2.1", node="14.20.0")
    approve(stage, id_)
    again = stage.load(id_)
    assert again.state is State.WAITING
    assert again.approvals == ()
    assert again.replanned_because is not None
    assert "the image of buzzy-files under 3.2.1 has become another" in again.replanned_because
    approve(stage, id_)
    assert stage.load(id_).state is State.RELEASED
    assert images(stage)["buzzy-files"].endswith(moved)


def approve(stage: World, id_: str) -> None:
    """Bob approves the plan as it is, and the workers go on."""
    plan = stage.load(id_).plan
    assert plan is not None
    bob = e.Actor(id="U0BOB", name="bob")
    held = stage.record.load(id_)
    given = e.ApprovalGiven(at=now(), by=bob, digest=plan.digest, via="button")
    stage.record.append(held, [given, e.Approved(at=now(), digest=plan.digest)])
    stage.queue.put("deployment", "advance", id_)
    stage.work()


@pytest.mark.requirement("V2")
def test_an_image_that_is_not_there_is_refused_with_those_that_are(make: MakeWorld) -> None:
    """Which image, and which versions are near; nothing is touched."""
    stage = make()
    before = images(stage)
    release = stage.release("3.2.9")
    assert release.state is State.IMPOSSIBLE
    assert release.reason == "There is no image buzzybuzz/buzzy-api:3.2.9 in the registry."
    assert release.hint == "Of buzzybuzz/buzzy-api it has 3.2.0, 3.2.1, 3.2.2, 3.3.0 and 3.4.0."
    assert images(stage) == before


@pytest.mark.requirement("V2")
def test_a_registry_that_is_away_is_waited_for_and_then_said(make: MakeWorld) -> None:
    """The release ends before it touched anything; one that comes back in time is believed."""
    stage = make(patience=timedelta(seconds=1))
    stage.around = Around(registry=lambda: OciRegistry("http://127.0.0.1:9", Logins()))
    stage.jobs = stage.worker()
    release = stage.release("3.2.1")
    assert release.state is State.IMPOSSIBLE
    assert release.reason == "The registry 127.0.0.1:9 does not answer (connection refused)."


@pytest.mark.requirement("V2")
def test_a_registry_that_comes_back_is_believed(make: MakeWorld, registry: RunningRegistry) -> None:
    """It is asked again while there is time."""
    stage = make(patience=timedelta(seconds=30))
    asked = threading.Event()

    def moody() -> OciRegistry:
        address = registry.url if asked.is_set() else "http://127.0.0.1:9"
        asked.set()
        return OciRegistry(address, Logins())

    stage.around = Around(registry=moody)
    stage.jobs = stage.worker()
    assert stage.release("3.2.1").state is State.RELEASED


@pytest.mark.requirement("V2")
def test_without_a_registry_nothing_is_looked_up_and_the_plan_says_so(make: MakeWorld) -> None:
    """As it always was; it is not called pinned."""
    stage = make()
    stage.around = None
    stage.jobs = stage.worker()
    release = stage.release("3.2.1")
    assert release.state is State.RELEASED
    assert images(stage)["buzzy-main"] == "buzzybuzz/buzzy-main:3.2.1"
    unpinned = item(release, "image")
    assert unpinned.outcome is Outcome.UNKNOWN
    assert unpinned.evidence.startswith("not pinned: buzzy-main, buzzy-api, buzzy-files and buzzy-worker")


@pytest.mark.requirement("V6")
def test_what_fits_is_released_with_what_was_found(make: MakeWorld) -> None:
    """Kubernetes says its version itself, the images say which Node.js they have."""
    stage = make(CONFIG + MATRIX)
    release = stage.release("3.2.1")
    assert release.state is State.RELEASED
    compatible = item(release, "compatible")
    assert compatible.outcome is Outcome.GREEN
    assert "Kubernetes v1.37.2 (>=1.18)" in compatible.evidence
    assert (
        "Node.js in buzzy-main, buzzy-api, buzzy-files and buzzy-worker 14.21.3 (14.x)" in compatible.evidence
    )


@pytest.mark.requirement("V6")
def test_a_mismatch_stops_the_plan_before_anything_is_touched(
    make: MakeWorld, registry: RunningRegistry
) -> None:
    """Which row, what it needs, what runs."""
    stage = make(CONFIG + MATRIX)
    before = images(stage)
    push(registry, "buzzy-api", "3.2.1", node="16.0.0")
    release = stage.release("3.2.1")
    assert release.state is State.IMPOSSIBLE
    assert release.reason == (
        "3.2.1 does not run with what is there: it needs Node.js 14.x, and the image of buzzy-api has 16.0.0."
    )
    assert release.hint == "The row 3.2.x of compatibility in buzzy.yaml says so. Nothing was changed."
    release = stage.release("3.3.0")
    assert release.reason == (
        "3.3.0 does not run with what is there: it needs Kubernetes >=1.38, and v1.37.2 runs."
    )
    assert images(stage) == before
    assert stage.said(release.id) == ["release_requested", "plan_refused"]


@pytest.mark.requirement("V6")
def test_what_is_not_known_waits(make: MakeWorld) -> None:
    """No address of a MongoDB is no mismatch: the release waits, and says for what."""
    stage = make(CONFIG + MATRIX)
    id_ = stage.ask("3.4.0")
    stage.work()
    release = stage.load(id_)
    assert release.state is State.WAITING
    assert not release.may_start
    assert release.expires_at is not None
    assert item(release, "compatible").evidence == "MongoDB: buzzy.yaml does not say where that of staging is"


@pytest.mark.requirement("V6")
def test_what_is_not_known_passes_where_the_environment_says_so(make: MakeWorld) -> None:
    """It is shown all the same."""
    stage = make((CONFIG + MATRIX).replace("channel: C0STAGING", "channel: C0STAGING\n    not_known: go-on"))
    released = stage.release("3.4.0")
    assert released.state is State.RELEASED
    assert item(released, "compatible").outcome is Outcome.UNKNOWN


@pytest.mark.requirement("V6")
@pytest.mark.parametrize(("version", "state"), [("4.4.0", State.RELEASED), ("4.3.9", State.IMPOSSIBLE)])
def test_mongodb_is_asked_itself(make: MakeWorld, version: str, state: State) -> None:
    """At the boundary of its row."""
    with mongo_server(version) as address:
        at = f"channel: C0STAGING\n    mongodb: {{address: '{address}'}}"
        stage = make((CONFIG + MATRIX).replace("channel: C0STAGING", at))
        release = stage.release("3.4.0")
    assert release.state is state
    if state is State.IMPOSSIBLE:
        assert release.reason == (
            "3.4.0 does not run with what is there: it needs MongoDB >=4.4, and 4.3.9 runs."
        )


@pytest.mark.requirement("V2")
@pytest.mark.parametrize(
    ("asked", "tags", "near_it"),
    [
        ("3.2.9", ["latest", "3.2.0", "3.2.1", "3.3.0"], ["3.2.0", "3.2.1", "3.3.0"]),
        ("3.2.5", [f"3.2.{n}" for n in range(10) if n != 5], ["3.2.2", "3.2.3", "3.2.4", "3.2.6", "3.2.7"]),
        ("9.0.0", [f"3.2.{n}" for n in range(10)], ["3.2.5", "3.2.6", "3.2.7", "3.2.8", "3.2.9"]),
        ("0.1.0", [f"3.2.{n}" for n in range(10)], ["3.2.0", "3.2.1", "3.2.2", "3.2.3", "3.2.4"]),
        ("3.2.1", ["3.2.1-rc.1", "3.2.0"], ["3.2.0"]),
        ("3.2.1-rc.2", ["3.2.1-rc.1", "3.2.0"], ["3.2.0", "3.2.1-rc.1"]),
        ("3.2.1", ["latest", "main"], []),
    ],
)
def test_versions_that_are_near_are_those_around_it(asked: str, tags: list[str], near_it: list[str]) -> None:
    """A few, in their order; tags that are no versions are no help."""
    assert near(Version.parse(asked), tags) == near_it
