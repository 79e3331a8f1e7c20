"""Jobs: plans, answers to questions, and what happens when something goes wrong that nobody expected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, NoReturn

import pytest
from structlog.testing import capture_logs

from releases import events as e
from releases.lifecycle import State
from releases.record import Store
from releases.snapshot import Answer, Question
from sandbox.cluster.access import Rule
from tests.integration.workers_world import ALICE, CONFIG, SERVICES, TOKEN, World, now, role, world
from workers.jobs import REPLANS


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world at 3.2.0 that has no patience with silent clusters."""
    with world(store, tmp_path, patience=timedelta()) as made:
        yield made


def asked(
    here: World, line: str, *environments: str, kind: Literal["status", "history", "plan", "diff"] = "status"
) -> Answer:
    """What a person is answered."""
    question = Question(
        kind=kind,
        environments=environments,
        line=line,
        by=ALICE,
        channel="C0STAGING",
        response_url="",
        asked_at=now(),
    )
    id_ = here.questions.ask(question)
    here.jobs.answer(id_)
    answer = here.questions.answered(id_)
    assert answer is not None
    return answer


NEEDED = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=3600)


def test_a_plan_waits_where_approval_is_needed_and_starts_where_it_is_not(here: World) -> None:
    """Both say what is there now; only the second queues its own job."""
    waiting = here.ask("3.2.1", approval=NEEDED)
    here.work()
    assert here.load(waiting).state is State.WAITING
    proposed = here.events(waiting)[1]
    assert isinstance(proposed, e.PlanProposed)
    assert [(seen.service, seen.version, seen.ready) for seen in proposed.seen] == [
        (name, "3.2.0", 3) for name in SERVICES
    ]
    here.cluster.seed_buzzy(namespaces=("buzzy-development",))
    starting = here.ask("3.2.1", environment="development")
    here.jobs.plan(starting)
    assert here.load(starting).state is State.APPROVED
    assert here.queue.waiting[-1] == ("deployment", "advance", starting)


def test_approvals_count_for_the_same_plan_made_again(here: World) -> None:
    """Nobody is asked twice for the same when the cluster was only silent for a moment."""
    id_ = here.ask("3.2.1", approval=NEEDED)
    here.work()
    plan = here.load(id_).plan
    assert plan is not None
    given = e.ApprovalGiven(at=now(), by=ALICE, digest=plan.digest, via="button")
    for event in (given, e.Approved(at=now(), digest=plan.digest), e.ReplanRequested(at=now(), because="?")):
        here.write(id_, event)
    here.queue.put("deployment", "plan", id_)
    here.work()
    assert here.load(id_).state is State.ABOUT_TO_START  # nobody is asked, but they are read again
    assert here.load(id_).approvals_missing == 0
    here.write(id_, e.Approved(at=now(), digest=plan.digest))
    here.queue.put("deployment", "advance", id_)
    here.work()
    assert here.load(id_).state is State.RELEASED


def test_a_job_that_comes_late_or_twice_does_nothing(here: World) -> None:
    """About a release that has ended, one that waits, and one that never was."""
    done = here.release("3.2.1", services=("buzzy-api",))
    waiting = here.ask("3.2.1", approval=NEEDED)
    here.work()
    before = [here.events(done.id), here.events(waiting)]
    for subject in (done.id, waiting, "R999"):
        here.jobs.plan(subject)
        here.jobs.advance(subject)
    here.jobs.answer("Q999")
    assert [here.events(done.id), here.events(waiting)] == before
    assert not here.queue.waiting


def test_status_is_a_fresh_look(here: World) -> None:
    """Also at what somebody changed a moment ago; every environment that was asked about."""
    here.cluster.seed_buzzy(namespaces=("buzzy-development",))
    here.release("3.2.1", services=("buzzy-api",))
    answer = asked(here, "status", "staging", "development")
    staging, development = here.record.seen("staging"), here.record.seen("development")
    assert answer.refused is None
    assert staging is not None
    assert development is not None
    assert [(seen.service, seen.version, seen.healthy) for seen in staging.services] == [
        ("buzzy-main", "3.2.0", True),
        ("buzzy-api", "3.2.1", True),
        ("buzzy-files", "3.2.0", True),
        ("buzzy-worker", "3.2.0", True),
    ]
    assert {seen.version for seen in development.services} == {"3.2.0"}
    assert staging.problem is None


@pytest.mark.requirement("B6")
def test_history_has_every_revision_of_every_service(here: World) -> None:
    """What `kubectl rollout history` gives, for all of them at once, and which one serves."""
    asked(here, "history staging", "staging", kind="history")
    seen = here.record.seen("staging")
    assert seen is not None
    assert [(each.service, each.revision, each.version, each.serving) for each in seen.revisions] == [
        (name, revision, version, revision == 2)
        for name in SERVICES
        for revision, version in ((2, "3.2.0"), (1, "3.1.4"))
    ]


def test_an_environment_that_cannot_be_seen_says_why(here: World) -> None:
    """A right that is missing; a cluster that is away; a service that is not there."""
    here.cluster.add_user(TOKEN, "buzzy-worker", [rule for rule in role() if rule.resources != ("pods",)])
    asked(here, "status staging", "staging")
    seen = here.record.seen("staging")
    assert seen is not None
    assert seen.problem == "Buzzy may not list pods in buzzy-staging: its Role there needs pods: list."
    here.cluster.stop()
    asked(here, "status staging", "staging")
    seen = here.record.seen("staging")
    assert seen is not None
    assert seen.problem == "The cluster does not answer (connection refused)."
    assert not seen.services


def test_a_service_without_a_deployment_is_shown_as_such(store: Store, tmp_path: Path) -> None:
    """The others are shown as they are."""
    config = CONFIG.replace(
        "environments:", "  - {name: buzzy-mail, image: buzzybuzz/mail}\nenvironments:", 1
    )
    with world(store, tmp_path, config=config) as here:
        asked(here, "status staging", "staging")
        seen = here.record.seen("staging")
        assert seen is not None
        assert (seen.services[4].state, seen.services[4].healthy) == ("no Deployment buzzy-mail", False)
        assert seen.services[0].healthy


def test_a_dry_run_shows_the_plan_and_changes_nothing(here: World) -> None:
    """Every step, and what is there now; or why it could not be done."""
    answer = asked(here, "plan 3.2.1 staging", "staging", kind="plan")
    assert answer.plan is not None
    assert answer.plan.services == SERVICES
    assert len(answer.seen) == 4
    refused = asked(here, "plan 3.1.4 staging", "staging", kind="plan")
    assert refused.plan is None
    assert refused.refused is not None
    assert "older than what runs" in refused.refused
    assert "/buzzy rollback staging --to 3.1.4" in refused.hint
    assert not here.cluster.writes(user="buzzy-worker")


def test_a_dry_run_shows_what_the_cluster_would_refuse(here: World) -> None:
    """The cluster itself is asked, without doing it."""
    rules = [rule for rule in role() if rule.resources != ("configmaps",)]
    here.cluster.add_user(TOKEN, "buzzy-worker", [*rules, Rule(("get",), ("configmaps",))])
    answer = asked(here, "plan 3.2.1 staging", "staging", kind="plan")
    assert answer.refused == (
        "Buzzy may not create configmaps in buzzy-staging: its Role there needs configmaps: create."
    )
    here.cluster.stop()
    away = asked(here, "plan 3.2.1 staging", "staging", kind="plan")
    assert away.refused == "The cluster does not answer (connection refused)."


def test_the_plan_of_a_release_is_the_one_of_the_dry_run(here: World) -> None:
    """What was shown is what would run: by digest."""
    answer = asked(here, "plan 3.2.1 staging", "staging", kind="plan")
    id_ = here.ask("3.2.1", approval=NEEDED)
    here.work()
    plan = here.load(id_).plan
    assert answer.plan is not None
    assert plan is not None
    assert plan.digest == answer.plan.digest


def broken(*_: Any, **__: Any) -> NoReturn:  # noqa: ANN401 - stands for any function
    """A mistake of ours."""
    raise ZeroDivisionError("secret")


@pytest.mark.parametrize(
    ("where", "state", "event"),
    [
        ("workers.jobs.Jobs._propose", State.IMPOSSIBLE, e.PlanRefused),
        ("workers.advance.Advance._start", State.FAILED, e.ReleaseFailed),
        ("workers.advance.run", State.FAILED, e.StepFailed),
        ("workers.advance.Advance._end", State.FAILED, e.ReleaseFailed),
    ],
)
def test_a_mistake_of_ours_ends_the_release_with_a_sentence(
    here: World, monkeypatch: pytest.MonkeyPatch, where: str, state: State, event: type[e.Happened]
) -> None:
    """Instead of hanging; the log has the rest, under the id that the sentence names."""
    monkeypatch.setattr(where, broken)
    with capture_logs() as logs:
        release = here.release("3.2.1")
    assert release.state is state
    told = next(each for each in here.events(release.id) if isinstance(each, event))
    reason = str(getattr(told, "reason", ""))
    mistake = next(each for each in logs if each["event"] == "mistake")
    assert reason == f"Buzzy made a mistake ({mistake['id']}); the worker's log has it under this id."
    assert isinstance(mistake["exc_info"], ZeroDivisionError)
    assert here.record.holder("staging") is None


def test_a_mistake_in_an_answer_is_told_to_who_asked(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for an answer that does not come."""
    monkeypatch.setattr("workers.answering.snapshot", broken)
    answer = asked(here, "status staging", "staging")
    assert answer.refused is not None
    assert answer.refused.startswith("Buzzy made a mistake (")


def test_an_environment_that_is_no_longer_configured_ends_its_release(here: World) -> None:
    """Somebody took it out of the file while a release was under way."""
    id_ = here.ask("3.2.1")
    here.config = here.config.model_copy(
        update={"environments": {"development": here.config.environments["development"]}}
    )
    here.jobs = here.worker()
    here.work()
    assert here.load(id_).state is State.IMPOSSIBLE
    assert here.load(id_).reason == 'There is no environment "staging". It is in buzzy.yaml no more.'


def test_a_plan_that_never_holds_is_given_up(here: World) -> None:
    """Something that changes templates at each look must not make the bot plan for ever."""
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)
    for _ in range(REPLANS):
        here.write(id_, e.ReplanRequested(at=now(), because="it moved"))
        here.jobs.plan(id_)
    release = here.load(id_)
    assert release.state is State.IMPOSSIBLE
    assert "changes faster than it can be planned for" in release.reason


@pytest.mark.requirement("C5")
def test_two_environments_are_compared_as_they_are_now(here: World) -> None:
    """Versions, pods and variables, with the configuration that a release has brought; nothing is changed."""
    here.cluster.seed_buzzy(namespaces=("buzzy-development",))
    here.release("3.2.1", services=("buzzy-api",))
    here.change("buzzy-files", lambda thing: thing["spec"].update(replicas=5))
    before = here.deployment("buzzy-files")["metadata"]["generation"]
    answer = asked(here, "diff staging development", "staging", "development", kind="diff")
    assert answer.difference is not None
    found = {each.service: each for each in answer.difference.services}
    assert answer.difference.same == ("buzzy-main", "buzzy-worker")
    assert found["buzzy-api"].version == ("3.2.1", "3.2.0")
    assert found["buzzy-api"].only_first == ("LOG_LEVEL",)
    assert found["buzzy-files"].pods is not None
    assert found["buzzy-files"].pods[0] == 5
    assert here.deployment("buzzy-files")["metadata"]["generation"] == before
    seen = here.record.seen("development")
    assert seen is not None


def test_a_comparison_with_what_cannot_be_seen_says_which(here: World) -> None:
    """One side alone is no comparison."""
    here.cluster.seed_buzzy(namespaces=("buzzy-development",))
    rules = [Rule(("get",), ("configmaps",), ("",), ())]
    here.cluster.add_user(TOKEN, "buzzy-worker", rules)
    answer = asked(here, "diff staging development", "staging", "development", kind="diff")
    assert answer.difference is None
    assert answer.refused is not None
    assert answer.refused.startswith("staging cannot be compared: ")


def test_the_only_environment_is_not_compared_with_itself(here: World) -> None:
    """Where there is one alone, the grammar has nothing better to suggest."""
    answer = asked(here, "diff staging staging", "staging", "staging", kind="diff")
    assert answer.refused == "staging does not differ from itself."
