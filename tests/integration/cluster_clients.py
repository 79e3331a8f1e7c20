"""The sandbox cluster seen from outside: through the Kubernetes client, raw HTTP and kubectl."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from sandbox.cluster import ADMIN_TOKEN, Cluster

Loose: TypeAlias = Any
"""An object of the Kubernetes client: its models say of every field that it may be missing."""

PATIENCE_SECONDS = 15
IMAGE = "buzzybuzz/buzzy-main"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
_numbers = itertools.count(1)


class Namespace:
    """A namespace of its own for one test, with the APIs to work in it."""

    def __init__(self, cluster: Cluster, name: str, api: client.ApiClient) -> None:
        self.cluster = cluster
        self.name = name
        self.api = api
        self.core: Loose = client.CoreV1Api(api)
        self.apps: Loose = client.AppsV1Api(api)
        self.batch: Loose = client.BatchV1Api(api)
        self.coordination: Loose = client.CoordinationV1Api(api)

    # -- deployments -------------------------------------------------------------------------------

    def deploy(self, name: str = "web", tag: str = "3.2.0", **spec: Loose) -> Loose:
        """Create a deployment of three pods whose spec can be changed by keywords."""
        return self.apps.create_namespaced_deployment(self.name, deployment(name, tag, **spec))

    def release(self, tag: str, name: str = "web", cause: str = "") -> Loose:
        """Set another image tag."""
        containers = [{"name": name, "image": f"{IMAGE}:{tag}"}]
        body: dict[str, Any] = {"spec": {"template": {"spec": {"containers": containers}}}}
        if cause:
            body["metadata"] = {"annotations": {"kubernetes.io/change-cause": cause}}
        return self.apps.patch_namespaced_deployment(name, self.name, body)

    def replica_sets(self) -> list[Loose]:
        """Return the replica sets, by revision."""
        found = self.apps.list_namespaced_replica_set(self.name).items
        return sorted(found, key=lambda rs: int(rs.metadata.annotations["deployment.kubernetes.io/revision"]))

    def pods(self, selector: str = "") -> list[Loose]:
        """Return the pods."""
        return list(self.core.list_namespaced_pod(self.name, label_selector=selector).items)

    def events(self, reason: str) -> list[str]:
        """Return the messages of the events with a reason, oldest first."""
        found = self.core.list_namespaced_event(self.name).items
        chosen = [event for event in found if event.reason == reason]
        chosen.sort(key=lambda event: int(event.metadata.resource_version))
        return [event.message for event in chosen]

    # -- waiting -----------------------------------------------------------------------------------

    def until(
        self, listing: Callable[..., Loose], holds: Callable[[Loose], bool], **selection: Loose
    ) -> Loose:
        """Watch until an object is as wanted, and return it; fails with what was seen last."""
        last = None
        for event in _stream(listing, self.name, timeout_seconds=PATIENCE_SECONDS, **selection):
            last = event["object"]
            if event["type"] != "DELETED" and holds(last):
                return last
        raise AssertionError(f"it never came to that; last seen: {last}")

    def until_rolled_out(self, name: str = "web") -> Loose:
        """Wait as `kubectl rollout status` does."""
        selection = {"field_selector": f"metadata.name={name}"}
        return self.until(self.apps.list_namespaced_deployment, is_rolled_out, **selection)

    def until_pod(self, holds: Callable[[Loose], bool], selector: str = "") -> Loose:
        """Wait for a pod that is as wanted."""
        return self.until(self.core.list_namespaced_pod, holds, label_selector=selector)

    def until_gone(self, listing: Callable[..., Loose], name: str) -> None:
        """Wait for an object to be deleted."""
        listed = listing(self.name, field_selector=f"metadata.name={name}")
        if not listed.items:
            return
        since = listed.metadata.resource_version
        for event in _stream(listing, self.name, resource_version=since, timeout_seconds=PATIENCE_SECONDS):
            if event["type"] == "DELETED" and event["object"].metadata.name == name:
                return
        raise AssertionError(f"{name} did not go")

    def until_namespace_gone(self) -> None:
        """Wait for the namespace itself to be deleted."""
        selection = {"field_selector": f"metadata.name={self.name}"}
        listed = self.core.list_namespace(**selection)
        if listed.items:
            selection["resource_version"] = listed.metadata.resource_version
            for event in _stream(self.core.list_namespace, timeout_seconds=PATIENCE_SECONDS, **selection):
                if event["type"] == "DELETED":
                    return
            raise AssertionError("the namespace did not go")

    def history(self, listing: Callable[..., Loose], since: str) -> list[tuple[str, Loose]]:
        """Return all that happened since a version, as a watch tells it up to its first bookmark."""
        seen = []
        for event in _stream(listing, self.name, resource_version=since, allow_watch_bookmarks=True):
            if event["type"] == "BOOKMARK":
                break
            seen.append((event["type"], event["object"]))
        return seen


def deployment(name: str = "web", tag: str = "3.2.0", **spec: Loose) -> dict[str, Any]:
    """Return a deployment of three pods with a readiness probe."""
    labels = {"app": name}
    probe = {"httpGet": {"path": "/health", "port": 8080}}
    container = {"name": name, "image": f"{IMAGE}:{tag}", "readinessProbe": probe}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def is_rolled_out(found: Loose) -> bool:
    """Judge a deployment as `kubectl rollout status` does."""
    status, wanted = found.status, found.spec.replicas
    counts = (status.updated_replicas, status.replicas, status.available_replicas)
    return status.observed_generation == found.metadata.generation and all((n or 0) == wanted for n in counts)


def condition(found: Loose, kind: str) -> Loose:
    """Return a condition of an object."""
    return next((c for c in found.status.conditions or [] if c.type == kind), None)


def container_state(pod: Loose) -> str:
    """Return why a pod's container waits or has ended; empty while it runs."""
    for status in pod.status.container_statuses or []:
        state = status.state
        stopped = state.waiting or state.terminated
        return str(stopped.reason) if stopped else ""
    return ""


@contextmanager
def connected(cluster: Cluster, folder: Path, token: str = ADMIN_TOKEN) -> Iterator[client.ApiClient]:
    """Connect a client of the Kubernetes package by a kubeconfig."""
    path = cluster.kubeconfig(folder / f"{token}.yaml", token=token)
    connect: Loose = config.new_client_from_config
    made = connect(str(path))
    try:
        yield made
    finally:
        made.close()


@contextmanager
def new_namespace(cluster: Cluster, folder: Path) -> Iterator[Namespace]:
    """Make a namespace of its own for a test."""
    with connected(cluster, folder) as api:
        namespace = Namespace(cluster, f"test-{next(_numbers)}", api)
        namespace.core.create_namespace({"metadata": {"name": namespace.name}})
        yield namespace


def kubectl(kubeconfig: Path, *arguments: str, stdin: str | None = None, code: int = 0) -> str:
    """Run kubectl and return what it printed; without kubectl the test is left out, or fails in CI."""
    if shutil.which("kubectl") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("kubectl is not on PATH, and a green run must mean that it was tried", pytrace=False)
        pytest.skip("kubectl is not on PATH: nothing was tried with it")
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["kubectl", f"--kubeconfig={kubeconfig}", *arguments],  # noqa: S607 - found on PATH, as a person does
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
        input=stdin,
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def raw(cluster: Cluster, method: str, path: str, **options: Loose) -> httpx.Response:
    """Send a request by hand, as the administrator."""
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", **options.pop("headers", {})}
    return httpx.request(method, f"{cluster.url}{path}", headers=headers, timeout=5, **options)


def _stream(listing: Callable[..., Loose], *arguments: Loose, **options: Loose) -> Iterator[Loose]:
    kind: Loose = watch.Watch
    watcher = kind()
    try:
        yield from watcher.stream(listing, *arguments, _request_timeout=(5, PATIENCE_SECONDS + 5), **options)
    finally:
        watcher.stop()
        watcher._api_client.close()


def deployments(namespace: Namespace, name: str = "") -> str:
    """The path of its deployments, or of one."""
    return f"/apis/apps/v1/namespaces/{namespace.name}/deployments" + (f"/{name}" if name else "")


def config_maps(namespace: Namespace, name: str = "") -> str:
    """The path of its config maps, or of one."""
    return f"/api/v1/namespaces/{namespace.name}/configmaps" + (f"/{name}" if name else "")


def status_of(error: pytest.ExceptionInfo[ApiException]) -> Loose:
    """The Status object that an error came with."""
    return json.loads(error.value.body or "")


def patched(namespace: Namespace, path: str, body: object, kind: str, **query: str) -> Loose:
    """The answer to a patch of that content type."""
    headers = {"Content-Type": kind}
    return raw(namespace.cluster, "PATCH", path, content=json.dumps(body), headers=headers, params=query)
