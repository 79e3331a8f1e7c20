"""kubectl beside the bot: what it prints of a rollout is the same on both clusters."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.contracts.things import CAUSE, REVISION, deployment, image
from tests.e2e.contracts.worlds import Place

Seen = Callable[[Any], Any]

pytestmark = [
    pytest.mark.kubectl,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH"),
]


@pytest.fixture
def past(place: Place) -> Place:
    """A Deployment that was released twice."""
    place.make("deployments", deployment("3.2.0", replicas=1, annotations={CAUSE: "first"}))
    place.kubectl("rollout", "status", "deployment/web")
    place.merge("deployments", "web", image("3.2.1") | {"metadata": {"annotations": {CAUSE: "second"}}})
    place.kubectl("rollout", "status", "deployment/web")
    return place


def test_history_lists_revisions(past: Place, seen: Seen) -> None:
    """`rollout history` lists revisions with their causes."""
    lines = seen(past.kubectl("rollout", "history", "deployment/web")).splitlines()
    assert lines[1].split() == ["REVISION", "CHANGE-CAUSE"]
    assert [line.split() for line in lines[2:4]] == [["1", "first"], ["2", "second"]]


def test_history_shows_a_revision(past: Place, seen: Seen) -> None:
    """`rollout history --revision` shows the template of a revision."""
    shown = seen(past.kubectl("rollout", "history", "deployment/web", "--revision=1"))
    assert "Image:\tbuzzybuzz/buzzy-main:3.2.0" in shown


def test_status_tells_the_end(past: Place, seen: Seen) -> None:
    """`rollout status` says that the rollout has succeeded."""
    shown = seen(past.kubectl("rollout", "status", "deployment/web"))
    assert shown == 'deployment "web" successfully rolled out\n'


def test_undo_goes_back(past: Place, seen: Seen) -> None:
    """`rollout undo` makes the template before the newest revision; history tells of it."""
    assert past.kubectl("rollout", "undo", "deployment/web") == "deployment.apps/web rolled back\n"
    past.kubectl("rollout", "status", "deployment/web")
    found = past.get("deployments", "web")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":3.2.0")
    assert found["metadata"]["annotations"][REVISION] == "3"
    shown = seen(past.kubectl("rollout", "history", "deployment/web"))
    assert [line.split() for line in shown.splitlines()[2:4]] == [["2", "second"], ["3", "first"]]


def test_undo_goes_to_a_revision(past: Place, seen: Seen) -> None:
    """`rollout undo --to-revision` of what runs already changes nothing; of what is not there it fails."""
    same = past.kubectl("rollout", "undo", "deployment/web", "--to-revision=2")
    absent = past.kubectl("rollout", "undo", "deployment/web", "--to-revision=9")
    told = seen({"same": same, "absent": absent})
    assert (
        told["same"] == "deployment.apps/web skipped rollback (current template already matches revision 2)\n"
    )
    assert told["absent"] == "error: unable to find specified revision 9 in history\n"


def test_undo_of_a_paused_deployment_is_refused(past: Place, seen: Seen) -> None:
    """`rollout undo` asks to resume first."""
    assert past.kubectl("rollout", "pause", "deployment/web") == "deployment.apps/web paused\n"
    shown = seen(past.kubectl("rollout", "undo", "deployment/web"))
    assert "cannot rollback a paused deployment; resume it first" in shown


def test_status_of_a_rollout_over_its_deadline(place: Place, seen: Seen) -> None:
    """`rollout status` fails when the progress deadline is exceeded."""
    place.make("deployments", deployment("1-never-ready", replicas=1, progressDeadlineSeconds=1))
    shown = seen(place.kubectl("rollout", "status", "deployment/web").splitlines()[-1])
    assert shown == 'error: deployment "web" exceeded its progress deadline'


def test_restart_is_a_revision(past: Place, seen: Seen) -> None:
    """`rollout restart` is a new template, and so a new revision."""
    assert past.kubectl("rollout", "restart", "deployment/web") == "deployment.apps/web restarted\n"
    past.kubectl("rollout", "status", "deployment/web")
    assert seen(past.get("deployments", "web")["metadata"]["annotations"][REVISION]) == "3"


def test_apply_and_diff_say_what_changes(place: Place, seen: Seen) -> None:
    """`get` shows a Deployment in the columns that people know."""
    place.make("deployments", deployment(replicas=0))
    header = place.kubectl("get", "deployments").splitlines()[0].split()
    assert seen(header) == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
