"""What keeps a pod from being ready, in words for people. Pure.

Kubernetes' own words are kept beside them: who looks into it will search for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from workers.cluster import ContainerSeen, PodSeen, Termination

RESTARTS = 2
"""A container that crashed this often since the step began will not mend by itself; one crash may."""

_IMAGE = frozenset(
    {
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)
_START = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "PostStartHookError",
        "PreCreateHookError",
        "StartError",
        "ContainerCannotRun",
    }
)


class Kind(Enum):
    """What a pod does wrong: for one pod, and for several."""

    CRASH = ("crashes at start", "crash at start")
    MEMORY = ("runs out of memory", "run out of memory")
    IMAGE = ("cannot get its image", "cannot get their image")
    START = ("cannot start", "cannot start")
    EVICTED = ("was stopped by its node", "were stopped by their nodes")


@dataclass(frozen=True)
class Trouble:
    """Why one pod is not ready and, as far as can be told, will not be."""

    pod: str
    container: str
    kind: Kind
    reason: str
    message: str = ""
    exit_code: int | None = None
    crashed: bool = False
    """Whether what is to be read is the log of the container before this one."""


def troubles(pods: Iterable[PodSeen], since: datetime, *, again: bool = False) -> tuple[Trouble, ...]:
    """What is wrong with these pods; restarts from before `since` are of no interest.

    With `again`, what may be left over from before that is none either: a pod that waits to try once more.
    """
    found = (_trouble(pod, since, again=again) for pod in pods if not pod.deleting)
    return tuple(each for each in found if each is not None)


def sentence(service: str, found: Sequence[Trouble], total: int, image: str) -> str:
    """The most frequent trouble in one sentence, without a full stop."""
    counts = {kind: sum(each.kind is kind for each in found) for kind in Kind}
    kind = max(counts, key=lambda each: counts[each])
    first = next(each for each in found if each.kind is kind)
    if kind is Kind.IMAGE:
        return f"{service}: the image {image} cannot be pulled{_why_no_image(first)}"
    count = counts[kind]
    what = kind.value[0 if count == 1 else 1]
    return f"{service}: {count} of {max(total, count)} pods {what}{_detail(first)}"


def in_short(found: Sequence[Trouble]) -> str:
    """The same in the few words that fit beside a bar, such as `1 crashes at start`."""
    first = found[0].kind
    count = sum(each.kind is first for each in found)
    return f"{count} {first.value[0 if count == 1 else 1]}"


def _trouble(pod: PodSeen, since: datetime, *, again: bool) -> Trouble | None:
    if pod.phase == "Failed" and pod.reason:
        if again:  # Kubernetes has put another in its place
            return None
        return Trouble(pod.name, "", Kind.EVICTED, pod.reason, pod.message)
    for container in pod.containers:
        trouble = _of_container(pod, container, since, again=again)
        if trouble is not None:
            return trouble
    return None


def _of_container(pod: PodSeen, container: ContainerSeen, since: datetime, *, again: bool) -> Trouble | None:
    waiting, last = container.waiting, container.ended or container.ended_before
    if again and waiting is not None and (last is None or last.at is None or last.at < since):
        return None
    if waiting is not None:
        if waiting.reason in _IMAGE:
            return Trouble(pod.name, container.name, Kind.IMAGE, waiting.reason, waiting.message)
        if waiting.reason in _START:
            return Trouble(pod.name, container.name, Kind.START, waiting.reason, waiting.message)
        if waiting.reason == "CrashLoopBackOff":
            return _crash(pod, container, waiting.reason, last)
    if container.ready or container.restarts < RESTARTS or last is None or last.exit_code == 0:
        return None
    if last.at is not None and last.at < since:
        return None
    return _crash(pod, container, last.reason or "Error", last)


def _crash(pod: PodSeen, container: ContainerSeen, reason: str, last: Termination | None) -> Trouble:
    memory = last is not None and last.reason == "OOMKilled"
    return Trouble(
        pod=pod.name,
        container=container.name,
        kind=Kind.MEMORY if memory else Kind.CRASH,
        reason="OOMKilled" if memory else reason,
        message="" if last is None else last.message,
        exit_code=None if last is None else last.exit_code,
        crashed=container.ended is None,
    )


def _detail(trouble: Trouble) -> str:
    if trouble.kind is Kind.CRASH and trouble.exit_code is not None:
        return f" (exit code {trouble.exit_code})"
    if trouble.kind in {Kind.START, Kind.EVICTED}:
        return f": {trouble.message or trouble.reason}"
    return ""


def _why_no_image(trouble: Trouble) -> str:
    said = trouble.message.lower()
    if trouble.reason == "InvalidImageName":
        return ": its name is not valid"
    if trouble.reason == "ErrImageNeverPull":
        return ": it is not on the node, and pulling is off"
    if "not found" in said or "manifest unknown" in said:
        return ": the registry has no such image"
    if any(word in said for word in ("denied", "unauthorized", "authentication", "forbidden")):
        return ": the registry refuses access"
    return ""
