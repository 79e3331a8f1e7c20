"""The sandbox's API refuses as a Kubernetes API server does: codes, bodies, reasons, rights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException

from sandbox.cluster import Cluster, Rule, running_cluster
from tests.integration.cluster_clients import (
    Loose,
    Namespace,
    connected,
    deployment,
    deployments,
    new_namespace,
    raw,
    status_of,
)

MODIFIED = (
    'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; '
    "please apply your changes to the latest version and try again"
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


def test_what_is_not_there_is_a_404_with_a_status(namespace: Namespace) -> None:
    """The body names the object as Kubernetes does, with and without a group."""
    with pytest.raises(ApiException) as caught:
        namespace.apps.read_namespaced_deployment("nope", namespace.name)
    assert status_of(caught) == {
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
    assert status_of(caught)["message"] == 'pods "nope" not found'


def test_what_is_there_already_is_a_409(namespace: Namespace) -> None:
    """A second object of a name is refused, with a reason of its own."""
    namespace.deploy()
    with pytest.raises(ApiException) as caught:
        namespace.deploy()
    assert (status_of(caught)["code"], status_of(caught)["reason"]) == (409, "AlreadyExists")
    assert status_of(caught)["message"] == 'deployments.apps "web" already exists'


def test_only_the_latest_state_can_be_replaced(namespace: Namespace) -> None:
    """A PUT or a PATCH with an old resourceVersion is a conflict, and changes nothing."""
    old = namespace.deploy()
    changed = namespace.release("3.2.1")
    with pytest.raises(ApiException) as caught:
        namespace.apps.replace_namespaced_deployment("web", namespace.name, old)
    assert (status_of(caught)["reason"], status_of(caught)["message"]) == ("Conflict", MODIFIED)
    stale = {"metadata": {"resourceVersion": old.metadata.resource_version}, "spec": {"replicas": 9}}
    with pytest.raises(ApiException) as caught:
        namespace.apps.patch_namespaced_deployment("web", namespace.name, stale)
    assert (status_of(caught)["code"], status_of(caught)["message"]) == (409, MODIFIED)
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
    status = raw(namespace.cluster, "POST", deployments(namespace), json=body).json()
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
    assert said in status_of(caught)["message"]


def test_a_sealed_config_map_keeps_its_data(namespace: Namespace) -> None:
    """Neither the data nor the seal can be changed; labels can."""
    body = {"metadata": {"name": "settings"}, "data": {"a": "1"}, "immutable": True}
    namespace.core.create_namespaced_config_map(namespace.name, body)
    seal = "field is immutable when `immutable` is set"
    for change, field in (({"data": {"a": "2"}}, "data"), ({"immutable": False}, "immutable")):
        with pytest.raises(ApiException) as caught:
            namespace.core.patch_namespaced_config_map("settings", namespace.name, change)
        assert status_of(caught)["message"] == f'ConfigMap "settings" is invalid: {field}: Forbidden: {seal}'
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
            assert status_of(caught)["message"] == message
            assert (status_of(caught)["code"], status_of(caught)["reason"]) == (403, "Forbidden")


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
