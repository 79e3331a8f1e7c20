"""Deployments of the sandbox cluster roll out, back, pause and fail as in Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.cluster import Cluster, running_cluster
from tests.integration.cluster_clients import (
    Loose,
    Namespace,
    condition,
    deployment,
    is_rolled_out,
    new_namespace,
)

REVISION = "deployment.kubernetes.io/revision"
PAST = "deployment.kubernetes.io/revision-history"
WEB = {"field_selector": "metadata.name=web"}


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


def _rolling(surge: int | str, unavailable: int | str) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def _is_ready(pod: Loose) -> bool:
    ready = condition(pod, "Ready")
    return ready is not None and ready.status == "True"


def _reasons(namespace: Namespace, since: str) -> list[str]:
    """Return the reasons that the Progressing condition went through."""
    reasons: list[str] = []
    for _, found in namespace.history(namespace.apps.list_namespaced_deployment, since):
        progressing = condition(found, "Progressing")
        if progressing and reasons[-1:] != [progressing.reason]:
            reasons.append(progressing.reason)
    return reasons


class _PodCounts:
    """The pods of a namespace, replayed change by change."""

    def __init__(self, namespace: Namespace) -> None:
        listed = namespace.core.list_namespaced_pod(namespace.name)
        self._namespace = namespace
        self._since = listed.metadata.resource_version
        self._pods = {pod.metadata.name: pod for pod in listed.items}

    def over_time(self) -> list[tuple[int, int, int]]:
        """Return (pods, ready pods, images) after each change; pods that are going do not count."""
        counts = []
        for kind, pod in self._namespace.history(self._namespace.core.list_namespaced_pod, self._since):
            self._pods[pod.metadata.name] = pod
            if kind == "DELETED" or pod.metadata.deletion_timestamp:
                del self._pods[pod.metadata.name]
            present = self._pods.values()
            images = {found.spec.containers[0].image for found in present}
            counts.append((len(present), sum(map(_is_ready, present)), len(images)))
        return counts


@pytest.mark.parametrize(
    ("strategy", "replicas", "most", "least"),
    [
        pytest.param(_rolling(1, 1), 3, 4, 2, id="one-more-one-less"),
        pytest.param(_rolling("25%", "25%"), 5, 7, 4, id="surge-rounds-up-unavailable-down"),
        pytest.param(_rolling(0, 2), 3, 3, 1, id="no-surge"),
        pytest.param(_rolling(1, 0), 2, 3, 2, id="none-missing"),
    ],
)
def test_a_rollout_stays_within_its_limits(
    namespace: Namespace, strategy: dict[str, Any], replicas: int, most: int, least: int
) -> None:
    """At no moment of the whole watch history are there more pods, or fewer ready ones, than allowed."""
    namespace.deploy(replicas=replicas, strategy=strategy)
    namespace.until_rolled_out()
    counts = _PodCounts(namespace)
    namespace.release("3.2.1")
    namespace.until_rolled_out()
    seen = counts.over_time()
    assert max(pods for pods, _, _ in seen) == most
    assert min(ready for _, ready, _ in seen) == least
    assert seen[-1] == (replicas, replicas, 1)
    assert {pod.spec.containers[0].image for pod in namespace.pods()} == {"buzzybuzz/buzzy-main:3.2.1"}


def test_recreate_never_mixes_templates(namespace: Namespace) -> None:
    """All old pods are gone before the first new one comes."""
    namespace.deploy(strategy={"type": "Recreate"})
    namespace.until_rolled_out()
    counts = _PodCounts(namespace)
    namespace.release("3.2.1")
    namespace.until_rolled_out()
    seen = counts.over_time()
    assert min(pods for pods, _, _ in seen) == 0
    assert max(images for _, _, images in seen) == 1


def test_progress_is_told_with_kubernetes_reasons(namespace: Namespace) -> None:
    """A rollout goes through created, updated and available, and says so in events as well."""
    start = namespace.deploy().metadata.resource_version
    namespace.until_rolled_out()
    assert _reasons(namespace, start) == [
        "NewReplicaSetCreated",
        "ReplicaSetUpdated",
        "NewReplicaSetAvailable",
    ]
    found = namespace.apps.read_namespaced_deployment("web", namespace.name)
    rs = namespace.replica_sets()[0].metadata.name
    assert condition(found, "Available").reason == "MinimumReplicasAvailable"
    assert condition(found, "Progressing").message == f'ReplicaSet "{rs}" has successfully progressed.'
    assert namespace.events("ScalingReplicaSet") == [f"Scaled up replica set {rs} from 0 to 3"]
    assert len(namespace.events("SuccessfulCreate")) == 3


def test_a_rollback_uses_the_old_replica_set_under_a_new_number(namespace: Namespace) -> None:
    """Going back to a template finds its replica set, renumbers it and notes its past revisions."""
    namespace.deploy()
    namespace.until_rolled_out()
    first = namespace.replica_sets()[0].metadata.name
    for tag in ("3.2.1", "3.2.0", "3.2.1", "3.2.0"):
        namespace.release(tag)
        found = namespace.until_rolled_out()
    second, again = namespace.replica_sets()
    assert (again.metadata.name, again.spec.replicas, second.spec.replicas) == (first, 3, 0)
    assert found.metadata.annotations[REVISION] == again.metadata.annotations[REVISION] == "5"
    assert again.metadata.annotations[PAST] == "1,3"
    assert second.metadata.annotations[PAST] == "2"


def test_the_deployments_annotations_reach_its_replica_set(namespace: Namespace) -> None:
    """What describes the release is copied; what only concerns the Deployment itself is not."""
    body = deployment()
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    body["metadata"]["annotations"] = {"kubernetes.io/change-cause": "first", applied: "{}"}
    namespace.apps.create_namespaced_deployment(namespace.name, body)
    namespace.until_rolled_out()
    namespace.release("3.2.1", cause="second")
    namespace.until_rolled_out()
    old, new = (rs.metadata.annotations for rs in namespace.replica_sets())
    assert [a["kubernetes.io/change-cause"] for a in (old, new)] == ["first", "second"]
    assert applied not in new
    sizes = ("deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas")
    assert [new[size] for size in sizes] == ["3", "4"]


def test_old_revisions_go_beyond_the_history_limit(namespace: Namespace) -> None:
    """Only as many old replica sets are kept as the limit allows; the oldest go."""
    namespace.deploy(revisionHistoryLimit=2)
    namespace.until_rolled_out()
    first = namespace.replica_sets()[0].metadata.name
    for tag in ("3.2.1", "3.2.2", "3.2.3"):
        namespace.release(tag)
        namespace.until_rolled_out()
    namespace.until_gone(namespace.apps.list_namespaced_replica_set, first)
    assert [rs.metadata.annotations[REVISION] for rs in namespace.replica_sets()] == ["2", "3", "4"]


def test_a_paused_deployment_waits_with_its_template(namespace: Namespace) -> None:
    """While it is paused a new image starts nothing; resumed, it rolls out."""
    namespace.deploy()
    namespace.until_rolled_out()
    namespace.apps.patch_namespaced_deployment("web", namespace.name, {"spec": {"paused": True}})
    namespace.release("3.2.1")

    def is_seen(found: Loose) -> bool:
        return bool(found.status.observed_generation == found.metadata.generation == 3)

    found = namespace.until(namespace.apps.list_namespaced_deployment, is_seen, **WEB)
    assert condition(found, "Progressing").reason == "DeploymentPaused"
    assert found.status.updated_replicas is None
    assert len(namespace.replica_sets()) == 1
    namespace.apps.patch_namespaced_deployment("web", namespace.name, {"spec": {"paused": None}})
    namespace.until_rolled_out()
    assert len(namespace.replica_sets()) == 2


def test_scaling_in_the_middle_of_a_rollout_is_shared(namespace: Namespace) -> None:
    """A deployment that grows while it is stuck between two templates grows both of them in proportion."""
    namespace.deploy(replicas=10, strategy=_rolling(3, 2))
    namespace.until_rolled_out()
    namespace.release("3.2.1-never-ready")

    def is_stuck(found: Loose) -> bool:
        return bool(found.status.updated_replicas == 5 and found.status.replicas == 13)

    namespace.until(namespace.apps.list_namespaced_deployment, is_stuck, **WEB)
    namespace.apps.patch_namespaced_deployment_scale("web", namespace.name, {"spec": {"replicas": 15}})

    def has_grown(found: Loose) -> bool:
        return bool(found.status.replicas == 18)

    namespace.until(namespace.apps.list_namespaced_deployment, has_grown, **WEB)
    assert [rs.spec.replicas for rs in namespace.replica_sets()] == [11, 7]


def test_a_rollout_that_stands_still_misses_its_deadline(namespace: Namespace) -> None:
    """After progressDeadlineSeconds without progress the condition is False, while the old pods serve on."""
    namespace.deploy(progressDeadlineSeconds=1)
    namespace.until_rolled_out()
    namespace.release("3.2.1-never-ready")

    def is_overdue(found: Loose) -> bool:
        progressing = condition(found, "Progressing")
        return bool(progressing and progressing.reason == "ProgressDeadlineExceeded")

    found = namespace.until(namespace.apps.list_namespaced_deployment, is_overdue, **WEB)
    new = namespace.replica_sets()[-1].metadata.name
    assert condition(found, "Progressing").status == "False"
    assert condition(found, "Progressing").message == f'ReplicaSet "{new}" has timed out progressing.'
    assert condition(found, "Available").status == "True"
    assert (found.status.available_replicas, found.status.unavailable_replicas) == (2, 2)


def test_a_pod_must_stay_ready_before_it_is_available(namespace: Namespace) -> None:
    """MinReadySeconds separates ready from available."""
    namespace.deploy(replicas=1, minReadySeconds=1)

    def is_only_ready(found: Loose) -> bool:
        return bool(found.status.ready_replicas == 1 and not found.status.available_replicas)

    namespace.until(namespace.apps.list_namespaced_deployment, is_only_ready, **WEB)
    found = namespace.until(namespace.apps.list_namespaced_deployment, is_rolled_out, **WEB)
    pod = namespace.pods()[0]
    done, ready = condition(found, "Progressing"), condition(pod, "Ready")
    assert (done.last_update_time - ready.last_transition_time).total_seconds() >= 1


def test_a_service_follows_its_selector(namespace: Namespace) -> None:
    """Switching a service's selector moves its endpoints from one set of ready pods to the other."""
    for colour in ("blue", "green"):
        namespace.deploy(colour, replicas=2)
        namespace.until_rolled_out(colour)
    service = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "blue"}, "ports": [{"port": 80}]}}
    namespace.core.create_namespaced_service(namespace.name, service)

    def leads_to(colour: str) -> Loose:
        wanted = {pod.metadata.name for pod in namespace.pods(f"app={colour}")}

        def holds(endpoints: Loose) -> bool:
            subsets = endpoints.subsets or []
            return {a.target_ref.name for subset in subsets for a in subset.addresses or []} == wanted

        return namespace.until(namespace.core.list_namespaced_endpoints, holds)

    assert leads_to("blue").subsets[0].ports[0].port == 80
    namespace.core.patch_namespaced_service("web", namespace.name, {"spec": {"selector": {"app": "green"}}})
    leads_to("green")


def test_deleting_a_deployment_takes_its_pods_along_or_leaves_them(namespace: Namespace) -> None:
    """Owned objects go with their owner, unless the client asks to orphan them."""
    for name in ("kept", "web"):
        namespace.deploy(name, replicas=1)
        namespace.until_rolled_out(name)
    namespace.apps.delete_namespaced_deployment("kept", namespace.name, propagation_policy="Orphan")
    namespace.apps.delete_namespaced_deployment("web", namespace.name, propagation_policy="Foreground")
    for name in ("kept", "web"):
        namespace.until_gone(namespace.apps.list_namespaced_deployment, name)
    assert [pod.metadata.labels["app"] for pod in namespace.pods()] == ["kept"]
    assert [rs.metadata.owner_references for rs in namespace.replica_sets()] == [None]
