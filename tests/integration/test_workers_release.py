"""A release over four services in a cluster: in order, healthy before the next, and told when it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from releases import events as e
from releases.lifecycle import State
from releases.record import Store
from sandbox.cluster import Cluster as Sandbox
from sandbox.cluster.access import Rule
from sandbox.cluster.api.faults import Fault
from tests.integration.workers_world import CONFIG, NAMESPACE, SERVICES, TOKEN, World, role, world
from workers import advance
from workers.cluster import Cluster, DeploymentSeen, TemplateWrite
from workers.cluster.connections import Connections


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world at 3.2.0."""
    with world(store, tmp_path) as made:
        yield made


def converged(cluster: Sandbox, thing: dict[str, Any]) -> bool:
    """Whether `kubectl rollout status` would say so."""
    wanted, status = thing["spec"]["replicas"], thing["status"]
    return bool(
        status.get("observedGeneration", 0) >= thing["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )


class Beside:
    """A cluster that calls somebody right before each write of a template, and passes everything on."""

    def __init__(self, cluster: Cluster, before: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._before = before

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the cluster has
        return getattr(self._cluster, name)

    def write_template(
        self, namespace: str, write: TemplateWrite, *, rehearse: bool = False
    ) -> DeploymentSeen:
        """Write, after the other was called."""
        if not rehearse:
            self._before(write.deployment.name)
        return self._cluster.write_template(namespace, write, rehearse=rehearse)


def beside(here: World, before: Callable[[str], None]) -> None:
    """Let workers meet somebody right before each of their writes."""
    real = Connections(str(here.kubeconfig))
    here.jobs = here.worker(clusters=lambda context: Beside(real(context), before))


@pytest.mark.requirement("D3", "D4")
def test_services_are_released_one_after_the_other(here: World) -> None:
    """Configuration first, then each service in its declared order, healthy before the next is touched."""
    written: list[str] = []

    def before(name: str) -> None:
        for done in written:
            assert converged(here.cluster, here.deployment(done)), f"{done} is not done when {name} begins"
        written.append(name)

    beside(here, before)
    release = here.release("3.2.1")
    assert release.state is State.RELEASED
    assert tuple(written) == SERVICES
    assert set(here.versions().values()) == {"3.2.1"}
    assert all(converged(here.cluster, here.deployment(name)) for name in SERVICES)
    told = [event.event for event in here.events(release.id)]
    assert told[:4] == ["release_requested", "plan_proposed", "approved", "release_started"]
    assert here.said(release.id)[4:] == ["step_started", "step_finished"] * 6 + ["release_finished"]
    changed = [event.changed for event in here.events(release.id) if isinstance(event, e.StepFinished)]
    assert changed == [True] * 5 + [False]


@pytest.mark.requirement("D3")
def test_progress_is_told_as_pods_become_ready(store: Store, tmp_path: Path) -> None:
    """Who watches sees the count go up, and no picture twice."""
    with world(store, tmp_path, speed=2.0) as slow:
        release = slow.release("3.2.1", services=("buzzy-api",))
        pictures = [event.seen[0] for event in slow.events(release.id) if isinstance(event, e.StepProgressed)]
        assert [picture.version for picture in pictures] == ["3.2.1"] * len(pictures)
        assert [picture.ready for picture in pictures] == sorted(picture.ready for picture in pictures)
        assert all(one != other for one, other in pairwise(pictures))
        assert len(pictures) > 1


@pytest.mark.requirement("D3")
def test_each_version_gets_its_unchangeable_configuration(here: World) -> None:
    """A ConfigMap of its own, which the pods of that version read; the next release of it finds it there."""
    release = here.release("3.2.1")
    assert release.plan is not None
    name = release.plan.steps[0].name  # type: ignore[union-attr] # an EnsureConfiguration
    stored = here.config_map(name)
    assert (stored["data"], stored["immutable"]) == ({"LOG_LEVEL": "info"}, True)
    for service in SERVICES:
        container = here.deployment(service)["spec"]["template"]["spec"]["containers"][0]
        assert container["envFrom"] == [{"configMapRef": {"name": name}}]
    here.rollback()
    again = here.release("3.2.1")
    assert again.state is State.RELEASED
    assert not again.forward[0].changed


@pytest.mark.requirement("D4")
def test_the_cluster_itself_remembers_the_release(here: World) -> None:
    """Annotations beside the objects, and a line in `kubectl rollout history`; nothing else is changed."""
    before = here.deployment("buzzy-api")
    release = here.release("3.2.1")
    after = here.deployment("buzzy-api")
    annotations = after["metadata"]["annotations"]
    assert annotations["buzzy/release"] == release.id
    assert annotations["buzzy/version"] == "3.2.1"
    assert annotations["kubernetes.io/change-cause"] == f"{release.id}: 3.2.0 → 3.2.1 by alice"
    without = {key: value for key, value in after["spec"].items() if key != "template"}
    assert without == {key: value for key, value in before["spec"].items() if key != "template"}


FAILING = {
    "crash": ("pods crash", "CrashLoopBackOff", True),
    "missing": ("the registry has no such image", "ErrImagePull", False),
    "never-ready": ("pods are ready after 2 s", "NotReady", True),
}


@pytest.mark.requirement("D3")
@pytest.mark.parametrize("behaviour", FAILING)
def test_a_version_that_does_not_come_up_fails_with_the_pods_own_words(
    store: Store, tmp_path: Path, behaviour: str
) -> None:
    """It stops at that service: those behind it are not touched, and those before it stay as they are."""
    hasty = CONFIG.replace("buzzybuzz/buzzy-api, deadline: 30s", "buzzybuzz/buzzy-api, deadline: 2s")
    with world(store, tmp_path, config=hasty) as here:
        _fails_at_the_second_service(here, behaviour)


def _fails_at_the_second_service(here: World, behaviour: str) -> None:
    words, reason, logs = FAILING[behaviour]
    here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": behaviour})
    release = here.release("3.2.1")
    assert release.state is State.FAILED
    assert release.reason.startswith("buzzy-api: ")
    assert words in release.reason.replace("pods crashes", "pods crash")
    assert here.versions() == {
        "buzzy-main": "3.2.1",
        "buzzy-api": "3.2.1",
        "buzzy-files": "3.2.0",
        "buzzy-worker": "3.2.0",
    }
    assert release.changed_services == ("buzzy-main", "buzzy-api")
    assert release.failure is not None
    evidence = release.failure.evidence[0]
    assert evidence.service == "buzzy-api"
    assert evidence.reason.replace("ImagePullBackOff", "ErrImagePull") == reason
    assert evidence.pod is not None
    assert evidence.pod.startswith("buzzy-api-")
    assert bool(evidence.log) == logs
    assert evidence.events


@pytest.mark.requirement("D3")
def test_pods_that_die_after_they_were_ready_are_found_out(here: World) -> None:
    """Every service converged for a moment; the release does not end well all the same."""
    here.cluster.set_behaviours({"3.2.1": "oom"})
    release = here.release("3.2.1")
    assert release.state is State.FAILED
    assert "out of memory" in release.reason


def test_a_right_that_is_missing_is_named_before_anything_is_touched(here: World) -> None:
    """In words that one can put into the Role."""
    rules = [rule for rule in role() if rule.resources != ("deployments",)]
    here.cluster.add_user(TOKEN, "buzzy-worker", [*rules, Rule(("get", "list", "watch"), ("deployments",))])
    release = here.release("3.2.1")
    assert release.state is State.IMPOSSIBLE
    assert release.reason == (
        "Buzzy may not patch deployments in buzzy-staging: its Role there needs apps/deployments: patch."
    )
    assert not here.cluster.writes(user="buzzy-worker")


def test_a_right_that_is_taken_away_in_the_middle_fails_the_step_in_words(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is sure that it is gone; the pods that run stay as they are."""
    monkeypatch.setattr(advance, "BELIEVED", timedelta(seconds=0.2))
    rules = [rule for rule in role() if rule.resources != ("deployments",)]

    def before(name: str) -> None:
        if name == "buzzy-api":
            reading = Rule(("get", "list", "watch"), ("deployments",))
            here.cluster.run(lambda: here.cluster.add_user(TOKEN, "buzzy-worker", [*rules, reading]))

    beside(here, before)
    release = here.release("3.2.1")
    assert release.state is State.FAILED
    assert release.reason.startswith("Buzzy may not patch deployments in buzzy-staging")
    assert here.versions()["buzzy-api"] == "3.2.0"


def test_a_deployment_that_changes_between_look_and_write_is_looked_at_again(here: World) -> None:
    """Its number of replicas is somebody else's affair, and is kept."""
    seen: list[str] = []

    def before(name: str) -> None:
        if name not in seen:
            seen.append(name)
            here.change(name, lambda thing: thing["spec"].update(replicas=2))

    beside(here, before)
    release = here.release("3.2.1")
    assert release.state is State.RELEASED
    assert [here.deployment(name)["spec"]["replicas"] for name in SERVICES] == [2] * 4
    conflicts = [entry for entry in here.cluster.requests(verb="patch") if entry.code == 409]
    assert {entry.name for entry in conflicts} == set(SERVICES)


def test_a_template_that_somebody_else_changes_meanwhile_is_not_fought(here: World) -> None:
    """Whoever has a hotfix under way finds it as they left it."""

    def before(name: str) -> None:
        if name == "buzzy-api" and here.versions()[name] == "3.2.0":
            here.set_tag(name, "3.2.0-hotfix")

    beside(here, before)
    release = here.release("3.2.1")
    assert release.state is State.FAILED
    assert release.reason == "buzzy-api was changed by somebody else meanwhile."
    assert here.versions()["buzzy-api"] == "3.2.0-hotfix"


def test_a_write_whose_answer_is_lost_is_not_done_twice(here: World) -> None:
    """The step looks again, finds its own work done, and goes on."""
    here.cluster.add_fault(
        Fault("status", method="PATCH", path=r"buzzy-api\?fieldManager=buzzy$", status=503, after_effect=True)
    )
    release = here.release("3.2.1")
    assert release.state is State.RELEASED
    patches = [
        each for each in here.cluster.writes(user="buzzy-worker", verb="patch") if each.name == "buzzy-api"
    ]
    assert len(patches) == 2  # the template, and the fence against one that may still be under way
    assert here.revision("buzzy-api") == 3


def test_what_was_approved_is_compared_with_the_cluster_at_the_start(here: World) -> None:
    """If it moved since, the plan is made again, and says what moved."""
    needed = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=3600)
    id_ = here.ask("3.2.1", approval=needed)
    here.work()
    waiting = here.load(id_)
    assert waiting.state is State.WAITING
    assert waiting.plan is not None
    here.set_tag("buzzy-api", "3.2.0-hotfix")
    here.write(id_, e.Approved(at=waiting.request.at, digest=waiting.plan.digest))
    here.queue.put("deployment", "advance", id_)
    here.work()
    again = here.load(id_)
    assert again.state is State.WAITING
    assert again.plan is not None
    assert again.plan.digest != waiting.plan.digest
    assert again.replanned_because is not None
    assert "buzzy-api was changed" in again.replanned_because
    assert "3.2.0-hotfix" in again.replanned_because
    written = {each.resource for each in here.cluster.writes(user="buzzy-worker", namespace=NAMESPACE)}
    assert written == {"leases"}
    assert "holderIdentity" not in here.lease()["spec"]
