"""Whether a rollout has come to its end: from what is seen to what it means."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.workers_things import (
    T0,
    condition,
    deployment,
    history,
    pod,
    pod_template,
    replica_set,
    rollout,
    seconds,
    template,
)
from workers.cluster import PodSeen, RolloutSeen, Termination, Waiting
from workers.describe import describe
from workers.verdict import Converged, Failed, Progressing, Verdict, judge

STEP = rollout("api", "3.1.4", "3.2.0")
NOW = T0 + seconds(60)
DEADLINE = T0 + seconds(300)


def seen(*pods: PodSeen, **given: Any) -> RolloutSeen:  # noqa: ANN401 - fields of what is made
    """The Deployment at the new template, its two revisions, and these pods."""
    revisions = (replica_set("api", "3.1.4", 1), replica_set("api", "3.2.0", 2))
    return RolloutSeen(deployment("api", "3.2.0", **given), revisions, pods, complete=True)


def verdict(picture: RolloutSeen, *, at: float = 60) -> Verdict:
    """What it means so many seconds after the step began."""
    return judge(STEP, picture, since=T0, now=T0 + seconds(at), deadline=DEADLINE)


def waiting(reason: str, message: str = "", number: int = 1, **container: Any) -> PodSeen:  # noqa: ANN401 - fields of what is made
    """A new pod that waits for this reason."""
    return pod(number, ready=False, container={"waiting": Waiting(reason, message), **container})


def crashed(
    code: int = 1, at: float = 50, reason: str = "Error", *, restarts: int = 2, ready: bool = False
) -> PodSeen:
    """A new pod that runs again after it ended so many seconds after the step began."""
    before = Termination(reason, code, at=T0 + seconds(at))
    return pod(ready=ready, container={"ended_before": before, "restarts": restarts})


WELL = (pod(1), pod(2), pod(3))


@pytest.mark.requirement("D3")
def test_it_has_converged_when_kubectl_says_so_and_every_new_pod_is_ready() -> None:
    """The whole picture is healthy."""
    result = verdict(seen(*WELL))
    assert isinstance(result, Converged)
    assert (result.seen.ready, result.seen.total, result.seen.version) == (3, 3, "3.2.0")
    assert result.seen.healthy
    assert not result.seen.state


@pytest.mark.parametrize(
    ("given", "pods"),
    [
        pytest.param({"generation": 2, "observed_generation": 1}, WELL, id="not observed yet"),
        pytest.param({"updated": 2}, WELL, id="not all updated"),
        pytest.param({"pods": 4}, WELL, id="an old pod is still there"),
        pytest.param({"available": 2}, WELL, id="not all available"),
        pytest.param({}, (pod(1), pod(2), pod(3, ready=False)), id="a pod is not ready"),
        pytest.param({}, (pod(1), pod(2), crashed(at=55, restarts=1, ready=True)), id="crashed 5 s ago"),
    ],
)
def test_it_goes_on_while_something_is_missing(given: dict[str, Any], pods: tuple[PodSeen, ...]) -> None:
    """Each rule of `kubectl rollout status`, and ours on top of them."""
    assert isinstance(verdict(seen(*pods, **given)), Progressing)


def test_a_pod_that_recovered_from_one_crash_is_well() -> None:
    """Once the crash is a while ago, it is believed."""
    assert isinstance(verdict(seen(pod(1), pod(2), crashed(at=10, restarts=1, ready=True))), Converged)


def test_scaled_to_nothing_is_a_state_too() -> None:
    """No replicas: nothing to wait for."""
    nothing = {"wanted": 0, "pods": 0, "updated": 0, "ready": 0, "available": 0}
    assert isinstance(verdict(seen(**nothing)), Converged)


UNDONE = {"updated": 1, "available": 2}


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        ([crashed(at=50)], "api: 1 of 3 pods crashes at start (exit code 1)"),
        (
            [waiting("CrashLoopBackOff", ended_before=Termination("Error", 2)), crashed(code=2)],
            "api: 2 of 3 pods crash at start (exit code 2)",
        ),
        ([waiting("CrashLoopBackOff")], "api: 1 of 3 pods crashes at start"),
        ([crashed(137, reason="OOMKilled")], "api: 1 of 3 pods runs out of memory"),
        (
            [waiting("ImagePullBackOff", "Back-off: manifest unknown")],
            "api: the image buzzybuzz/api:3.2.0 cannot be pulled: the registry has no such image",
        ),
        (
            [waiting("ErrImagePull", "pull access denied")],
            "api: the image buzzybuzz/api:3.2.0 cannot be pulled: the registry refuses access",
        ),
        ([waiting("ErrImagePull", "i/o timeout")], "api: the image buzzybuzz/api:3.2.0 cannot be pulled"),
        (
            [waiting("InvalidImageName")],
            "api: the image buzzybuzz/api:3.2.0 cannot be pulled: its name is not valid",
        ),
        (
            [waiting("ErrImageNeverPull")],
            "api: the image buzzybuzz/api:3.2.0 cannot be pulled: it is not on the node, and pulling is off",
        ),
        (
            [waiting("CreateContainerConfigError", 'configmap "x" not found')],
            'api: 1 of 3 pods cannot start: configmap "x" not found',
        ),
        ([waiting("RunContainerError", "no such file")], "api: 1 of 3 pods cannot start: no such file"),
        (
            [pod(ready=False, phase="Failed", reason="Evicted", message="low on disk")],
            "api: 1 of 3 pods was stopped by its node: low on disk",
        ),
        (
            [
                waiting("CrashLoopBackOff"),
                waiting("ErrImagePull", number=2),
                waiting("ErrImagePull", number=3),
            ],
            "api: the image buzzybuzz/api:3.2.0 cannot be pulled",
        ),
    ],
)
def test_it_fails_early_in_the_pods_own_words(pods: list[PodSeen], reason: str) -> None:
    """What will not mend by itself is not waited for, and is said so that one understands it at night."""
    result = verdict(seen(*pods, **UNDONE))
    assert isinstance(result, Failed)
    assert result.reason == reason
    assert result.troubles
    assert not result.seen.healthy


@pytest.mark.parametrize(
    "pods",
    [
        pytest.param([waiting("ContainerCreating")], id="starting"),
        pytest.param([crashed(restarts=1)], id="crashed once"),
        pytest.param([crashed(at=-5, restarts=7)], id="crashed before the step began"),
        pytest.param([crashed(code=0)], id="ended well"),
        pytest.param(
            [pod(revision=1, ready=False, container={"waiting": Waiting("CrashLoopBackOff")})],
            id="an old pod crashes",
        ),
        pytest.param(
            [pod(ready=False, deleting=True, container={"waiting": Waiting("CrashLoopBackOff")})], id="goes"
        ),
        pytest.param([pod(ready=False, unplaced="0/3 nodes are available")], id="no room yet"),
    ],
)
def test_it_does_not_fail_for_what_may_pass(pods: list[PodSeen]) -> None:
    """One crash, an old pod, a full node: people would wait for these, too."""
    assert isinstance(verdict(seen(*pods, **UNDONE)), Progressing)


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        (
            [condition("Progressing", status=False, reason="ProgressDeadlineExceeded")],
            "api: Kubernetes gave it up, no pod became ready within its progress deadline",
        ),
        (
            [condition("ReplicaFailure", message="exceeded quota: pods", since=T0 + seconds(40))],
            "api: Kubernetes cannot create its pods: exceeded quota: pods",
        ),
    ],
)
def test_it_fails_when_kubernetes_gives_up(conditions: list[Any], reason: str) -> None:
    """What the Deployment's conditions say, once they are about the new template and last."""
    result = verdict(seen(conditions=tuple(conditions), **UNDONE))
    assert isinstance(result, Failed)
    assert result.reason == reason
    stale = verdict(seen(conditions=tuple(conditions), **UNDONE, generation=3, observed_generation=2))
    assert isinstance(stale, Progressing)


def test_pods_that_a_quota_refuses_for_a_moment_are_waited_for() -> None:
    """Under a tight quota the next pod fits only when an old one is gone."""
    failing = condition("ReplicaFailure", message="exceeded quota", since=NOW - seconds(3))
    assert isinstance(verdict(seen(conditions=(failing,), **UNDONE)), Progressing)


@pytest.mark.parametrize(
    ("pods", "given", "reason"),
    [
        ([pod(1), pod(2, ready=False)], UNDONE, "api: 1 of 3 pods are ready after 5 min"),
        (
            [pod(1, ready=False, unplaced="0/3 nodes are available: 3 Insufficient cpu.")],
            UNDONE,
            "api: no node has room for 1 of 3 pods after 5 min: 0/3 nodes are available: 3 Insufficient cpu.",
        ),
        (list(WELL), {"pods": 4}, "api: the old pods are not gone after 5 min"),
    ],
)
def test_it_fails_at_its_deadline(pods: list[PodSeen], given: dict[str, Any], reason: str) -> None:
    """And not a second before."""
    picture = seen(*pods, **given)
    assert isinstance(verdict(picture, at=299), Progressing)
    late = verdict(picture, at=300)
    assert isinstance(late, Failed)
    assert late.reason == reason


def test_another_template_means_that_somebody_else_was_here() -> None:
    """Whoever changed it meanwhile is not fought."""
    picture = RolloutSeen(deployment("api", "9.9.9"), (), (), complete=True)
    result = verdict(picture)
    assert isinstance(result, Failed)
    assert result.reason == "api was changed by somebody else meanwhile"


def test_there_is_nothing_to_judge_before_all_was_seen() -> None:
    """An incomplete picture is a mistake of whoever asks."""
    with pytest.raises(ValueError, match="not complete"):
        verdict(RolloutSeen(deployment(), (), ()))


@pytest.mark.parametrize(
    ("pods", "given", "state"),
    [
        (WELL, {}, ""),
        ((pod(1), pod(2, ready=False)), {}, "1 starting"),
        ((pod(1),), {}, "2 to come"),
        ((), {"paused": True}, "paused"),
        (WELL, {"pods": 5}, "2 of the version before still there"),
        ((pod(1), pod(2, ready=False, unplaced="?")), {}, "1 waiting for room"),
        ((waiting("CrashLoopBackOff"),), {}, "1 crashes at start"),
        ((waiting("ErrImagePull"), waiting("ErrImagePull", number=2)), {}, "2 cannot get their image"),
    ],
)
def test_a_few_words_stand_beside_the_bar(
    pods: tuple[PodSeen, ...], given: dict[str, Any], state: str
) -> None:
    """How a service stands, in less than a line."""
    picture = seen(*pods, **given)
    assert picture.deployment is not None
    assert describe("api", "api", picture.deployment, picture, T0).state == state


def test_the_release_that_put_it_there_is_known_by_its_mark() -> None:
    """Somebody who changes the template takes the mark's meaning away, although it stays on the object."""
    marks = {"buzzy/release": "R37", "buzzy/template": template("api", "3.2.0").digest[:16]}
    picture = history("api", "3.1.4", "3.2.0", annotations=marks)
    assert picture.deployment is not None
    assert describe("api", "api", picture.deployment, picture, T0).release == "R37"
    other = deployment("api", annotations=marks, template=pod_template("api", "3.2.0", env=[]))
    assert describe("api", "api", other, picture, T0).release is None


OLD_CRASH: dict[str, Any] = {"ended_before": Termination("Error", 1, at=T0 - seconds(30)), "restarts": 5}
GIVEN_UP = condition("Progressing", status=False, reason="ProgressDeadlineExceeded", since=T0 - seconds(9))


@pytest.mark.requirement("C6")
@pytest.mark.parametrize(
    ("pods", "conditions"),
    [
        pytest.param([waiting("ImagePullBackOff")], (), id="an image that is pulled again in a while"),
        pytest.param([waiting("CreateContainerConfigError")], (), id="a container that is started again"),
        pytest.param([waiting("CrashLoopBackOff", **OLD_CRASH)], (), id="a crash from before"),
        pytest.param(
            [pod(ready=False, phase="Failed", reason="Evicted")], (), id="a pod that has a successor"
        ),
        pytest.param([pod(ready=False)], (GIVEN_UP,), id="what Kubernetes had given up"),
    ],
)
def test_after_a_retry_what_was_wrong_before_gets_another_chance(
    pods: list[PodSeen], conditions: tuple[Any, ...]
) -> None:
    """For as long as a kubelet may wait before it tries again; without a retry it fails at once."""
    picture = seen(*pods, conditions=conditions, **UNDONE)

    def at(offset: float) -> Verdict:
        now, deadline = T0 + seconds(offset), T0 + seconds(900)
        return judge(STEP, picture, since=T0, now=now, deadline=deadline, again=True)

    assert isinstance(verdict(picture), Failed)
    assert isinstance(at(60), Progressing)
    assert isinstance(at(299), Progressing)
    if not conditions:
        assert isinstance(at(300), Failed)
    assert isinstance(at(900), Failed)


@pytest.mark.requirement("C6")
def test_after_a_retry_what_goes_wrong_anew_fails_at_once() -> None:
    """A crash since then is news."""
    anew = waiting("CrashLoopBackOff", ended_before=Termination("Error", 1, at=T0 + seconds(5)), restarts=6)
    result = judge(STEP, seen(anew, **UNDONE), since=T0, now=NOW, deadline=DEADLINE, again=True)
    assert isinstance(result, Failed)
