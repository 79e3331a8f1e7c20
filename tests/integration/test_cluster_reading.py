"""The sandbox's API is read as a Kubernetes API server is: pages, selectors, collections, versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException

from sandbox.cluster import Cluster, running_cluster
from tests.integration.cluster_clients import (
    IMAGE,
    Namespace,
    config_maps,
    new_namespace,
    raw,
    status_of,
)


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


def test_lists_come_in_pages_of_one_moment(namespace: Namespace) -> None:
    """A page's token leads through the list as it was when the first page was read."""
    for number in range(5):
        namespace.core.create_namespaced_config_map(namespace.name, {"metadata": {"name": f"map-{number}"}})
    path = config_maps(namespace)
    first = raw(namespace.cluster, "GET", path, params={"limit": 4}).json()
    names = [item["metadata"]["name"] for item in first["items"]]
    assert (names[0], first["metadata"]["remainingItemCount"]) == ("kube-root-ca.crt", 2)
    for name in ("map-3", "map-4"):
        namespace.core.delete_namespaced_config_map(name, namespace.name)
    token = first["metadata"]["continue"]
    second = raw(namespace.cluster, "GET", path, params={"limit": 4, "continue": token}).json()
    assert [item["metadata"]["name"] for item in second["items"]] == ["map-3", "map-4"]
    assert second["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}
    namespace.cluster.compact()
    late = raw(namespace.cluster, "GET", path, params={"limit": 4, "continue": token})
    assert (late.status_code, late.json()["reason"]) == (410, "Expired")


def test_selectors_narrow_lists(namespace: Namespace) -> None:
    """Labels by equality and by set, fields by name."""
    for name, labels in (("a", {"env": "x"}), ("b", {"env": "y", "hot": ""}), ("c", {})):
        body = {"metadata": {"name": name, "labels": labels}}
        namespace.core.create_namespaced_secret(namespace.name, body)

    def names(**selection: str) -> list[str]:
        found = namespace.core.list_namespaced_secret(namespace.name, **selection).items
        return [secret.metadata.name for secret in found]

    assert names(label_selector="env=x") == ["a"]
    assert names(label_selector="env in (x, y),hot") == ["b"]
    assert names(label_selector="env notin (x)") == ["b", "c"]
    assert names(label_selector="!env") == ["c"]
    assert names(field_selector="metadata.name!=a") == ["b", "c"]
    assert names(field_selector="metadata.name=b", label_selector="env") == ["b"]


def test_a_collection_is_deleted_by_selector(namespace: Namespace) -> None:
    """Only what the selector chooses goes."""
    for name, labels in (("a", {"old": ""}), ("b", {})):
        body = {"metadata": {"name": name, "labels": labels}}
        namespace.core.create_namespaced_secret(namespace.name, body)
    namespace.core.delete_collection_namespaced_secret(namespace.name, label_selector="old")
    left = namespace.core.list_namespaced_secret(namespace.name).items
    assert [secret.metadata.name for secret in left] == ["b"]


def test_a_lease_is_only_renewed_by_who_has_seen_it(namespace: Namespace) -> None:
    """A lease wants a resourceVersion on every PUT, and the right one."""
    spec = {"holderIdentity": "worker-1", "leaseDurationSeconds": 15}
    body = {"metadata": {"name": "release"}, "spec": spec}
    lease = namespace.coordination.create_namespaced_lease(namespace.name, body)
    with pytest.raises(ApiException) as caught:
        namespace.coordination.replace_namespaced_lease("release", namespace.name, body)
    said = 'leases.coordination.k8s.io "release" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update'  # noqa: E501 - one sentence
    assert status_of(caught)["message"] == said
    lease.spec.holder_identity = "worker-2"
    taken = namespace.coordination.replace_namespaced_lease("release", namespace.name, lease)
    assert taken.spec.holder_identity == "worker-2"
    with pytest.raises(ApiException) as caught:
        namespace.coordination.replace_namespaced_lease("release", namespace.name, lease)
    assert status_of(caught)["reason"] == "Conflict"


def test_a_namespace_takes_everything_with_it(namespace: Namespace) -> None:
    """A deleted namespace is emptied; nothing new gets in meanwhile."""
    namespace.deploy(replicas=1)
    namespace.until_rolled_out()
    namespace.core.delete_namespace(namespace.name)
    with pytest.raises(ApiException) as caught:
        namespace.deploy("late")
    assert caught.value.status in {403, 404}
    for pod in namespace.pods():
        namespace.until_gone(namespace.core.list_namespaced_pod, pod.metadata.name)
    namespace.until_namespace_gone()
    assert namespace.apps.list_namespaced_deployment(namespace.name).items == []


def test_images_of_pods_are_all_that_can_change(namespace: Namespace) -> None:
    """A pod's other fields are fixed."""
    body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": f"{IMAGE}:3.2.0"}]}}
    namespace.core.create_namespaced_pod(namespace.name, body)
    with pytest.raises(ApiException) as caught:
        namespace.core.patch_namespaced_pod("p", namespace.name, {"spec": {"hostname": "x"}})
    assert "pod updates may not change fields other than" in status_of(caught)["message"]


def test_versions_and_health_are_told(cluster: Cluster) -> None:
    """The paths outside the resources answer as a cluster's do."""
    assert raw(cluster, "GET", "/version").json()["gitVersion"].startswith("v1.37.")
    assert {raw(cluster, "GET", f"/{path}").text for path in ("livez", "readyz", "healthz")} == {"ok"}
    groups = {group["name"] for group in raw(cluster, "GET", "/apis").json()["groups"]}
    assert {"apps", "batch", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io"} <= groups


def test_events_are_told_in_both_groups(namespace: Namespace) -> None:
    """An event of the core group is the same object in events.k8s.io, under its newer names."""
    namespace.deploy(replicas=1)
    namespace.until_rolled_out()
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace.name}/events"
    found = raw(namespace.cluster, "GET", path, params={"fieldSelector": "reason=ScalingReplicaSet"}).json()
    (event,) = found["items"]
    assert (event["regarding"]["kind"], event["reportingController"]) == (
        "Deployment",
        "deployment-controller",
    )
    assert event["note"] == namespace.events("ScalingReplicaSet")[0]
