"""The newest build, out of registries into a cluster: Debian's own registry, and the sandbox's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from releases.events import BUZZY
from releases.lifecycle import State
from releases.record import Store
from releases.record.rounds import Rounds
from sandbox.registry import push_image
from tests.integration.registries import RunningRegistry, open_registry, sandbox_registry
from tests.integration.workers_world import CONFIG, SERVICES, World, now, world
from workers.around import Around
from workers.builds import Builds
from workers.registry import Logins, OciRegistry, oci
from workers.standbys import Standbys

RULES = "registry: http://registry.test\n" + CONFIG.replace(
    "channel: C0STAGING", "channel: C0STAGING\n    latest: 3.x\n    prerelease: true"
)
Open = Callable[[RunningRegistry], World]


@pytest.fixture(params=["sandbox", "docker-registry"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry that has 3.2.0 of all services, and 3.9.0 of all but one."""
    opened = sandbox_registry() if request.param == "sandbox" else open_registry(tmp_path)
    with opened as running:
        for service in SERVICES:
            for version in ("3.2.0", "4.0.0", *([] if service == "buzzy-api" else ["3.9.0"])):
                push(running, service, version)
        yield running


@pytest.fixture
def here(registry: RunningRegistry, store: Store, tmp_path: Path) -> Iterator[World]:
    """Staging has the newest 3.x."""
    with ExitStack() as ends:
        made = ends.enter_context(world(store, tmp_path, config=RULES))
        made.around = Around(registry=lambda: OciRegistry(registry.url, Logins()))
        made.jobs = made.worker()
        yield made


def push(registry: RunningRegistry, service: str, version: str) -> None:
    """Push an image of a service."""
    push_image(registry.client, f"buzzybuzz/{service}", version, env={"NODE_VERSION": "14.21.3"})


def push_all(registry: RunningRegistry, version: str) -> None:
    """Push a version of every service."""
    for service in SERVICES:
        push(registry, service, version)


def look(here: World, closed: object = None) -> int:
    """The job looks, and what it asks for is done; how many releases there were."""
    assert here.around is not None
    builds = Builds(
        here.record,
        here.config,
        here.queue,
        Rounds(here.store),
        registry=here.around.registry,
        look=here.drafts.look,
        now=now,
        closed_to=lambda _: closed,
    )
    builds.look("staging")
    here.work()
    return len(here.record.recent("staging", 10))


@pytest.mark.requirement("S3", "V2")
def test_the_newest_build_that_all_services_have_is_released_by_itself(
    here: World, registry: RunningRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once; a build that is not whole is waited for; over more pages than one."""
    monkeypatch.setattr(oci, "PAGE", 2)
    assert look(here) == 0
    push_all(registry, "3.3.0-rc.1")
    assert look(here, closed="frozen") == 0
    assert look(here) == 1
    (asked,) = here.record.recent("staging", 10)
    assert (asked.request.by, asked.request.latest, asked.state) == (BUZZY, "3.x", State.RELEASED)
    assert all("3.3.0-rc.1@sha256:" in image(here, name) for name in SERVICES)
    assert look(here) == 1
    push(registry, "buzzy-api", "3.9.0")
    assert look(here) == 2
    newest = Rounds(here.store).newest("staging")
    assert newest is not None
    assert newest.version == "3.9.0"


@pytest.mark.requirement("S3", "Q1")
def test_a_build_that_fails_is_not_tried_again_and_the_next_one_is(
    here: World, registry: RunningRegistry
) -> None:
    """It stays as it failed, for people to look at, until there is a newer one."""
    push_all(registry, "3.4.0-crash")
    assert look(here) == 1
    assert here.record.recent("staging", 1)[0].state is State.FAILED
    assert look(here) == 1
    push_all(registry, "3.4.0")
    assert look(here) == 2
    assert here.record.recent("staging", 1)[0].state is State.RELEASED


@pytest.mark.requirement("S3")
def test_a_registry_that_cannot_be_read_is_said(here: World) -> None:
    """In status; nothing is asked for."""
    here.around = Around(registry=lambda: OciRegistry("http://127.0.0.1:1", Logins()))
    assert look(here) == 0
    newest = Rounds(here.store).newest("staging")
    assert newest is not None
    assert "does not answer" in newest.problem


@pytest.mark.requirement("S3")
def test_it_is_looked_now_and_then_by_a_job(here: World) -> None:
    """Once in a span, by whichever worker comes first."""
    for _ in range(3):
        Standbys(here.record, here.config, here.queue, now=now, rounds=Rounds(here.store)).look()
    assert list(here.queue.waiting) == [("validation", "latest", "staging")]


def image(here: World, name: str) -> str:
    """What a Deployment asks for."""
    return str(here.deployment(name)["spec"]["template"]["spec"]["containers"][0]["image"])
