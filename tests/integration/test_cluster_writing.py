"""The sandbox's API writes as a Kubernetes API server does: defaults, generations, dry runs, patches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cluster import Cluster, running_cluster
from tests.integration.cluster_clients import (
    APPLY,
    MERGE,
    STRATEGIC,
    Loose,
    Namespace,
    deployment,
    deployments,
    new_namespace,
    patched,
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


def test_what_is_read_back_has_the_servers_defaults(namespace: Namespace) -> None:
    """A short deployment comes back with everything that a real server would fill in."""
    body = deployment()
    del body["spec"]["strategy"], body["spec"]["replicas"]
    container = body["spec"]["template"]["spec"]["containers"][0]
    container |= {
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}},
    }
    spec = namespace.apps.create_namespaced_deployment(namespace.name, body).spec
    assert (spec.replicas, spec.revision_history_limit, spec.progress_deadline_seconds) == (1, 10, 600)
    update = spec.strategy.rolling_update
    assert (spec.strategy.type, update.max_surge, update.max_unavailable) == ("RollingUpdate", "25%", "25%")
    pod = spec.template.spec
    assert (pod.restart_policy, pod.dns_policy, pod.scheduler_name) == (
        "Always",
        "ClusterFirst",
        "default-scheduler",
    )
    assert pod.termination_grace_period_seconds == 30
    (made,) = pod.containers
    probe = made.readiness_probe
    assert (made.image_pull_policy, made.ports[0].protocol) == ("IfNotPresent", "TCP")
    assert (probe.timeout_seconds, probe.period_seconds, probe.success_threshold) == (1, 10, 1)
    assert (probe.failure_threshold, probe.http_get.scheme) == (3, "HTTP")
    assert made.resources.requests == {"cpu": "500m", "memory": "1Gi"}


def test_the_generation_counts_changes_of_the_wish(namespace: Namespace) -> None:
    """Spec and annotations of a deployment count, labels and an update that changes nothing do not."""
    made = namespace.deploy(replicas=0)
    steps = [
        ({"metadata": {"labels": {"a": "b"}}}, 1),
        ({"metadata": {"annotations": {"a": "b"}}}, 2),
        ({"spec": {"replicas": 1}}, 3),
        ({"spec": {"replicas": 1}}, 3),
    ]
    assert made.metadata.generation == 1
    for body, generation in steps:
        found = namespace.apps.patch_namespaced_deployment("web", namespace.name, body)
        assert found.metadata.generation == generation


def test_an_update_that_changes_nothing_is_not_written(namespace: Namespace) -> None:
    """The version stays, and the journal does not count it as a write."""
    namespace.core.create_namespaced_config_map(
        namespace.name, {"metadata": {"name": "a"}, "data": {"x": "1"}}
    )
    before = namespace.core.read_namespaced_config_map("a", namespace.name).metadata.resource_version
    again = namespace.core.patch_namespaced_config_map("a", namespace.name, {"data": {"x": "1"}})
    assert again.metadata.resource_version == before
    writes = namespace.cluster.writes(namespace=namespace.name, resource="configmaps")
    asked = namespace.cluster.requests(namespace=namespace.name, resource="configmaps")
    assert [entry.verb for entry in writes] == ["create"]
    assert [(entry.verb, entry.user) for entry in asked][-1] == ("patch", "sandbox-admin")


def test_a_dry_run_answers_and_keeps_nothing(namespace: Namespace) -> None:
    """Create, change and delete are judged and answered as if they were meant."""
    namespace.apps.create_namespaced_deployment(namespace.name, deployment(), dry_run="All")
    assert namespace.apps.list_namespaced_deployment(namespace.name).items == []
    namespace.deploy(replicas=0)
    body = {"spec": {"replicas": 7}}
    patched = namespace.apps.patch_namespaced_deployment("web", namespace.name, body, dry_run="All")
    assert (patched.spec.replicas, patched.metadata.generation) == (7, 2)
    namespace.apps.delete_namespaced_deployment("web", namespace.name, dry_run="All")
    assert namespace.apps.read_namespaced_deployment("web", namespace.name).spec.replicas == 0


def test_each_kind_of_patch_has_its_own_way_with_lists(namespace: Namespace) -> None:
    """Strategic merge finds containers by name, merge patch replaces the list, JSON patch names the place."""
    namespace.deploy(replicas=0)
    path = deployments(namespace, "web")

    def names(answer: Loose) -> list[str]:
        return [c["name"] for c in answer.json()["spec"]["template"]["spec"]["containers"]]

    def containers(*found: dict[str, str]) -> dict[str, Loose]:
        return {"spec": {"template": {"spec": {"containers": list(found)}}}}

    side = {"name": "side", "image": "proxy:1"}
    assert set(names(patched(namespace, path, containers(side), STRATEGIC))) == {"web", "side"}
    gone = {"name": "side", "$patch": "delete"}
    assert names(patched(namespace, path, containers(gone), STRATEGIC)) == ["web"]
    added = [{"op": "add", "path": "/spec/template/spec/containers/-", "value": side}]
    assert names(patched(namespace, path, added, "application/json-patch+json")) == ["web", "side"]
    assert names(patched(namespace, path, containers(side), MERGE)) == ["side"]
    failed = [{"op": "test", "path": "/spec/replicas", "value": 99}]
    answer = patched(namespace, path, failed, "application/json-patch+json")
    said = "the server rejected our request due to an error in our request"
    assert (answer.status_code, answer.json()["message"]) == (422, said)


def _applied(replicas: int | None = None, **labels: str) -> dict[str, Loose]:
    body = deployment()
    del body["spec"]["replicas"]
    if replicas is not None:
        body["spec"]["replicas"] = replicas
    body["metadata"]["labels"] = labels
    return body


def test_server_side_apply_guards_the_fields_of_others(namespace: Namespace) -> None:
    """A field of another manager is a conflict by name; force takes it over; leaving it out gives it up."""
    path = deployments(namespace, "web")
    made = patched(namespace, path, _applied(0, owner="bot", team="x"), APPLY, fieldManager="bot")
    assert made.status_code == 201
    refused = patched(namespace, path, _applied(2), APPLY, fieldManager="hpa").json()
    assert (refused["code"], refused["reason"]) == (409, "Conflict")
    assert refused["message"] == 'Apply failed with 1 conflict: conflict with "bot": .spec.replicas'
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "bot"', "field": ".spec.replicas"}
    assert refused["details"]["causes"] == [cause]
    forced = patched(namespace, path, _applied(2), APPLY, fieldManager="hpa", force="true").json()
    assert forced["spec"]["replicas"] == 2
    left = patched(namespace, path, _applied(owner="bot"), APPLY, fieldManager="bot").json()
    assert (left["spec"]["replicas"], left["metadata"]["labels"]) == (2, {"owner": "bot"})
    managers = {(entry["manager"], entry["operation"]) for entry in left["metadata"]["managedFields"]}
    assert {("bot", "Apply"), ("hpa", "Apply")} <= managers


def test_a_merge_patch_takes_a_field_from_its_applier(namespace: Namespace) -> None:
    """Who patches a field owns it; the applier is told when it wants it back."""
    path = deployments(namespace, "web")
    patched(namespace, path, _applied(1), APPLY, fieldManager="bot")
    patched(namespace, path, {"spec": {"replicas": 5}}, MERGE, fieldManager="hand")
    refused = patched(namespace, path, _applied(1), APPLY, fieldManager="bot").json()
    said = 'Apply failed with 1 conflict: conflict with "hand" using apps/v1: .spec.replicas'
    assert refused["message"] == said
