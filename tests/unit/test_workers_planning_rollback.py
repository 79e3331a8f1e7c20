"""The plan of a rollback: which templates, of which revisions, in which order."""

from __future__ import annotations

from typing import Any

import pytest

from releases.events import Target
from releases.plan import Plan, digest_of
from tests.unit.workers_things import history, past, pod_template, replica_set, scene, template
from workers.cluster import RolloutSeen
from workers.planning import Refused, Scene, Wanted, plan_rollback

NAMES = ("main", "api", "worker")


def usual(**given: Any) -> Scene:  # noqa: ANN401 - fields of what is made
    """Three services that ran 3.1.4, 3.2.0 and now 3.2.1."""
    return scene(*(history(name, "3.1.4", "3.2.0", "3.2.1") for name in NAMES), **given)


def planned(stage: Scene, target: Target | None = None, *services: str) -> Plan:
    """The plan, which there must be."""
    plan = plan_rollback(stage, Wanted("rolling", services, target=target))
    assert isinstance(plan, Plan), plan
    return plan


def goes(stage: Scene, target: Target | None = None, *services: str) -> dict[str, int | None]:
    """Each service that changes, and the revision that it goes to."""
    return {step.service: step.new.revision for step in planned(stage, target, *services).rollouts()}


def refused(stage: Scene, target: Target | None = None, *services: str) -> Refused:
    """The refusal, which there must be."""
    refusal = plan_rollback(stage, Wanted("rolling", services, target=target))
    assert isinstance(refusal, Refused), refusal
    return refusal


OTHERS = "The others alone: `/buzzy rollback staging --services main,worker --to …`"
ALL_2 = {"worker": 2, "api": 2, "main": 2}
ALL_1 = dict.fromkeys(ALL_2, 1)


@pytest.mark.requirement("B6")
@pytest.mark.parametrize(
    ("target", "services", "expected"),
    [
        (Target(version="3.1.4"), (), ALL_1),
        (Target(version="3.2.0"), (), ALL_2),
        (Target(version="3.1.4"), ("api",), {"api": 1}),
        (Target(revision=2), (), ALL_2),
        (Target(revision=1), ("main", "worker"), {"worker": 1, "main": 1}),
        (None, (), ALL_2),
        (Target(), (), ALL_2),
    ],
)
def test_where_it_goes(target: Target | None, services: tuple[str, ...], expected: dict[str, int]) -> None:
    """By version, by revision, or to the version before, across all services or some."""
    assert goes(usual(), target, *services) == expected


def test_services_go_back_in_reverse_order_and_are_verified_together() -> None:
    """Those that depend on others go first."""
    plan = planned(usual())
    assert plan.services == ("worker", "api", "main")
    assert (plan.kind, plan.stable, plan.new, plan.type) == ("rollback", "3.2.1", "3.2.0", None)
    assert plan.steps[-1].kind == "verify"


@pytest.mark.requirement("D4")
def test_the_whole_template_of_the_revision_is_restored() -> None:
    """Not the image alone: what else was changed since is undone as well, as `kubectl rollout undo` does."""
    before = pod_template("api", "3.2.0", env=[{"name": "FLAG", "value": "1"}])
    api = history("api", "3.1.4", "3.2.0", "3.2.1")
    revisions = tuple(
        replica_set("api", "?", 2, template=before) if each.revision == 2 else each
        for each in api.replica_sets
    )
    picture = RolloutSeen(api.deployment, revisions, api.pods, complete=True)
    stage = scene(history("main", "3.2.0"), picture, history("worker", "3.2.0"))
    step = next(planned(stage, Target(version="3.2.0"), "api").rollouts())
    assert step.new.digest == digest_of(before)


def test_the_newest_revision_of_a_version_is_taken() -> None:
    """A version may have been rolled out twice, with another configuration each time."""
    stage = scene(
        history("main", "3.1.4", "3.1.4", "3.2.0"), history("api", "3.1.4"), history("worker", "3.1.4")
    )
    assert goes(stage, Target(version="3.1.4")) == {"main": 2}


def test_services_that_are_there_already_are_left_out() -> None:
    """Half of a release that broke off is enough to undo."""
    stage = scene(history("main", "3.2.0", "3.2.1"), history("api", "3.2.0"), history("worker", "3.2.0"))
    assert goes(stage, Target(version="3.2.0")) == {"main": 1}


@pytest.mark.requirement("B6")
@pytest.mark.parametrize(
    ("releases", "expected"),
    [
        pytest.param((past(1, dict.fromkeys(NAMES, ("3.1.4", "3.2.1"))),), ALL_1, id="as the record has it"),
        pytest.param(
            (past(1, dict.fromkeys(NAMES, ("3.1.4", "3.2.1")), end="failed"),), ALL_1, id="after a failed one"
        ),
        pytest.param((), ALL_2, id="the record knows nothing: as the cluster has it"),
    ],
)
def test_without_a_target_it_goes_to_what_was_before(
    releases: tuple[Any, ...], expected: dict[str, int]
) -> None:
    """What the record says counts more than the order of revisions."""
    assert goes(usual(releases=releases)) == expected


def test_without_a_record_a_service_that_is_ahead_goes_back_to_the_others() -> None:
    """After Redis was lost in the middle of a release: the others must not go further back than they are."""
    stage = scene(
        history("main", "3.2.0", "3.2.1"), history("api", "3.1.4", "3.2.0"), history("worker", "3.2.0")
    )
    assert goes(stage) == {"main": 1}


def marked(service: str, *tags: str) -> RolloutSeen:
    """A service whose revision 2 was made by R37; whoever made revision 3 left the mark on it."""
    seen = history(service, *tags)
    mark = {"buzzy/release": "R37", "buzzy/template": template(service, tags[1]).digest[:16]}
    revisions = tuple(
        replica_set(service, tag, number, annotations=mark if number > 1 else {})
        for number, tag in enumerate(tags, 1)
    )
    return RolloutSeen(seen.deployment, revisions, seen.pods, complete=True)


@pytest.mark.requirement("B6")
def test_it_goes_to_what_a_release_put_there() -> None:
    """By the mark on the revision that the release made, not on one that inherited the mark."""
    stage = scene(*(marked(name, "3.1.4", "3.2.0", "3.2.1") for name in NAMES))
    assert goes(stage, Target(release="R37")) == ALL_2


def test_a_release_is_known_from_the_record_when_its_marks_are_gone() -> None:
    """And it asks nothing of the services that it left alone."""
    releases = (past(37, {"api": ("3.1.4", "3.2.0")}),)
    assert goes(usual(releases=releases), Target(release="R37")) == {"api": 2}


@pytest.mark.parametrize(
    ("stage", "target", "services", "reason", "hint"),
    [
        pytest.param(
            usual(),
            Target(version="3.2.1"),
            (),
            "There is nothing to go back to: staging already runs 3.2.1.",
            "",
            id="there already",
        ),
        pytest.param(
            usual(),
            Target(version="2.0.0"),
            ("api",),
            "api has no revision of 2.0.0.",
            f"Revisions: api has 3 (3.2.1), 2 (3.2.0) and 1 (3.1.4). {OTHERS}",
            id="no such version",
        ),
        pytest.param(
            scene(
                history("main", "3.2.0", "3.2.1"),
                history("api", "3.2.1"),
                history("worker", "3.2.0", "3.2.1"),
            ),
            Target(revision=2),
            (),
            "api has no revision 2.",
            f"Revisions: api has 1 (3.2.1). {OTHERS}",
            id="one lacks the revision",
        ),
        pytest.param(
            scene(*(history(name, "3.2.0") for name in NAMES)),
            None,
            (),
            "main, api and worker have no revision of an earlier version.",
            "Revisions: main has 1 (3.2.0); api has 1 (3.2.0); worker has 1 (3.2.0).",
            id="nothing before",
        ),
        pytest.param(
            usual(),
            Target(release="R99"),
            ("api",),
            "api has no revision of what R99 released.",
            f"Revisions: api has 3 (3.2.1), 2 (3.2.0) and 1 (3.1.4). {OTHERS}",
            id="no such release",
        ),
        pytest.param(
            scene(*(history(name, "3.2.0", "3.2.1", paused=True) for name in NAMES)),
            None,
            (),
            "The Deployment main is paused: a change of it would not be rolled out.",
            "`kubectl rollout resume deployment/main -n buzzy-staging`",
            id="paused",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_there_is(
    stage: Scene, target: Target | None, services: tuple[str, ...], reason: str, hint: str
) -> None:
    """Which services have which revisions is what one needs to choose another target."""
    assert refused(stage, target, *services) == Refused(reason, hint)


def test_changes_beside_buzzy_are_said_to_be_undone() -> None:
    """Somebody may miss them."""
    mark = {"buzzy/release": "R41", "buzzy/template": "0123456789abcdef"}
    stage = scene(*(history(name, "3.2.0", "3.2.1", annotations=mark) for name in NAMES))
    assert planned(stage).warnings == (
        "main, api and worker (since R41) were changed by somebody else; going back undoes these changes.",
    )
