"""Whether a rollout has come to its end, as `kubectl rollout status` has it and then one look further.

Pure: from what was seen, to what it means. Only pods of the template that is rolled out count; what the old
ones do is no news of the new version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from releases.events import ServiceSeen
from releases.plan import Template, digest_of
from workers.cluster import DeploymentSeen, PodSeen, RolloutSeen
from workers.describe import describe, pods_of
from workers.troubles import Trouble, sentence, troubles

REFUSED_PODS = timedelta(seconds=15)
"""How long Kubernetes may fail to create pods before that counts. Under a quota it fails at first and
succeeds as soon as an old pod is gone."""

BACK_OFF = timedelta(minutes=5)
"""The longest that a kubelet waits before it pulls an image or starts a container once more: so long after a
retry, what had gone wrong before it says nothing."""

STEADY = timedelta(seconds=10)
"""A pod that crashed so recently is not believed to be well, although it is ready again."""


@dataclass(frozen=True)
class Converged:
    """Every pod that is asked for is there, of the new template, and ready; and no other."""

    seen: ServiceSeen


@dataclass(frozen=True)
class Progressing:
    """Not yet."""

    seen: ServiceSeen


@dataclass(frozen=True)
class Failed:
    """It will not come to its end. `reason` is one sentence, without a full stop.

    `ill` is False when somebody else was at work, which says nothing about the new version.
    """

    reason: str
    seen: ServiceSeen
    troubles: tuple[Trouble, ...] = ()
    ill: bool = True


class Standing(Protocol):
    """A step that leaves a Deployment with a template: what has to be so for its service to be well."""

    @property
    def service(self) -> str:
        """What people call it."""

    @property
    def deployment(self) -> str:
        """Its Deployment's name."""

    @property
    def container(self) -> str:
        """The container that is released."""

    @property
    def new(self) -> Template:
        """What it runs then."""

    @property
    def deadline_seconds(self) -> int:
        """How long that may take."""


Verdict = Converged | Progressing | Failed


def judge(  # noqa: PLR0913 - what is seen, and the times it is seen in
    step: Standing,
    seen: RolloutSeen,
    *,
    since: datetime,
    now: datetime,
    deadline: datetime,
    again: bool = False,
) -> Verdict:
    """What is seen means this. `since` is when the step began, `again` if that was by a retry; aware times.

    Expects a complete picture that has the Deployment.
    """
    deployment = seen.deployment
    if deployment is None or not seen.complete:
        raise ValueError("nothing to judge: the picture is not complete")
    service = describe(step.service, step.container, deployment, seen, since)
    if digest_of(deployment.template) != step.new.digest:
        return Failed(f"{step.service} was changed by somebody else meanwhile", service, ill=False)
    pods = pods_of(deployment, seen)
    if _complete(deployment) and all(_well(pod, now) for pod in pods):
        return Converged(service)
    found = troubles(pods, since, again=again and now - since < BACK_OFF)
    if found:
        return Failed(sentence(step.service, found, deployment.wanted, step.new.image), service, found)
    given_up = _given_up(step, deployment, now, not_before=since if again else None)
    reason = given_up or (_late(step, pods, service) if now >= deadline else None)
    return Progressing(service) if reason is None else Failed(reason, service, ())


def _well(pod: PodSeen, now: datetime) -> bool:
    crashes = (each.ended_before for each in pod.containers if each.ended_before is not None)
    return pod.ready and not any(
        crash.exit_code != 0 and crash.at is not None and now - crash.at < STEADY for crash in crashes
    )


def _complete(deployment: DeploymentSeen) -> bool:
    """`kubectl rollout status`' own rule (kubectl/pkg/polymorphichelpers/rollout_status.go)."""
    return (
        deployment.observed_generation >= deployment.generation
        and deployment.updated >= deployment.wanted
        and deployment.pods <= deployment.updated
        and deployment.available >= deployment.updated
    )


def _given_up(
    step: Standing, deployment: DeploymentSeen, now: datetime, *, not_before: datetime | None
) -> str | None:
    """Why Kubernetes itself will not bring it to its end; what it said before a retry does not count."""
    if deployment.observed_generation < deployment.generation:
        return None  # its conditions are about the template before
    progressing = deployment.condition("Progressing")
    if (
        progressing is not None
        and progressing.reason == "ProgressDeadlineExceeded"
        and not _is_before(progressing.since, not_before)
    ):
        return f"{step.service}: Kubernetes gave it up, no pod became ready within its progress deadline"
    failing = deployment.condition("ReplicaFailure")
    if failing is None or not failing.status:
        return None
    if _lasts(not_before if _is_before(failing.since, not_before) else failing.since, now):
        return f"{step.service}: Kubernetes cannot create its pods: {failing.message or failing.reason}"
    return None


def _is_before(since: datetime | None, moment: datetime | None) -> bool:
    return moment is not None and since is not None and since < moment


def _lasts(since: datetime | None, now: datetime) -> bool:
    return since is None or now - since >= REFUSED_PODS


def _late(step: Standing, pods: tuple[PodSeen, ...], service: ServiceSeen) -> str:
    minutes, seconds = divmod(step.deadline_seconds, 60)
    span = " ".join(
        part for part in (f"{minutes} min" if minutes else "", f"{seconds} s" if seconds else "") if part
    )
    unplaced = [pod.unplaced for pod in pods if pod.unplaced is not None]
    if unplaced:
        count = f"{len(unplaced)} of {service.total} pods"
        return f"{step.service}: no node has room for {count} after {span}: {unplaced[0]}"
    if service.ready >= service.total:
        return f"{step.service}: the old pods are not gone after {span}"
    return f"{step.service}: {service.ready} of {service.total} pods are ready after {span}"
