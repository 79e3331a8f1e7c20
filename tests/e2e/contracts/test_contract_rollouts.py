"""Deployments: what their controller counts, says and remembers while it rolls out, undoes and cleans up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.contracts.normal import normal
from tests.e2e.contracts.rollouts import conditions_of, image_of, released, revisions, rolled_out, settled
from tests.e2e.contracts.things import REVISION, deployment, image
from tests.e2e.contracts.worlds import Json, Place, eventually

Seen = Callable[[Any], Any]
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}


def test_rollout_ends_with_all_counts_equal(place: Place, seen: Seen) -> None:
    """At its end all counts are what is wanted, none is unavailable, and the generation has been observed."""
    place.make("deployments", deployment())
    found = rolled_out(place)
    status = {key: value for key, value in found["status"].items() if key != "conditions"}
    assert found["metadata"]["generation"] == 1
    assert seen(status) == {
        "observedGeneration": 1,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "terminatingReplicas": 0,
    }


def test_conditions_of_a_rollout_that_ended(place: Place, seen: Seen) -> None:
    """Available and Progressing are true, with the reasons that tell the end of a rollout."""
    place.make("deployments", deployment())
    found = seen(conditions_of(rolled_out(place)))
    assert {kind: (each["status"], each["reason"]) for kind, each in found.items()} == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    assert found["Progressing"]["message"] == 'ReplicaSet "web-<hash>" has successfully progressed.'


def test_rollout_over_its_deadline_says_so(place: Place, seen: Seen) -> None:
    """A rollout that makes no progress turns Progressing false, with ProgressDeadlineExceeded; it goes on."""
    place.make("deployments", deployment("1-never-ready", progressDeadlineSeconds=1))

    def given_up() -> Json | None:
        conditions = conditions_of(place.get("deployments", "web"))
        return conditions if conditions.get("Progressing", {}).get("status") == "False" else None

    found = seen(eventually(given_up))
    assert found["Progressing"]["reason"] == "ProgressDeadlineExceeded"
    assert found["Progressing"]["message"] == 'ReplicaSet "web-<hash>" has timed out progressing.'
    assert (found["Available"]["status"], found["Available"]["reason"]) == (
        "False",
        "MinimumReplicasUnavailable",
    )


def test_failed_rollout_leaves_what_served(place: Place, seen: Seen) -> None:
    """A version that never gets ready takes only maxUnavailable and maxSurge; the others go on serving."""
    place.make("deployments", deployment(strategy=ROLLING, progressDeadlineSeconds=2))
    rolled_out(place)
    place.merge("deployments", "web", image("2-never-ready"))

    def given_up() -> Json | None:
        found = place.get("deployments", "web")
        progressing = conditions_of(found).get("Progressing", {})
        is_counted = (
            found["status"].get("terminatingReplicas") == 0 and found["status"].get("updatedReplicas") == 2
        )
        return found if progressing.get("status") == "False" and is_counted else None

    found = eventually(given_up)
    status = {key: value for key, value in found["status"].items() if key != "conditions"}
    assert seen({"status": status, "conditions": conditions_of(found)})["status"] == {
        "observedGeneration": 2,
        "replicas": 4,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "unavailableReplicas": 2,
        "terminatingReplicas": 0,
    }
    assert [each["spec"]["replicas"] for each in revisions(place)] == [2, 2]


def test_pods_carry_hash_and_owner(place: Place, seen: Seen) -> None:
    """A pod has the template's labels, the hash, and its ReplicaSet as the controlling owner."""
    place.make("deployments", deployment())
    rolled_out(place)
    (owner,) = revisions(place)
    pods = place.items("pods", labelSelector="app=web")
    assert len(pods) == 3
    metadata = pods[0]["metadata"]
    assert metadata["labels"] == {
        "app": "web",
        "pod-template-hash": owner["metadata"]["labels"]["pod-template-hash"],
    }
    assert metadata["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]
    found = seen({key: metadata[key] for key in ("labels", "ownerReferences", "generateName", "namespace")})
    (reference,) = found["ownerReferences"]
    assert (reference["kind"], reference["controller"], reference["name"]) == (
        "ReplicaSet",
        True,
        "web-<hash>",
    )


def _counts_of_a_rollout(place: Place, **spec: Any) -> list[tuple[int, int]]:  # noqa: ANN401 - JSON
    """How many pods there were and how many available, at each change of a Deployment's rollout."""
    place.make("deployments", deployment(**spec))
    before = rolled_out(place)
    place.merge("deployments", "web", image("3.2.1"))
    counts = []
    with place.watch("deployments", resourceVersion=before["metadata"]["resourceVersion"]) as changes:
        for change in changes:
            status = change["object"]["status"]
            counts.append((status["replicas"], status.get("availableReplicas", 0)))
            if settled(change["object"]) and status["observedGeneration"] == 2:
                return counts
    raise AssertionError("the rollout did not end in time")


def test_rollout_stays_within_its_bounds(place: Place, seen: Seen) -> None:
    """Over a whole rollout there are never more pods than wanted plus maxSurge, never too few available."""
    counts = _counts_of_a_rollout(place, strategy=ROLLING)
    most, fewest = max(pods for pods, _ in counts), min(available for _, available in counts)
    assert seen({"most": most, "at least 2": fewest >= 2}) == {"most": 4, "at least 2": True}


def test_percentages_bound_a_rollout(place: Place, seen: Seen) -> None:
    """Of three, 25 % surge is rounded up and 25 % unavailable down: one more, none fewer."""
    counts = _counts_of_a_rollout(place)
    assert seen([max(pods for pods, _ in counts), min(available for _, available in counts)]) == [4, 3]


def test_recreate_stops_all_before_it_starts_any(place: Place, seen: Seen) -> None:
    """The Recreate strategy has pods of one template only at any time."""
    place.make("deployments", deployment(strategy={"type": "Recreate"}, replicas=2))
    rolled_out(place)
    version = place.version("pods")
    released(place, "3.2.1")
    told = []
    with place.watch("pods", resourceVersion=version, labelSelector="app=web", timeoutSeconds=20) as changes:
        for change in changes:
            told += [change["type"]] if change["type"] in {"ADDED", "DELETED"} else []
            if len(told) == 4:
                break
    assert seen(told) == ["DELETED", "DELETED", "ADDED", "ADDED"]


def test_paused_deployment_rolls_nothing_out(place: Place, seen: Seen) -> None:
    """A paused Deployment observes its generation, says DeploymentPaused, and makes no new ReplicaSet."""
    place.make("deployments", deployment())
    rolled_out(place)
    place.merge("deployments", "web", {"spec": {"paused": True}})
    place.merge("deployments", "web", image("3.2.1"))

    def observed() -> Json | None:
        found = place.get("deployments", "web")
        has_paused = conditions_of(found).get("Progressing", {}).get("reason") == "DeploymentPaused"
        return found if found["status"]["observedGeneration"] == 3 and has_paused else None

    found = eventually(observed)
    status = {key: value for key, value in found["status"].items() if key != "conditions"}
    told = seen({"status": status, "conditions": conditions_of(found)})
    assert told["conditions"]["Progressing"]["status"] == "Unknown"
    assert "updatedReplicas" not in told["status"]
    assert [image_of(each)[-5:] for each in revisions(place)] == ["3.2.0"]


def test_resumed_deployment_rolls_out(place: Place, seen: Seen) -> None:
    """After a pause what was written meanwhile is rolled out as one revision."""
    place.make("deployments", deployment(paused=True, replicas=1))
    place.merge("deployments", "web", image("3.2.1"))
    place.merge("deployments", "web", image("3.2.2"))
    place.merge("deployments", "web", {"spec": {"paused": False}})
    found = rolled_out(place)
    assert seen([found["metadata"]["annotations"][REVISION], len(revisions(place))]) == ["1", 1]
    assert seen(conditions_of(found))["Progressing"]["reason"] == "NewReplicaSetAvailable"


def test_scaling_events_tell_of_a_rollout(place: Place, seen: Seen) -> None:
    """The controller tells of each scaling of a ReplicaSet in an event about the Deployment."""
    place.make("deployments", deployment(replicas=1))
    rolled_out(place)
    released(place, "3.2.1")
    about = "involvedObject.kind=Deployment,involvedObject.name=web"
    eventually(lambda: len(place.items("events", fieldSelector=about)) == 3)
    found = sorted(place.items("events", fieldSelector=about), key=lambda each: str(each["message"]))
    told = seen([{key: each[key] for key in each if key != "message"} for each in found])
    assert {(each["type"], each["reason"]) for each in told} == {("Normal", "ScalingReplicaSet")}
    assert normal([each["message"] for each in found]) == [
        "Scaled down replica set web-<hash> from 1 to 0",
        "Scaled up replica set web-<hash> from 0 to 1",
        "Scaled up replica set web-<hash> from 0 to 1",
    ]


def test_pods_go_with_their_deployment(place: Place, seen: Seen) -> None:
    """Deleting a Deployment takes its ReplicaSets and pods along."""
    place.make("deployments", deployment(replicas=1))
    rolled_out(place)
    answer = place.remove("deployments", "web")
    assert seen(answer.body)["status"] == "Success"
    eventually(lambda: not place.items("replicasets") and not place.items("pods"))
