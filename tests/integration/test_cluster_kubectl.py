"""kubectl works on the sandbox cluster as on any other: get, rollout, scale, apply, describe, logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.cluster import Cluster, running_cluster
from tests.integration.cluster_clients import (
    IMAGE,
    Namespace,
    container_state,
    deployment,
    kubectl,
    new_namespace,
)

pytestmark = pytest.mark.kubectl
Command = Callable[..., str]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One cluster for the module; each test has its own namespace."""
    with running_cluster() as running:
        yield running


@pytest.fixture
def namespace(cluster: Cluster, tmp_path: Path) -> Iterator[Namespace]:
    """A namespace of its own."""
    with new_namespace(cluster, tmp_path) as made:
        yield made


@pytest.fixture
def run(cluster: Cluster, namespace: Namespace, tmp_path: Path) -> Command:
    """Run kubectl in the namespace; its answers are kept apart from those of a person's clusters."""
    path = cluster.kubeconfig(tmp_path / "kubectl.yaml")

    def command(*arguments: str, stdin: str | None = None, code: int = 0) -> str:
        place = (f"--cache-dir={tmp_path}", f"--namespace={namespace.name}")
        return kubectl(path, *place, *arguments, stdin=stdin, code=code)

    return command


def _history(printed: str) -> list[tuple[str, str]]:
    """Read the table of `rollout history`: (revision, cause)."""
    rows = [line.split(None, 1) for line in printed.splitlines() if line[:1].isdigit()]
    return [(revision, cause.strip()) for revision, cause in rows]


def test_rollout_status_history_and_undo(namespace: Namespace, run: Command) -> None:
    """Revisions have Kubernetes' numbers: going back gives the old template a new one."""
    namespace.deploy()
    for tag in ("3.2.1", "3.2.2"):
        namespace.release(tag, cause=f"release {tag}")
        assert "successfully rolled out" in run("rollout", "status", "deployment/web")
    assert _history(run("rollout", "history", "deployment/web")) == [
        ("1", "<none>"),
        ("2", "release 3.2.1"),
        ("3", "release 3.2.2"),
    ]
    assert run("rollout", "undo", "deployment/web") == "deployment.apps/web rolled back\n"
    run("rollout", "status", "deployment/web")
    after = [("1", "<none>"), ("3", "release 3.2.2"), ("4", "release 3.2.1")]
    assert _history(run("rollout", "history", "deployment/web")) == after
    run("rollout", "undo", "deployment/web", "--to-revision=1")
    run("rollout", "status", "deployment/web")
    assert [revision for revision, _ in _history(run("rollout", "history", "deployment/web"))] == [
        "3",
        "4",
        "5",
    ]
    found = namespace.apps.read_namespaced_deployment("web", namespace.name)
    assert found.spec.template.spec.containers[0].image == f"{IMAGE}:3.2.0"
    shown = run("rollout", "history", "deployment/web", "--revision=3")
    assert f"{IMAGE}:3.2.2" in shown


def test_set_image_pause_resume_restart_and_scale(namespace: Namespace, run: Command) -> None:
    """The commands that change a deployment do, and say so."""
    namespace.deploy()
    namespace.until_rolled_out()
    assert run("rollout", "pause", "deployment/web") == "deployment.apps/web paused\n"
    run("set", "image", "deployment/web", f"web={IMAGE}:3.2.1")
    assert len(namespace.replica_sets()) == 1
    assert run("rollout", "resume", "deployment/web") == "deployment.apps/web resumed\n"
    run("rollout", "status", "deployment/web")
    assert run("rollout", "restart", "deployment/web") == "deployment.apps/web restarted\n"
    assert run("scale", "deployment/web", "--replicas=4") == "deployment.apps/web scaled\n"
    run("rollout", "status", "deployment/web")
    assert len(namespace.pods()) == 4
    assert len(namespace.replica_sets()) == 3


def test_a_missed_deadline_fails_rollout_status(namespace: Namespace, run: Command) -> None:
    """`rollout status` ends with the reason when a rollout stands still."""
    namespace.deploy(progressDeadlineSeconds=1)
    namespace.until_rolled_out()
    namespace.release("3.2.1-never-ready")
    with pytest.raises(AssertionError, match='deployment "web" exceeded its progress deadline'):
        run("rollout", "status", "deployment/web")


def test_tables_have_the_usual_columns(namespace: Namespace, run: Command) -> None:
    """`get` prints what people know, and more with -o wide."""
    namespace.deploy(replicas=2)
    namespace.until_rolled_out()
    shown = run("get", "deployments", "-o", "wide").splitlines()
    assert shown[0].split() == [
        "NAME",
        "READY",
        "UP-TO-DATE",
        "AVAILABLE",
        "AGE",
        "CONTAINERS",
        "IMAGES",
        "SELECTOR",
    ]
    row = shown[1].split()
    assert row[:4] == ["web", "2/2", "2", "2"]
    assert row[5:] == ["web", f"{IMAGE}:3.2.0", "app=web"]
    pods = run("get", "pods").splitlines()
    assert pods[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert [line.split()[1:4] for line in pods[1:]] == [["1/1", "Running", "0"]] * 2
    everything = run("get", "all")
    assert {"pod/web", "deployment.apps/web", "replicaset.apps/web"} <= {
        "-".join(line.split()[0].split("-")[:1]) for line in everything.splitlines() if line
    }


def test_a_crashing_pod_shows_in_tables_descriptions_and_logs(namespace: Namespace, run: Command) -> None:
    """What kubectl tells of a bad version is what it tells on a real cluster."""
    namespace.deploy(tag="3.2.2-crash", replicas=1)
    pod = namespace.until_pod(lambda pod: container_state(pod) == "CrashLoopBackOff")
    name = pod.metadata.name
    assert "ago)" in run("get", "pod", name)
    described = run("describe", "pod", name)
    assert "Last State:     Terminated" in described
    assert "Exit Code:    1" in described
    assert "Back-off restarting failed container web" in described
    assert "npm ERR! errno 1" in run("logs", name, "--previous")
    assert "Scaled up replica set" in run("describe", "deployment", "web")


def test_apply_creates_changes_and_leaves_alone(namespace: Namespace, run: Command) -> None:
    """Applying a file creates, applying it again changes nothing, applying another changes the difference."""
    body = deployment(replicas=1)

    def apply(*options: str) -> str:
        return run("apply", "-f", "-", *options, stdin=json.dumps(body)).strip()

    assert apply() == "deployment.apps/web created"
    assert apply() == "deployment.apps/web unchanged"
    body["spec"]["replicas"] = 2
    body["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    assert apply("--dry-run=server") == "deployment.apps/web configured (server dry run)"
    assert apply() == "deployment.apps/web configured"
    body["spec"]["replicas"] = 3
    assert "+  replicas: 3" in run("diff", "-f", "-", stdin=json.dumps(body), code=1)
    body["spec"]["template"]["spec"]["containers"][0]["env"] = []
    assert apply() == "deployment.apps/web configured"
    found = namespace.apps.read_namespaced_deployment("web", namespace.name)
    assert (found.spec.replicas, found.spec.template.spec.containers[0].env) == (3, None)
    assert apply("--server-side", "--force-conflicts") == "deployment.apps/web serverside-applied"


def test_patch_label_annotate_wait_and_delete(namespace: Namespace, run: Command) -> None:
    """The small commands work too."""
    namespace.deploy(replicas=1)
    run("wait", "--for=condition=Available", "deployment/web", "--timeout=10s")
    run("patch", "deployment", "web", "-p", '{"spec":{"minReadySeconds":0,"replicas":2}}')
    run("annotate", "deployment", "web", "kubernetes.io/change-cause=by hand")
    run("label", "deployment", "web", "team=x")
    shown = run("get", "deployment", "web", "-o", "jsonpath={.spec.replicas} {.metadata.labels.team}")
    assert shown == "2 x"
    assert 'deployment.apps "web" deleted' in run("delete", "deployment", "web", "--timeout=10s")
    run("wait", "--for=delete", "pod", "--all", "--timeout=10s")
    assert namespace.pods() == []


def test_jobs_configuration_and_services_can_be_made(namespace: Namespace, run: Command) -> None:
    """What a release needs beside its deployments can be made from files and by hand."""
    container = {"name": "task", "image": f"{IMAGE}:succeed"}
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"}, "spec": spec}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token"},
        "stringData": {"t": "s3cret"},
    }
    for made in (job, secret):
        run("create", "-f", "-", stdin=json.dumps(made))
    run("wait", "--for=condition=Complete", "job/migrate", "--timeout=10s")
    assert "migrate   Complete   1/1" in run("get", "jobs")
    assert run("get", "secret", "token", "-o", "jsonpath={.data.t}") == "czNjcmV0"
    namespace.deploy(replicas=1)
    run("expose", "deployment", "web", "--port=80", "--target-port=8080")
    namespace.until_rolled_out()
    namespace.until(namespace.core.list_namespaced_endpoints, lambda ends: bool(ends.subsets))
    assert "10.244." in run("get", "endpoints", "web")
