"""The cluster of the end-to-end tests: the one of KUBECONFIG, or a control plane that is built for them.

`BUZZY_E2E=kubeconfig` with `KUBECONFIG` takes a cluster that is there already; tests make namespaces of their
own in it. `BUZZY_E2E=sandbox` makes the journeys on the sandbox's cluster, which needs nothing but Python.
Otherwise a real control plane of this machine is started, once for all tests.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from sandbox.cluster import running_cluster
from tests.e2e.arenas import Arena, RealArena, SandboxArena
from tests.e2e.controlplane.build import BuildError, commands
from tests.e2e.controlplane.plane import ControlPlane
from tests.e2e.controlplane.servers import StartError
from tests.e2e.grants import Grants
from tests.e2e.houses import House, house

SPEED = 4.0
"""How much faster than at leisure the sandbox's pods come and go."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that tests may use."""

    name: str
    kubeconfig: Path
    version: str
    plane: ControlPlane | None
    """What else can be done with it, if it is ours: outages, the audit log, other behaviours."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the control plane, if it is wanted, where no test's time limit runs yet."""
    wanted = {"cluster"} if _is_sandbox() else {"cluster", "arena"}
    here = [item for item in session.items if Path(__file__).parent in item.path.parents]
    needs_cluster = any(wanted & set(getattr(item, "fixturenames", ())) for item in here)
    if needs_cluster and not _is_given() and not session.config.option.collectonly:
        with contextlib.suppress(BuildError):  # The fixture meets it again, and tells.
            commands()


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """A cluster with a Kubernetes API; which one is printed."""
    if _is_given():
        given = given_cluster(os.environ["KUBECONFIG"])
        _say(pytestconfig, f"end to end against {given.name}, Kubernetes {given.version}")
        yield given
        return
    try:
        with ControlPlane() as plane:
            _say(
                pytestconfig,
                f"end to end against a control plane of this machine, Kubernetes {plane.version}",
            )
            yield Cluster("control plane", plane.kubeconfig, plane.version, plane)
    except (BuildError, StartError) as error:
        raise _do_without(pytestconfig, str(error)) from None


@pytest.fixture(scope="session")
def plane(cluster: Cluster) -> ControlPlane:
    """The control plane built for the tests, for those that need more than an API."""
    if cluster.plane is None:
        pytest.skip("needs the control plane of this machine")
    return cluster.plane


def _is_given() -> bool:
    return os.environ.get("BUZZY_E2E") == "kubeconfig" and bool(os.environ.get("KUBECONFIG"))


@pytest.fixture(scope="session")
def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """The cluster that journeys are made on."""
    if not _is_sandbox():
        yield RealArena(request.getfixturevalue("plane"))
        return
    with running_cluster(speed=SPEED) as sandbox:
        yield SandboxArena(sandbox, tmp_path_factory.mktemp("arena"))


@pytest.fixture(scope="session")
def grants(request: pytest.FixtureRequest) -> Grants | None:
    """The workers' rights, as deploy/ gives them; in the sandbox, which has no Roles, they have all."""
    return None if _is_sandbox() else Grants(request.getfixturevalue("plane"))


@pytest.fixture
def open_house(arena: Arena, grants: Grants | None, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Opens a house for the environments that are named; what it was and did is gone at the end."""
    with contextlib.ExitStack() as stack:
        stack.callback(arena.forget)

        def opened(*environments: str, **how: Any) -> House:  # noqa: ANN401 - as `house`
            return stack.enter_context(house(arena, tmp_path, *environments, **{"workers": grants, **how}))

        yield opened


def _is_sandbox() -> bool:
    return os.environ.get("BUZZY_E2E") == "sandbox"


def given_cluster(kubeconfig: str) -> Cluster:
    """The cluster of a kubeconfig's current context."""
    _, context = config.list_kube_config_contexts(kubeconfig)  # type: ignore[no-untyped-call] # ships no types
    made = config.new_client_from_config(kubeconfig)  # type: ignore[no-untyped-call] # the same
    version = client.VersionApi(made).get_code(_request_timeout=(5, 10))
    return Cluster(context["name"], Path(kubeconfig), version.git_version, None)


def _do_without(pytestconfig: pytest.Config, cause: str) -> BaseException:
    """Fail where a green run must mean that these tests ran; elsewhere leave them out, and say so."""
    if os.environ.get("CI") == "true":
        return pytest.fail.Exception(f"no cluster to test against: {cause}", pytrace=False)
    _say(pytestconfig, f"NO CLUSTER, end-to-end tests are left out: {cause}", red=True)
    return pytest.skip.Exception(f"no cluster to test against: {cause.splitlines()[0]}")


def _say(pytestconfig: pytest.Config, line: str, *, red: bool = False) -> None:
    """Print past the capture of a test's output."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    reporter = pytestconfig.pluginmanager.getplugin("terminalreporter")
    if capture is None or reporter is None:
        return  # A worker of a parallel run has no terminal.
    with capture.global_and_fixture_disabled():
        reporter.ensure_newline()
        reporter.write_line(line, red=red, bold=True)
