"""What the API server says, as our values; what it refuses, as our errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
import urllib3.exceptions
from kubernetes.client import ApiException
from kubernetes.config import ConfigException

from tests.unit.workers_things import T0
from workers.cluster import (
    AlreadyExistsError,
    ClusterError,
    ClusterUnknownError,
    ClusterUnreachableError,
    ConflictError,
    CredentialsRefusedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooManyRequestsError,
    TransientError,
    Waiting,
    parse,
)
from workers.cluster.translate import Request, translated

PATCH = Request("patch", "apps/deployments", "buzzy-staging", "buzzy-api")


def translation(raised: Exception) -> ClusterError:
    """What an error of the client becomes."""
    with pytest.raises(ClusterError) as caught, translated(PATCH):
        raise raised
    assert caught.value.__cause__ is raised
    return caught.value


def answer(status: int, message: str = "", reason: str = "", **headers: str) -> ApiException:
    """An answer other than success."""
    error = ApiException(status=status, body=json.dumps({"message": message, "reason": reason}))
    error.headers = headers
    return error


RBAC = 'User "x" cannot patch resource "deployments" in API group "apps" in the namespace "buzzy-staging"'


@pytest.mark.parametrize(
    ("raised", "type_", "text"),
    [
        (
            answer(401),
            CredentialsRefusedError,
            "the cluster does not accept Buzzy's credentials; are they expired?",
        ),
        (
            answer(403, f"deployments.apps is forbidden: {RBAC}"),
            ForbiddenError,
            "Buzzy may not patch deployments in buzzy-staging: its Role there needs apps/deployments: patch",
        ),
        (
            answer(403, 'pods "x" is forbidden: exceeded quota: pods'),
            InvalidError,
            'the cluster refused it: pods "x" is forbidden: exceeded quota: pods',
        ),
        (answer(404), NotFoundError, "there is no deployment buzzy-api in buzzy-staging"),
        (
            answer(409, "the object has been modified", "Conflict"),
            ConflictError,
            "the object has been modified",
        ),
        (answer(409, "it is there", "AlreadyExists"), AlreadyExistsError, "it is there"),
        (answer(422, "image:\n  invalid"), InvalidError, "the cluster refused it: image: invalid"),
        (answer(429), TooManyRequestsError, "the cluster has too much to do just now"),
        (
            answer(503, "shutting down"),
            ClusterUnreachableError,
            "the cluster does not answer (error 503: shutting down)",
        ),
        (
            ApiException(status=500, body="<html>"),
            ClusterUnreachableError,
            "the cluster does not answer (error 500)",
        ),
        (
            ApiException(status=0, reason="SSLError"),
            ClusterUnreachableError,
            "the cluster does not answer (its certificate is not accepted)",
        ),
        (
            ConnectionResetError("by peer"),
            ClusterUnreachableError,
            "the cluster does not answer (connection lost)",
        ),
        (
            urllib3.exceptions.ReadTimeoutError(urllib3.HTTPConnectionPool("x"), "/", "slow"),
            ClusterUnreachableError,
            "the cluster does not answer (no answer in time)",
        ),
        (
            urllib3.exceptions.ProtocolError("half an answer"),
            ClusterUnreachableError,
            "the cluster does not answer (connection lost)",
        ),
        (
            json.JSONDecodeError("no JSON", "<html>", 0),
            ClusterUnreachableError,
            "the cluster does not answer (something else answers in its place)",
        ),
        (ConfigException("no configuration found"), ClusterUnknownError, "no configuration found"),
    ],
)
def test_errors_are_translated_once_at_the_edge(
    raised: Exception, type_: type[ClusterError], text: str
) -> None:
    """The type says whether trying again can help; the text is a sentence for people, without a payload."""
    error = translation(raised)
    assert type(error) is type_
    assert str(error) == text
    assert isinstance(error, TransientError) == (type_ in {ClusterUnreachableError, TooManyRequestsError})


def test_a_wish_to_be_left_alone_says_for_how_long() -> None:
    """From the header, in seconds; anything else than a number is none."""
    said, unsaid = translation(answer(429, **{"Retry-After": "7"})), translation(answer(429))
    assert isinstance(said, TooManyRequestsError)
    assert isinstance(unsaid, TooManyRequestsError)
    assert (said.retry_after, unsaid.retry_after) == (7, 0)


def test_rights_on_a_part_are_named_as_roles_have_them() -> None:
    """`pods/log` is no group with a resource."""
    text = str(ForbiddenError("get", "pods/log", "buzzy-staging"))
    assert text == "Buzzy may not get pods/log in buzzy-staging: its Role there needs pods/log: get"


def owned(kind: str, owner: str) -> list[dict[str, Any]]:
    """The reference to what owns an object."""
    return [{"kind": kind, "name": owner, "uid": f"uid-{owner}", "controller": True}]


def test_a_deployment_of_which_little_is_said_has_kubernetes_own_defaults() -> None:
    """Right after it was created, most fields are not there."""
    seen = parse.deployment({"metadata": {"name": "api"}, "spec": {"template": {"spec": {}}}})
    assert (seen.wanted, seen.pods, seen.observed_generation, seen.paused) == (1, 0, 0, False)
    assert (seen.strategy, seen.history_limit, seen.revision, seen.conditions) == (
        "RollingUpdate",
        10,
        None,
        (),
    )


def test_a_revision_is_read_without_the_label_that_the_controller_adds() -> None:
    """So that its template is the one that the Deployment had, and can be written back."""
    labels = {"app": "api", "pod-template-hash": "5d4"}
    thing = {
        "metadata": {
            "name": "api-5d4",
            "ownerReferences": owned("Deployment", "api"),
            "annotations": {"deployment.kubernetes.io/revision": "7"},
            "creationTimestamp": "2026-03-01T14:00:00Z",
        },
        "spec": {"template": {"metadata": {"labels": dict(labels)}}},
    }
    seen = parse.replica_set(thing)
    assert seen is not None
    assert seen.template == {"metadata": {"labels": {"app": "api"}}}
    assert (seen.owner, seen.template_hash, seen.revision, seen.created_at) == ("uid-api", "5d4", 7, T0)
    assert thing["spec"]["template"]["metadata"]["labels"] == labels  # type: ignore[index] # as it is above
    assert parse.replica_set({"metadata": {"name": "alone"}, "spec": {}}) is None


def test_a_pod_is_read_with_what_keeps_its_containers_from_running() -> None:
    """Init containers count as well; words of others come short and on one line."""
    status = {
        "phase": "Pending",
        "conditions": [
            {"type": "Ready", "status": "False"},
            {"type": "PodScheduled", "status": "False", "message": "0/3 nodes\nare available"},
        ],
        "initContainerStatuses": [
            {"name": "wait", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "x" * 900}}}
        ],
        "containerStatuses": [
            {
                "name": "api",
                "restartCount": 2,
                "state": {"running": {}},
                "lastState": {
                    "terminated": {
                        "exitCode": 137,
                        "reason": "OOMKilled",
                        "finishedAt": "2026-03-01T14:00:00Z",
                    }
                },
            }
        ],
    }
    meta = {"name": "api-1", "ownerReferences": owned("ReplicaSet", "api-5d4"), "deletionTimestamp": "x"}
    seen = parse.pod({"metadata": meta, "status": status})
    assert seen is not None
    assert (seen.owner, seen.ready, seen.deleting, seen.unplaced) == (
        "api-5d4",
        False,
        True,
        "0/3 nodes are available",
    )
    init, main = seen.containers
    assert init.waiting == Waiting("CrashLoopBackOff", "x" * 799 + "…")
    assert init.init
    assert main.ended_before is not None
    assert (main.restarts, main.ended_before.exit_code, main.ended_before.at) == (2, 137, T0)
    assert parse.pod({"metadata": {"name": "alone"}}) is None


def test_a_selector_is_written_as_a_query_takes_it() -> None:
    """Labels and expressions."""
    expressions = [
        {"key": "tier", "operator": "In", "values": ["web", "api"]},
        {"key": "old", "operator": "DoesNotExist"},
        {"key": "app", "operator": "Exists"},
        {"key": "zone", "operator": "NotIn", "values": ["a"]},
    ]
    written = parse.selector({"matchLabels": {"app": "api"}, "matchExpressions": expressions})
    assert written == "app=api,tier in (web,api),!old,app,zone notin (a)"


def test_an_event_is_read_in_both_of_its_forms() -> None:
    """Repeated ones count in a series or beside it."""
    old = parse.event(
        {"reason": "BackOff", "message": "m", "count": 4, "lastTimestamp": "2026-03-01T14:00:00Z"}
    )
    new = parse.event(
        {
            "reason": "BackOff",
            "message": "m",
            "series": {"count": 4, "lastObservedTime": "2026-03-01T14:00:00Z"},
        }
    )
    assert old == new
    assert (old.count, old.at) == (4, T0)
