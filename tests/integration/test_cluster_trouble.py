"""The sandbox makes trouble on purpose, and remembers what was asked of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx
import pytest
from kubernetes.client.exceptions import ApiException

from sandbox.cluster import SERVICES_OF_BUZZY, Cluster, Fault, running_cluster
from tests.integration.cluster_clients import Loose, Namespace, is_rolled_out, new_namespace, raw

PODS = "/api/v1/pods"


@pytest.fixture(scope="module")
def shared() -> Iterator[Cluster]:
    """One cluster for the module."""
    with running_cluster() as running:
        yield running


@pytest.fixture
def cluster(shared: Cluster) -> Iterator[Cluster]:
    """The cluster without faults, and without memory of other tests' requests."""
    shared.run(shared.api.journal.entries.clear)
    yield shared
    shared.clear_faults()


@pytest.fixture
def namespace(cluster: Cluster, tmp_path: Path) -> Iterator[Namespace]:
    """A namespace of its own."""
    with new_namespace(cluster, tmp_path) as made:
        yield made


def test_the_next_requests_fail_and_then_work_again(cluster: Cluster) -> None:
    """A fault meets as many requests as it is set for, of the method and path that it names."""
    cluster.add_fault(Fault("status", count=2, method="GET", path="/pods", status=500))
    assert raw(cluster, "GET", "/api/v1/nodes").status_code == 200
    codes = [raw(cluster, "GET", PODS).status_code for _ in range(3)]
    assert codes == [500, 500, 200]
    assert [entry.code for entry in cluster.requests()] == [200, 500, 500, 200]


def test_a_busy_server_says_when_to_come_back(cluster: Cluster) -> None:
    """429 has a Retry-After, and the API server's plain text."""
    cluster.add_fault(Fault("status", status=429, retry_after=2))
    answer = raw(cluster, "GET", PODS)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert answer.text == "Too many requests, please try again later.\n"


@pytest.mark.parametrize(("status", "reason"), [(409, "Conflict"), (503, "ServiceUnavailable")])
def test_other_failures_have_a_status_body(cluster: Cluster, status: int, reason: str) -> None:
    """What fails on purpose looks like what fails in earnest."""
    cluster.add_fault(Fault("status", status=status))
    answer = raw(cluster, "GET", PODS)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


def test_an_answer_can_be_lost_after_the_effect(namespace: Namespace) -> None:
    """The client is told 500 although the object was made: the unclear case that retries must survive."""
    namespace.cluster.add_fault(Fault("status", method="POST", path="/configmaps", after_effect=True))
    body = {"metadata": {"name": "a"}}
    with pytest.raises(ApiException) as caught:
        namespace.core.create_namespaced_config_map(namespace.name, body)
    assert caught.value.status == 500
    assert namespace.core.read_namespaced_config_map("a", namespace.name).metadata.name == "a"


def test_a_delayed_request_is_served_late(cluster: Cluster) -> None:
    """The request takes as long as the fault says."""
    cluster.add_fault(Fault("delay", seconds=0.3))
    start = time.monotonic()
    assert raw(cluster, "GET", PODS).status_code == 200
    assert time.monotonic() - start >= 0.3


def test_an_answer_breaks_off_in_the_middle(cluster: Cluster) -> None:
    """The connection closes before the body is complete."""
    cluster.add_fault(Fault("cut"))
    with pytest.raises(httpx.RemoteProtocolError):
        raw(cluster, "GET", "/api/v1/nodes")


def test_a_connection_hangs_half_open(cluster: Cluster) -> None:
    """Nothing comes, not even an end, until the client loses patience."""
    cluster.add_fault(Fault("hang"))
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{cluster.url}{PODS}", timeout=0.3)


@pytest.mark.parametrize(("kind", "error"), [("hang", httpx.ReadTimeout), ("cut", httpx.RemoteProtocolError)])
def test_a_watch_falls_silent_or_breaks_after_an_event(
    cluster: Cluster, kind: Literal["hang", "cut"], error: type[Exception]
) -> None:
    """The worst kinds of watch: one that still looks alive, and one that ends inside a line."""
    cluster.add_fault(Fault(kind, path="watch=true", after_parts=1))
    url, query = f"{cluster.url}/api/v1/nodes", {"watch": "true", "timeoutSeconds": "5"}
    names: list[str] = []
    with httpx.stream("GET", url, params=query, timeout=0.3) as answer:
        told = (json.loads(line)["object"]["metadata"]["name"] for line in answer.iter_lines())
        with pytest.raises(error):
            names.extend(told)
    assert names == ["sandbox-1"]


def test_without_a_token_only_the_doorbell_answers(tmp_path: Path) -> None:
    """Once a token is required, whoever has none is anonymous: refused, but told the version."""
    with running_cluster() as cluster:
        cluster.require_token()
        refused = httpx.get(f"{cluster.url}{PODS}").json()
        assert refused["code"] == 403
        said = 'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group ""'
        assert refused["message"] == f"{said} at the cluster scope"
        assert httpx.get(f"{cluster.url}/version").status_code == 200
        assert httpx.get(f"{cluster.url}/apis").json()["reason"] == "Forbidden"
        assert raw(cluster, "GET", PODS).status_code == 200


def test_faults_can_be_set_over_http(cluster: Cluster) -> None:
    """The side door takes, shows and clears faults, and refuses what is none."""
    fault = {"kind": "status", "status": 500, "count": 3}
    shown = raw(cluster, "POST", "/sandbox/faults", json=fault).json()["faults"]
    assert [(found["kind"], found["count"]) for found in shown] == [("status", 3)]
    assert raw(cluster, "GET", PODS).status_code == 500
    assert raw(cluster, "DELETE", "/sandbox/faults").json() == {"faults": []}
    assert raw(cluster, "GET", PODS).status_code == 200
    assert raw(cluster, "POST", "/sandbox/faults", json={"colour": "red"}).status_code == 400


def test_requests_and_their_effects_can_be_counted(namespace: Namespace) -> None:
    """The journal tells who asked what, and which requests changed something."""
    cluster = namespace.cluster
    namespace.deploy(replicas=0)
    for _ in range(2):
        namespace.release("3.2.1")
    assert [entry.verb for entry in cluster.writes(resource="deployments")] == ["create", "patch"]
    patches = {"resource": "deployments", "verb": "patch"}
    found = raw(cluster, "GET", "/sandbox/requests", params=patches).json()
    assert (found["writes"], len(found["requests"])) == (1, 2)
    seen = found["requests"][0]
    assert (seen["user"], seen["namespace"], seen["name"]) == ("sandbox-admin", namespace.name, "web")
    assert raw(cluster, "DELETE", "/sandbox/requests").json()["requests"] == []


def test_an_unreachable_api_comes_back_with_everything(namespace: Namespace) -> None:
    """While it is away connections are refused; afterwards it is there again, and rollouts go on."""
    cluster = namespace.cluster
    namespace.deploy()
    namespace.until_rolled_out()
    namespace.release("3.2.1")
    with cluster.unreachable(), pytest.raises(httpx.ConnectError):
        raw(cluster, "GET", PODS)
    found = namespace.until_rolled_out()
    assert found.metadata.annotations["deployment.kubernetes.io/revision"] == "2"


def test_an_outage_over_http_ends_by_itself(cluster: Cluster) -> None:
    """The side door makes the API go away after its answer, and come back."""
    assert raw(cluster, "POST", "/sandbox/outage", json={"seconds": 0.3}).json() == {"seconds": 0.3}
    codes: list[int] = []
    while len(set(codes)) < 2 or codes[-1] != 200:
        try:
            codes.append(httpx.get(f"{cluster.url}/readyz", timeout=1).status_code)
        except httpx.TransportError:
            codes.append(0)
    assert set(codes) == {200, 0}


def test_a_seeded_cluster_has_buzzy_with_a_past(tmp_path: Path) -> None:
    """Each namespace has Buzzy's services, healthy, with an earlier version to roll back to."""
    with running_cluster() as cluster, new_namespace(cluster, tmp_path) as namespace:
        cluster.seed_buzzy(namespaces=["buzzy-staging"], version="3.2.0", previous="3.1.4")
        namespace.name = "buzzy-staging"
        for service in SERVICES_OF_BUZZY:
            selection = {"field_selector": f"metadata.name={service.name}"}
            found = namespace.until(namespace.apps.list_namespaced_deployment, is_rolled_out, **selection)
            assert found.metadata.annotations["deployment.kubernetes.io/revision"] == "2"
            update = found.spec.strategy.rolling_update
            assert (found.spec.replicas, update.max_surge, update.max_unavailable) == (3, 1, 1)
            (container,) = found.spec.template.spec.containers
            probes = (container.readiness_probe, container.liveness_probe)
            assert [(p.http_get.path, p.http_get.port) for p in probes] == [("/health", 8080)] * 2
        images = sorted(rs.spec.template.spec.containers[0].image for rs in namespace.replica_sets())
        wanted = [s.image(version) for s in SERVICES_OF_BUZZY for version in ("3.1.4", "3.2.0")]
        assert images == sorted(wanted)
        assert len(namespace.pods()) == 3 * len(SERVICES_OF_BUZZY)
        services = namespace.core.list_namespaced_service(namespace.name).items
        assert {s.metadata.name for s in services} == {s.name for s in SERVICES_OF_BUZZY}


def test_the_cluster_runs_as_a_program(tmp_path: Path) -> None:
    """`python -m sandbox.cluster` says where it is in one line of JSON, and ends when it is told to."""
    kubeconfig = tmp_path / "kubeconfig"
    arguments = ["--port", "0", "--kubeconfig", str(kubeconfig), "--seed", "--speed", "20"]
    started: Loose = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "sandbox.cluster", *arguments], stdout=subprocess.PIPE, text=True
    )
    with started as process:
        told = json.loads(process.stdout.readline())
        try:
            assert told["kubeconfig"] == str(kubeconfig)
            assert told["url"] in kubeconfig.read_text()
            found = httpx.get(f"{told['url']}/apis/apps/v1/deployments", timeout=5).json()
            assert len(found["items"]) == 4 * len(SERVICES_OF_BUZZY)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
