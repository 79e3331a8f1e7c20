"""The plan of a release: what would be done, or why nothing can be."""

from __future__ import annotations

from typing import Any

import pytest

from releases.plan import EnsureConfiguration, Plan, RollOut, Verify
from releases.version import ReleaseType, Version
from tests.unit.workers_things import CONFIG, MISSING, history, past, pod_template, scene, template
from workers.cluster import RolloutSeen
from workers.planning import Refused, Scene, Wanted, plan_release
from workers.templates import containers

ROLLING = Wanted("rolling")


def usual(**given: Any) -> Scene:  # noqa: ANN401 - fields of what is made
    """Three services at 3.2.0, before that at 3.1.4."""
    return scene(*(history(name, "3.1.4", "3.2.0") for name in ("main", "api", "worker")), **given)


def planned(stage: Scene, version: str = "3.2.1", *services: str) -> Plan:
    """The plan, which there must be."""
    plan = plan_release(stage, Version.parse(version), Wanted("rolling", services))
    assert isinstance(plan, Plan), plan
    return plan


def refused(stage: Scene, version: str = "3.2.1", *services: str) -> Refused:
    """The refusal, which there must be."""
    refusal = plan_release(stage, Version.parse(version), Wanted("rolling", services))
    assert isinstance(refusal, Refused), refusal
    return refusal


def rollouts(plan: Plan) -> dict[str, RollOut]:
    """Its rollouts by service."""
    return {step.service: step for step in plan.rollouts() if isinstance(step, RollOut)}


@pytest.mark.requirement("D3")
def test_services_roll_out_in_their_declared_order_and_are_verified_together() -> None:
    """One step each, then one that looks at all of them."""
    plan = planned(usual())
    assert plan.services == ("main", "api", "worker")
    assert (plan.stable, plan.new, plan.type) == ("3.2.0", "3.2.1", ReleaseType.PATCH)
    verify = plan.steps[-1]
    assert isinstance(verify, Verify)
    assert verify.deployments == {step.service: step.new.digest for step in plan.rollouts()}
    step = rollouts(plan)["worker"]
    assert step.deadline_seconds == 90
    assert (step.stable.version, step.stable.revision) == ("3.2.0", 2)
    assert (step.new.version, step.new.revision, step.new.image) == ("3.2.1", None, "buzzybuzz/worker:3.2.1")


def test_only_the_image_of_the_services_container_changes() -> None:
    """The rest of the template, side-cars among it, stays as it is."""
    step = rollouts(planned(usual()))["api"]
    assert containers(step.new.spec) == {"api": "buzzybuzz/api:3.2.1", "proxy": "envoy:1"}
    assert step.new.spec == pod_template("api", "3.2.1")


def test_a_plan_of_the_same_cluster_has_the_same_digest() -> None:
    """That is how it is noticed that something moved; pods that come and go are nothing of it."""
    calm = planned(usual())
    busy = usual()
    less = tuple(
        RolloutSeen(each.seen.deployment, each.seen.replica_sets, (), complete=True)
        for each in busy.observed.services
    )
    assert planned(scene(*less)).digest == calm.digest


def test_services_that_have_it_already_are_left_out() -> None:
    """A release that broke off is gone on with by asking for it again."""
    stage = scene(history("main", "3.2.0", "3.2.1"), history("api", "3.2.0"), history("worker", "3.2.0"))
    assert planned(stage).services == ("api", "worker")
    assert planned(stage, "3.2.1", "worker").services == ("worker",)


@pytest.mark.parametrize(
    ("running", "asked", "type_"),
    [
        (("3.2.0", "3.2.0", "3.2.0"), "4.0.0", ReleaseType.MAJOR),
        (("3.2.0", "3.1.0", "3.2.0"), "3.2.1", ReleaseType.MINOR),
        (("3.2.0", "latest", "3.2.0"), "3.2.1", ReleaseType.PATCH),
        (("latest", "latest", "latest"), "3.2.1", ReleaseType.MAJOR),
    ],
)
def test_its_type_is_from_the_lowest_version_that_runs(
    running: tuple[str, ...], asked: str, type_: ReleaseType
) -> None:
    """Tags that are no versions say nothing."""
    names = ("main", "api", "worker")
    stage = scene(*(history(name, tag) for name, tag in zip(names, running, strict=True)))
    plan = planned(stage, asked)
    assert plan.type is type_


CONFIGURED = CONFIG.replace(
    "channel: C0STAGING", "channel: C0STAGING, configuration: {LOG_LEVEL: info, WORKERS: 2}"
)


def env_from(step: RollOut) -> list[Any]:
    """Where the service's container has its variables from."""
    container = step.new.spec["spec"]["containers"][0]
    return list(container.get("envFrom", []))


def test_the_versions_configuration_comes_first_and_is_switched_to() -> None:
    """An unchangeable ConfigMap named by version and content; an earlier version's gives place to it."""
    earlier = [{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "buzzy-configuration-3.2.0-12345678"}}]
    api = pod_template("api", "3.2.0", envFrom=earlier)
    stage = scene(
        history("main", "3.2.0"),
        history("api", "3.2.0", template=api),
        history("worker", "3.2.0"),
        config=CONFIGURED,
    )
    plan = planned(stage)
    first = plan.steps[0]
    assert isinstance(first, EnsureConfiguration)
    assert first.data == {"LOG_LEVEL": "info", "WORKERS": "2"}
    assert first.name.startswith("buzzy-configuration-3.2.1-")
    assert len(first.name) == len("buzzy-configuration-3.2.1-") + 8
    assert env_from(rollouts(plan)["main"]) == [{"configMapRef": {"name": first.name}}]
    assert env_from(rollouts(plan)["api"]) == [earlier[0], {"configMapRef": {"name": first.name}}]
    assert "envFrom" not in plan.steps[1].new.spec["spec"]["containers"][1]  # type: ignore[union-attr] # a RollOut


def test_another_content_is_another_configuration() -> None:
    """The name says which content it is, so nothing is ever overwritten."""
    one, other = CONFIGURED, CONFIGURED.replace("info", "debug")
    names = {planned(usual(config=config)).steps[0].name for config in (one, other)}  # type: ignore[union-attr] # an EnsureConfiguration
    assert len(names) == 2


def test_a_pre_release_makes_a_name_that_kubernetes_takes() -> None:
    """Capital letters and odd dashes are no part of a ConfigMap's name."""
    config = CONFIGURED.replace("channel: C0DEV", "channel: C0DEV, configuration: {A: b}")
    plan = planned(usual(config=config, environment="development"), "3.3.0-RC.-1")
    assert isinstance(plan.steps[0], EnsureConfiguration)
    assert plan.steps[0].name.startswith("buzzy-configuration-3.3.0-rc.1-")


@pytest.mark.parametrize(
    ("stage", "version", "services", "reason", "hint"),
    [
        pytest.param(usual(), "3.2.0", (), "3.2.0 already runs in staging.", "", id="there already"),
        pytest.param(
            usual(),
            "3.1.4",
            (),
            "3.1.4 is older than what runs in staging: main, api and worker run 3.2.0.",
            "Going back is a rollback: `/buzzy rollback staging --to 3.1.4`",
            id="downgrade",
        ),
        pytest.param(
            usual(),
            "3.1.4",
            ("api",),
            "3.1.4 is older than what runs in staging: api runs 3.2.0.",
            "Going back is a rollback: `/buzzy rollback staging --to 3.1.4 --services api`",
            id="downgrade of one",
        ),
        pytest.param(
            usual(),
            "3.3.0-rc.1",
            (),
            "3.3.0-rc.1 is a pre-release, and staging takes stable versions only.",
            "`/buzzy release 3.3.0-rc.1 development`",
            id="pre-release",
        ),
        pytest.param(
            usual(),
            "3.2.1",
            ("web",),
            "staging has no service web.",
            "It has main, api and worker.",
            id="unknown",
        ),
        pytest.param(
            scene(history("main", "3.2.0"), MISSING, history("worker", "3.2.0")),
            "3.2.1",
            (),
            "There is no Deployment api in buzzy-staging.",
            "Create it, or name api's own in buzzy.yaml (deployment: …).",
            id="no Deployment",
        ),
        pytest.param(
            scene(MISSING, MISSING, MISSING),
            "3.2.1",
            (),
            "There is none of the services in the namespace buzzy-staging; it may not exist.",
            "Check the namespace and the cluster of staging in buzzy.yaml.",
            id="no namespace",
        ),
        pytest.param(
            scene(history("main", "3.2.0", template=pod_template("web", "1")), MISSING, MISSING),
            "3.2.1",
            (),
            "The Deployment main has no container main.",
            "It has web and proxy: name main's in buzzy.yaml (container: …).",
            id="no container",
        ),
        pytest.param(
            scene(history("main", "3.2.0", paused=True), MISSING, MISSING),
            "3.2.1",
            (),
            "The Deployment main is paused: a change of it would not be rolled out.",
            "`kubectl rollout resume deployment/main -n buzzy-staging`",
            id="paused",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(
    stage: Scene, version: str, services: tuple[str, ...], reason: str, hint: str
) -> None:
    """Before anything is touched."""
    assert refused(stage, version, *services) == Refused(reason, hint)


def test_what_runs_already_but_ill_is_not_called_well() -> None:
    """Whoever asks again after a failed release learns that it is there, ill, and how to go back."""
    ill = RolloutSeen(
        history("api", "3.2.0").deployment, history("api", "3.2.0").replica_sets, (), complete=True
    )
    refusal = refused(scene(history("main", "3.2.0"), ill, history("worker", "3.2.0")), "3.2.0")
    assert refusal.reason == "staging has 3.2.0 already, but not all of it is healthy (api: 3 to come)."
    assert refusal.hint == "To go back: `/buzzy rollback staging`"


def test_a_service_that_is_not_asked_for_does_not_hinder() -> None:
    """A paused Deployment is in nobody's way as long as nobody wants to change it."""
    stage = scene(history("main", "3.2.0", paused=True), history("api", "3.2.0"), MISSING)
    assert planned(stage, "3.2.1", "api").services == ("api",)


MARKED = {"buzzy/release": "R41", "buzzy/template": template("api", "3.2.0").digest[:16]}


@pytest.mark.parametrize(
    ("api", "releases", "warnings"),
    [
        pytest.param({}, (), (), id="never released by Buzzy"),
        pytest.param({"annotations": MARKED}, (), (), id="as Buzzy left it"),
        pytest.param(
            {"annotations": {**MARKED, "buzzy/template": "0123456789abcdef"}},
            (),
            ("api (since R41) was changed by somebody else; the release keeps that, but for the image.",),
            id="changed since",
        ),
        pytest.param(
            {},
            (past(1, {"api": ("3.1.4", "3.2.0")}),),
            ("api was changed by somebody else; the release keeps that, but for the image.",),
            id="the mark is gone",
        ),
        pytest.param(
            {"template": pod_template("api", "3.2.0", image="ghcr.io/fork/api:3.2.0")},
            (),
            ("api runs ghcr.io/fork/api:3.2.0; it will run the image buzzybuzz/api instead.",),
            id="another repository",
        ),
        pytest.param(
            {"template": pod_template("api", "3.2.0", image="docker.io/buzzybuzz/api:3.2.0")},
            (),
            (),
            id="the same repository, written in full",
        ),
        pytest.param(
            {"strategy": "Recreate"},
            (),
            ("api is down while it is rolled out: its Deployment's strategy is Recreate.",),
            id="recreate",
        ),
        pytest.param({"wanted": 0}, (), ("api is scaled to 0: nothing of it is started.",), id="scaled to 0"),
        pytest.param(
            {"history_limit": 0},
            (),
            ("api keeps no revisions: a later rollback will not be possible.",),
            id="no history",
        ),
    ],
)
def test_approvers_are_told_what_is_unusual(
    api: dict[str, Any], releases: tuple[Any, ...], warnings: tuple[str, ...]
) -> None:
    """A sentence each, on the plan."""
    stage = scene(
        history("main", "3.2.0"),
        history("api", "3.2.0", **api),
        history("worker", "3.2.0"),
        releases=releases,
    )
    assert planned(stage).warnings == warnings
