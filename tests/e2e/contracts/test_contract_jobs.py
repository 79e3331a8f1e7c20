"""Jobs: how the cluster says that work is done, or could not be."""

from collections.abc import Callable
from typing import Any

from tests.e2e.contracts.things import job
from tests.e2e.contracts.worlds import Json, Place, eventually

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
