"""pods/log: the lines of a container, narrowed as the client asks."""

from collections.abc import Callable
from datetime import timedelta

from sandbox.cluster.api.requests import Call
from sandbox.cluster.errors import bad_request
from sandbox.cluster.objects import Json, name_of, now, parse_time

Lines = list[tuple[str, str]]
"""The lines of one run of a container, each with its time."""
LogSource = Callable[[Json, str], list[Lines]]
"""Gives the runs of a pod's container, the latest first."""


def pod_log(pod: Json, call: Call, source: LogSource) -> str:
    """Return the log as text; a container that has none yet is a 400, as with a kubelet."""
    container = _container(pod, call.query.get("container", ""))
    previous = call.flag("previous")
    _check_has_log(pod, container, previous=previous)
    runs = source(pod, container)[int(previous) :]
    lines = runs[0] if runs else []
    if call.query.get("sinceTime") or call.number("sinceSeconds") is not None:
        since = now() - timedelta(seconds=call.number("sinceSeconds") or 0)
        if call.query.get("sinceTime"):
            since = parse_time(call.query["sinceTime"])
        lines = [line for line in lines if parse_time(line[0]) >= since]
    if (tail := call.number("tailLines")) is not None:
        lines = lines[max(0, len(lines) - tail) :]
    shown = [f"{time} {text}" if call.flag("timestamps") else text for time, text in lines]
    whole = "".join(f"{line}\n" for line in shown)
    limit = call.number("limitBytes")
    return whole if limit is None else whole[:limit]


def _container(pod: Json, asked: str) -> str:
    fields = ("initContainers", "containers")
    names = [container["name"] for field in fields for container in pod["spec"].get(field) or []]
    main = [container["name"] for container in pod["spec"]["containers"]]
    if not asked and len(main) == 1:
        return str(main[0])
    if not asked:
        listed = " ".join(main)
        raise bad_request(
            f"a container name must be specified for pod {name_of(pod)}, choose one of: [{listed}]"
        )
    if asked not in names:
        raise bad_request(f"container {asked} is not valid for pod {name_of(pod)}")
    return asked


def _check_has_log(pod: Json, container: str, *, previous: bool) -> None:
    fields = ("initContainerStatuses", "containerStatuses")
    statuses = [s for field in fields for s in pod["status"].get(field) or [] if s["name"] == container]
    status: Json = statuses[0] if statuses else {"state": {}}
    if previous and not status.get("lastState"):
        raise bad_request(f'previous terminated container "{container}" in pod "{name_of(pod)}" not found')
    waiting = status["state"].get("waiting")
    if waiting and not status.get("lastState"):
        why = f"is waiting to start: {waiting['reason']}"
        if waiting["reason"] in {"ErrImagePull", "ImagePullBackOff"}:
            why = "is waiting to start: trying and failing to pull image"
        raise bad_request(f'container "{container}" in pod "{name_of(pod)}" {why}')
