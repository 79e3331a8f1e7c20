"""Services, and the second Deployment of a service: every call that blue-green releases make, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.e2e.contracts.clients import plain, settled
from tests.e2e.contracts.things import deployment
from tests.e2e.contracts.worlds import Json, Place, eventually
from workers.cluster import (
    AlreadyExistsError,
    Cluster,
    ConflictError,
    DeploymentMade,
    DeploymentSeen,
    NotFoundError,
    TemplateWrite,
    TrafficSeen,
    TrafficWrite,
    despite_conflicts,
)

Seen = Callable[[Any], Any]
BESIDE = {"app": "web-green"}


@pytest.fixture
def traffic(place: Place, cluster_client: Cluster) -> TrafficSeen:
    """A Service that leads to the pods of `web`."""
    place.make(
        "services",
        {
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    )
    return cluster_client.traffic(place.name, "web")


def beside(cluster: Cluster, place: Place, like: DeploymentSeen, *, rehearse: bool = False) -> DeploymentSeen:
    """Make the second Deployment."""
    template: Json = deployment("3.2.1", name="web-green")["spec"]["template"]
    made = DeploymentMade("web-green", like, BESIDE, template, 2, {"buzzy/release": "R1"})
    return cluster.make_deployment(place.name, made, rehearse=rehearse)


def test_workers_see_services(
    place: Place, cluster_client: Cluster, traffic: TrafficSeen, seen: Seen
) -> None:
    """What it picks, and its ports as another one would have them."""
    assert traffic in cluster_client.traffics(place.name)
    found = seen(plain(traffic))
    assert found["selector"] == {"app": "web"}
    assert found["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 8080}]
    with pytest.raises(NotFoundError):
        cluster_client.traffic(place.name, "nothing")


def test_workers_make_a_deployment_like_another(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen
) -> None:
    """A rehearsal makes nothing and gives the same template; a second one of the name is told so."""
    rehearsed = beside(cluster_client, place, web, rehearse=True)
    with pytest.raises(NotFoundError):
        cluster_client.deployment(place.name, "web-green")
    made = beside(cluster_client, place, web)
    assert rehearsed.template == made.template
    assert made.manners == web.manners
    with pytest.raises(AlreadyExistsError) as there:
        beside(cluster_client, place, web)
    found = seen(plain(settled(cluster_client, place, "web-green")))
    assert (found["wanted"], found["match_labels"], found["revision"]) == (2, BESIDE, 1)
    assert 'deployments.apps "web-green" already exists' in str(there.value)


def test_workers_write_how_many_pods_with_the_template(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen
) -> None:
    """In one write; and a note is taken off in the same. One that is not there is no trouble."""

    def write(replicas: int | None, notes: dict[str, str], *without: str) -> DeploymentSeen:
        now = cluster_client.deployment(place.name, "web")
        change = TemplateWrite(now, now.template, notes, replicas=replicas, without=without)
        return cluster_client.write_template(place.name, change)

    despite_conflicts(lambda: write(None, {"buzzy/kept-until": "noon"}))
    down = despite_conflicts(lambda: write(0, {}, "buzzy/kept-until", "buzzy/never"))
    assert (down.wanted, "buzzy/kept-until" in down.annotations) == (0, False)
    assert seen(plain(settled(cluster_client, place, "web")))["pods"] == 0


def test_workers_switch_a_service(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, traffic: TrafficSeen, seen: Seen
) -> None:
    """Its endpoints are the other pods then, and no mixture; an older look at it is a conflict."""
    beside(cluster_client, place, web)
    settled(cluster_client, place, "web-green")
    assert eventually(lambda: _answering(place) or None) == {"web"}
    write = TrafficWrite(traffic, BESIDE, {"buzzy/traffic": "web-green"})
    rehearsed = cluster_client.write_traffic(place.name, write, rehearse=True)
    assert dict(cluster_client.traffic(place.name, "web").selector) == {"app": "web"}
    written = cluster_client.write_traffic(place.name, write)
    assert dict(rehearsed.selector) == dict(written.selector) == BESIDE
    with pytest.raises(ConflictError) as caught:
        cluster_client.write_traffic(place.name, replace(write, selector={"app": "web"}))
    eventually(lambda: _answering(place) == {"web-green"})
    found = seen({"service": plain(written), "told": str(caught.value)})
    assert found["service"]["annotations"] == {"buzzy/traffic": "web-green"}


def test_workers_make_a_service_like_another(
    place: Place, cluster_client: Cluster, traffic: TrafficSeen, seen: Seen
) -> None:
    """With the same ports and another selector; a rehearsal makes nothing, a second is told so."""
    write, labels = TrafficWrite(traffic, BESIDE), {"app.kubernetes.io/managed-by": "buzzy"}
    cluster_client.make_traffic(place.name, "web-preview", write, labels, rehearse=True)
    with pytest.raises(NotFoundError):
        cluster_client.traffic(place.name, "web-preview")
    cluster_client.make_traffic(place.name, "web-preview", write, labels)
    with pytest.raises(AlreadyExistsError) as there:
        cluster_client.make_traffic(place.name, "web-preview", write, labels)
    found = seen({"made": plain(cluster_client.traffic(place.name, "web-preview")), "told": str(there.value)})
    assert found["made"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 8080}]
    assert found["made"]["labels"] == labels


def test_workers_fence_a_service(
    place: Place, cluster_client: Cluster, traffic: TrafficSeen, seen: Seen
) -> None:
    """What was decided from an earlier look is refused then, and what it picks is as before."""
    cluster_client.fence_traffic(place.name, "web", "1-abc")
    with pytest.raises(ConflictError):
        cluster_client.write_traffic(place.name, TrafficWrite(traffic, BESIDE))
    found = seen(plain(cluster_client.traffic(place.name, "web")))
    assert (found["selector"], found["annotations"]) == ({"app": "web"}, {"buzzy/fence": "1-abc"})
    with pytest.raises(NotFoundError):
        cluster_client.fence_traffic(place.name, "nothing", "1-abc")


def test_workers_let_an_autoscaler_scale_another_deployment(
    place: Place, cluster_client: Cluster, web: DeploymentSeen, seen: Seen
) -> None:
    """Nothing but the name changes; an older look, and one from before a fence, is a conflict."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": web.name}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5}
    head = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}}
    place.make("horizontalpodautoscalers", head | {"spec": spec})
    (found,) = cluster_client.autoscalers(place.name)
    assert (found.name, found.scales, found.at_least) == ("web", "web", 2)
    cluster_client.fence_autoscaler(place.name, "web", "1-abc")
    with pytest.raises(ConflictError):
        cluster_client.write_autoscaler(place.name, found, "web-green")

    def write(*, rehearse: bool) -> None:
        (now,) = cluster_client.autoscalers(place.name)
        cluster_client.write_autoscaler(place.name, now, "web-green", rehearse=rehearse)

    despite_conflicts(lambda: write(rehearse=True))
    assert cluster_client.autoscalers(place.name)[0].scales == "web"
    despite_conflicts(lambda: write(rehearse=False))
    after = place.get("horizontalpodautoscalers", "web")["spec"]
    assert seen({key: after[key] for key in spec}) == {
        **spec,
        "scaleTargetRef": {**target, "name": "web-green"},
    }


def test_workers_see_budgets(place: Place, cluster_client: Cluster, seen: Seen) -> None:
    """By whose labels they protect pods."""
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    head = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}}
    place.make("poddisruptionbudgets", head | {"spec": budget})
    (found,) = cluster_client.budgets(place.name)
    assert found.covers({"app": "web", "x": "y"})
    assert not found.covers({"app": "web-green"})
    assert seen(plain(found)) == {"name": "web", "selector": {"app": "web"}}


def _answering(place: Place) -> set[str]:
    """The Deployments whose pods get the Service's traffic now."""
    slices = place.items("endpointslices", labelSelector="kubernetes.io/service-name=web")
    endpoints = [each for found in slices for each in found.get("endpoints") or ()]
    ready = [each["targetRef"]["name"] for each in endpoints if each["conditions"]["ready"]]
    return {name.rsplit("-", 2)[0] for name in ready}
