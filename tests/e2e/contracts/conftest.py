"""Each contract is a fact that is checked on the sandbox's cluster and, the same way, on a real one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.cluster import running_cluster
from tests.e2e.contracts.clients import connected, settled
from tests.e2e.contracts.normal import normal
from tests.e2e.contracts.things import CAUSE, deployment
from tests.e2e.contracts.worlds import Api, Place, RealWorld, SandboxWorld, World, open_place
from tests.e2e.controlplane.build import BuildError, commands
from workers.cluster import Cluster, DeploymentSeen

SPEED = 4.0

Seen = Callable[[Any], Any]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let what uses a cluster run on both; with BUZZY_E2E=sandbox only on the sandbox's."""
    if "world" not in metafunc.fixturenames:
        return
    both = [pytest.param("sandbox"), pytest.param("real", marks=pytest.mark.e2e)]
    chosen = both[:1] if os.environ.get("BUZZY_E2E") == "sandbox" else both
    metafunc.parametrize("world", chosen, indirect=True, scope="session")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the control plane, if it is wanted, where no test's time limit runs yet."""
    params = [
        item.callspec.params
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    ]
    wants_real = any(each.get("world") == "real" for each in params)
    if wants_real and not session.config.option.collectonly and os.environ.get("BUZZY_E2E") != "kubeconfig":
        with contextlib.suppress(BuildError):  # The fixture meets it again, and tells.
            commands()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Compare what was observed at the very end."""
    items.sort(
        key=lambda item: (
            "observations" in getattr(item, "fixturenames", ())
            and "world" not in getattr(item, "fixturenames", ())
        )
    )


@pytest.fixture(scope="session")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The cluster that the contract is checked on."""
    if request.param == "real":
        yield RealWorld(request.getfixturevalue("plane"))
        return
    with running_cluster(speed=SPEED) as cluster:
        yield SandboxWorld(cluster, tmp_path_factory.mktemp("contracts"))


@pytest.fixture(scope="session")
def api(world: World) -> Iterator[Api]:
    """Raw requests as the administrator."""
    made = Api(world.kubeconfig)
    yield made
    made.close()


@pytest.fixture
def place(world: World, api: Api) -> Iterator[Place]:
    """A namespace for one test."""
    made = open_place(world, api)
    yield made
    api.ask("DELETE", f"/api/v1/namespaces/{made.name}")


@pytest.fixture(scope="session")
def observations() -> dict[str, dict[str, Any]]:
    """What each contract observed, by its name and by the cluster."""
    return {}


@pytest.fixture
def observe(
    request: pytest.FixtureRequest, world: World, observations: dict[str, dict[str, Any]]
) -> Callable[[str, Any], Any]:
    """Makes one of several observations comparable and keeps it for the comparison at the end."""

    def note(which: str, observation: Any) -> Any:  # noqa: ANN401 - JSON
        found = normal(observation)
        contract = f"{request.node.originalname} {which}".strip()
        observations.setdefault(contract, {})[world.name] = found
        return found

    return note


@pytest.fixture
def seen(observe: Callable[[str, Any], Any]) -> Seen:
    """Makes the observation comparable and keeps it for the comparison at the end."""
    return lambda observation: observe("", observation)


@pytest.fixture(scope="session")
def cluster_client(world: World) -> Iterator[Cluster]:
    """The workers' client, with every right."""
    with connected(world.kubeconfig) as made:
        yield made


@pytest.fixture
def web(place: Place, cluster_client: Cluster) -> DeploymentSeen:
    """A Deployment whose one pod is ready."""
    place.make("deployments", deployment(replicas=1, annotations={CAUSE: "first"}))
    return settled(cluster_client, place, "web")
