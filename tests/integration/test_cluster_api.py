"""The sandbox's API answers as a Kubernetes API server does: bodies, codes, defaults, patches, lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException

from sandbox.cluster import Cluster, Rule, running_cluster
from tests.integration.cluster_clients import (
    IMAGE,
    Loose,
    Namespace,
    connected,
    deployment,
    new_namespace,
    raw,
)

MODIFIED = (
    'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; '
    "please apply your changes to the latest version and try again"
)
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


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


def _deployments(namespace: Namespace, name: str = "") -> str:
    return f"/apis/apps/v1/namespaces/{namespace.name}/deployments" + (f"/{name}" if name else "")


def _config_maps(namespace: Namespace, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace.name}/configmaps" + (f"/{name}" if name else "")


def _status(error: pytest.ExceptionInfo[ApiException]) -> Loose:
    return json.loads(error.value.body or "")


def _patch(namespace: Namespace, path: str, body: object, kind: str, **query: str) -> Loose:
    headers = {"Content-Type": kind}
    content = json.dumps(body)
    return raw(namespace.cluster, "PATCH", path, content=content, headers=headers, params=query)


# -- errors ----------------------------------------------------------------------------------------


def test_what_is_not_there_is_a_404_with_a_status(namespace: Namespace) -> None:
    """The body names the object as Kubernetes does, with and without a group."""
    with pytest.raises(ApiException) as caught:
        namespace.apps.read_namespaced_deployment("nope", namespace.name)
    assert _status(caught) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps "nope" not found',
        "reason": "NotFound",
        "details": {"name": "nope", "group": "apps", "kind": "deployments"},
        "code": 404,
    }
    with pytest.raises(ApiException) as caught:
        namespace.core.read_namespaced_pod("nope", namespace.name)
    assert _status(caught)["message"] == 'pods "nope" not found'


def test_what_is_there_already_is_a_409(namespace: Namespace) -> None:
    """A second object of a name is refused, with a reason of its own."""
    namespace.deploy()
    with pytest.raises(ApiException) as caught:
        namespace.deploy()
    assert (_status(caught)["code"], _status(caught)["reason"]) == (409, "AlreadyExists")
    assert _status(caught)["message"] == 'deployments.apps "web" already exists'


def test_only_the_latest_state_can_be_replaced(namespace: Namespace) -> None:
    """A PUT or a PATCH with an old resourceVersion is a conflict, and changes nothing."""
    old = namespace.deploy()
    changed = namespace.release("3.2.1")
    with pytest.raises(ApiException) as caught:
        namespace.apps.replace_namespaced_deployment("web", namespace.name, old)
    assert (_status(caught)["reason"], _status(caught)["message"]) == ("Conflict", MODIFIED)
    stale = {"metadata": {"resourceVersion": old.metadata.resource_version}, "spec": {"replicas": 9}}
    with pytest.raises(ApiException) as caught:
        namespace.apps.patch_namespaced_deployment("web", namespace.name, stale)
    assert (_status(caught)["code"], _status(caught)["message"]) == (409, MODIFIED)
    found = namespace.apps.read_namespaced_deployment("web", namespace.name)
    assert (found.metadata.uid, found.spec.replicas) == (changed.metadata.uid, 3)


def _without(path: str) -> dict[str, Loose]:
    body: Loose = deployment()
    at, *rest = path.split(".")[::-1]
    node = body
    for step in rest[::-1]:
        node = node[int(step) if step.isdigit() else step]
    del node[at]
    return dict(body)


INVALID = [
    pytest.param(_without("spec.selector"), "spec.selector: Required value", id="no-selector"),
    pytest.param(
        deployment(selector={"matchLabels": {"app": "other"}}),
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: '
        "`selector` does not match template `labels`",
        id="selector-and-labels-differ",
    ),
    pytest.param(
        _without("spec.template.spec.containers.0.image"),
        "spec.template.spec.containers[0].image: Required value",
        id="no-image",
    ),
    pytest.param(
        deployment(replicas=-1),
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        id="negative",
    ),
    pytest.param(
        deployment(strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
        id="standing-still",
    ),
    pytest.param(
        deployment(progressDeadlineSeconds=5, minReadySeconds=5),
        "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds",
        id="deadline-too-short",
    ),
]


@pytest.mark.parametrize(("body", "message"), INVALID)
def test_an_object_that_breaks_the_rules_is_a_422(
    namespace: Namespace, body: dict[str, Loose], message: str
) -> None:
    """Each broken rule is named in the message and as a cause with its field."""
    status = raw(namespace.cluster, "POST", _deployments(namespace), json=body).json()
    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert status["message"].startswith('Deployment.apps "web" is invalid: ')
    assert message in status["message"]
    field, _, said = message.partition(": ")
    assert (field, said) in [(c["field"], c["message"]) for c in status["details"]["causes"]]


def test_a_deployments_selector_is_for_life(namespace: Namespace) -> None:
    """Changing it is refused, although the new template would match."""
    namespace.deploy()
    labels = {"app": "web", "tier": "front"}
    body = {"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}}
    with pytest.raises(ApiException) as caught:
        namespace.apps.patch_namespaced_deployment("web", namespace.name, body)
    said = 'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"front"}}: field is immutable'
    assert said in _status(caught)["message"]


def test_a_sealed_config_map_keeps_its_data(namespace: Namespace) -> None:
    """Neither the data nor the seal can be changed; labels can."""
    body = {"metadata": {"name": "settings"}, "data": {"a": "1"}, "immutable": True}
    namespace.core.create_namespaced_config_map(namespace.name, body)
    seal = "field is immutable when `immutable` is set"
    for change, field in (({"data": {"a": "2"}}, "data"), ({"immutable": False}, "immutable")):
        with pytest.raises(ApiException) as caught:
            namespace.core.patch_namespaced_config_map("settings", namespace.name, change)
        assert _status(caught)["message"] == f'ConfigMap "settings" is invalid: {field}: Forbidden: {seal}'
    labelled = {"metadata": {"labels": {"release": "R42"}}}
    found = namespace.core.patch_namespaced_config_map("settings", namespace.name, labelled)
    assert found.metadata.labels == {"release": "R42"}


@pytest.mark.parametrize(
    ("method", "path", "code", "message"),
    [
        (
            "GET",
            "/apis/apps/v1/namespaces/default/nopes",
            404,
            "the server could not find the requested resource",
        ),
        (
            "POST",
            "/apis/apps/v1/namespaces/default/deployments/web",
            405,
            "the server does not allow this method on the requested resource",
        ),
        ("GET", "/api/v1/pods?fieldSelector=spec.x%3D1", 400, "field label not supported: spec.x"),
        (
            "GET",
            "/api/v1/pods?resourceVersion=99999999",
            504,
            "Timeout: Too large resource version: 99999999, current: ",
        ),
        ("PATCH", "/api/v1/namespaces/default/configmaps/x", 415, "415: Unsupported Media Type"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_so(
    cluster: Cluster, method: str, path: str, code: int, message: str
) -> None:
    """Unknown resources, verbs, fields and formats have the API server's answers."""
    answer = raw(cluster, method, path, content=b"{}", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["kind"]) == (code, "Status")
    assert answer.json()["message"].startswith(message)


# -- who may ---------------------------------------------------------------------------------------


def test_an_unknown_token_is_a_401(cluster: Cluster) -> None:
    """Whoever is not known gets no further, whatever they ask."""
    answer = raw(cluster, "GET", "/api/v1/pods", headers={"Authorization": "Bearer nobody"})
    assert (answer.status_code, answer.json()["message"]) == (401, "Unauthorized")


def test_rules_decide_what_a_user_may_do(cluster: Cluster, namespace: Namespace, tmp_path: Path) -> None:
    """A refusal has RBAC's words, for objects, for lists over all namespaces and for subresources."""
    rules = [Rule(("get", "list"), ("deployments",), ("apps",), namespaces=(namespace.name,))]
    cluster.add_user("token-of-bot", "bot", rules)
    namespace.deploy()
    with connected(cluster, tmp_path, token="token-of-bot") as api:
        bot = Namespace(cluster, namespace.name, api)
        assert bot.apps.read_namespaced_deployment("web", namespace.name).spec.replicas == 3
        here = f'in the namespace "{namespace.name}"'
        refused = {
            'deployments.apps "web" is forbidden: User "bot" cannot patch resource "deployments" '
            f'in API group "apps" {here}': lambda: bot.release("3.2.1"),
            'deployments.apps is forbidden: User "bot" cannot list resource "deployments" '
            'in API group "apps" at the cluster scope': bot.apps.list_deployment_for_all_namespaces,
            'pods "x" is forbidden: User "bot" cannot get resource "pods/log" '
            f'in API group "" {here}': lambda: bot.core.read_namespaced_pod_log("x", namespace.name),
        }
        for message, action in refused.items():
            with pytest.raises(ApiException) as caught:
                action()
            assert _status(caught)["message"] == message
            assert (_status(caught)["code"], _status(caught)["reason"]) == (403, "Forbidden")


def test_a_user_can_ask_what_it_may(cluster: Cluster, namespace: Namespace) -> None:
    """The two reviews of one's own rights agree with the refusals."""
    cluster.add_user("token-of-reader", "reader", [Rule(("get",), ("pods",), ("",))])
    headers = {"Authorization": "Bearer token-of-reader"}
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    allowed = []
    for verb in ("get", "delete"):
        spec = {"resourceAttributes": {"verb": verb, "resource": "pods", "namespace": namespace.name}}
        answer = raw(cluster, "POST", reviews, json={"spec": spec}, headers=headers)
        allowed.append(answer.json()["status"]["allowed"])
    assert allowed == [True, False]
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    answer = raw(cluster, "POST", path, json={"spec": {"namespace": namespace.name}}, headers=headers)
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
    assert answer.json()["status"]["resourceRules"] == [rule]


# -- writing ---------------------------------------------------------------------------------------


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
    path = _deployments(namespace, "web")

    def names(answer: Loose) -> list[str]:
        return [c["name"] for c in answer.json()["spec"]["template"]["spec"]["containers"]]

    def containers(*found: dict[str, str]) -> dict[str, Loose]:
        return {"spec": {"template": {"spec": {"containers": list(found)}}}}

    side = {"name": "side", "image": "proxy:1"}
    assert set(names(_patch(namespace, path, containers(side), STRATEGIC))) == {"web", "side"}
    gone = {"name": "side", "$patch": "delete"}
    assert names(_patch(namespace, path, containers(gone), STRATEGIC)) == ["web"]
    added = [{"op": "add", "path": "/spec/template/spec/containers/-", "value": side}]
    assert names(_patch(namespace, path, added, "application/json-patch+json")) == ["web", "side"]
    assert names(_patch(namespace, path, containers(side), MERGE)) == ["side"]
    failed = [{"op": "test", "path": "/spec/replicas", "value": 99}]
    answer = _patch(namespace, path, failed, "application/json-patch+json")
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
    path = _deployments(namespace, "web")
    made = _patch(namespace, path, _applied(0, owner="bot", team="x"), APPLY, fieldManager="bot")
    assert made.status_code == 201
    refused = _patch(namespace, path, _applied(2), APPLY, fieldManager="hpa").json()
    assert (refused["code"], refused["reason"]) == (409, "Conflict")
    assert refused["message"] == 'Apply failed with 1 conflict: conflict with "bot": .spec.replicas'
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "bot"', "field": ".spec.replicas"}
    assert refused["details"]["causes"] == [cause]
    forced = _patch(namespace, path, _applied(2), APPLY, fieldManager="hpa", force="true").json()
    assert forced["spec"]["replicas"] == 2
    left = _patch(namespace, path, _applied(owner="bot"), APPLY, fieldManager="bot").json()
    assert (left["spec"]["replicas"], left["metadata"]["labels"]) == (2, {"owner": "bot"})
    managers = {(entry["manager"], entry["operation"]) for entry in left["metadata"]["managedFields"]}
    assert {("bot", "Apply"), ("hpa", "Apply")} <= managers


def test_a_merge_patch_takes_a_field_from_its_applier(namespace: Namespace) -> None:
    """Who patches a field owns it; the applier is told when it wants it back."""
    path = _deployments(namespace, "web")
    _patch(namespace, path, _applied(1), APPLY, fieldManager="bot")
    _patch(namespace, path, {"spec": {"replicas": 5}}, MERGE, fieldManager="hand")
    refused = _patch(namespace, path, _applied(1), APPLY, fieldManager="bot").json()
    said = 'Apply failed with 1 conflict: conflict with "hand" using apps/v1: .spec.replicas'
    assert refused["message"] == said


# -- reading ---------------------------------------------------------------------------------------


def test_lists_come_in_pages_of_one_moment(namespace: Namespace) -> None:
    """A page's token leads through the list as it was when the first page was read."""
    for number in range(5):
        namespace.core.create_namespaced_config_map(namespace.name, {"metadata": {"name": f"map-{number}"}})
    path = _config_maps(namespace)
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
    assert _status(caught)["message"] == said
    lease.spec.holder_identity = "worker-2"
    taken = namespace.coordination.replace_namespaced_lease("release", namespace.name, lease)
    assert taken.spec.holder_identity == "worker-2"
    with pytest.raises(ApiException) as caught:
        namespace.coordination.replace_namespaced_lease("release", namespace.name, lease)
    assert _status(caught)["reason"] == "Conflict"


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
    assert "pod updates may not change fields other than" in _status(caught)["message"]


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
