"""Pods in trouble: what their containers wait for, how they ended, what events and logs tell.

On the real control plane kubelets are played, so that these contracts hold the two plays to one script; what
passes through the API server (labels, deletion, refusals of logs) is the real one's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.contracts.things import deployment, pod
from tests.e2e.contracts.worlds import Answer, Api, Json, Place, World, eventually, open_place

Seen = Callable[[Any], Any]
KINDS = ("crash", "missing", "never-ready", "oom", "ready", "unplaced")


@pytest.fixture(scope="module")
def ward(world: World, api: Api) -> Iterator[Place]:
    """A namespace with a pod of each kind of trouble, named after it, for all tests of this module."""
    place = open_place(world, api)
    for kind in KINDS:
        made = pod(kind, f"1.0.0-{kind}")
        if kind == "unplaced":
            made["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "10000"}}
        place.make("pods", made)
    yield place
    api.ask("DELETE", f"/api/v1/namespaces/{place.name}")


def _container(place: Place, name: str) -> Json:
    found = place.get("pods", name)["status"].get("containerStatuses")
    return dict(found[0]) if found else {}


def _waits(place: Place, name: str, reason: str) -> Json:
    def waiting() -> Json | None:
        found = _container(place, name)
        return found if found.get("state", {}).get("waiting", {}).get("reason") == reason else None

    return eventually(waiting)


def _conditions(place: Place, name: str) -> dict[str, Json]:
    found = place.get("pods", name)["status"]["conditions"]
    hidden = {"lastProbeTime", "lastTransitionTime", "observedGeneration"}
    return {each["type"]: {k: v for k, v in each.items() if k not in hidden} for each in found}


def _log(place: Place, name: str, **query: str | int) -> Answer:
    return place.ask("GET", "pods", f"{name}/log", container="app", **query)


def _events(place: Place, name: str, reason: str, **more: str) -> list[Json]:
    about = ",".join(
        f"{key}={value}" for key, value in {"involvedObject.name": name, "reason": reason}.items()
    )
    about += "".join(f",{key}={value}" for key, value in more.items())
    return eventually(lambda: place.items("events", fieldSelector=about))


def test_crashing_container_backs_off(ward: Place, seen: Seen) -> None:
    """It waits in CrashLoopBackOff, and its last state says the exit code, reason and times."""
    status = _waits(ward, "crash", "CrashLoopBackOff")
    # How often it was started until now, and how long it waits, is a matter of the moment.
    assert status.pop("restartCount") >= 1
    waiting = status["state"]["waiting"]
    waiting["message"] = re.sub(r"back-off \S+ ", "back-off N ", waiting["message"])
    found = seen(status)
    assert found["lastState"]["terminated"]["exitCode"] == 1
    assert found["lastState"]["terminated"]["reason"] == "Error"
    assert (found["ready"], found["started"]) == (False, False)
    assert found["state"]["waiting"]["message"] == (
        "back-off N restarting failed container=app pod=crash_<namespace>(<uid>)"
    )


def test_restarts_are_counted(ward: Place, seen: Seen) -> None:
    """The restartCount grows with each restart, never shrinks."""
    first = _waits(ward, "crash", "CrashLoopBackOff")["restartCount"]
    later = eventually(lambda: (n := _container(ward, "crash")["restartCount"]) > first and n)
    assert seen(later > first >= 1) is True


def test_image_that_is_missing_backs_off(ward: Place, seen: Seen) -> None:
    """It waits in ImagePullBackOff, has never started, and its phase stays Pending."""
    status = _waits(ward, "missing", "ImagePullBackOff")
    # What is said behind it is the registry's.
    said, _, cause = status["state"]["waiting"].pop("message").partition(": ErrImagePull: ")
    assert said == 'Back-off pulling image "buzzybuzz/buzzy-main:1.0.0-missing"'
    assert cause.endswith(": not found")
    found = seen(status)
    assert (found["restartCount"], found["lastState"]) == (0, {})
    assert ward.get("pods", "missing")["status"]["phase"] == "Pending"


def test_container_that_never_gets_ready_runs(ward: Place, seen: Seen) -> None:
    """It runs, is started and not ready; the pod's conditions name it."""
    eventually(lambda: "running" in _container(ward, "never-ready").get("state", {}))
    found = seen({"status": _container(ward, "never-ready"), "conditions": _conditions(ward, "never-ready")})
    assert (found["status"]["ready"], found["status"]["started"], found["status"]["restartCount"]) == (
        False,
        True,
        0,
    )
    ready = found["conditions"]["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [app]"


def test_container_that_took_too_much_memory_was_killed(ward: Place, seen: Seen) -> None:
    """Its last state is OOMKilled with exit code 137."""
    found = eventually(lambda: _container(ward, "oom").get("lastState", {}).get("terminated"))
    assert {"exitCode", "reason", "startedAt", "finishedAt", "containerID"} == set(seen(found))
    assert (found["exitCode"], found["reason"]) == (137, "OOMKilled")


def test_pod_that_is_ready_says_so(ward: Place, seen: Seen) -> None:
    """All five conditions are true, and its container is ready, started and running."""
    eventually(lambda: _container(ward, "ready").get("ready"))
    found = seen({"status": _container(ward, "ready"), "conditions": _conditions(ward, "ready")})
    assert {kind: each["status"] for kind, each in found["conditions"].items()} == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    assert found["status"]["state"] == {"running": {"startedAt": "<time>"}}


def test_pod_for_which_there_is_no_room_is_unschedulable(ward: Place, seen: Seen) -> None:
    """PodScheduled is false with reason Unschedulable, and its message says why no node takes it."""
    eventually(lambda: ward.get("pods", "unplaced")["status"].get("conditions"))
    conditions = _conditions(ward, "unplaced")
    nodes = len(ward.api.ask("GET", "/api/v1/nodes").body["items"])
    conditions["PodScheduled"]["message"] = conditions["PodScheduled"]["message"].replace(str(nodes), "N")
    found = seen(conditions)
    assert list(found) == ["PodScheduled"]
    assert (found["PodScheduled"]["status"], found["PodScheduled"]["reason"]) == ("False", "Unschedulable")
    assert found["PodScheduled"]["message"] == (
        "0/N nodes are available: N Insufficient cpu. "
        "preemption: 0/N nodes are available: N Preemption is not helpful for scheduling."
    )


WARNINGS = {
    "crash": ("BackOff", "Back-off restarting failed container app in pod crash_<namespace>(<uid>)"),
    "missing": ("Failed", "Error: ErrImagePull"),
    "never-ready": ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
}


@pytest.mark.parametrize("kind", WARNINGS)
def test_warning_tells_of_the_trouble(ward: Place, observe: Callable[[str, Any], Any], kind: str) -> None:
    """A Warning about the pod and its container tells what the kubelet met, and counts how often."""
    reason, message = WARNINGS[kind]
    told = eventually(
        lambda: next(
            (
                e
                for e in observe(kind, _events(ward, kind, reason, type="Warning"))
                if e["message"] == message
            ),
            None,
        )
    )
    found = observe(kind, {k: v for k, v in told.items() if k not in {"metadata", "count"}})
    assert told["count"] >= 1
    about = found["involvedObject"]
    assert (about["kind"], about["name"], about["fieldPath"]) == ("Pod", kind, "spec.containers{app}")
    assert {"firstTimestamp", "lastTimestamp", "eventTime", "source"} <= set(found)


def test_warning_is_counted_up(ward: Place, seen: Seen) -> None:
    """The same warning again is one event whose count and last time grow."""

    def counted() -> Json | None:
        found = _events(ward, "never-ready", "Unhealthy")
        assert len(found) == 1
        return found[0] if found[0]["count"] >= 2 else None

    found = eventually(counted)
    assert seen(found["firstTimestamp"] <= found["lastTimestamp"]) is True


def test_scheduler_warns_of_a_pod_without_room(ward: Place, seen: Seen) -> None:
    """FailedScheduling comes in the newer form of events: a time of its own, no count."""
    found = _events(ward, "unplaced", "FailedScheduling", type="Warning")[0]
    hidden = {"metadata", "message", "reportingInstance"}
    kept = seen({key: value for key, value in found.items() if key not in hidden})
    assert (kept["eventTime"], kept["firstTimestamp"], kept["lastTimestamp"]) == ("<time>", None, None)
    assert "count" not in kept


def test_start_is_told_in_events(ward: Place, seen: Seen) -> None:
    """The way to a running container is told by Scheduled, Pulled, Created and Started."""
    eventually(lambda: _events(ward, "ready", "Started"))
    found = {r: _events(ward, "ready", r)[0]["message"] for r in ("Scheduled", "Created", "Started")}
    scheduled = found.pop("Scheduled")
    node = ward.get("pods", "ready")["spec"]["nodeName"]
    assert scheduled == f"Successfully assigned {ward.name}/ready to {node}"
    assert seen(found) == {"Created": "Container created", "Started": "Container started"}


def test_log_ends_where_it_is_asked_to(ward: Place, seen: Seen) -> None:
    """TailLines gives the last lines, limitBytes cuts, timestamps come in front."""
    eventually(lambda: _container(ward, "ready").get("ready"))
    whole = _log(ward, "ready").body
    assert len(whole.splitlines()) >= 2
    assert _log(ward, "ready", tailLines=1).body == whole.splitlines(keepends=True)[-1]
    assert _log(ward, "ready", tailLines=0).body == ""
    assert _log(ward, "ready", limitBytes=5).body == whole[:5]
    timed = _log(ward, "ready", timestamps="true").body
    assert seen(timed.splitlines()[0].partition(" ")[0]) == "<time>"


def test_log_of_the_run_that_crashed(ward: Place, seen: Seen) -> None:
    """Previous gives what the container wrote until it crashed; while it waits the log is that as well."""
    _waits(ward, "crash", "CrashLoopBackOff")
    before = _log(ward, "crash", previous="true")
    assert (before.code, seen("Error" in before.body)) == (200, True)
    assert _log(ward, "crash", tailLines=1, previous="true").body.startswith("Error: cannot start: ")


def _unbroken(status: Json) -> Json:
    """A Status without the line break that the played kubelet ends its refusals with; a real one has none."""
    return status | {"message": status["message"].removesuffix("\n")}


def test_log_of_a_container_that_never_started(ward: Place, seen: Seen) -> None:
    """It is a 400 whose message says what the container waits for."""
    _waits(ward, "missing", "ImagePullBackOff")
    answer = _log(ward, "missing", tailLines=5)
    assert answer.code == 400
    status = seen(_unbroken(answer.body))
    assert status["reason"] == "BadRequest"
    assert status["message"] == (
        'container "app" in pod "missing" is waiting to start: trying and failing to pull image'
    )


def test_previous_log_of_a_container_that_never_crashed(ward: Place, seen: Seen) -> None:
    """It is a 400 that says so."""
    eventually(lambda: _container(ward, "ready").get("ready"))
    answer = _log(ward, "ready", previous="true")
    assert answer.code == 400
    assert (
        seen(_unbroken(answer.body))["message"]
        == 'previous terminated container "app" in pod "ready" not found'
    )


def test_log_of_a_pod_without_a_node(ward: Place, seen: Seen) -> None:
    """A pod that no node has taken has no log: 204, without a word."""
    answer = _log(ward, "unplaced")
    assert seen([answer.code, answer.body]) == [204, ""]


def test_log_of_what_is_not_there(ward: Place, observe: Callable[[str, Any], Any]) -> None:
    """A pod that is not there is a 404, a container that it has not a 400."""
    absent = ward.ask("GET", "pods", "absent/log")
    assert (absent.code, observe("pod", absent.body)["message"]) == (404, 'pods "absent" not found')
    other = ward.ask("GET", "pods", "ready/log", container="other")
    assert (other.code, observe("container", other.body)["message"]) == (
        400,
        "container other is not valid for pod ready",
    )


def test_pod_that_is_stopping_has_a_deletion_time(place: Place, seen: Seen) -> None:
    """A pod that is to stop has deletionTimestamp and its grace period; at its end it is DELETED."""
    place.make("pods", pod("web", "1.0.0"))
    eventually(lambda: _container(place, "web").get("ready"))
    version = place.version("pods")
    answer = place.remove("pods", "web")
    assert answer.code == 200
    assert "deletionTimestamp" in answer.body["metadata"]
    told = []
    with place.watch("pods", resourceVersion=version) as changes:
        for change in changes:
            metadata = change["object"]["metadata"]
            told.append(
                (change["type"], metadata.get("deletionGracePeriodSeconds"), "deletionTimestamp" in metadata)
            )
            if change["type"] == "DELETED":
                break
    first, last = seen([told[0], told[-1]])
    assert first == ["MODIFIED", 30, True]
    assert last == ["DELETED", 0, True]


def test_rollout_that_crashes_is_told_by_its_pods(place: Place, seen: Seen) -> None:
    """Pods of a Deployment in trouble are found by its selector, with their hash and containers' states."""
    place.make("deployments", deployment("1-crash", replicas=1))

    def crashed() -> Json | None:
        pods = place.items("pods", labelSelector="app=web")
        statuses = [p["status"].get("containerStatuses", [{}])[0] for p in pods]
        return pods[0] if any(s.get("lastState", {}).get("terminated") for s in statuses) else None

    found = eventually(crashed)
    owner = found["metadata"]["ownerReferences"][0]
    assert seen({"owner": owner["name"], "labels": found["metadata"]["labels"]}) == {
        "owner": "web-<hash>",
        "labels": {"app": "web", "pod-template-hash": "<hash>"},
    }
