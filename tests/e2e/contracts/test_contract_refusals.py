"""How the API refuses: the workers tell errors apart by code and reason, people by message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.contracts.things import config_map, container, deployment, lease, pod
from tests.e2e.contracts.worlds import JSON_PATCH, MERGE, STRATEGIC, Api, Place

Seen = Callable[[Any], Any]
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


@pytest.mark.parametrize("resource", ["deployments", "replicasets", "pods", "configmaps", "leases", "jobs"])
def test_what_is_not_there_is_not_found(
    place: Place, observe: Callable[[str, Any], Any], resource: str
) -> None:
    """Getting what does not exist is a 404 with reason NotFound, which names resource, group and object."""
    answer = place.ask("GET", resource, "absent")
    group = {
        "leases": "coordination.k8s.io",
        "jobs": "batch",
        "deployments": "apps",
        "replicasets": "apps",
    }.get(resource)
    details = {"name": "absent", "kind": resource} | ({"group": group} if group else {})
    qualified = f"{resource}.{group}" if group else resource
    assert (answer.code, observe(resource, answer.body)) == (
        404,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": f'{qualified} "absent" not found',
            "reason": "NotFound",
            "details": details,
            "code": 404,
        },
    )


@pytest.mark.parametrize("content_type", [JSON_PATCH, MERGE, STRATEGIC])
def test_patch_of_what_is_not_there_is_not_found(
    place: Place, observe: Callable[[str, Any], Any], content_type: str
) -> None:
    """A patch creates nothing: it is a 404 when there is no such Deployment."""
    answer = place.ask(
        "PATCH", "deployments", "absent", [] if content_type == JSON_PATCH else {}, content_type=content_type
    )
    assert (answer.code, answer.body["reason"]) == (404, "NotFound")
    assert observe(content_type, answer.body)["message"] == 'deployments.apps "absent" not found'


def test_name_that_is_taken_is_refused(place: Place, seen: Seen) -> None:
    """Creating what exists is a 409 whose reason is AlreadyExists, not Conflict."""
    place.make("configmaps", config_map())
    answer = place.ask("POST", "configmaps", body=config_map(key="other"))
    assert answer.code == 409
    status = seen(answer.body)
    assert status["reason"] == "AlreadyExists"
    assert status["message"] == 'configmaps "settings" already exists'
    assert status["details"] == {"name": "settings", "kind": "configmaps"}


def test_patch_from_a_stale_version_conflicts(place: Place, seen: Seen) -> None:
    """A JSON Patch that names an older resourceVersion is a 409 with reason Conflict; nothing is changed."""
    old = place.make("deployments", deployment(paused=True))
    place.merge("deployments", "web", {"metadata": {"annotations": {"a": "b"}}})
    patch = [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": old["metadata"]["resourceVersion"]},
        {"op": "replace", "path": "/spec/replicas", "value": 1},
    ]
    answer = place.ask("PATCH", "deployments", "web", patch, content_type=JSON_PATCH)
    assert answer.code == 409
    status = seen(answer.body)
    assert status["reason"] == "Conflict"
    assert status["message"] == f'Operation cannot be fulfilled on deployments.apps "web": {MODIFIED}'
    assert status["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    assert place.get("deployments", "web")["spec"]["replicas"] == 3


@pytest.mark.parametrize("content_type", [MERGE, STRATEGIC])
def test_merge_from_a_stale_version_conflicts(
    place: Place, observe: Callable[[str, Any], Any], content_type: str
) -> None:
    """A merge patch that names an older resourceVersion conflicts as well."""
    old = place.make("deployments", deployment(paused=True))
    place.merge("deployments", "web", {"metadata": {"annotations": {"a": "b"}}})
    patch = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "spec": {"replicas": 1}}
    answer = place.ask("PATCH", "deployments", "web", patch, content_type=content_type)
    assert (answer.code, observe(content_type, answer.body)["reason"]) == (409, "Conflict")


def test_stale_update_conflicts(place: Place, seen: Seen) -> None:
    """A PUT of an object that was read before it was changed is a 409."""
    old = place.make("deployments", deployment(paused=True))
    place.merge("deployments", "web", {"metadata": {"annotations": {"a": "b"}}})
    answer = place.ask("PUT", "deployments", "web", old)
    assert (answer.code, seen(answer.body)["reason"]) == (409, "Conflict")


def test_lease_is_created_once(place: Place, seen: Seen) -> None:
    """Of two that create the same Lease the second is told AlreadyExists."""
    place.make("leases", lease("one"))
    answer = place.ask("POST", "leases", body=lease("two"))
    assert (answer.code, seen(answer.body)["reason"]) == (409, "AlreadyExists")


def test_lease_has_times_with_microseconds(place: Place, seen: Seen) -> None:
    """A Lease whose time has no fraction cannot be read at all: a 400."""
    body = lease("one")
    body["spec"]["renewTime"] = "2026-01-02T03:04:06Z"
    answer = place.ask("POST", "leases", body=body)
    assert (answer.code, seen(answer.body)["reason"]) == (400, "BadRequest")
    assert 'cannot parse "Z" as ".000000"' in answer.body["message"]


def test_lease_is_taken_from_its_latest_version(place: Place, seen: Seen) -> None:
    """Of two that update the Lease that they both read, the second is told Conflict."""
    held = place.make("leases", lease("one"))
    held["spec"]["holderIdentity"] = "two"
    assert place.ask("PUT", "leases", "release", held).code == 200
    held["spec"]["holderIdentity"] = "three"
    answer = place.ask("PUT", "leases", "release", held)
    assert answer.code == 409
    assert seen(answer.body)["message"] == (
        f'Operation cannot be fulfilled on leases.coordination.k8s.io "release": {MODIFIED}'
    )
    assert place.get("leases", "release")["spec"]["holderIdentity"] == "two"


def test_lease_without_a_version_cannot_be_updated(place: Place, seen: Seen) -> None:
    """A PUT of a Lease that names no resourceVersion is a 422."""
    place.make("leases", lease("one"))
    answer = place.ask("PUT", "leases", "release", lease("two"))
    assert answer.code == 422
    assert "metadata.resourceVersion: Invalid value" in seen(answer.body)["message"]


def test_immutable_config_map_stays(place: Place, seen: Seen) -> None:
    """Data of an immutable ConfigMap cannot be changed: 422, a cause that names the field."""
    place.make("configmaps", config_map())
    answer = place.ask("PATCH", "configmaps", "settings", {"data": {"key": "other"}}, content_type=MERGE)
    assert answer.code == 422
    status = seen(answer.body)
    assert status["reason"] == "Invalid"
    assert status["message"] == (
        'ConfigMap "settings" is invalid: data: Forbidden: field is immutable when `immutable` is set'
    )
    assert status["details"]["causes"] == [
        {
            "reason": "FieldValueForbidden",
            "message": "Forbidden: field is immutable when `immutable` is set",
            "field": "data",
        }
    ]


def test_immutable_cannot_be_taken_back(place: Place, seen: Seen) -> None:
    """What is immutable stays so; its labels may change."""
    place.make("configmaps", config_map())
    answer = place.ask("PATCH", "configmaps", "settings", {"immutable": False}, content_type=MERGE)
    assert answer.code == 422
    assert "immutable: Forbidden: field is immutable when `immutable` is set" in seen(answer.body)["message"]
    labels = {"metadata": {"labels": {"b": "c"}}}
    assert place.ask("PATCH", "configmaps", "settings", labels, content_type=MERGE).code == 200


BROKEN: dict[str, dict[str, Any]] = {
    "no containers": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}},
    "no image": {
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app"}]}}
    },
    "labels of another": {
        "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container("1")]}}
    },
    "negative replicas": {"replicas": -1},
    "no room": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}},
}


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_deployment_is_invalid(place: Place, observe: Callable[[str, Any], Any], broken: str) -> None:
    """A Deployment that breaks a rule is a 422 with reason Invalid and a cause for each field."""
    answer = place.ask("POST", "deployments", body=deployment(**BROKEN[broken]))
    assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    status = observe(broken, answer.body)
    assert status["details"]["kind"] == "Deployment"
    assert all({"reason", "message", "field"} == set(cause) for cause in status["details"]["causes"])
    assert status["message"].startswith('Deployment.apps "web" is invalid: ')


def test_selector_cannot_change(place: Place, seen: Seen) -> None:
    """The selector of a Deployment is immutable."""
    place.make("deployments", deployment(paused=True))
    labels = {"matchLabels": {"app": "web", "b": "c"}}
    template = {"metadata": {"labels": {"app": "web", "b": "c"}}}
    patch = {"spec": {"selector": labels, "template": template}}
    answer = place.ask("PATCH", "deployments", "web", patch, content_type=STRATEGIC)
    assert answer.code == 422
    assert "spec.selector: Invalid value" in seen(answer.body)["message"]
    assert "field is immutable" in answer.body["message"]


def test_template_of_a_bad_patch_is_invalid(place: Place, seen: Seen) -> None:
    """A rehearsed patch is checked like a real one."""
    place.make("deployments", deployment(paused=True))
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/name", "value": "No Name"}]
    answer = place.ask("PATCH", "deployments", "web", patch, content_type=JSON_PATCH, dryRun="All")
    assert answer.code == 422
    assert seen(answer.body)["details"]["causes"][0]["field"] == "spec.template.spec.containers[0].name"


def test_patch_of_a_path_that_is_not_there_is_refused(place: Place, seen: Seen) -> None:
    """A JSON Patch that does not fit the object is a 422, without a word about the object."""
    place.make("deployments", deployment(paused=True))
    patch = [{"op": "replace", "path": "/spec/absent/deeper", "value": 1}]
    answer = place.ask("PATCH", "deployments", "web", patch, content_type=JSON_PATCH)
    assert answer.code == 422
    status = seen(answer.body)
    assert status["reason"] == "Invalid"
    assert status["message"] == "the server rejected our request due to an error in our request"


def test_failed_test_of_a_patch_is_refused(place: Place, seen: Seen) -> None:
    """A JSON Patch whose `test` does not hold is a 422."""
    place.make("deployments", deployment(paused=True))
    patch = [{"op": "test", "path": "/spec/replicas", "value": 7}]
    answer = place.ask("PATCH", "deployments", "web", patch, content_type=JSON_PATCH)
    assert answer.code == 422
    assert seen(answer.body)["reason"] == "Invalid"


def test_unknown_patch_is_an_unsupported_media_type(place: Place, seen: Seen) -> None:
    """A patch sent as plain JSON is a 415."""
    place.make("deployments", deployment(paused=True))
    answer = place.ask("PATCH", "deployments", "web", {}, content_type="application/json")
    assert answer.code == 415
    assert seen(answer.body)["reason"] == "UnsupportedMediaType"


def test_unknown_path_is_not_found(api: Api, seen: Seen) -> None:
    """A kind that the cluster does not know is a 404."""
    answer = api.ask("GET", "/apis/apps/v1/namespaces/default/wishes")
    assert answer.code == 404
    seen(answer.body)


def test_pod_cannot_be_made_over(place: Place, seen: Seen) -> None:
    """All but the image of a pod's container stays as it was made."""
    place.make("pods", pod("web", "3.2.0"))
    answer = place.ask("PATCH", "pods", "web", {"spec": {"restartPolicy": "Never"}}, content_type=MERGE)
    assert answer.code == 422
    assert seen(
        {"reason": answer.body["reason"], "fields": [c["field"] for c in answer.body["details"]["causes"]]}
    ) == {
        "reason": "Invalid",
        "fields": ["spec"],
    }
