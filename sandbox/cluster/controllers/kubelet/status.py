"""What a kubelet writes into a pod's status, made from what it knows of the containers."""

import hashlib
from typing import Any

from sandbox.cluster.controllers.kubelet.containers import Container, Run
from sandbox.cluster.objects import Json, condition_of, name_of, namespace_of, stamp, uid_of

CRASH_MESSAGE = "back-off {seconds}s restarting failed container={name} pod={pod}"


def pod_status(
    pod: Json, containers: list[Container], inits: list[Container], *, host_ip: str, pod_ip: str
) -> Json:
    """Return the whole status of a pod on a node."""
    status: Json = {
        "phase": _phase(containers, inits),
        "qosClass": pod["status"].get("qosClass", "BestEffort"),
    }
    status["conditions"] = _conditions(pod, containers, inits, status["phase"])
    status |= {"hostIP": host_ip, "hostIPs": [{"ip": host_ip}]}
    if any(c.stage != "creating" for c in [*inits, *containers]):
        status |= {"podIP": pod_ip, "podIPs": [{"ip": pod_ip}]}
    status["startTime"] = pod["status"].get("startTime") or stamp()
    if inits:
        status["initContainerStatuses"] = [_container_status(pod, c) for c in inits]
    status["containerStatuses"] = [_container_status(pod, c, behind=not _is_past(inits)) for c in containers]
    return status


def image_id(image: str) -> str:
    """Return the identity of an image: its digest, made up from its name unless the name has one."""
    name, _, digest = image.partition("@")
    repository = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    digest = digest or f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    return f"{full_name(repository)}@{digest}"


def full_name(image: str) -> str:
    """Return an image's name with its registry."""
    first = image.partition("/")[0]
    if "/" not in image:
        return f"docker.io/library/{image}"
    return image if "." in first or ":" in first or first == "localhost" else f"docker.io/{image}"


def pod_id(pod: Json) -> str:
    """Return a pod's name as kubelets write it in messages."""
    return f"{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})"


def _is_past(inits: list[Container]) -> bool:
    return all(c.has_succeeded for c in inits)


def _phase(containers: list[Container], inits: list[Container]) -> str:
    if any(c.has_failed for c in inits):
        return "Failed"
    if not _is_past(inits) or any(not c.runs for c in containers):
        return "Pending"
    if all(c.stage == "ended" for c in containers):
        return "Failed" if any(c.has_failed for c in containers) else "Succeeded"
    return "Running"


def _conditions(pod: Json, containers: list[Container], inits: list[Container], phase: str) -> list[Json]:
    unready = [c.name for c in containers if not c.ready]
    why: Json = {}
    if phase == "Succeeded":
        why = {"reason": "PodCompleted"}
    elif phase == "Failed":
        why = {"reason": "PodFailed"}
    elif unready:
        why = {
            "reason": "ContainersNotReady",
            "message": f"containers with unready status: [{' '.join(unready)}]",
        }
    ready = "False" if why else "True"
    started = any(c.stage != "creating" for c in [*inits, *containers])
    initialized: Json = {"reason": "PodCompleted"} if phase == "Succeeded" else {}
    if not _is_past(inits):
        names = " ".join(c.name for c in inits if c.stage != "ended")
        initialized = {"reason": "ContainersNotInitialized"}
        initialized["message"] = f"containers with incomplete status: [{names}]"
    verdicts: list[tuple[str, str, Json]] = [
        (
            "PodReadyToStartContainers",
            "True" if started and phase not in {"Succeeded", "Failed"} else "False",
            {},
        ),
        ("Initialized", "True" if _is_past(inits) else "False", initialized),
        ("Ready", ready, why),
        ("ContainersReady", ready, why),
        ("PodScheduled", "True", {}),
    ]
    return [_condition(pod, kind, value, extra) for kind, value, extra in verdicts]


def _condition(pod: Json, kind: str, value: str, extra: Json) -> Json:
    old = condition_of(pod, kind)
    since = old["lastTransitionTime"] if old and old["status"] == value else stamp()
    return {"type": kind, "status": value, "lastProbeTime": None, "lastTransitionTime": since} | extra


def _container_status(pod: Json, c: Container, *, behind: bool = False) -> Json:
    state, last = _state(pod, c, behind=behind), _last_state(pod, c)
    running = c.stage == "running"
    status: Json = {
        "name": c.name,
        "state": state,
        "lastState": last,
        "ready": c.ready,
        "restartCount": c.restarts,
    }
    status |= {
        "image": full_name(c.image) if c.runs else c.image,
        "imageID": image_id(c.image) if c.runs else "",
    }
    status["started"] = running
    if c.run is not None:
        status["containerID"] = _container_id(pod, c, c.run)
    return status


def _state(pod: Json, c: Container, *, behind: bool) -> Json:
    waiting: dict[str, Json] = {
        "creating": {"reason": "PodInitializing" if behind else "ContainerCreating"},
        "pulling": {"reason": "PodInitializing" if behind else "ContainerCreating"},
        "unpulled": {"reason": "ErrImagePull", "message": pull_failure(c.image)},
        "pull-backoff": {"reason": "ImagePullBackOff", "message": pull_message(c.image)},
        "backoff": {"reason": "CrashLoopBackOff", "message": crash_message(pod, c)},
    }
    if c.stage in waiting:
        return {"waiting": waiting[c.stage]}
    run = c.run
    if c.stage == "running" and run:
        return {"running": {"startedAt": stamp(run.started)}}
    return {"terminated": _terminated(pod, c, run)} if run else {}


def _last_state(pod: Json, c: Container) -> Json:
    ended = [run for run in c.runs if run.ended is not None]
    if c.stage in {"exited", "ended"}:
        ended = ended[:-1]
    return {"terminated": _terminated(pod, c, ended[-1])} if ended else {}


def _terminated(pod: Json, c: Container, run: Run) -> Json:
    told: dict[str, Any] = {"exitCode": run.exit_code, "reason": run.reason}
    told |= {
        "startedAt": stamp(run.started),
        "finishedAt": stamp(run.ended),
        "containerID": _container_id(pod, c, run),
    }
    return told


def _container_id(pod: Json, c: Container, run: Run) -> str:
    text = f"{uid_of(pod)}/{c.name}/{run.started.timestamp()}"
    return f"containerd://{hashlib.sha256(text.encode()).hexdigest()}"


def pull_failure(image: str) -> str:
    """Return what a registry says of an image that it does not have."""
    name = full_name(image)
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{name}": '
        f'failed to resolve reference "{name}": {name}: not found'
    )


def back_off_message(image: str) -> str:
    """Return what a kubelet says while it waits before it pulls again."""
    return f'Back-off pulling image "{image}"'


def pull_message(image: str) -> str:
    """Return what a container says while it waits for the next pull: what was wrong with the last one too."""
    return f"{back_off_message(image)}: ErrImagePull: {pull_failure(image)}"


def crash_message(pod: Json, c: Container) -> str:
    """Return what a kubelet says while it waits before it starts a container again."""
    return CRASH_MESSAGE.format(seconds=c.backoff, name=c.name, pod=pod_id(pod))
