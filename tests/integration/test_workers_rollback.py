"""Going back, beside `kubectl rollout`: the same templates, the same history, and each knows the other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from releases import events as e
from releases.config import parse_config
from releases.events import Target
from releases.lifecycle import Release, State
from releases.plan import Identify
from releases.record import Store
from releases.snapshot import Question
from tests.integration.workers_world import ALICE, CONFIG, NAMESPACE, SERVICES, World, now, world

BACK = tuple(reversed(SERVICES))


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world at 3.2.0, with 3.1.4 before that."""
    with world(store, tmp_path) as made:
        yield made


def template(here: World, name: str) -> dict[str, Any]:
    """The pod template that a Deployment has."""
    return dict(here.deployment(name)["spec"]["template"])


@pytest.mark.requirement("B6")
def test_all_services_go_back_as_one_in_reverse_order(here: World) -> None:
    """To the version before; once more, and to the one before that."""
    templates = {name: template(here, name) for name in SERVICES}
    here.release("3.2.1")
    first = here.rollback()
    assert first.state is State.RELEASED
    assert first.plan is not None
    assert first.plan.services == BACK
    assert {name: template(here, name) for name in SERVICES} == templates
    second = here.rollback()
    assert second.state is State.RELEASED
    assert set(here.versions().values()) == {"3.1.4"}
    third = here.rollback()
    assert third.state is State.IMPOSSIBLE


@pytest.mark.requirement("B6")
@pytest.mark.parametrize(
    ("target", "services", "expected"),
    [
        (Target(version="3.1.4"), (), dict.fromkeys(SERVICES, "3.1.4")),
        (Target(revision=1), ("buzzy-api",), {**dict.fromkeys(SERVICES, "3.2.1"), "buzzy-api": "3.1.4"}),
        (Target(release="R1"), (), dict.fromkeys(SERVICES, "3.2.1")),
    ],
)
def test_it_goes_where_it_is_sent(
    here: World, target: Target, services: tuple[str, ...], expected: dict[str, str]
) -> None:
    """To a version, to a revision of some services, or to what an earlier release had put there."""
    here.release("3.2.1")
    if target.release:
        here.release("3.2.2")
    release = here.rollback(target=target, services=services)
    assert release.state is State.RELEASED, release.reason
    assert here.versions() == expected


@pytest.mark.requirement("B6")
def test_after_a_failed_release_everything_goes_to_what_was_stable(here: World) -> None:
    """And no further: the services that the failed release never reached stay where they are."""
    here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.1": "crash"})
    assert here.release("3.2.1").state is State.FAILED
    release = here.rollback()
    assert release.state is State.RELEASED
    assert release.plan is not None
    assert release.plan.services == ("buzzy-api", "buzzy-main")
    assert set(here.versions().values()) == {"3.2.0"}


class Kubectl:
    """What a person types beside the bot."""

    def __init__(self, program: str, kubeconfig: Path) -> None:
        self._program = program
        self._env = {**os.environ, "KUBECONFIG": str(kubeconfig)}

    def __call__(self, *arguments: str) -> str:
        """Its output."""
        done = subprocess.run(  # noqa: S603 - our own arguments
            [self._program, "--namespace", NAMESPACE, *arguments],
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def kubectl(here: World, tmp_path: Path) -> Kubectl:
    """The real one, with a person's own rights."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("there is no kubectl on this machine")
    return Kubectl(program, here.cluster.kubeconfig(tmp_path / "person"))


@pytest.mark.kubectl
@pytest.mark.requirement("B6", "D4")
def test_a_rollback_restores_what_kubectl_rollout_undo_restores(here: World, kubectl: Kubectl) -> None:
    """The same pod template, all of it, under the same number."""
    here.release("3.2.1")
    kubectl("rollout", "undo", "deployment/buzzy-main", "--to-revision=1")
    kubectl("rollout", "status", "deployment/buzzy-main")
    assert here.rollback(target=Target(revision=1), services=("buzzy-api",)).state is State.RELEASED
    by_kubectl, by_buzzy = template(here, "buzzy-main"), template(here, "buzzy-api")
    assert json.loads(json.dumps(by_buzzy).replace("buzzy-api", "buzzy-main")) == by_kubectl
    revisions = [
        here.deployment(name)["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        for name in ("buzzy-main", "buzzy-api")
    ]
    assert revisions[0] == revisions[1]


@pytest.mark.kubectl
@pytest.mark.requirement("D4")
def test_kubectl_goes_on_working_beside_the_bot(here: World, kubectl: Kubectl) -> None:
    """`status` and `history` show what the bot did, and `undo` takes it back."""
    release = here.release("3.2.1")
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/buzzy-api")
    assert f"{release.id}: 3.2.0 → 3.2.1 by alice" in kubectl("rollout", "history", "deployment/buzzy-api")
    kubectl("rollout", "undo", "deployment/buzzy-api")
    kubectl("rollout", "status", "deployment/buzzy-api")
    assert here.versions()["buzzy-api"] == "3.2.0"


@pytest.mark.kubectl
@pytest.mark.requirement("D4", "B6")
def test_the_bot_understands_what_kubectl_did(here: World, kubectl: Kubectl) -> None:
    """In the history what is not the bot's is not called so, the next plan warns, and both can go back."""
    first = here.release("3.2.1")
    kubectl("set", "image", "deployment/buzzy-api", "buzzy-api=buzzybuzz/buzzy-api:3.2.2")
    kubectl("annotate", "deployment/buzzy-api", "kubernetes.io/change-cause=hotfix by hand", "--overwrite")
    kubectl("rollout", "status", "deployment/buzzy-api")
    question = Question(
        kind="history",
        environments=("staging",),
        line="history staging",
        by=ALICE,
        channel="C0STAGING",
        response_url="",
        asked_at=now(),
    )
    here.jobs.answer(here.questions.ask(question))
    seen = here.record.seen("staging")
    assert seen is not None
    history = [each for each in seen.revisions if each.service == "buzzy-api"]
    assert [(each.version, each.release, each.cause, each.serving) for each in history] == [
        ("3.2.2", None, "hotfix by hand", True),
        ("3.2.1", first.id, f"{first.id}: 3.2.0 → 3.2.1 by alice", False),
        ("3.2.0", None, "buzzy-api 3.2.0", False),
        ("3.1.4", None, "buzzy-api 3.1.4", False),
    ]
    back = here.rollback()
    assert back.state is State.RELEASED
    assert back.plan is not None
    assert back.plan.services == ("buzzy-api",)
    assert back.plan.warnings == (
        f"buzzy-api (since {first.id}) was changed by somebody else; going back undoes these changes.",
    )
    assert set(here.versions().values()) == {"3.2.1"}


def identified(here: World, release: Release) -> e.StepFinished:
    """What was found before the way back."""
    return next(event for event in here.events(release.id) if isinstance(event, e.StepFinished))


@pytest.mark.requirement("B5")
def test_before_it_goes_back_it_is_said_what_changed_since_when_by_whom_and_what_is_ill(here: World) -> None:
    """In the plan what the cluster remembers; in the thread what is ill now, and which variables differ."""
    here.release("3.2.1")
    here.config = parse_config(CONFIG.replace("LOG_LEVEL: info", "LOG_LEVEL: debug, NEW: hush"))
    here.jobs = here.worker()
    here.cluster.set_behaviours({"buzzybuzz/buzzy-api:3.2.2": "crash"})
    failed = here.release("3.2.2")
    back = here.rollback()
    assert back.state is State.RELEASED, back.reason
    assert back.plan is not None
    step = back.plan.steps[0]
    assert isinstance(step, Identify)
    assert [(each.service, each.goes, each.runs, each.by) for each in step.suspects] == [
        (name, "3.2.1", "3.2.2", f"{failed.id} (alice)") for name in ("buzzy-main", "buzzy-api")
    ]
    main, api = (each.since for each in step.suspects)
    assert main == failed.forward[1].finished_at
    assert api is not None
    assert main is not None
    assert api >= main.replace(microsecond=0)
    found = identified(here, back)
    assert found.result == "ill now: buzzy-api"
    said = "\n".join(found.log)
    assert "buzzy-main: 3.2.1 → 3.2.2, since" in said
    assert ": ~ LOG_LEVEL, + NEW" in said
    assert "envFrom" not in said
    assert "hush" not in said
    assert re.search(r"buzzy-api is ill: \d of 3 ready, ", said)


@pytest.mark.kubectl
@pytest.mark.requirement("B5", "D4")
def test_what_somebody_did_with_kubectl_is_said_as_that(here: World, kubectl: Kubectl) -> None:
    """With the name of the program, when it was, and the variables' names without their values."""
    here.release("3.2.1")
    kubectl("set", "env", "deployment/buzzy-api", "TOKEN=hush")
    kubectl("rollout", "status", "deployment/buzzy-api")
    back = here.rollback(target=Target(version="3.2.0"), services=("buzzy-api",))
    assert back.state is State.RELEASED, back.reason
    line, *changes = identified(here, back).log
    assert re.fullmatch(
        r"buzzy-api: 3\.2\.0 → 3\.2\.1, since \d+ \w+ \d\d:\d\d UTC, by kubectl-set, beside Buzzy", line
    )
    assert "  variable TOKEN" in changes
    assert "hush" not in "".join(changes)
    assert identified(here, back).result == "no pod is ill now"


@pytest.mark.kubectl
@pytest.mark.requirement("D4")
def test_kubectl_undo_under_a_release_that_runs_is_respected(here: World, kubectl: Kubectl) -> None:
    """Whoever takes a service back by hand, in the middle of a release, is not fought by the next job."""
    here.cluster.set_behaviours({"buzzybuzz/buzzy-main:3.2.1": "never-ready"})
    here.jobs = here.worker(slice_seconds=0.5)
    id_ = here.ask("3.2.1")
    while not here.load(id_).changed_services or here.load(id_).seen["buzzy-main"].version != "3.2.1":
        _, job, subject = here.queue.waiting.popleft()
        here.jobs.table[f"workers.jobs.{job}"](subject)
    kubectl("rollout", "undo", "deployment/buzzy-main")
    here.work()
    release = here.load(id_)
    assert release.state is State.FAILED
    assert release.reason == "buzzy-main was set back by somebody else meanwhile."
    assert here.versions()["buzzy-main"] == "3.2.0"


@pytest.mark.kubectl
@pytest.mark.requirement("D4")
def test_a_paused_deployment_is_refused_with_the_line_that_helps(here: World, kubectl: Kubectl) -> None:
    """It would never converge; after that line it does."""
    kubectl("rollout", "pause", "deployment/buzzy-files")
    refused = here.release("3.2.1")
    assert refused.state is State.IMPOSSIBLE
    assert refused.hint == "`kubectl rollout resume deployment/buzzy-files -n buzzy-staging`"
    kubectl(*refused.hint.strip("`").split()[1:4])
    assert here.release("3.2.1").state is State.RELEASED
