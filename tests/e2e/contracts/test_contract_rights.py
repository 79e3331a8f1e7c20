"""Who may do what: how the API refuses whom no role allows it, and how rights can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.contracts.things import config_map
from tests.e2e.contracts.worlds import JSON_PATCH, Api, Place, World

Seen = Callable[[Any], Any]


@pytest.fixture
def stranger(world: World, place: Place) -> Iterator[Api]:
    """A service account that may list pods and nothing else."""
    made = Api(world.account(place.name, "stranger", "list", "pods"))
    yield made
    made.close()


ASKED = {
    "get a deployment": ("GET", "deployments", "web", "get", "deployments", "apps"),
    "list deployments": ("GET", "deployments", "", "list", "deployments", "apps"),
    "patch a deployment": ("PATCH", "deployments", "web", "patch", "deployments", "apps"),
    "create a config map": ("POST", "configmaps", "", "create", "configmaps", ""),
    "read a log": ("GET", "pods", "web/log", "get", "pods/log", ""),
    "list events": ("GET", "events", "", "list", "events", ""),
}


@pytest.mark.parametrize("asked", ASKED)
def test_what_no_role_allows_is_forbidden(
    place: Place, stranger: Api, observe: Callable[[str, Any], Any], asked: str
) -> None:
    """A 403 says in RBAC's words who cannot do what where, which the workers turn into what a Role needs."""
    method, resource, name, verb, full, group = ASKED[asked]
    body = {"POST": config_map(), "PATCH": []}.get(method)
    kind = JSON_PATCH if method == "PATCH" else "application/json"
    answer = stranger.ask(method, place.path(resource, name), body, content_type=kind)
    assert (answer.code, answer.body["reason"]) == (403, "Forbidden")
    user = f"system:serviceaccount:{place.name}:stranger"
    said = f'User "{user}" cannot {verb} resource "{full}" in API group "{group}"'
    where = f'in the namespace "{place.name}"'
    assert answer.body["message"].endswith(f"is forbidden: {said} {where}")
    observe(asked, answer.body)


def test_forbidden_watch_is_told_before_it_begins(place: Place, stranger: Api, seen: Seen) -> None:
    """A watch that no Role allows is a 403 with a Status, not a stream."""
    with stranger.watch(place.path("deployments")) as changes:
        (answer,) = changes
    status = seen(answer)["object"]
    assert (answer["type"], status["code"]) == ("HTTP", 403)
    assert 'cannot watch resource "deployments"' in status["message"]


def test_what_a_role_allows_is_answered(place: Place, stranger: Api, seen: Seen) -> None:
    """The account that is refused all else may do what its Role says."""
    assert seen(stranger.ask("GET", place.path("pods")).code) == 200


def test_rights_can_be_asked_for(place: Place, stranger: Api, seen: Seen) -> None:
    """A SelfSubjectAccessReview says what the account may, without trying."""
    allowed = {}
    for verb, resource, group in (
        ("list", "pods", ""),
        ("patch", "deployments", "apps"),
        ("get", "pods", ""),
    ):
        attributes = {"namespace": place.name, "verb": verb, "resource": resource, "group": group}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = stranger.ask("POST", path, body)
        assert answer.code == 201
        assert answer.body["kind"] == "SelfSubjectAccessReview"
        allowed[f"{verb} {resource}"] = answer.body["status"]["allowed"]
    assert seen(allowed) == {"list pods": True, "patch deployments": False, "get pods": False}


def test_unknown_token_is_unauthorized(world: World, seen: Seen) -> None:
    """A token that is nobody's is a 401."""
    stranger = Api(world.kubeconfig, token="nobody-at-all")
    answer = stranger.ask("GET", "/api/v1/namespaces")
    stranger.close()
    assert answer.code == 401
    assert seen(answer.body)["reason"] == "Unauthorized"
