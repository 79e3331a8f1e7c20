"""The status of a pod as a kubelet writes it, computed from what its containers are doing."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


def stamp(moment: datetime | None = None) -> str:
    """Write a time (now, if none is given) as Kubernetes does."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Container:
    """One container of one pod: its states in Kubernetes' own form, and what it has logged."""

    name: str
    image: str
    state: Json = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last_state: Json = field(default_factory=dict)
    ready: bool = False
    restarts: int = 0
    runs: list[list[tuple[datetime, str]]] = field(default_factory=list)
    """The logs of the last two runs, the latest last; empty before the first."""

    @property
    def is_running(self) -> bool:
        """Whether it runs now."""
        return "running" in self.state

    @property
    def has_run(self) -> bool:
        """Whether it was ever started."""
        return bool(self.runs)

    @property
    def exit_code(self) -> int | None:
        """How its last run ended; None while it runs and before it ran."""
        ended = self.state.get("terminated") or (
            self.last_state.get("terminated") if not self.is_running else None
        )
        return ended["exitCode"] if ended else None

    def start(self, *lines: str) -> None:
        """Begin a run; `lines` are the first of its log."""
        if self.has_run:
            self.restarts += 1
            self.last_state = (
                {"terminated": self.state["terminated"]} if "terminated" in self.state else self.last_state
            )
        self.state = {"running": {"startedAt": stamp()}}
        self.runs = [*self.runs[-1:], []]
        self.log(*lines)

    def log(self, *lines: str) -> None:
        """Add lines to the log of the latest run."""
        now = datetime.now(UTC)
        self.runs[-1].extend((now, line) for line in lines)

    def exit(self, code: int, reason: str) -> None:
        """End the run."""
        times = {"startedAt": self.state["running"]["startedAt"], "finishedAt": stamp()}
        self.ready = False
        self.state = {"terminated": {"exitCode": code, "reason": reason, "containerID": self._id, **times}}

    def wait(self, reason: str, message: str) -> None:
        """Say why it does not run."""
        if "terminated" in self.state:
            self.last_state = self.state
        self.state = {"waiting": {"reason": reason, "message": message}}

    def log_of(self, *, previous: bool) -> list[tuple[datetime, str]] | None:
        """Return the log that a kubelet would: of this run, or of the one before it; None: no such run."""
        is_latest = "waiting" in self.state or not previous
        wanted = 1 if is_latest else 2
        return self.runs[-wanted] if len(self.runs) >= wanted else None

    def status(self) -> Json:
        """Return its entry of the pod's containerStatuses."""
        status: Json = {"name": self.name, "image": self.image, "imageID": "", "restartCount": self.restarts}
        status |= {
            "ready": self.ready,
            "started": self.is_running,
            "state": self.state,
            "lastState": self.last_state,
        }
        if self.has_run:
            status |= {"imageID": image_id(self.image), "containerID": self._id}
        return status

    @property
    def _id(self) -> str:
        return _container_id(f"{id(self)} {self.restarts}")


def _container_id(run: str) -> str:
    return f"containerd://{hashlib.sha256(run.encode()).hexdigest()}"


def image_id(image: str) -> str:
    """Return what an image resolves to: its own digest, or one that always is the same for a tag."""
    named, _, digest = image.partition("@")
    repository = named if ":" not in named.rpartition("/")[2] else named.rpartition(":")[0]
    return f"{repository}@{digest or 'sha256:' + hashlib.sha256(named.encode()).hexdigest()}"


def phase(containers: list[Container], restart_policy: str) -> str:
    """Return the phase of a pod, by the rules of the kubelet."""
    if not all(container.has_run for container in containers):
        return "Pending"
    ended = [container.exit_code for container in containers]
    if None in ended or restart_policy == "Always":
        return "Running"
    if not any(ended):
        return "Succeeded"
    return "Failed" if restart_policy == "Never" else "Running"


class PodStatus:
    """The status of one pod: remembers when each condition last changed."""

    def __init__(self, pod: Json, host_ip: str, pod_ip: str) -> None:
        self._pod = pod
        self._addresses = {
            "hostIP": host_ip,
            "hostIPs": [{"ip": host_ip}],
            "podIP": pod_ip,
            "podIPs": [{"ip": pod_ip}],
        }
        self._start = stamp()
        self._since: dict[str, tuple[str, str]] = {}
        # Init containers all succeed at once.
        self._prepared = [_completed(each) for each in pod["spec"].get("initContainers", [])]
        self.containers = [Container(each["name"], each["image"]) for each in pod["spec"]["containers"]]

    def render(self) -> Json:
        """Return the status as it is now."""
        where = phase(self.containers, self._pod["spec"].get("restartPolicy", "Always"))
        addresses = self._addresses if any(each.has_run for each in self.containers) else {}
        return {
            "phase": where,
            "observedGeneration": self._pod["metadata"].get("generation", 1),
            "startTime": self._start,
            "conditions": self._conditions(where),
            "containerStatuses": [container.status() for container in self.containers],
            "initContainerStatuses": self._prepared,
            "hostIP": self._addresses["hostIP"],
            **addresses,
        }

    def _conditions(self, where: str) -> list[Json]:
        unready = [container.name for container in self.containers if not container.ready]
        cause: Json = {}
        if where == "Succeeded":
            cause = {"reason": "PodCompleted"}
        elif where == "Failed":
            cause = {"reason": "PodFailed"}
        elif unready:
            cause = {
                "reason": "ContainersNotReady",
                "message": f"containers with unready status: [{' '.join(unready)}]",
            }
        completed = {"reason": "PodCompleted"} if where == "Succeeded" else {}
        return [
            self._condition("PodReadyToStartContainers", is_true=where in {"Pending", "Running"}),
            self._condition("Initialized", is_true=True, **completed),
            self._condition("Ready", is_true=not unready, **cause),
            self._condition("ContainersReady", is_true=not unready, **cause),
        ]

    def _condition(self, kind: str, *, is_true: bool, **cause: str) -> Json:
        status = "True" if is_true else "False"
        if self._since.get(kind, ("", ""))[0] != status:
            self._since[kind] = (status, stamp())
        condition: Json = {"type": kind, "status": status, "lastTransitionTime": self._since[kind][1]}
        # A null takes away what an earlier patch has set.
        return condition | {"reason": cause.get("reason"), "message": cause.get("message")}


def _completed(container: Json) -> Json:
    """Return the status of an init container that has done its work."""
    done = {"exitCode": 0, "reason": "Completed", "startedAt": stamp(), "finishedAt": stamp()}
    done["containerID"] = _container_id(f"{id(container)}")
    status: Json = {
        "name": container["name"],
        "image": container["image"],
        "imageID": image_id(container["image"]),
        "containerID": done["containerID"],
    }
    return status | {
        "ready": True,
        "started": False,
        "restartCount": 0,
        "state": {"terminated": done},
        "lastState": {},
    }
