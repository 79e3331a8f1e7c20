"""The Job controller: runs pods to their end, again after a failure, and says how it went."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.cluster.controllers.base import Controller, Key, key_of, owner_key
from sandbox.cluster.controllers.recorder import Recorder, Source
from sandbox.cluster.controllers.replicasets import is_active, ready_since
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.objects import (
    Json,
    clone,
    condition_of,
    is_controlled_by,
    is_deleting,
    name_of,
    namespace_of,
    now,
    owner_reference,
    parse_time,
    stamp,
)
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import JOBS, PODS
from sandbox.cluster.store import Change

MANAGER = "kube-controller-manager"
SOURCE = Source("job-controller")
FIRST_RETRY, LONGEST_RETRY = 10, 360
RETRY_PACE = 0.02
"""A retry that Kubernetes makes after 10 s comes after 0.2 s at speed 1, and the later ones in proportion."""


@dataclass(frozen=True)
class _Outcome:
    """How a job ended."""

    kind: str
    reason: str
    message: str

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.kind == "Complete"


DONE = _Outcome("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
TOO_OFTEN = _Outcome("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
TOO_LONG = _Outcome("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")


class JobController(Controller):
    """Level-triggered: counts a job's pods, and starts what is missing."""

    resource = JOBS

    def __init__(self, registry: Registry, recorder: Recorder, *, speed: float) -> None:
        super().__init__(registry)
        self._recorder = recorder
        self._speed = speed

    def keys_for(self, change: Change) -> Iterable[Key]:
        """A job is concerned by its pods."""
        return owner_key(change.object, "Job") if change.resource == PODS else super().keys_for(change)

    def sync(self, key: Key) -> None:
        """Take one job a step further."""
        job = self.store.get(JOBS, *key)
        if job is None or is_deleting(job):
            return
        if _is_finished(job):
            self._expire(job)
            return
        pods = [pod for pod in self.store.listing(PODS, key[0]) if is_controlled_by(pod, job)]
        status = _counted(job, pods)
        outcome = _outcome(job, status, pods)
        running = [pod for pod in pods if is_active(pod)]
        if outcome or job["spec"]["suspend"]:
            for pod in running:
                self.registry.delete(PODS, *key_of(pod), DeleteOptions())
            running = []
        else:
            running += self._start_missing(job, status, pods, running)
        if outcome:
            self._finish(job, status, outcome)
        self._write(job, status, running)

    def _start_missing(self, job: Json, status: Json, pods: list[Json], running: list[Json]) -> list[Json]:
        spec = job["spec"]
        left = spec.get("completions", 1) - status.get("succeeded", 0)
        missing = min(spec["parallelism"], left) - len(running)
        if missing <= 0:
            return []
        wait = self._retry_wait(status, pods)
        if wait > 0:
            self.enqueue_after(key_of(job), wait)
            return []
        return [self._create(job) for _ in range(missing)]

    def _retry_wait(self, status: Json, pods: list[Json]) -> float:
        failures = status.get("failed", 0)
        ends = [end for pod in pods if pod["status"].get("phase") == "Failed" and (end := _ended_at(pod))]
        if not failures or not ends:
            return 0.0
        seconds = min(FIRST_RETRY * 2 ** (failures - 1), LONGEST_RETRY) * RETRY_PACE / self._speed
        return (max(ends) + timedelta(seconds=seconds) - now()).total_seconds()

    def _create(self, job: Json) -> Json:
        template = clone(job["spec"]["template"])
        metadata = {**(template.get("metadata") or {}), "generateName": f"{name_of(job)}-"}
        metadata |= {"namespace": namespace_of(job), "ownerReferences": [owner_reference(job)]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        made = self.registry.create(PODS, pod, manager=MANAGER)
        self._recorder.normal(job, "SuccessfulCreate", f"Created pod: {name_of(made)}", SOURCE)
        return made

    def _finish(self, job: Json, status: Json, outcome: _Outcome) -> None:
        moment = stamp()
        forerunner = "SuccessCriteriaMet" if outcome.succeeded else "FailureTarget"
        for kind in (forerunner, outcome.kind):
            condition = {
                "type": kind,
                "status": "True",
                "lastProbeTime": moment,
                "lastTransitionTime": moment,
            }
            condition |= {"reason": outcome.reason, "message": outcome.message}
            status.setdefault("conditions", []).append(condition)
        if outcome.succeeded:
            status["completionTime"] = moment
            self._recorder.normal(job, "Completed", "Job completed", SOURCE)
        else:
            self._recorder.warning(job, outcome.reason, outcome.message, SOURCE)

    def _write(self, job: Json, status: Json, running: list[Json]) -> None:
        status |= {"active": len(running), "ready": sum(ready_since(pod) is not None for pod in running)}
        status |= {"terminating": 0, "uncountedTerminatedPods": {}}
        for field in ("active", "succeeded", "failed"):
            if not status.get(field):
                status.pop(field, None)
        written = self.registry.update(JOBS, {**job, "status": status}, manager=MANAGER, subresource="status")
        deadline = job["spec"].get("activeDeadlineSeconds")
        if deadline and status.get("startTime") and not _is_finished(written):
            due = parse_time(status["startTime"]) + timedelta(seconds=deadline)
            self.enqueue_after(key_of(job), (due - now()).total_seconds())
        elif _is_finished(written):
            self._expire(written)

    def _expire(self, job: Json) -> None:
        """Delete a job that is not to be kept after its end."""
        lifetime = job["spec"].get("ttlSecondsAfterFinished")
        if lifetime is None:
            return
        ended = max(parse_time(c["lastTransitionTime"]) for c in job["status"]["conditions"])
        left = (ended + timedelta(seconds=lifetime) - now()).total_seconds()
        if left > 0:
            self.enqueue_after(key_of(job), left)
        else:
            self.registry.delete(JOBS, *key_of(job), DeleteOptions(propagation="Background"))


def _counted(job: Json, pods: list[Json]) -> Json:
    status: Json = clone(job.get("status", {}))
    if not job["spec"]["suspend"]:
        status.setdefault("startTime", stamp())
    phases = [pod["status"].get("phase") for pod in pods]
    status |= {"succeeded": phases.count("Succeeded"), "failed": phases.count("Failed")}
    return status


def _outcome(job: Json, status: Json, pods: list[Json]) -> _Outcome | None:
    spec = job["spec"]
    restarts = sum(s["restartCount"] for pod in pods for s in pod["status"].get("containerStatuses") or [])
    limit = spec["backoffLimit"]
    retried = spec["template"]["spec"]["restartPolicy"] == "OnFailure" and restarts >= max(limit, 1)
    if status["succeeded"] >= spec.get("completions", 1):
        return DONE
    if status["failed"] > limit or retried:
        return TOO_OFTEN
    deadline = spec.get("activeDeadlineSeconds")
    started = status.get("startTime")
    if deadline and started and parse_time(started) + timedelta(seconds=deadline) <= now():
        return TOO_LONG
    return None


def _is_finished(job: Json) -> bool:
    conditions = [condition_of(job, kind) for kind in ("Complete", "Failed")]
    return any(condition is not None and condition["status"] == "True" for condition in conditions)


def _ended_at(pod: Json) -> datetime | None:
    states = [status["state"].get("terminated") for status in pod["status"].get("containerStatuses") or []]
    ends = [parse_time(state["finishedAt"]) for state in states if state]
    return max(ends, default=None)
