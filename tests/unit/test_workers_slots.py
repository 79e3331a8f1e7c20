"""The two slots of a service: which is which, and how a template moves from one to the other."""

from __future__ import annotations

from typing import Any

import pytest

from releases.config import Service
from tests.unit.workers_things import deployment, pod_template
from workers.cluster import DeploymentSeen, RolloutSeen, TrafficSeen
from workers.observe import ServiceObserved
from workers.slots import NoSlotsError, moved, slots_of

SERVICE = Service(name="api", image="buzzybuzz/api")


def slot(name: str = "api", **labels: str) -> DeploymentSeen:
    """A Deployment whose selector is its pods' labels."""
    template = {**pod_template("api", "3.2.0"), "metadata": {"labels": {**labels, "team": "x"}}}
    return deployment("api", name=name, uid=f"uid-{name}", template=template, match_labels=labels)


def observed(
    selector: dict[str, str], serving: DeploymentSeen, beside: DeploymentSeen | None = None
) -> ServiceObserved:
    """A service whose Service picks pods by these labels."""
    idle = None if beside is None else RolloutSeen(beside, complete=True)
    traffic = TrafficSeen("api", selector, "1")
    return ServiceObserved(SERVICE, RolloutSeen(serving, complete=True), idle, traffic)


@pytest.mark.requirement("D2")
@pytest.mark.parametrize(
    ("labels", "selector", "label"),
    [
        ({"app": "api"}, {"app": "api"}, "app"),
        ({"app": "buzzy", "part": "api"}, {"app": "buzzy", "part": "api"}, "part"),
        ({"app": "buzzy", "part": "api"}, {"app": "buzzy"}, "app"),
        ({"app": "api", "buzzy/slot": "blue"}, {"app": "api", "buzzy/slot": "blue"}, "buzzy/slot"),
    ],
    ids=["one label", "the one with its name", "the common one", "one that is there for it"],
)
def test_slots_are_told_apart_by_one_label_of_both_selectors(
    labels: dict[str, str], selector: dict[str, str], label: str
) -> None:
    """The second has another value of it, in its Deployment's selector and in what the Service picks then."""
    found = slots_of(observed(selector, slot(**labels)))
    assert found is not None
    assert found.label == label
    second = {label: f"{labels[label]}-green"}
    assert found.idle.selector == {**selector, **second}
    assert found.match_labels == {**labels, **second}
    assert (found.serving.deployment, found.idle.deployment) == ("api", "api-green")
    assert not found.idle.selector.items() <= labels.items()


@pytest.mark.requirement("D2")
def test_the_second_serves_and_the_first_is_idle_after_a_release() -> None:
    """The same label tells them apart, the other way round."""
    found = slots_of(observed({"app": "api-green"}, slot("api-green", app="api-green"), slot(app="api")))
    assert found is not None
    assert (found.serving.deployment, found.idle.deployment) == ("api-green", "api")
    assert (found.idle.selector, found.match_labels) == ({"app": "api"}, {"app": "api"})


@pytest.mark.requirement("D2")
@pytest.mark.parametrize(
    ("there", "says"),
    [
        (observed({"app": "other"}, slot(app="api")), "sends nothing to the pods of api"),
        (observed({"team": "x"}, slot(app="api")), "pick pods by different labels"),
        (observed({"app": "api"}, slot(app="api"), slot("api-green", app="api")), "pick the same pods"),
    ],
    ids=["no traffic", "no label in common", "selectors that overlap"],
)
def test_what_cannot_have_two_slots_says_why(there: ServiceObserved, says: str) -> None:
    """With what to do about it."""
    with pytest.raises(NoSlotsError, match=says) as caught:
        slots_of(there)
    assert caught.value.hint


def test_a_service_without_a_service_has_no_slots() -> None:
    """It has no traffic that could be switched."""
    assert slots_of(ServiceObserved(SERVICE, RolloutSeen(slot(app="api"), complete=True))) is None


@pytest.mark.requirement("D2")
def test_a_template_moves_with_all_that_looks_for_its_pods() -> None:
    """Labels, affinity and spread; values of other labels stay, and the way back gives the same."""

    def template(app: str) -> dict[str, Any]:
        chosen = {"labelSelector": {"matchLabels": {"app": app, "team": "x"}}, "topologyKey": "zone"}
        term = {"requiredDuringSchedulingIgnoredDuringExecution": [chosen]}
        spread = {"labelSelector": {"matchLabels": {"app": "another"}}}
        spec = {"affinity": {"podAntiAffinity": term}, "topologySpreadConstraints": [spread]}
        return {"metadata": {"labels": {"app": app, "team": "x"}}, "spec": {**spec, "containers": []}}

    before = template("api")
    there = moved(before, "app", "api", "api-green")
    assert there == template("api-green")
    assert moved(there, "app", "api-green", "api") == before == template("api")
