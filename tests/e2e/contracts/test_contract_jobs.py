"""Jobs: how the cluster says that work is done, or could not be."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.e2e.contracts.things import job
from tests.e2e.contracts.worlds import Json, Place, eventually
from workers.cluster import AlreadyExistsError, Cluster, JobPicture, JobWrite, NotFoundError

Seen = Callable[[Any], Any]


def _ended(place: Place) -> Json | None:
    found = place.get("jobs", "work")
    ends = {c["type"] for c in found["status"].get("conditions", []) if c["status"] == "True"}
    return found if ends & {"Complete", "Failed"} else None


def _conditions(found: Json) -> list[Json]:
    hidden = ("lastProbeTime", "lastTransitionTime")
    return [{k: v for k, v in each.items() if k not in hidden} for each in found["status"]["conditions"]]


def test_job_that_succeeds_is_complete(place: Place, seen: Seen) -> None:
    """A Job whose pod exits with 0 has the condition Complete, a completion time and a count."""
    place.make("jobs", job("work", "succeed"))
    found = eventually(lambda: _ended(place))
    told = seen({"status": found["status"] | {"conditions": _conditions(found)}})["status"]
    assert told["succeeded"] == 1
    assert told["completionTime"] == "<time>"
    assert {"Complete": "True"}.items() <= {c["type"]: c["status"] for c in told["conditions"]}.items()


def test_job_that_fails_says_why(place: Place, seen: Seen) -> None:
    """A Job that used up its retries has the condition Failed with reason BackoffLimitExceeded."""
    place.make("jobs", job("work", "fail"))
    found = eventually(lambda: _ended(place))
    told = seen({"status": found["status"] | {"conditions": _conditions(found)}})["status"]
    assert told["failed"] == 1
    failed = next(each for each in told["conditions"] if each["type"] == "Failed")
    assert failed["reason"] == "BackoffLimitExceeded"
    assert failed["message"] == "Job has reached the specified backoff limit"


def test_pod_of_a_job_keeps_how_it_ended(place: Place, seen: Seen) -> None:
    """A Job's pod is found by job-name, and stays with its phase and exit code."""
    place.make("jobs", job("work", "fail"))
    eventually(lambda: _ended(place))
    (found,) = place.items("pods", labelSelector="job-name=work")
    ended = found["status"]["containerStatuses"][0]["state"]["terminated"]
    told = seen({"phase": found["status"]["phase"], "code": ended["exitCode"], "reason": ended["reason"]})
    assert told == {"phase": "Failed", "code": 1, "reason": "Error"}


def test_job_over_its_deadline_fails(place: Place, seen: Seen) -> None:
    """ActiveDeadlineSeconds ends a Job with reason DeadlineExceeded."""
    body = job("work", "slow")
    body["spec"]["activeDeadlineSeconds"] = 1
    place.make("jobs", body)
    found = eventually(lambda: _ended(place))
    failed = next(each for each in seen(_conditions(found)) if each["type"] == "Failed")
    assert (failed["reason"], failed["message"]) == (
        "DeadlineExceeded",
        "Job was active longer than specified deadline",
    )


def _write(name: str, tag: str, **given: Any) -> JobWrite:  # noqa: ANN401 - fields of what is made
    about: dict[str, Any] = {
        "deadline": timedelta(seconds=60),
        "keep": timedelta(minutes=10),
        "labels": {"buzzy/release": "R1"},
        "args": ("--to", "$(WHERE)"),
        "env": {"WHERE": "here"},
    }
    return JobWrite(name=name, image=f"buzzybuzz/buzzy-main:{tag}", **{**about, **given})


def _followed(client: Cluster, place: Place, name: str, ends: Callable[[JobPicture], bool]) -> JobPicture:
    with client.follow_job(place.name, name) as pictures:
        return next(each for each in pictures if each.complete and ends(each))


def _is_over(picture: JobPicture) -> bool:
    pods_too = all(pod.phase in {"Succeeded", "Failed"} for pod in picture.pods)
    return picture.job is not None and picture.job.ended and pods_too


def test_workers_run_a_job_to_its_end_once(place: Place, cluster_client: Cluster, seen: Seen) -> None:
    """A rehearsal stores nothing; a second creation is told so; its pod is found with its log and its end."""
    write = _write("buzzy-r1-backup-1234", "succeed")
    cluster_client.create_job(place.name, write, rehearse=True)
    with pytest.raises(NotFoundError) as absent:
        cluster_client.job(place.name, write.name)
    cluster_client.create_job(place.name, write)
    with pytest.raises(AlreadyExistsError) as there:
        cluster_client.create_job(place.name, write)
    over = _followed(cluster_client, place, write.name, _is_over)
    assert over.job is not None
    (pod,) = over.pods
    lines = cluster_client.log(place.name, pod.name, "task", lines=5, previous=False)
    assert lines
    kept = cluster_client.job(place.name, write.name)
    told = seen(
        {
            "job": {"complete": kept.complete, "failed": kept.failed, "labels": dict(kept.labels)},
            "pod": {
                "phase": pod.phase,
                "code": pod.containers[0].ended and pod.containers[0].ended.exit_code,
            },
            "told": [str(absent.value), str(there.value)],
        }
    )
    assert told["job"]["complete"]
    assert told["pod"] == {"phase": "Succeeded", "code": 0}
    assert told["told"][0] == "there is no job buzzy-r1-backup-1234 in <namespace>"


def test_workers_see_why_a_job_failed(place: Place, cluster_client: Cluster, seen: Seen) -> None:
    """One attempt, the controller's reason, and the exit code of its pod."""
    cluster_client.create_job(place.name, _write("migrate", "fail"))
    over = _followed(cluster_client, place, "migrate", _is_over)
    assert over.job is not None
    (pod,) = over.pods
    ended = pod.containers[0].ended
    told = seen({"reason": over.job.reason, "message": over.job.message, "code": ended and ended.exit_code})
    assert told == {
        "reason": "BackoffLimitExceeded",
        "message": "Job has reached the specified backoff limit",
        "code": 1,
    }


def test_workers_stop_a_job_that_cannot_get_its_image(
    place: Place, cluster_client: Cluster, seen: Seen
) -> None:
    """The pod says why it does not start; a Job that is stopped fails, stays, and lets go of its pod."""
    cluster_client.create_job(place.name, _write("migrate", "missing"))
    stuck = _followed(cluster_client, place, "migrate", _waits)
    assert {each.containers[0].waiting.reason for each in stuck.pods if each.containers[0].waiting} <= {
        "ErrImagePull",
        "ImagePullBackOff",
    }
    cluster_client.stop_job(place.name, "migrate")
    over = _followed(cluster_client, place, "migrate", lambda each: _is_over(each) and not each.pods)
    assert over.job is not None
    told = seen({"failed": over.job.failed, "reason": over.job.reason})
    assert told == {"failed": True, "reason": "DeadlineExceeded"}


def _waits(picture: JobPicture) -> bool:
    states = [state for pod in picture.pods for state in pod.containers]
    return any(state.waiting is not None and "Image" in state.waiting.reason for state in states)
