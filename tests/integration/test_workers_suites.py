"""Suites around a release, and on their own: Jobs, and answers over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from releases import events as e
from releases.checklist import Outcome
from releases.lifecycle import Release, State
from releases.record import Store
from sandbox.cluster.objects import name_of
from sandbox.cluster.resources import JOBS, SERVICES
from sandbox.serving import serve
from tests.integration.scripted_metrics import ScriptedMetrics
from tests.integration.workers_world import ALICE, BOB, CONFIG, NAMESPACE, World, now, world
from workers.metrics import MetricsAwayError
from workers.reaper import Reaper

MakeWorld = Callable[..., World]
MEASURED = "prometheus: {address: http://prometheus.example}\n"
SUITES = """
suites:
  unit: {{http: {{url: "{url}/{{version}}", field: tests.result, equals: passed}}}}
  load: {{job: {{image: "buzzybuzz/load:1"}}}}
  smoke: {{job: {{image: buzzybuzz/smoke-tests, deadline: 20s}}}}
  acceptance: {{person: {{question: "Is {{version}} good?", by: [S0QA], expires: 1h}}}}
  experience: {{metric: {{name: user_experience, at_least: 85%, deadline: 2s}}}}
  recovery: {{job: {{image: "buzzybuzz/restore:1", backup: newest, deadline: 20s}}}}
  health: {{http: {{url: "{url}/health", field: ok, equals: "true", deadline: 2s}}}}
"""


class Results:
    """A server of test results that a test can change."""

    def __init__(self) -> None:
        """3.2.1 has passed, and all is well."""
        self.of: dict[str, Any] = {"3.2.1": {"tests": {"result": "passed"}}, "health": {"ok": True}}
        self.app = Starlette(routes=[Route("/{what}", self._answer)])
        self.url = ""

    async def _answer(self, request: Request) -> Response:
        what = request.path_params["what"]
        return JSONResponse(self.of[what]) if what in self.of else JSONResponse({}, 404)


@pytest.fixture
def results() -> Iterator[Results]:
    """Served for the length of a test."""
    made = Results()
    with serve(made.app) as served:
        made.url = served.url
        yield made


@pytest.fixture
def make(results: Results, store: Store, tmp_path: Path) -> Iterator[MakeWorld]:
    """Worlds with suites; `keys` are those of staging."""
    with ExitStack() as ends:

        def opened(keys: str, **given: Any) -> World:  # noqa: ANN401 - handed on
            config = (
                MEASURED
                + SUITES.format(url=results.url)
                + CONFIG.replace(
                    "    configuration: {LOG_LEVEL: info}\n",
                    f"    configuration: {{LOG_LEVEL: info}}\n    {keys}\n",
                )
            )
            return ends.enter_context(world(store, tmp_path, config=config, **given))

        yield opened


def images(stage: World) -> dict[str, str]:
    """The image of each Job, by what it is."""
    found = stage.cluster.run(lambda: stage.cluster.store.listing(JOBS, NAMESPACE))
    return {
        name_of(job).split("-")[2]: job["spec"]["template"]["spec"]["containers"][0]["image"] for job in found
    }


def titles(release: Release) -> list[str]:
    """The steps of its plan."""
    return [each.step.title for each in release.forward]


@pytest.mark.requirement("T1", "T3")
def test_suites_before_and_behind_a_release(make: MakeWorld) -> None:
    """Jobs come before all else, answers are on the checklist; what is behind the services runs there."""
    stage = make("before: [unit, load]\n    validate: [smoke, health]")
    release = stage.release("3.2.1")
    assert release.state is State.RELEASED, release
    assert titles(release)[0] == "suite load"
    assert titles(release)[-3:] == ["all services verified", "suite smoke", "suite health"]
    item = release.checklist[-1]
    assert (item.name, item.outcome, item.evidence) == (
        "suite unit",
        Outcome.GREEN,
        "tests.result is passed",
    )
    assert images(stage) == {"load": "buzzybuzz/load:1", "smoke": "buzzybuzz/smoke-tests:3.2.1"}
    assert release.forward[-1].result == "ok is true"
    finished = [each for each in stage.events(release.id) if isinstance(each, e.StepFinished)]
    assert "task finished" in finished[-2].log[-1]


@pytest.mark.requirement("D2", "T3")
@pytest.mark.parametrize("good", [True, False])
def test_what_is_prepared_passes_its_suites_before_it_gets_traffic(
    make: MakeWorld, results: Results, *, good: bool
) -> None:
    """One that fails sends the release back before anybody was served by it."""
    results.of["health"] = {"ok": good}
    settings = "blue_green: {monitor: 1s, delay: 1h, validate: [health]}"
    stage = make(f"strategy: blue-green\n    {settings}\n    validate: [smoke]")
    release = stage.release("3.2.1", strategy="blue-green")
    kinds = [each.step.kind for each in release.forward]
    assert kinds.index("verify_green") + 1 == kinds.index("validate") == kinds.index("switch") - 1
    assert kinds[kinds.index("watch") + 1 :] == ["validate", *["keep"] * 4]
    assert release.state is (State.RELEASED if good else State.ROLLED_BACK), release.reason
    picked = stage.read(SERVICES, "buzzy-main")["spec"]["selector"]
    assert picked == {"app": "buzzy-main-green" if good else "buzzy-main"}
    assert bool(release.changed_services) is good


@pytest.mark.requirement("T1")
def test_a_version_without_good_results_does_not_start(make: MakeWorld, results: Results) -> None:
    """The checklist says what was answered; when the results are good, looking again lets it start."""
    stage = make("before: [unit]")
    id_ = stage.ask("3.2.2")
    stage.work()
    waiting = stage.load(id_)
    assert waiting.state is State.WAITING
    item = waiting.checklist[-1]
    assert (item.outcome, item.evidence) == (Outcome.RED, "it answers 404, not 200")
    assert set(stage.versions().values()) == {"3.2.0"}
    results.of["3.2.2"] = {"tests": {"result": "passed"}}
    stage.write(id_, e.ReplanRequested(at=now(), because="alice looks again", by=ALICE))
    stage.queue.put("deployment", "plan", id_)
    stage.work()
    assert stage.load(id_).state is State.RELEASED


@pytest.mark.requirement("T1")
def test_a_job_that_fails_before_a_release_leaves_all_as_it_was(make: MakeWorld) -> None:
    """It is the first step: nothing was changed, and the last lines say why."""
    stage = make("before: [load]")
    stage.cluster.set_behaviours({"buzzybuzz/load:1": "fail"})
    release = stage.release("3.2.1")
    assert release.state is State.FAILED
    assert release.reason == "The suite load failed (exit code 1)."
    assert release.changed_services == ()
    failed = next(each for each in stage.events(release.id) if isinstance(each, e.StepFailed))
    assert failed.evidence[0].log[-1].startswith("Error: cannot start")
    assert set(stage.versions().values()) == {"3.2.0"}


@pytest.mark.requirement("T3", "S3")
@pytest.mark.parametrize("suite", ["smoke", "health"])
def test_a_release_whose_suite_fails_has_failed(make: MakeWorld, results: Results, suite: str) -> None:
    """What it changed is told; the version has proven nothing there."""
    stage = make(f"validate: [{suite}]")
    stage.cluster.set_behaviours({"buzzybuzz/smoke-tests:3.2.1": "fail"})
    results.of["health"] = {"ok": False}
    release = stage.release("3.2.1")
    assert release.state is State.FAILED
    assert release.reason in {
        "The suite smoke failed (exit code 1).",
        "The suite health has not passed: ok is false.",
    }
    assert len(release.changed_services) == 4


@pytest.mark.requirement("T3")
@pytest.mark.parametrize(
    ("apdex", "samples", "state", "says"),
    [
        (0.97, 500, State.RELEASED, "user experience 97 % (at least 85 %)"),
        (
            0.5,
            500,
            State.FAILED,
            "The suite experience has not passed: user experience 50 % (at least 85 %).",
        ),
        (
            0.97,
            3,
            State.FAILED,
            "The suite experience has not passed: user experience: 3 requests, of 20 that are needed.",
        ),
        (
            MetricsAwayError("Prometheus cannot be reached"),
            500,
            State.FAILED,
            "The suite experience has not passed: user experience: Prometheus cannot be reached.",
        ),
    ],
    ids=["good", "bad", "too few requests", "not to be had"],
)
def test_a_metric_decides_about_a_release(
    make: MakeWorld, apdex: float | MetricsAwayError, samples: float, state: State, says: str
) -> None:
    """It is measured over the pods that serve behind the services; the result is on the record."""
    metrics = ScriptedMetrics(at_once={'le="0.5"': apdex}, samples=samples)
    stage = make("validate: [experience]", metrics=lambda _: metrics)
    release = stage.release("3.2.1")
    assert release.state is state, release
    assert says in {release.reason, release.forward[-1].result}
    asked = next(query for query in metrics.asked if "increase(http_request_duration" in query)
    assert 'namespace="buzzy-staging",pod=~"(?:buzzy-main-' in asked
    assert "[300s]" in asked


@pytest.mark.requirement("T3", "B2")
@pytest.mark.parametrize("apdex", [0.5, MetricsAwayError("Prometheus cannot be reached")])
def test_only_what_was_measured_to_be_bad_goes_back_by_itself(
    make: MakeWorld, apdex: float | MetricsAwayError
) -> None:
    """What could not be measured is not ill: a person decides."""
    metrics = ScriptedMetrics(at_once={'le="0.5"': apdex})
    stage = make("on_failure: rollback\n    validate: [experience]", metrics=lambda _: metrics)
    release = stage.release("3.2.1")
    assert release.state is (State.ROLLED_BACK if apdex == 0.5 else State.FAILED), release


CARE = "database: {backup: {image: 'buzzybuzz/backup:1.4'}}"


def variables(stage: World, what: str) -> dict[str, str]:
    """The variables of a Job, by what it is."""
    found = stage.cluster.run(lambda: stage.cluster.store.listing(JOBS, NAMESPACE))
    job = next(each for each in found if name_of(each).split("-")[2] == what)
    env = job["spec"]["template"]["spec"]["containers"][0]["env"]
    return {each["name"]: each["value"] for each in env}


@pytest.mark.requirement("T2", "B5")
def test_the_backup_of_a_release_is_restored_in_a_place_of_its_own(make: MakeWorld) -> None:
    """Its Job is given the name; on its own, the suite takes the newest that a release has made."""
    stage = make(f"{CARE}\n    validate: [recovery]")
    release = stage.release("3.2.1")
    assert release.state is State.RELEASED, release
    assert release.backup is not None
    assert variables(stage, "recovery")["BUZZY_BACKUP"] == release.backup
    assert release.forward[-1].result == f"with the backup {release.backup} of {release.id}"
    alone = stage.rollback(kind="validation", suites=("recovery",))
    assert alone.state is State.RELEASED, alone
    assert alone.forward[-1].result == f"with the backup {release.backup} of {release.id}"


@pytest.mark.requirement("T2")
def test_a_backup_that_cannot_be_restored_fails_the_suite(make: MakeWorld) -> None:
    """And where no release has made one yet, that is said."""
    stage = make(CARE)
    first = stage.rollback(kind="validation", suites=("recovery",))
    assert first.state is State.FAILED
    assert first.reason == "No release has made a backup that the suite recovery could restore."
    assert stage.release("3.2.1").state is State.RELEASED
    stage.cluster.set_behaviours({"buzzybuzz/restore:1": "fail"})
    failed = stage.rollback(kind="validation", suites=("recovery",))
    assert failed.reason == "The suite recovery failed (exit code 1)."


@pytest.mark.requirement("T4")
def test_suites_run_on_their_own(make: MakeWorld) -> None:
    """On the version that runs: nothing is changed, and releases and rollbacks go on as before."""
    stage = make("validate: [smoke, health]")
    release = stage.rollback(kind="validation", suites=("smoke", "health"))
    assert release.state is State.RELEASED, release
    assert titles(release) == ["suite smoke", "suite health"]
    assert images(stage) == {"smoke": "buzzybuzz/smoke-tests:3.2.0"}
    assert release.changed_services == ()
    assert stage.release("3.2.1").state is State.RELEASED
    back = stage.rollback()
    assert back.state is State.RELEASED
    assert set(stage.versions().values()) == {"3.2.0"}


@pytest.mark.requirement("T4")
def test_what_runs_in_two_versions_is_not_validated(make: MakeWorld) -> None:
    """A result would be of neither."""
    stage = make("validate: [smoke]")
    stage.set_tag("buzzy-api", "3.1.4")
    release = stage.rollback(kind="validation", suites=("smoke",))
    assert release.state is State.IMPOSSIBLE
    assert release.reason == "staging does not run one version, but 3.2.0 / 3.1.4."


@pytest.mark.requirement("T4", "C6")
def test_a_validation_can_be_stopped(make: MakeWorld, results: Results) -> None:
    """It is cancelled: there is nothing to undo."""
    stage = make("validate: [health]", slice_seconds=0.05)
    results.of["health"] = {"ok": False}
    id_ = stage.ask(None, kind="validation", suites=("health",))
    while not any(isinstance(each, e.StepStarted) for each in stage.events(id_)):
        _, job, subject = stage.queue.waiting.popleft()
        stage.jobs.table[f"workers.jobs.{job}"](subject)
    stage.abort(id_)
    stage.work()
    assert stage.load(id_).state is State.CANCELLED


@pytest.mark.requirement("T2", "S3")
@pytest.mark.parametrize(
    ("answer", "state", "says"),
    [
        (e.SignedOff(at=now(), index=6, by=BOB, via="button"), State.RELEASED, "signed off by bob"),
        (
            e.SignOffRefused(at=now(), index=6, by=BOB, via="button"),
            State.FAILED,
            "bob did not sign off the suite acceptance.",
        ),
        (
            e.SignOffExpired(at=now(), index=6),
            State.FAILED,
            "Nobody signed off the suite acceptance in time.",
        ),
    ],
    ids=["good", "not good", "nobody"],
)
def test_a_person_signs_a_release_off(make: MakeWorld, answer: e.Event, state: State, says: str) -> None:
    """No job is at work meanwhile; the answer lets it go on, and is its result."""
    stage = make("validate: [acceptance]")
    id_ = stage.ask("3.2.1")
    stage.work()
    waiting = stage.load(id_)
    assert waiting.state is State.SIGNING
    assert not stage.queue.waiting
    assert waiting.asked is not None
    assert (waiting.asked.question, waiting.asked.by) == ("Is 3.2.1 good?", ("S0QA",))
    stage.write(id_, answer)
    stage.queue.put("deployment", "advance", id_)
    stage.work()
    release = stage.load(id_)
    assert release.state is state, release
    assert says in {release.reason, release.forward[-1].result}


@pytest.mark.requirement("T2", "X2")
def test_a_question_has_a_clock(make: MakeWorld, results: Results) -> None:
    """The reaper ends it when its time is up, and lets the release go on to its end."""
    stage = make("validate: [acceptance]")
    id_ = stage.ask("3.2.1")
    stage.work()
    later = now() + timedelta(hours=2)
    Reaper(stage.store, stage.record, stage.queue, now=lambda: later).reap()
    stage.work()
    assert stage.load(id_).reason == "Nobody signed off the suite acceptance in time."


@pytest.mark.requirement("T2", "C6")
def test_a_release_that_waits_for_a_word_can_be_aborted(make: MakeWorld) -> None:
    """It goes back to what was stable."""
    stage = make("validate: [acceptance]")
    id_ = stage.ask("3.2.1")
    stage.work()
    stage.abort(id_)
    stage.queue.put("deployment", "advance", id_)
    stage.work()
    assert stage.load(id_).state is State.ROLLED_BACK
    assert set(stage.versions().values()) == {"3.2.0"}
