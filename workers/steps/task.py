"""Run a Job to its end, once, whoever comes to it and how often.

Its name says which release, which step and what it runs: whoever takes over finds it. Once its creation is on
the record it is never created again, so that one that somebody deleted is not run twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from releases.config import format_duration
from releases.database import Task
from releases.events import Evidence
from releases.plan import digest_of
from workers.cluster import AlreadyExistsError, JobPicture, JobWrite, NotFoundError, PodSeen, Termination
from workers.steps.evidence import last_lines, warnings_about
from workers.steps.work import Failed, Unfinished, Work
from workers.troubles import Kind, Trouble, troubles
from workers.troubles import sentence as of_troubles

KEEP = timedelta(days=7)
"""How long the cluster keeps a Job that has ended, with its pod and its log."""

PATIENCE = timedelta(seconds=30)
"""How long after its time a Job may take to end."""

SETTLES = timedelta(seconds=2)
"""How long the pod of a Job that has ended may take to say how: the two are watched apart."""

LABELS = {"app.kubernetes.io/managed-by": "buzzy"}
CONTAINER = "task"
LONGEST = 35
"""Letters of what it is in a Job's name, of which Kubernetes takes 63."""

LINES = 10

_HOPELESS = frozenset({Kind.IMAGE, Kind.START})
"""Troubles because of which a Job never begins; it would wait until its time is up."""


@dataclass(frozen=True)
class Ran:
    """The Job came to a good end. `said` is its termination message or its last line, or else its name."""

    said: str
    log: tuple[str, ...]


def run_task(
    what: str, task: Task, variables: Mapping[str, str], work: Work, *, slug: str = ""
) -> Ran | Failed | Unfinished:
    """Create the Job unless it is there, and follow it to its end.

    `what` is what people call it, `slug` what stands in its name, where that is not the same.
    """
    name = _name(slug or what, task, work)
    missing = _create(name, what, task, variables, work)
    return missing or _follow(name, what, task, work)


def job_of(task: Task, name: str, variables: Mapping[str, str]) -> JobWrite:
    """The Job of a task."""
    return JobWrite(
        name=name,
        image=task.image,
        deadline=timedelta(seconds=task.deadline_seconds),
        keep=KEEP,
        labels=LABELS,
        command=task.command,
        args=task.args,
        env={**task.env, **variables},
        secrets=task.secrets,
        service_account=task.service_account,
    )


def _name(what: str, task: Task, work: Work) -> str:
    content = digest_of([work.key, what, task.model_dump(mode="json")])
    return f"buzzy-{work.release.lower()}-{what[:LONGEST].rstrip('-')}-{content[:8]}"


def _create(name: str, what: str, task: Task, variables: Mapping[str, str], work: Work) -> Failed | None:
    try:
        work.cluster.job(work.namespace, name)
    except NotFoundError:
        if work.job is not None:
            return _gone(what, name)
        write = job_of(task, name, {**variables, "BUZZY_RELEASE": work.release, "BUZZY_JOB": name})
        work.before_write()
        with suppress(AlreadyExistsError):  # an earlier request was only slow
            work.cluster.create_job(work.namespace, write)
    work.note_job(name)
    return None


def _follow(name: str, what: str, task: Task, work: Work) -> Ran | Failed | Unfinished:
    stopped: Failed | None = None
    ended_at: datetime | None = None
    with work.cluster.follow_job(work.namespace, name) as pictures:
        for seen in pictures:
            work.silence(seen.trouble)
            if seen.trouble is None and seen.complete:
                if seen.job is None:
                    return _gone(what, name)
                if seen.job.ended:
                    ended_at = ended_at or work.now()
                    if _says_how(seen) or work.now() >= ended_at + SETTLES:
                        return _ended(what, task, seen, work, stopped)
                elif stopped is None and (stopped := _hopeless(what, task, seen, work)) is not None:
                    work.before_write()
                    work.cluster.stop_job(work.namespace, name)
            if work.now() >= work.deadline + PATIENCE:
                return stopped or _unseen(what, seen)
            if not work.go_on():
                break
    return Unfinished()


def _says_how(seen: JobPicture) -> bool:
    return any(_end(pod) is not None for pod in seen.pods)


def _ended(what: str, task: Task, seen: JobPicture, work: Work, stopped: Failed | None) -> Ran | Failed:
    """What its end means; one that was stopped may have come to a good end all the same."""
    if seen.job is not None and seen.job.complete:
        return _ran(seen.job.name, seen, work)
    return stopped or _failed(what, task, seen, work)


def _hopeless(what: str, task: Task, seen: JobPicture, work: Work) -> Failed | None:
    """Why it will never begin, or has been at it for longer than the cluster should have let it."""
    found = tuple(each for each in troubles(seen.pods, work.since) if each.kind in _HOPELESS)
    if found:
        return Failed(of_troubles(what, found, 1, task.image), _evidence(what, seen.pods, found[0], work))
    return _late(what, task, seen, work) if work.now() >= work.deadline else None


def _failed(what: str, task: Task, seen: JobPicture, work: Work) -> Failed:
    if seen.job is not None and seen.job.reason == "DeadlineExceeded":
        return _late(what, task, seen, work)
    code = next((each.exit_code for pod in seen.pods if (each := _end(pod)) is not None), None)
    how = f" (exit code {code})" if code is not None else ""
    why = seen.job.message if seen.job is not None and code is None else ""
    return Failed(
        f"The {what} failed{how}{f': {why}' if why else ''}",
        _evidence(what, seen.pods, None, work),
        ill=code is not None,
    )


def _late(what: str, task: Task, seen: JobPicture, work: Work) -> Failed:
    unplaced = next((pod.unplaced for pod in seen.pods if pod.unplaced is not None), None)
    span = format_duration(timedelta(seconds=task.deadline_seconds))
    why = f"no node has room for it: {unplaced}" if unplaced else "it was not done"
    return Failed(
        f"The {what} was stopped after {span}: {why}",
        _evidence(what, seen.pods, None, work),
        ill=bool(seen.pods) and unplaced is None,
    )


def _unseen(what: str, seen: JobPicture) -> Failed:
    why = seen.trouble or "the cluster does not say that it has ended"
    return Failed(f"Whether the {what} is done could not be seen: {why}")


def _gone(what: str, name: str) -> Failed:
    return Failed(f"Somebody deleted the Job {name}; how far the {what} came is not known")


def _ran(name: str, seen: JobPicture, work: Work) -> Ran:
    log: tuple[str, ...] = ()
    told = ""
    for pod in seen.pods:
        ended = _end(pod)
        if ended is not None and ended.exit_code == 0:
            told = ended.message
            log = last_lines(work.cluster, work.namespace, pod.name, CONTAINER, lines=LINES)
    return Ran(told or (log[-1] if log else name), log)


def _end(pod: PodSeen) -> Termination | None:
    return next((each.ended for each in pod.containers if each.name == CONTAINER and each.ended), None)


def _evidence(
    what: str, pods: tuple[PodSeen, ...], trouble: Trouble | None, work: Work
) -> tuple[Evidence, ...]:
    if not pods:
        return ()
    pod = pods[-1]
    ended = _end(pod)
    reason = trouble.reason if trouble is not None else ended.reason if ended is not None else "NotReady"
    message = trouble.message if trouble is not None else ""
    log = last_lines(work.cluster, work.namespace, pod.name, CONTAINER) if trouble is None else ()
    events = warnings_about(work.cluster, work.namespace, pod.name)
    return (Evidence(service=what, pod=pod.name, reason=reason, message=message, log=log, events=events),)
