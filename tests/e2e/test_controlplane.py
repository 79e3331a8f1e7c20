"""The control plane that the end-to-end tests stand on does what a real cluster would."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.controlplane import plane as plane_module
from tests.e2e.controlplane.audit import Request
from tests.e2e.controlplane.behaviours import Behaviour
from tests.e2e.controlplane.plane import ControlPlane, KubectlError

pytestmark = pytest.mark.e2e

IMAGE = "buzzybuzz/buzzy-main"
TIMEOUT = "--timeout=20s"


class Namespace:
    """kubectl in one namespace."""

    def __init__(self, plane: ControlPlane, name: str) -> None:
        self.name = name
        self._plane = plane

    def kubectl(self, *command: str, stdin: str | None = None) -> str:
        """Run a command as the administrator."""
        return self._plane.kubectl("-n", self.name, *command, stdin=stdin)

    def wait(self, thing: str, *conditions: str) -> None:
        """Wait for one condition after another."""
        for condition in conditions:
            self.kubectl("wait", *thing.split(), f"--for={condition}", TIMEOUT)

    def wait_for_event(self, pod: str, text: str) -> None:
        """Wait until an event tells of something."""
        _eventually(lambda: text in self.kubectl("events", "--for", pod))

    def status(self, thing: str) -> dict[str, object]:
        """Return the state of the only container of a pod."""
        pod = json.loads(self.kubectl("get", thing, "-o", "json"))
        status: dict[str, object] = pod["status"]["containerStatuses"][0]
        return status

    def run(self, tag: str, name: str = "app") -> str:
        """Make a pod of an image, and return how kubectl names it."""
        self.kubectl("run", name, f"--image={IMAGE}:{tag}")
        return f"pod/{name}"

    def deploy(self, tag: str, *, deadline: int = 60) -> None:
        """Apply a Deployment of three replicas."""
        labels = {"app": "buzzy-main"}
        container = {"name": "app", "image": f"{IMAGE}:{tag}"}
        spec = {
            "replicas": 3,
            "progressDeadlineSeconds": deadline,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        }
        head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "buzzy-main"}}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(head | {"spec": spec}))


@pytest.fixture
def namespace(plane: ControlPlane) -> Iterator[Namespace]:
    """A namespace for one test, in which pods can be made."""
    # It takes Kubernetes seconds to delete one, so no name is used again.
    name = f"controlplane-{secrets.token_hex(4)}"
    plane.kubectl("create", "namespace", name)
    made = Namespace(plane, name)
    made.wait("serviceaccount/default", "create")
    yield made
    plane.kubectl("delete", "namespace", name, "--wait=false")


def test_rollout_of_three_replicas_completes(namespace: Namespace) -> None:
    """A Deployment gets its pods ready, and its next version replaces them, by the real controllers."""
    namespace.deploy("3.2.0")
    assert "successfully rolled out" in namespace.kubectl(
        "rollout", "status", "deployment/buzzy-main", TIMEOUT
    )
    namespace.deploy("3.2.1")
    assert "successfully rolled out" in namespace.kubectl(
        "rollout", "status", "deployment/buzzy-main", TIMEOUT
    )
    namespace.wait("deployment/buzzy-main", "jsonpath={.status.terminatingReplicas}=0")
    images = namespace.kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].image}").split()
    assert images == [f"{IMAGE}:3.2.1"] * 3
    assert "3.2.1" in namespace.kubectl("rollout", "history", "deployment/buzzy-main", "--revision=2")


def test_crash_is_told_by_pods_and_deployment(namespace: Namespace) -> None:
    """A version that crashes ends in CrashLoopBackOff, and its rollout in ProgressDeadlineExceeded."""
    namespace.deploy("3.2.1-crash", deadline=2)
    reason = "{.status.conditions[?(@.type=='Progressing')].reason}"
    namespace.wait("deployment/buzzy-main", f"jsonpath={reason}=ProgressDeadlineExceeded")
    namespace.wait(
        "pods -l app=buzzy-main",
        "jsonpath={.status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff",
    )
    pod = namespace.kubectl("get", "pods", "-o", "name").split()[0]
    status = namespace.status(pod)
    assert isinstance(status["restartCount"], int)
    assert status["restartCount"] >= 1
    assert status["lastState"]["terminated"]["exitCode"] == 1  # type: ignore[index] # plain JSON
    namespace.wait_for_event(pod, "Back-off restarting failed container")


READY, UNREADY = "condition=Ready", "condition=Ready=false"
NOT_PULLED = "jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff"
KILLED = "jsonpath={.status.containerStatuses[0].lastState.terminated.reason}=OOMKilled"
PROBE_FAILED = "Readiness probe failed: HTTP probe failed with statuscode: 503"
JOURNEYS = {
    "slow": ([UNREADY, READY], "Container started"),
    "never-ready": ([UNREADY], PROBE_FAILED),
    "missing": ([NOT_PULLED], "Error: ImagePullBackOff"),
    "oom": ([READY, KILLED], "already present on machine"),
    "flaky": ([READY, UNREADY], PROBE_FAILED),
}


@pytest.mark.parametrize("behaviour", JOURNEYS)
def test_tag_decides_what_a_pod_does(namespace: Namespace, behaviour: str) -> None:
    """A pod goes through the states that its image's tag asks for, and events tell of it."""
    states, event = JOURNEYS[behaviour]
    pod = namespace.run(f"3.2.1-{behaviour}")
    namespace.wait(pod, *states)
    namespace.wait_for_event(pod, event)


def test_running_pods_change_when_told(plane: ControlPlane, namespace: Namespace) -> None:
    """What the containers of a tag do can be changed while they run, and be taken back."""
    pod = namespace.run("7.7.7")
    namespace.wait(pod, "condition=Ready")
    plane.kubelet.behave("7.7.7", Behaviour.NEVER_READY)
    namespace.wait(pod, "condition=Ready=false")
    plane.kubelet.behave("7.7.7", None)
    namespace.wait(pod, "condition=Ready")
    assert namespace.status(pod)["restartCount"] == 0


@pytest.mark.parametrize(
    ("tag", "condition"), [("succeed", "Complete"), ("fail", "Failed"), ("3.2.1", "Complete")]
)
def test_job_ends(namespace: Namespace, tag: str, condition: str) -> None:
    """A Job's pod runs to its end; the real controller says how the Job ended."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": f"{IMAGE}:{tag}"}]}
    head = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"}}
    body = head | {"spec": {"backoffLimit": 0, "template": {"spec": pod}}}
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    namespace.wait("job/work", f"condition={condition}")


def test_logs_of_this_run_and_the_one_before(namespace: Namespace) -> None:
    """Logs come through the API server from the node, with the options of kubectl."""
    crashing = namespace.run("1-crash", "crashing")
    namespace.wait(crashing, "jsonpath={.status.containerStatuses[0].restartCount}=1")
    before = namespace.kubectl("logs", "crashing", "--previous")
    assert "at readConfiguration (/app/lib/configuration.js" in before
    last_line = namespace.kubectl("logs", "crashing", "--previous", "--tail=1")
    assert last_line == "Error: cannot start: MONGODB_URL is not set\n"

    serving = namespace.run("3.2.1", "serving")
    namespace.wait(serving, "condition=Ready")
    assert "listening on port 8080" in namespace.kubectl("logs", "serving")
    with pytest.raises(KubectlError, match="previous terminated container"):
        namespace.kubectl("logs", "serving", "--previous")


def test_deleted_pods_are_stopped_and_go(namespace: Namespace) -> None:
    """What owns pods can be deleted with them: none is left terminating for its grace period."""
    namespace.deploy("3.2.0")
    namespace.kubectl("rollout", "status", "deployment/buzzy-main", TIMEOUT)
    namespace.kubectl("delete", "deployment/buzzy-main", "--cascade=foreground", TIMEOUT)
    assert namespace.kubectl("get", "pods", "-o", "name") == ""
    assert namespace.kubectl("events", "--types=Normal").count("Stopping container app") == 3


def test_account_without_rights_is_refused_and_recorded(plane: ControlPlane, namespace: Namespace) -> None:
    """RBAC holds: what no Role allows gets a 403, and the audit log says who asked for what."""
    namespace.kubectl("create", "serviceaccount", "bot")
    namespace.kubectl("create", "role", "reader", "--verb=list", "--resource=pods")
    namespace.kubectl(
        "create", "rolebinding", "bot", "--role=reader", f"--serviceaccount={namespace.name}:bot"
    )
    bot = plane.kubeconfig_for("bot", namespace.name)
    _eventually(lambda: _may_list_pods(plane, bot))  # the API server takes a moment to learn of the Role
    plane.kubectl("get", "pods", config=bot)
    with pytest.raises(KubectlError, match="Forbidden"):
        plane.kubectl("delete", "deployment", "buzzy-main", config=bot)
    asked = plane.requests_of("bot", namespace.name)
    assert Request("list", "", "pods", namespace.name, was_allowed=True) in asked
    assert Request("delete", "apps", "deployments", namespace.name, was_allowed=False) in asked


def _may_list_pods(plane: ControlPlane, config: Path) -> bool:
    try:
        return plane.kubectl("auth", "can-i", "list", "pods", config=config).strip() == "yes"
    except KubectlError:
        return False


def test_cluster_outlives_its_api_server(plane: ControlPlane, namespace: Namespace) -> None:
    """After an outage the same address serves the same data, and what stood still goes on."""
    namespace.deploy("3.2.0")
    namespace.kubectl("rollout", "status", "deployment/buzzy-main", TIMEOUT)
    plane.stop_api_server()
    with pytest.raises(httpx.ConnectError):
        httpx.get(plane.url)
    plane.start_api_server()
    namespace.deploy("3.2.1")
    namespace.kubectl("rollout", "status", "deployment/buzzy-main", "--timeout=40s")


def test_nothing_is_left_of_a_killed_control_plane() -> None:
    """When the process that started it is killed its servers end too, and the next one removes its data."""
    command = [sys.executable, str(plane_module.__file__)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        folder = Path(where["kubeconfig"]).parent
        servers = _children(process.pid)
        assert len(servers) == 4
        process.kill()
    _eventually(lambda: not any(_is_alive(pid) for pid in servers))
    with ControlPlane() as successor:
        servers = successor.pids()
        assert not folder.exists()
        folder = successor.kubeconfig.parent
    assert not any(_is_alive(pid) for pid in servers)
    assert not folder.exists()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _eventually(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
