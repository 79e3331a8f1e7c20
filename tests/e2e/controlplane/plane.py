"""A real Kubernetes control plane for tests: etcd, API server, controllers and scheduler, without containers.

Only the nodes are played (see `kubelet`): pods are real objects, but what their containers do is decided by
their image's tag. `python tests/e2e/controlplane/plane.py` starts it all, prints one line of JSON that says
where it is, and runs until it is told to stop.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

if not __package__:
    # Started by its path: Python then looks for modules beside this file, not where the project is.
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import httpx

from tests.e2e.controlplane import arguments, build, kubeconfig
from tests.e2e.controlplane.api import client_tls
from tests.e2e.controlplane.arguments import Layout
from tests.e2e.controlplane.audit import Request, requests_of
from tests.e2e.controlplane.behaviours import Behaviour, Pace, Table
from tests.e2e.controlplane.certificates import Authority, Certificate
from tests.e2e.controlplane.kubelet import Kubelet
from tests.e2e.controlplane.servers import Port, Server, StartError

_LONGEST_START = 60.0
_PREFIX = "buzzy-controlplane-"
_MASTERS = "system:masters"


class KubectlError(Exception):
    """A kubectl command failed; the message is what it printed."""


class ControlPlane:
    """A control plane on this machine, for as long as its `with` lasts.

    Args:
        behaviours: What images or tags do, beside what their tags say; `kubelet.behave` changes it later.
        pace: How fast things happen to pods.

    Raises:
        build.BuildError: The commands cannot be built on this machine (on entering).
        StartError: One of them does not start (on entering).
    """

    def __init__(
        self, *, behaviours: Mapping[str, Behaviour] | None = None, pace: Pace | None = None
    ) -> None:
        self.kubelet = Kubelet(Table(behaviours), pace or Pace())
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Self:
        # If anything fails on the way, an interrupt included, what was started until then is stopped.
        with self._cleanup as starting:
            self._prepare(starting)
            self._start(starting)
            self._cleanup = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Where the API server is."""
        return self._layout.url

    @property
    def audit_log(self) -> Path:
        """The record of requests, but for those of the components; one JSON object a line."""
        return self._layout.audit_log

    def requests_of(self, service_account: str, namespace: str) -> set[Request]:
        """Return the kinds of requests that a service account has made so far."""
        return requests_of(f"system:serviceaccount:{namespace}:{service_account}", self.audit_log)

    def kubeconfig_for(self, service_account: str, namespace: str) -> Path:
        """Return a kubeconfig with a token of a service account, good for an hour, in its namespace."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        answer = self._admin.post(path, json={"spec": {"expirationSeconds": 3600}}).raise_for_status()
        user = {"token": answer.json()["status"]["token"]}
        file = self._layout.folder / f"{namespace}-{service_account}.kubeconfig"
        return kubeconfig.write(file, self.url, self._layout.authority, user, namespace)

    def kubectl(self, *command: str, stdin: str | None = None, config: Path | None = None) -> str:
        """Run kubectl and return what it printed.

        Args:
            command: The arguments.
            stdin: What `-f -` reads.
            config: As whom; as the administrator, if none is given.

        Raises:
            KubectlError: It failed.
        """
        # A cache of its own: another control plane may have had the same port before.
        places = (
            f"--kubeconfig={config or self.kubeconfig}",
            f"--cache-dir={self._layout.folder / 'kubectl'}",
        )
        done = subprocess.run(  # noqa: S603 - our own command
            [self.commands / "kubectl", *places, *command],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise KubectlError(done.stderr.strip())
        return done.stdout

    def stop_api_server(self) -> None:
        """Let the API server crash; everything else goes on and misses it."""
        self._api_server.stop()

    def start_api_server(self) -> None:
        """Start the API server again, at the same address with the same data, and wait until it is ready."""
        self._api_server.start()
        self._api_server.wait_until(lambda: self._answers("/readyz"), seconds=_LONGEST_START)

    def pids(self) -> list[int]:
        """Return the processes that run for it."""
        return [server.pid for server in self._servers if server.pid is not None]

    def _prepare(self, cleanup: contextlib.ExitStack) -> None:
        """Make the files and hold the ports."""
        self.commands = build.commands()
        _remove_leftovers()
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        cleanup.callback(shutil.rmtree, folder)
        ports = [Port() for _ in range(3)]
        for port in ports:
            cleanup.callback(port.release)
        signer = self._signer = Authority(folder / "certificates")
        serving, tokens = signer.server("kube-apiserver"), signer.server("service-accounts")
        self._layout = Layout(folder, signer.certificate, serving, tokens, *(port.number for port in ports))
        self._layout.audit_policy.write_text(arguments.AUDIT_POLICY, encoding="utf-8")
        admin = signer.client("admin", _MASTERS)
        self.kubeconfig = self._write_kubeconfig("admin", admin)
        """The administrator's."""
        self._admin = httpx.Client(
            base_url=self.url, verify=client_tls(signer.certificate, admin), timeout=10, trust_env=False
        )
        cleanup.callback(self._admin.close)

    def _start(self, cleanup: contextlib.ExitStack) -> None:
        layout = self._layout
        manager_config, scheduler_config = (self._component(name) for name in arguments.COMPONENTS[:2])
        etcd = self._server("etcd", arguments.etcd(layout))
        self._api_server = self._server("kube-apiserver", arguments.api_server(layout))
        manager = self._server(
            "kube-controller-manager", arguments.controller_manager(manager_config, layout)
        )
        scheduler = self._server("kube-scheduler", arguments.scheduler(scheduler_config))
        self._servers = [etcd, self._api_server, manager, scheduler]
        for server in self._servers:
            cleanup.callback(server.stop)

        etcd.start()
        etcd.wait_until(lambda: _is_healthy(layout.etcd_url), seconds=_LONGEST_START)
        self.start_api_server()
        manager.start()
        scheduler.start()
        self.version: str = self._admin.get("/version").json()["gitVersion"]
        """What the API server says that it is, such as v1.37.2."""
        cleanup.enter_context(self._nodes())
        # Without its account no pod can be made: the last thing that a new cluster needs.
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        manager.wait_until(lambda: self._answers(account), seconds=_LONGEST_START)

    def _nodes(self) -> contextlib.AbstractContextManager[None]:
        signer = self._signer
        tls = client_tls(signer.certificate, signer.client(arguments.NODES_USER, _MASTERS))
        return self.kubelet.running(self.url, tls, signer.server("kubelet"), self.version)

    def _component(self, user: str) -> Path:
        # Controllers act as one mighty user here, not each as its own service account: it starts faster.
        return self._write_kubeconfig(user, self._signer.client(user, _MASTERS))

    def _write_kubeconfig(self, name: str, own: Certificate) -> Path:
        file = self._layout.folder / f"{name.replace(':', '-')}.kubeconfig"
        return kubeconfig.write(file, self.url, self._signer.certificate, kubeconfig.of_certificate(own))

    def _server(self, name: str, called_with: list[str]) -> Server:
        return Server(self.commands / name, called_with, self._layout.folder / f"{name}.log")

    def _answers(self, path: str) -> bool:
        try:
            return self._admin.get(path).status_code == HTTPStatus.OK
        except httpx.TransportError:
            return False


def _is_healthy(etcd_url: str) -> bool:
    try:
        return httpx.get(f"{etcd_url}/health", trust_env=False).status_code == HTTPStatus.OK
    except httpx.TransportError:
        return False


def _remove_leftovers() -> None:
    """Remove the data of control planes whose process was killed before it could do so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        try:
            os.kill(int(folder.name.removeprefix(_PREFIX).partition("-")[0]), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except PermissionError:
            pass  # Alive, and somebody else's.


def main() -> None:
    """Run a control plane until SIGINT or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    with ControlPlane() as plane:
        where = {"url": plane.url, "kubeconfig": str(plane.kubeconfig), "version": plane.version}
        sys.stdout.write(json.dumps(where | {"audit_log": str(plane.audit_log)}) + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except (build.BuildError, StartError) as error:
        sys.exit(str(error))
