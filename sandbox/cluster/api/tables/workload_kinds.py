"""Columns of what runs: pods, deployments, replica sets, jobs."""

from sandbox.cluster.api.tables.column import (
    NONE,
    Column,
    age,
    containers,
    human_duration,
    images,
    number,
    since,
    wide,
)
from sandbox.cluster.objects import Json, condition_of, is_deleting, name_of, now, parse_time
from sandbox.cluster.selectors import format_selector

_NAME = Column("Name", name_of, format="name")
_AGE = Column("Age", age)


def _statuses(pod: Json) -> list[Json]:
    return list(pod["status"].get("containerStatuses") or [])


def _ready_containers(pod: Json) -> str:
    ready = sum(1 for status in _statuses(pod) if status["ready"])
    return f"{ready}/{len(pod['spec']['containers'])}"


def pod_state(pod: Json) -> str:
    """Say in one word how a pod is, as kubectl does: its containers' most telling reason, else its phase."""
    if is_deleting(pod):
        return "Terminating"
    state = str(pod["status"].get("reason") or pod["status"].get("phase", ""))
    if initial := _init_state(pod):
        return initial
    running = False
    for status in reversed(_statuses(pod)):
        waiting, ended = status["state"].get("waiting"), status["state"].get("terminated")
        if waiting and waiting.get("reason"):
            state = waiting["reason"]
        elif ended:
            state = ended.get("reason") or f"ExitCode:{ended['exitCode']}"
        elif status["ready"] and status["state"].get("running"):
            running = True
    if state == "Completed" and running:
        ready = condition_of(pod, "Ready")
        return "Running" if ready and ready["status"] == "True" else "NotReady"
    return state


def _init_state(pod: Json) -> str:
    statuses = pod["status"].get("initContainerStatuses") or []
    total = len(pod["spec"].get("initContainers") or [])
    for index, status in enumerate(statuses):
        waiting, ended = status["state"].get("waiting"), status["state"].get("terminated")
        if ended and ended["exitCode"] == 0:
            continue
        if ended:
            return f"Init:{ended.get('reason') or 'Error'}"
        if waiting and waiting.get("reason") not in {None, "PodInitializing", "ContainerCreating"}:
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{total}"
    return ""


def _restarts(pod: Json) -> str:
    count = sum(status["restartCount"] for status in _statuses(pod))
    ends = [s["lastState"]["terminated"]["finishedAt"] for s in _statuses(pod) if s.get("lastState")]
    return f"{count} ({since(max(ends))} ago)" if count and ends else str(count)


def _status_number(thing: Json, field: str) -> int:
    return int(thing.get("status", {}).get(field, 0))


def _job_status(job: Json) -> str:
    for kind in ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet"):
        condition = condition_of(job, kind)
        if condition and condition["status"] == "True":
            return kind
    return "Terminating" if is_deleting(job) else "Running"


def _job_duration(job: Json) -> str:
    start = job["status"].get("startTime")
    if not start:
        return ""
    end = job["status"].get("completionTime")
    until = parse_time(end) if end else now()
    return human_duration((until - parse_time(start)).total_seconds())


COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        _NAME,
        Column("Ready", _ready_containers),
        Column("Status", pod_state),
        Column("Restarts", _restarts),
        _AGE,
        wide("IP", lambda pod: pod["status"].get("podIP") or NONE),
        wide("Node", lambda pod: pod["spec"].get("nodeName") or NONE),
        wide("Nominated Node", lambda _: NONE),
        wide("Readiness Gates", lambda _: NONE),
    ),
    "deployments": (
        _NAME,
        Column("Ready", lambda d: f"{_status_number(d, 'readyReplicas')}/{d['spec']['replicas']}"),
        Column("Up-to-date", lambda d: _status_number(d, "updatedReplicas")),
        Column("Available", lambda d: _status_number(d, "availableReplicas")),
        _AGE,
        wide("Containers", lambda d: containers(d["spec"]["template"]["spec"])),
        wide("Images", lambda d: images(d["spec"]["template"]["spec"])),
        wide("Selector", lambda d: format_selector(d["spec"]["selector"])),
    ),
    "replicasets": (
        _NAME,
        number("Desired", lambda rs: rs["spec"]["replicas"]),
        number("Current", lambda rs: _status_number(rs, "replicas")),
        number("Ready", lambda rs: _status_number(rs, "readyReplicas")),
        _AGE,
        wide("Containers", lambda rs: containers(rs["spec"]["template"]["spec"])),
        wide("Images", lambda rs: images(rs["spec"]["template"]["spec"])),
        wide("Selector", lambda rs: format_selector(rs["spec"]["selector"])),
    ),
    "jobs": (
        _NAME,
        Column("Status", _job_status),
        Column(
            "Completions", lambda j: f"{_status_number(j, 'succeeded')}/{j['spec'].get('completions', 1)}"
        ),
        Column("Duration", _job_duration),
        _AGE,
        wide("Containers", lambda j: containers(j["spec"]["template"]["spec"])),
        wide("Images", lambda j: images(j["spec"]["template"]["spec"])),
        wide("Selector", lambda j: format_selector(j["spec"].get("selector"))),
    ),
}
