"""The two clusters that a contract is checked on, driven the same way: by raw HTTP, which hides nothing."""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
import yaml

from sandbox.cluster import Cluster, Rule
from tests.e2e.controlplane.plane import ControlPlane

Json = dict[str, Any]
T = TypeVar("T")

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
PATIENCE_SECONDS = 20


class World(Protocol):
    """A cluster of which contracts are true."""

    name: str

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with every right."""

    def account(self, namespace: str, name: str, verb: str, resource: str) -> Path:
        """A kubeconfig of a service account that may do one thing in its namespace."""

    def forget(self) -> None:
        """Let the history that watches build on be gone."""


class SandboxWorld:
    """The sandbox's cluster."""

    name = "sandbox"

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        """`folder` is where kubeconfigs are written."""
        self._cluster, self._folder = cluster, folder
        self.kubeconfig = cluster.kubeconfig(folder / "admin.kubeconfig")

    def account(self, namespace: str, name: str, verb: str, resource: str) -> Path:
        """A token that may do one thing."""
        token = f"{namespace}-{name}"
        rule = Rule((verb,), (resource,), groups=("",), namespaces=(namespace,))
        self._cluster.add_user(token, f"system:serviceaccount:{namespace}:{name}", [rule])
        return self._cluster.kubeconfig(self._folder / f"{token}.kubeconfig", token=token)

    def forget(self) -> None:
        """Compact the history."""
        self._cluster.compact()


class RealWorld:
    """A real control plane."""

    name = "real"

    def __init__(self, plane: ControlPlane) -> None:
        """`plane` is running."""
        self._plane = plane
        self.kubeconfig = plane.kubeconfig

    def account(self, namespace: str, name: str, verb: str, resource: str) -> Path:
        """A service account with a Role."""
        there = ("-n", namespace, "create")
        self._plane.kubectl(*there, "serviceaccount", name)
        self._plane.kubectl(*there, "role", name, f"--verb={verb}", f"--resource={resource}")
        whom = f"--serviceaccount={namespace}:{name}"
        self._plane.kubectl(*there, "rolebinding", name, f"--role={name}", whom)
        return self._plane.kubeconfig_for(name, namespace)

    def forget(self) -> None:
        """Start the API server anew: what it can tell of the past begins with its start."""
        self._plane.stop_api_server()
        self._plane.start_api_server()


@dataclass(frozen=True)
class Answer:
    """What the API said."""

    code: int
    body: Any


class Api:
    """Raw requests to a cluster."""

    def __init__(self, kubeconfig: Path, *, token: str = "") -> None:
        """Whoever the kubeconfig is of, or else the token."""
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        user = {"token": token} if token else user
        headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        self._http = httpx.Client(
            base_url=cluster["server"],
            headers=headers,
            verify=_tls(cluster, user),
            timeout=15,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        **query: str | int,
    ) -> Answer:
        """One request; text that is no JSON is left as it is."""
        sent = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": content_type}
        answer = self._http.request(method, path, content=sent, headers=headers, params=query)
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return Answer(answer.status_code, answer.json() if is_json else answer.text)

    @contextmanager
    def watch(self, path: str, **query: str | int) -> Iterator[Iterator[Json]]:
        """The changes of a watch, as they come; they end when the server ends it."""
        asked: dict[str, str | int] = {"watch": 1, "timeoutSeconds": 10, **query}
        with self._http.stream("GET", path, params=asked) as answer:
            if answer.is_error:
                yield iter([{"type": "HTTP", "object": json.loads(answer.read())}])
            else:
                yield (json.loads(line) for line in answer.iter_lines() if line)


class Place:
    """A namespace of a cluster, for one test or for one story that several tests tell of."""

    def __init__(self, world: World, api: Api, name: str) -> None:
        """The namespace is there."""
        self.world, self.api, self.name = world, api, name

    def path(self, resource: str, name: str = "") -> str:
        """Where a resource is: `deployments`, or `pods`/`web`."""
        group = GROUPS.get(resource, "api/v1")
        return f"/{group}/namespaces/{self.name}/{resource}" + (f"/{name}" if name else "")

    def ask(self, method: str, resource: str, name: str = "", body: object = None, **more: Any) -> Answer:  # noqa: ANN401 - handed on
        """One request about something in the namespace."""
        return self.api.ask(method, self.path(resource, name), body, **more)

    def make(self, resource: str, body: Json) -> Json:
        """Create something."""
        return _good(self.ask("POST", resource, body=body))

    def get(self, resource: str, name: str) -> Json:
        """Read something."""
        return _good(self.ask("GET", resource, name))

    def items(self, resource: str, **query: str) -> list[Json]:
        """Read all there is."""
        found: list[Json] = _good(self.ask("GET", resource, **query))["items"]
        return found

    def merge(self, resource: str, name: str, body: Json) -> Json:
        """Change something by a strategic merge patch."""
        return _good(self.ask("PATCH", resource, name, body, content_type=STRATEGIC))

    def remove(self, resource: str, name: str) -> Answer:
        """Delete something."""
        return self.ask("DELETE", resource, name)

    def watch(self, resource: str, **query: str | int) -> Any:  # noqa: ANN401 - a context manager
        """Watch a resource of the namespace."""
        return self.api.watch(self.path(resource), **query)

    def version(self, resource: str) -> str:
        """The resourceVersion of a list now."""
        return str(_good(self.ask("GET", resource))["metadata"]["resourceVersion"])

    def kubectl(self, *arguments: str) -> str:
        """What kubectl prints, both of its streams."""
        command = ["kubectl", f"--kubeconfig={self.world.kubeconfig}", "-n", self.name]
        command.append(f"--cache-dir={tempfile.gettempdir()}/contracts-{self.name}")
        done = subprocess.run(  # noqa: S603 - our own arguments
            [*command, *arguments], check=False, capture_output=True, text=True, timeout=60
        )
        return done.stdout + done.stderr


GROUPS = {
    "deployments": "apis/apps/v1",
    "replicasets": "apis/apps/v1",
    "jobs": "apis/batch/v1",
    "leases": "apis/coordination.k8s.io/v1",
    "endpointslices": "apis/discovery.k8s.io/v1",
    "horizontalpodautoscalers": "apis/autoscaling/v2",
    "poddisruptionbudgets": "apis/policy/v1",
}


def open_place(world: World, api: Api) -> Place:
    """Make a namespace in which pods can be made; names are not used again."""
    name = f"contract-{secrets.token_hex(4)}"
    _good(api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}}))
    place = Place(world, api, name)
    if world.name == "real":  # what its controllers put there comes later, and would be watched as well
        eventually(lambda: place.ask("GET", "serviceaccounts", "default").code == 200)
        eventually(lambda: place.ask("GET", "configmaps", "kube-root-ca.crt").code == 200)
    return place


def eventually(holds: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """What `holds` returns as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
    return found


def _good(answer: Answer) -> Json:
    assert answer.code < 300, answer.body
    body: Json = answer.body
    return body


def _tls(cluster: Mapping[str, str], user: Mapping[str, str]) -> ssl.SSLContext | bool:
    if "certificate-authority-data" not in cluster:
        return True
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    if "client-key-data" in user:
        with tempfile.NamedTemporaryFile("wb") as file:
            for part in ("client-certificate-data", "client-key-data"):
                file.write(base64.b64decode(user[part]))
            file.flush()
            context.load_cert_chain(file.name)
    return context
