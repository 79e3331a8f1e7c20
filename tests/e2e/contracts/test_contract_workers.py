"""What the workers' own client makes of both clusters is the same: every call that it has, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.contracts.clients import connected, plain, settled
from tests.e2e.contracts.things import CAUSE, deployment, image, pod
from tests.e2e.contracts.worlds import Place, World, eventually
from workers.cluster import (
    AlreadyExistsError,
    Cluster,
    ConflictError,
    DeploymentSeen,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RolloutSeen,
    TemplateWrite,
    despite_conflicts,
)

Seen = Callable[[Any], Any]


def test_workers_see_a_deployment(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen
) -> None:
    """All fields of a Deployment that the workers read: counts, generations, revision, conditions."""
    assert [each.name for each in cluster_client.deployments(place.name)] == ["web"]
    found = seen(plain(web))
    assert (found["revision"], found["selector"], found["history_limit"]) == (1, "app=web", 10)
    assert {each["type"]: each["status"] for each in found["conditions"]} == {
        "Available": True,
        "Progressing": True,
    }


def test_workers_see_revisions(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen
) -> None:
    """A revision is its Deployment's, with the template as it was written."""
    (found,) = cluster_client.replica_sets(place.name)
    assert (found.owner, found.template, found.revision) == (web.uid, web.template, 1)
    hidden = {"template_hash": "<hash>"}
    assert seen(plain(found) | hidden)["annotations"][CAUSE] == "first"


def test_workers_see_pods(place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen) -> None:
    """A pod belongs to its revision by name and hash, and is ready."""
    (revision,) = cluster_client.replica_sets(place.name)
    (found,) = cluster_client.pods(place.name)
    assert (found.owner, found.template_hash) == (revision.name, revision.template_hash)
    told = seen(plain(found) | {"template_hash": "<hash>"})
    assert (told["ready"], told["phase"], told["unplaced"]) == (True, "Running", None)


def test_workers_rehearse_and_write_a_template(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen
) -> None:
    """A rehearsal gives what would be written; the write of its result gives the same, and is rolled out."""
    template = deployment("3.2.1")["spec"]["template"]

    def write(*, rehearse: bool) -> DeploymentSeen:
        now = cluster_client.deployment(place.name, "web")
        change = TemplateWrite(now, template, {CAUSE: "buzzy R1", "buzzy.io/release": "R1"})
        return cluster_client.write_template(place.name, change, rehearse=rehearse)

    rehearsed = despite_conflicts(lambda: write(rehearse=True))
    assert cluster_client.deployment(place.name, "web").template == web.template
    written = despite_conflicts(lambda: write(rehearse=False))
    assert rehearsed.template == written.template
    found = seen(plain(settled(cluster_client, place, "web")))
    assert (found["revision"], found["annotations"]["buzzy.io/release"]) == (2, "R1")


def test_workers_are_told_of_a_conflict(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen
) -> None:
    """A write from an older look is a ConflictError, and so is its rehearsal."""
    place.merge("deployments", "web", {"metadata": {"annotations": {"a": "b"}}})
    change = TemplateWrite(web, web.template, {})
    told = []
    for rehearse in (True, False):
        with pytest.raises(ConflictError) as caught:
            cluster_client.write_template(place.name, change, rehearse=rehearse)
        told.append(str(caught.value))
    assert all("the object has been modified" in each for each in seen(told))


def test_workers_are_told_what_is_wrong(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen
) -> None:
    """A template that breaks a rule is an InvalidError in the cluster's words, already in the rehearsal."""
    broken = deployment()["spec"]["template"] | {"spec": {"containers": [{"name": "app"}]}}

    def write() -> None:
        now = cluster_client.deployment(place.name, "web")
        cluster_client.write_template(place.name, TemplateWrite(now, broken, {}), rehearse=True)

    with pytest.raises(InvalidError) as caught:
        despite_conflicts(write)
    assert "spec.template.spec.containers[0].image: Required value" in seen(str(caught.value))


def test_workers_make_config_maps_once(place: Place, cluster_client: Cluster, seen: Seen) -> None:
    """Data is read back as written, a rehearsal stores nothing, and a second creation is told so."""
    arguments = (place.name, "settings", {"buzzy.json": "{}\n"}, {"app": "web"})
    cluster_client.create_config_map(*arguments, rehearse=True)
    with pytest.raises(NotFoundError) as absent:
        cluster_client.config_map(place.name, "settings")
    cluster_client.create_config_map(*arguments)
    with pytest.raises(AlreadyExistsError) as there:
        cluster_client.create_config_map(*arguments)
    assert cluster_client.config_map(place.name, "settings") == {"buzzy.json": "{}\n"}
    assert seen([str(absent.value), str(there.value)])[1] == 'configmaps "settings" already exists'


def test_workers_read_warnings_and_logs(place: Place, cluster_client: Cluster, seen: Seen) -> None:
    """Of a pod that crashes they get the warning, and the last line that it wrote."""
    place.make("pods", pod("web", "1-crash"))
    found = eventually(lambda: cluster_client.warnings(place.name, "web") or None)
    last = cluster_client.log(place.name, "web", "app", lines=1, previous=True)
    assert last[0].startswith("Error: cannot start: ")
    told = seen([{"reason": each.reason, "message": each.message} for each in found[:1]])
    assert told == [
        {
            "reason": "BackOff",
            "message": "Back-off restarting failed container app in pod web_<namespace>(<uid>)",
        }
    ]


def test_workers_follow_a_rollout(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen
) -> None:
    """Following ends with a picture of one revision's pods, all ready, and two revisions."""
    with cluster_client.follow(place.name, web) as pictures:
        place.merge("deployments", "web", image("3.2.1"))
        last = _last_of(pictures, web.generation)
    assert last.deployment is not None
    numbers = sorted((each.revision, each.wanted) for each in last.replica_sets if each.revision)
    pods = [each.ready for each in last.pods if not each.deleting]
    told = seen({"complete": last.complete, "trouble": last.trouble, "revisions": numbers, "ready": pods})
    assert told == {"complete": True, "trouble": None, "revisions": [[1, 0], [2, 1]], "ready": [True]}


def _last_of(pictures: Iterator[RolloutSeen], before: int) -> RolloutSeen:
    """The picture in which all that there is to see of the rollout is over."""
    for picture in pictures:
        now = picture.deployment
        if now is None or not now.observed_generation == now.generation == before + 1:
            continue
        newest = {each.name for each in picture.replica_sets if each.revision == 2 and each.wanted == 1}
        alive = [each for each in picture.pods if not each.deleting]
        over = now.updated == now.pods == now.available == 1
        empty = any(each.revision == 1 and each.wanted == 0 for each in picture.replica_sets)
        if over and empty and [each.owner in newest and each.ready for each in alive] == [True]:
            return picture
    raise AssertionError("following never ends by itself")


def test_workers_are_told_which_right_is_missing(world: World, place: Place, seen: Seen) -> None:
    """A 403 of RBAC becomes a ForbiddenError that names what the Role needs."""
    with connected(world.account(place.name, "stranger", "list", "pods")) as stranger:
        assert stranger.pods(place.name) == ()
        with pytest.raises(ForbiddenError) as caught:
            stranger.deployments(place.name)
    assert seen(str(caught.value)) == (
        "Buzzy may not list deployments in <namespace>: its Role there needs apps/deployments: list"
    )
