"""Images behave as their tags, or the table, say: well, badly, or late; and jobs end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException

from sandbox.cluster import Cluster, running_cluster
from tests.integration.cluster_clients import (
    IMAGE,
    Loose,
    Namespace,
    condition,
    container_state,
    deployment,
    new_namespace,
    raw,
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One cluster for the module, in which 3.3.0 looks stable and is not."""
    with running_cluster(behaviours={"3.3.0": "crash"}) as running:
        yield running


@pytest.fixture
def namespace(cluster: Cluster, tmp_path: Path) -> Iterator[Namespace]:
    """A namespace of its own."""
    with new_namespace(cluster, tmp_path) as made:
        yield made


def _status(pod: Loose) -> Loose:
    statuses = pod.status.container_statuses
    return statuses[0] if statuses else None


def _restarted(times: int) -> Loose:
    return lambda pod: (status := _status(pod)) and status.restart_count >= times


def test_a_pod_comes_up_through_its_stages(namespace: Namespace) -> None:
    """A good pod is scheduled, pulled, started and then ready, with conditions and events to match."""
    namespace.deploy(replicas=1)
    namespace.until_rolled_out()
    stages: list[str] = []
    for _, pod in namespace.history(namespace.core.list_namespaced_pod, "1"):
        if not pod.spec.node_name:
            stage = "unscheduled"
        elif (status := _status(pod)) is None:
            stage = "bound"
        else:
            stage = container_state(pod) or ("ready" if status.ready else "started")
        stages += [stage] if stages[-1:] != [stage] else []
    assert stages == ["unscheduled", "bound", "ContainerCreating", "started", "ready"]
    (pod,) = namespace.pods()
    status = _status(pod)
    assert status.image_id.startswith(f"docker.io/{IMAGE}@sha256:")
    assert (pod.status.phase, status.started, status.restart_count) == ("Running", True, 0)
    kinds = {c.type for c in pod.status.conditions if c.status == "True"}
    wanted = {"PodScheduled", "Initialized", "ContainersReady", "Ready", "PodReadyToStartContainers"}
    assert kinds == wanted
    for reason in ("Scheduled", "Pulling", "Pulled", "Created", "Started"):
        assert len(namespace.events(reason)) == 1


def test_a_crashing_tag_restarts_ever_later_and_says_why(namespace: Namespace) -> None:
    """The container ends with code 1, is started again ever later, and its log ends in the error."""
    namespace.deploy(tag="3.2.2-crash", replicas=1)
    pod = namespace.until_pod(lambda pod: _restarted(2)(pod) and container_state(pod) == "CrashLoopBackOff")
    name, status = pod.metadata.name, _status(pod)
    ended = status.last_state.terminated
    assert (ended.exit_code, ended.reason, status.ready) == (1, "Error", False)
    where = f"pod={name}_{namespace.name}({pod.metadata.uid})"
    assert status.state.waiting.message == f"back-off 20s restarting failed container=web {where}"
    log = namespace.core.read_namespaced_pod_log(name, namespace.name, previous=True)
    assert "    at Object.<anonymous> (/app/server.js" in log
    assert log.splitlines()[-1].startswith("Error: ")
    said = f"Back-off restarting failed container web in pod {name}_{namespace.name}({pod.metadata.uid})"
    assert said in namespace.events("BackOff")


def test_a_missing_tag_is_never_pulled(namespace: Namespace) -> None:
    """The pod stays pending, first with the registry's answer, then backing off."""
    namespace.deploy(tag="9.9.9-missing", replicas=1)
    image = f"{IMAGE}:9.9.9-missing"
    pod = namespace.until_pod(lambda pod: container_state(pod) == "ErrImagePull")
    message = _status(pod).state.waiting.message
    assert message.endswith(f'failed to resolve reference "docker.io/{image}": docker.io/{image}: not found')
    pod = namespace.until_pod(lambda pod: container_state(pod) == "ImagePullBackOff")
    assert _status(pod).state.waiting.message.startswith(f'Back-off pulling image "{image}": ErrImagePull: ')
    assert pod.status.phase == "Pending"
    assert "Error: ErrImagePull" in namespace.events("Failed")


def test_a_tag_that_is_never_ready_runs_and_fails_its_probe(namespace: Namespace) -> None:
    """The pod runs, is not ready, and the kubelet counts the failures in one event."""
    namespace.deploy(tag="3.2.2-never-ready", replicas=1)

    def is_counted(event: Loose) -> bool:
        return bool(event.reason == "Unhealthy" and event.count >= 2)

    event = namespace.until(namespace.core.list_namespaced_event, is_counted)
    assert event.message == "Readiness probe failed: HTTP probe failed with statuscode: 503"
    (pod,) = namespace.pods()
    assert (pod.status.phase, _status(pod).ready, _status(pod).restart_count) == ("Running", False, 0)
    assert condition(pod, "Ready").reason == "ContainersNotReady"


def test_a_tag_that_runs_out_of_memory_is_killed(namespace: Namespace) -> None:
    """The container was ready, is killed with 137 and comes back."""
    namespace.deploy(tag="3.2.2-oom", replicas=1)
    pod = namespace.until_pod(_restarted(1))
    ended = _status(pod).last_state.terminated or _status(pod).state.terminated
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


def test_a_flaky_tag_turns_bad_after_it_was_good(namespace: Namespace) -> None:
    """The pod becomes ready, so that a rollout completes, and is unready a while later."""
    namespace.deploy(tag="3.2.2-flaky", replicas=1)
    namespace.until_rolled_out()

    def is_unready(pod: Loose) -> bool:
        return bool(condition(pod, "Ready").status == "False" and _status(pod).started)

    namespace.until_pod(is_unready)


def test_a_slow_tag_is_ready_in_the_end(namespace: Namespace) -> None:
    """It fails its probe for a long time, and then does not."""
    namespace.deploy(tag="3.2.2-slow", replicas=1)
    namespace.until_rolled_out()
    assert namespace.events("Unhealthy")


def test_a_table_gives_any_tag_a_behaviour(cluster: Cluster, namespace: Namespace) -> None:
    """A tag that looks stable crashes because the table says so; the table can be changed over HTTP."""
    namespace.deploy(tag="3.3.0", replicas=1)
    namespace.until_pod(_restarted(1))
    table = raw(cluster, "PUT", "/sandbox/behaviours", json={"3.4.0": "never-ready"}).json()["table"]
    assert table == {"3.3.0": "crash", "3.4.0": "never-ready"}
    namespace.deploy("late", tag="3.4.0", replicas=1)
    namespace.until(namespace.core.list_namespaced_event, lambda event: event.reason == "Unhealthy")
    wrong = raw(cluster, "PUT", "/sandbox/behaviours", json={"3.5.0": "explode"})
    assert (wrong.status_code, "there is no behaviour 'explode'" in wrong.json()["error"]) == (400, True)


def test_a_changed_table_is_felt_at_the_next_start(cluster: Cluster, namespace: Namespace) -> None:
    """A crashing container whose tag is mended becomes ready when it is started again."""
    cluster.set_behaviours({"3.9.0": "crash"})
    namespace.deploy(tag="3.9.0", replicas=1)
    namespace.until_pod(_restarted(1))
    cluster.set_behaviours({"3.9.0": "ready"})
    namespace.until_rolled_out()


def test_a_pinned_digest_keeps_its_tags_behaviour(namespace: Namespace) -> None:
    """An image that is named by tag and digest behaves as the tag says, and reports the digest."""
    digest = "sha256:" + "a" * 64
    namespace.deploy(tag=f"3.3.0@{digest}", replicas=1)
    pod = namespace.until_pod(_restarted(1))
    assert _status(pod).image_id == f"docker.io/{IMAGE}@{digest}"


def test_logs_can_be_narrowed(namespace: Namespace) -> None:
    """A healthy container's log tells of its start and its requests; the client chooses how much it reads."""
    namespace.deploy(replicas=1)
    namespace.until_rolled_out()
    (pod,) = namespace.pods()

    def log(**options: Loose) -> list[str]:
        text = namespace.core.read_namespaced_pod_log(pod.metadata.name, namespace.name, **options)
        return str(text).splitlines()

    assert log()[2] == "[info] buzzy-main 3.2.0 on Node.js v14.21.3"
    assert log(tail_lines=1) == ["[info] GET /health 200 2 ms"]
    assert log(since_seconds=3600) == log()
    assert log(timestamps=True, tail_lines=1)[0].split(" ", 1)[0].endswith("Z")
    with pytest.raises(ApiException, match='previous terminated container \\\\"web\\\\" in pod') as caught:
        log(previous=True)
    assert caught.value.status == 400


def test_a_pod_without_room_waits_until_there_is_some(namespace: Namespace) -> None:
    """Requests that no node has room for leave the pod pending with the scheduler's reasons."""
    for name in ("first", "second", "third", "fourth"):
        container = {"name": "big", "image": f"{IMAGE}:3.2.0", "resources": {"requests": {"cpu": "7"}}}
        body = {"metadata": {"name": name}, "spec": {"containers": [container]}}
        namespace.core.create_namespaced_pod(namespace.name, body)
    pod = namespace.until_pod(lambda pod: (c := condition(pod, "PodScheduled")) and c.status == "False")
    assert condition(pod, "PodScheduled").reason == "Unschedulable"
    said = condition(pod, "PodScheduled").message
    assert said.startswith("0/3 nodes are available: 3 Insufficient cpu. preemption: ")
    assert (pod.metadata.name, pod.status.phase) == ("fourth", "Pending")
    assert namespace.events("FailedScheduling") == [said]
    namespace.core.delete_namespaced_pod("first", namespace.name)
    namespace.until_pod(lambda found: found.metadata.name == "fourth" and found.spec.node_name)


def _job(name: str, tag: str, **spec: Loose) -> dict[str, Loose]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "task", "image": f"{IMAGE}:{tag}"}]}
    return {"metadata": {"name": name}, "spec": {"template": {"spec": pod}, **spec}}


def _ended(job: Loose) -> bool:
    return bool(condition(job, "Complete") or condition(job, "Failed"))


def test_a_job_runs_to_its_end(namespace: Namespace) -> None:
    """A job whose image succeeds, or is an ordinary one, is complete after as many pods as it wants."""
    for name, tag, wanted in (("migrate", "succeed", 1), ("twice", "3.2.0", 2)):
        namespace.batch.create_namespaced_job(namespace.name, _job(name, tag, completions=wanted))
        selection = {"field_selector": f"metadata.name={name}"}
        job = namespace.until(namespace.batch.list_namespaced_job, _ended, **selection)
        assert condition(job, "Complete").reason == "CompletionsReached"
        assert (job.status.succeeded, job.status.active, job.status.failed) == (wanted, None, None)
        assert job.status.completion_time >= job.status.start_time
    phases = {pod.status.phase for pod in namespace.pods("job-name=migrate")}
    assert phases == {"Succeeded"}


def test_a_job_that_fails_is_tried_again_and_given_up(namespace: Namespace) -> None:
    """A failing job starts backoffLimit more pods before it has failed; their logs say why."""
    namespace.batch.create_namespaced_job(namespace.name, _job("migrate", "fail", backoffLimit=1))
    job = namespace.until(namespace.batch.list_namespaced_job, _ended)
    failed = condition(job, "Failed")
    assert (failed.reason, failed.message) == (
        "BackoffLimitExceeded",
        "Job has reached the specified backoff limit",
    )
    assert job.status.failed == 2
    pods = namespace.pods()
    assert [pod.status.phase for pod in pods] == ["Failed", "Failed"]
    log = namespace.core.read_namespaced_pod_log(pods[0].metadata.name, namespace.name)
    assert "npm ERR! errno 1" in log


def test_a_job_that_hangs_misses_its_deadline(namespace: Namespace) -> None:
    """ActiveDeadlineSeconds ends a job whose pod never does, and takes the pod away."""
    body = _job("stuck", "3.2.0-never-ready", activeDeadlineSeconds=1)
    namespace.batch.create_namespaced_job(namespace.name, body)
    job = namespace.until(namespace.batch.list_namespaced_job, _ended)
    assert condition(job, "Failed").reason == "DeadlineExceeded"
    for pod in namespace.pods():
        namespace.until_gone(namespace.core.list_namespaced_pod, pod.metadata.name)


def test_pods_of_a_deleted_job_stay_unless_told_otherwise(namespace: Namespace) -> None:
    """Kubernetes orphans a job's pods when the client does not say; the sandbox does as well."""
    for name in ("kept", "cleaned"):
        namespace.batch.create_namespaced_job(namespace.name, _job(name, "succeed"))
        selection = {"field_selector": f"metadata.name={name}"}
        namespace.until(namespace.batch.list_namespaced_job, _ended, **selection)
    (pod,) = namespace.pods("job-name=cleaned")
    namespace.batch.delete_namespaced_job("kept", namespace.name)
    namespace.batch.delete_namespaced_job("cleaned", namespace.name, propagation_policy="Background")
    namespace.until_gone(namespace.core.list_namespaced_pod, pod.metadata.name)
    assert [pod.metadata.labels["job-name"] for pod in namespace.pods()] == ["kept"]


def test_init_containers_come_first(namespace: Namespace) -> None:
    """The main container starts only after each init container has succeeded."""
    body = deployment(replicas=1)
    spec = body["spec"]["template"]["spec"]
    spec["initContainers"] = [{"name": "migrate", "image": f"{IMAGE}:3.2.0"}]
    namespace.apps.create_namespaced_deployment(namespace.name, body)
    namespace.until_pod(lambda pod: container_state(pod) == "PodInitializing")
    namespace.until_rolled_out()
    (pod,) = namespace.pods()
    (init,) = pod.status.init_container_statuses
    assert (init.state.terminated.exit_code, _status(pod).ready) == (0, True)
