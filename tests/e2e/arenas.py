"""What journeys are made on: the sandbox's cluster, or a real one. Both are driven the same way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from sandbox.cluster import SERVICES_OF_BUZZY, Cluster
from sandbox.cluster.seed import SeedService, deployment_of, service_of
from tests.e2e.controlplane.behaviours import Behaviour
from tests.e2e.controlplane.plane import ControlPlane

STABLE, PREVIOUS = "3.2.0", "3.1.4"


class Arena(Protocol):
    """A cluster that journeys are made on."""

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with every right."""

    @property
    def version(self) -> str:
        """The version of Kubernetes."""

    def seed(self, namespaces: list[str], services: Sequence[SeedService] = SERVICES_OF_BUZZY) -> None:
        """Buzzy 3.2.0 in each namespace, with 3.1.4 before it."""

    @property
    def changes_what_runs(self) -> bool:
        """Whether what is said of an image holds for pods that run already, and not only for new ones."""

    def behave(self, tag: str, behaviour: str) -> None:
        """From now on images of this tag behave so."""

    def forget(self) -> None:
        """Images behave as their tags say again."""

    def outage(self) -> Any:  # noqa: ANN401 - a context manager
        """The API cannot be reached for the length of a block."""


def kubectl(kubeconfig: Path, *arguments: str, stdin: str | None = None) -> str:
    """Run the machine's kubectl; what it printed. Raises `subprocess.CalledProcessError`.

    Where there is none, the test that wants it is skipped; in CI it fails.
    """
    program = shutil.which("kubectl")
    if program is None:
        without = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        without("no kubectl on PATH: what it does beside the bot is not tested")
    done = subprocess.run(  # noqa: S603 - our own arguments
        [program, f"--kubeconfig={kubeconfig}", *arguments],
        check=True,
        capture_output=True,
        text=True,
        input=stdin,
        timeout=60,
    )
    return done.stdout


class SandboxArena:
    """The sandbox's cluster, in this process."""

    version = "the sandbox's"
    changes_what_runs = False

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        """`folder` is where the kubeconfig is written."""
        self._cluster = cluster
        self.kubeconfig = cluster.kubeconfig(folder / "sandbox.kubeconfig")

    def seed(self, namespaces: list[str], services: Sequence[SeedService] = SERVICES_OF_BUZZY) -> None:
        """Buzzy 3.2.0 in each namespace, with 3.1.4 before it."""
        self._cluster.seed_buzzy(namespaces=namespaces, version=STABLE, previous=PREVIOUS, services=services)

    def behave(self, tag: str, behaviour: str) -> None:
        """From now on images of this tag behave so."""
        self._cluster.behaviours.set({tag: behaviour})

    def forget(self) -> None:
        """Images behave as their tags say again."""
        self._cluster.behaviours.forget()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Refuse connections."""
        with self._cluster.unreachable():
            yield


class RealArena:
    """A control plane of this machine, whose pods behave as their tags say."""

    changes_what_runs = True

    def __init__(self, plane: ControlPlane) -> None:
        """`plane` is running."""
        self._plane = plane
        self._said: set[str] = set()
        self.kubeconfig = plane.kubeconfig
        self.version = plane.version

    def seed(self, namespaces: list[str], services: Sequence[SeedService] = SERVICES_OF_BUZZY) -> None:
        """Buzzy 3.2.0 in each namespace, with 3.1.4 before it."""
        for namespace in namespaces:
            made: list[Any] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}]
            made += [service_of(namespace, service) for service in services]
            made += [deployment_of(namespace, replace(s, replicas=0), PREVIOUS) for s in services]
            self._apply(made)
            for service in services:
                where = ("-n", namespace, f"deployment/{service.name}")
                self._plane.kubectl("wait", "--for=jsonpath={.status.observedGeneration}=1", *where)
            self._apply([deployment_of(namespace, service, STABLE) for service in services])
        for namespace in namespaces:
            for service in services:
                self._plane.kubectl("-n", namespace, "rollout", "status", f"deployment/{service.name}")

    def behave(self, tag: str, behaviour: str) -> None:
        """From now on images of this tag behave so."""
        self._plane.kubelet.behave(tag, Behaviour(behaviour))
        self._said.add(tag)

    def forget(self) -> None:
        """Images behave as their tags say again."""
        while self._said:
            self._plane.kubelet.behave(self._said.pop(), None)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Stop the API server, and start it again with the same data."""
        self._plane.stop_api_server()
        try:
            yield
        finally:
            self._plane.start_api_server()

    def _apply(self, objects: list[Any]) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": objects}
        self._plane.kubectl("apply", "-f", "-", stdin=json.dumps(listed))
