"""Revisions: the ReplicaSets that a Deployment keeps, their numbers, and what is noted on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.contracts.rollouts import image_of, released, revisions, rolled_out
from tests.e2e.contracts.things import CAUSE, REVISION, deployment
from tests.e2e.contracts.worlds import Place, eventually

Seen = Callable[[Any], Any]
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED, MOST = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"


def test_replica_set_is_the_revision(place: Place, seen: Seen) -> None:
    """A ReplicaSet has the template, the hash label, its owner, and the annotations of its Deployment."""
    place.make("deployments", deployment(annotations={CAUSE: "first", "team": "blue"}))
    owner = rolled_out(place)
    (made,) = revisions(place)
    assert made["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]
    hash_ = made["metadata"]["labels"]["pod-template-hash"]
    assert made["metadata"]["name"] == f"web-{hash_}"
    assert made["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": hash_}
    found = seen(made)
    assert found["metadata"]["annotations"] == {
        CAUSE: "first",
        "team": "blue",
        REVISION: "1",
        DESIRED: "3",
        MOST: "4",
    }
    template = made["spec"]["template"]
    del template["metadata"]["labels"]["pod-template-hash"]
    assert template == owner["spec"]["template"]


def test_each_template_is_a_revision(place: Place, seen: Seen) -> None:
    """A new template is the next revision, of Deployment and ReplicaSet; the one before is empty."""
    place.make("deployments", deployment("3.2.0", annotations={CAUSE: "first"}))
    rolled_out(place)
    found = released(place, "3.2.1", "second")
    assert found["metadata"]["annotations"][REVISION] == "2"
    first, second = seen(
        [
            (image_of(each)[-5:], each["spec"]["replicas"], each["metadata"]["annotations"])
            for each in revisions(place)
        ]
    )
    assert (first[0], first[1], first[2][CAUSE], first[2][REVISION]) == ("3.2.0", 0, "first", "1")
    assert (second[0], second[1], second[2][CAUSE], second[2][REVISION]) == ("3.2.1", 3, "second", "2")


def test_scaling_is_no_revision(place: Place, seen: Seen) -> None:
    """Another number of replicas, or another annotation, rolls nothing out; both reach the ReplicaSet."""
    place.make("deployments", deployment())
    rolled_out(place)
    place.merge("deployments", "web", {"spec": {"replicas": 1}, "metadata": {"annotations": {"team": "red"}}})
    rolled_out(place)
    (only,) = eventually(lambda: [r for r in revisions(place) if r["status"]["replicas"] == 1])
    annotations = seen(only["metadata"]["annotations"])
    assert annotations == {"team": "red", REVISION: "1", DESIRED: "1", MOST: "2"}


def test_template_that_was_there_before_is_its_revision_again(place: Place, seen: Seen) -> None:
    """An earlier template takes its ReplicaSet again, under a new number; the old one is remembered."""
    place.make("deployments", deployment("3.2.0", annotations={CAUSE: "first"}))
    rolled_out(place)
    (original,) = revisions(place)
    released(place, "3.2.1", "second")
    found = released(place, "3.2.0", "third")
    assert found["metadata"]["annotations"][REVISION] == "3"
    older, newer = revisions(place)
    assert newer["metadata"]["uid"] == original["metadata"]["uid"]
    told = seen([older["metadata"]["annotations"], newer["metadata"]["annotations"]])
    assert told[0][REVISION] == "2"
    assert (told[1][REVISION], told[1][HISTORY], told[1][CAUSE]) == ("3", "1", "third")
    assert HISTORY not in found["metadata"]["annotations"]


def test_history_of_numbers_grows(place: Place, seen: Seen) -> None:
    """A ReplicaSet that was several revisions lists those before, with commas between."""
    place.make("deployments", deployment("3.2.0", replicas=1))
    rolled_out(place)
    for tag in ("3.2.1", "3.2.0", "3.2.1", "3.2.0"):
        released(place, tag)
    older, newer = (each["metadata"]["annotations"] for each in revisions(place))
    assert seen([older[HISTORY], newer[HISTORY]]) == ["2", "1,3"]
    assert (older[REVISION], newer[REVISION]) == ("4", "5")


def test_only_some_annotations_are_copied(place: Place, seen: Seen) -> None:
    """Kubectl's last-applied-configuration is not copied to ReplicaSets; what people wrote is."""
    last = "kubectl.kubernetes.io/last-applied-configuration"
    keys = {last: "{}", CAUSE: "first", "buzzy.io/release": "R1", "deprecated.deployment.rollback.to": "1"}
    place.make("deployments", deployment(replicas=1, annotations=keys))
    rolled_out(place)
    (made,) = revisions(place)
    copied = seen(made["metadata"]["annotations"])
    assert last not in copied
    assert (copied[CAUSE], copied["buzzy.io/release"]) == ("first", "R1")


def test_annotation_that_is_taken_away_stays_on_the_revision(place: Place, seen: Seen) -> None:
    """Annotations are copied, never taken away: a revision keeps what its Deployment no longer has."""
    place.make("deployments", deployment(replicas=1, annotations={"team": "blue"}))
    rolled_out(place)
    place.merge("deployments", "web", {"metadata": {"annotations": {"team": None, "other": "x"}}})
    rolled_out(place)
    (made,) = eventually(lambda: [r for r in revisions(place) if "other" in r["metadata"]["annotations"]])
    assert seen(made["metadata"]["annotations"])["team"] == "blue"


def test_old_revisions_are_cleaned_up(place: Place, seen: Seen) -> None:
    """No more empty ReplicaSets than revisionHistoryLimit are kept, the latest."""
    place.make("deployments", deployment("1.0.0", replicas=1, revisionHistoryLimit=1))
    rolled_out(place)
    for tag in ("2.0.0", "3.0.0", "4.0.0"):
        released(place, tag)
    eventually(lambda: len(revisions(place)) == 2)
    kept = [(each["metadata"]["annotations"][REVISION], image_of(each)[-5:]) for each in revisions(place)]
    assert seen(kept) == [["3", "3.0.0"], ["4", "4.0.0"]]
