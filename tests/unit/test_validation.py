"""Suites: what makes an answer good, and what may be said of them in buzzy.yaml and in Slack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.messages.history import history_message
from bot.messages.plan import plan_message
from bot.messages.release import release_message
from bot.messages.status import EnvironmentNow
from bot.messages.thread import thread_message
from releases import approval, gates, grammar, policy
from releases import events as e
from releases.closing import Closure, Traveller, pass_by
from releases.config import ConfigError, parse_config
from releases.config.suites import MetricSuite
from releases.database import Task
from releases.frozen import Json
from releases.lifecycle import State
from releases.people import Person, Standing
from releases.plan import Plan
from releases.policy import Refusal
from releases.record.queue import queue_of
from releases.validation import HttpCheck, MetricCheck, PersonCheck, Validate
from tests.unit.bot_reading import read
from tests.unit.bot_tales import BOB, MONDAY, Teller, plan

RESULT = HttpCheck(
    url="https://ci.example.com/3.2.1.json", field="tests.result", equals="passed", deadline_seconds=30
)
SPEED = HttpCheck(url="https://ci.example.com/", field="p95", at_most=250.0, deadline_seconds=30)
COVER = HttpCheck(url="https://ci.example.com/", field="percent", at_least=80.0, deadline_seconds=30)


@pytest.mark.requirement("T1")
@pytest.mark.parametrize(
    ("check", "status", "answer", "good", "says"),
    [
        (RESULT, 200, {"tests": {"result": "passed"}}, True, "tests.result is passed"),
        (RESULT, 200, {"tests": {"result": "failed"}}, False, "tests.result is failed"),
        (RESULT, 200, {"tests": "passed"}, False, "its answer has no tests.result"),
        (RESULT, 200, None, False, "its answer has no tests.result"),
        (RESULT, 404, {"tests": {"result": "passed"}}, False, "it answers 404, not 200"),
        (SPEED, 200, {"p95": 250}, True, "p95 is 250"),
        (SPEED, 200, {"p95": 250.5}, False, "p95 is 250.5"),
        (SPEED, 200, {"p95": "fast"}, False, "p95 is fast"),
        (COVER, 200, {"percent": 79}, False, "percent is 79"),
        (COVER, 200, {"percent": True}, False, "percent is true"),
    ],
)
def test_an_answer_is_good_when_it_is_as_wanted(
    check: HttpCheck,
    status: int,
    answer: Json | None,
    good: bool,  # noqa: FBT001 - from the table
    says: str,
) -> None:
    """Status first, then one field; what cannot be compared is not good."""
    assert check.judge(status, answer) == (good, says)


def test_a_status_alone_may_be_enough() -> None:
    """Where no field is named."""
    bare = HttpCheck(url="https://example.com/", status=204, deadline_seconds=30)
    assert bare.judge(204, None) == (True, "it answers 204")


EXPERIENCE = MetricCheck(
    name="user experience",
    query="x",
    unit="share",
    at_least=0.85,
    over_seconds=300,
    deadline_seconds=60,
)
LATENCY = EXPERIENCE.model_copy(
    update={"name": "latency p95", "unit": "seconds", "at_least": None, "at_most": 0.25}
)


@pytest.mark.requirement("T3")
@pytest.mark.parametrize(
    ("check", "value", "good", "says"),
    [
        (EXPERIENCE, 0.85, True, "user experience 85 % (at least 85 %)"),
        (EXPERIENCE, 0.849, False, "user experience 84.9 % (at least 85 %)"),
        (LATENCY, 0.25, True, "latency p95 250 ms (at most 250 ms)"),
        (LATENCY, 0.3, False, "latency p95 300 ms (at most 250 ms)"),
    ],
)
def test_a_metric_is_good_within_its_limit(
    check: MetricCheck,
    value: float,
    good: bool,  # noqa: FBT001 - from the table
    says: str,
) -> None:
    """It is said with its limit, as people read numbers."""
    assert check.judge(value) == (good, says)


@pytest.mark.requirement("T3")
def test_a_metric_of_the_file_is_one_of_the_plan() -> None:
    """With the query that the file has for the name, which is not counted in requests then."""
    suite = MetricSuite.model_validate({"name": "user_experience", "at_least": "85%"})
    check = suite.check({})
    assert (check.name, check.at_least, check.fewest, check.over_seconds) == (
        "user experience",
        0.85,
        20,
        300,
    )
    assert 'le="2.5"' in check.query
    own = suite.check({"user_experience": "apdex"})
    assert (own.query, own.samples, own.fewest) == ("apdex", "", 0)
    query = MetricSuite.model_validate({"promql": "sum(x{$labels})", "at_most": 5}).check({})
    assert (query.query, query.at_most, query.unit) == ("sum(x{$labels})", 5, "")


@pytest.mark.requirement("Q1")
def test_a_plan_with_suites_of_an_earlier_version_keeps_its_digest() -> None:
    """What it did not know of does not count while it is not used."""
    text = (
        '{"kind": "validation", "application": "buzzy", "environment": "staging", "strategy": "rolling", '
        '"namespace": "buzzy-staging", "stable": "3.2.0", "new": "3.2.0", "steps": ['
        '{"kind": "validate", "suite": "smoke", "version": "3.2.0", "http": null, "person": null, '
        '"job": {"image": "buzzybuzz/smoke:2", "deadline_seconds": 60}}, '
        '{"kind": "validate", "suite": "health", "version": "3.2.0", '
        '"http": {"url": "https://example.com", "deadline_seconds": 30}}]}'
    )
    assert Plan.model_validate_json(text).digest == (
        "14fe9010e422ff7b3499dd6769180b93113fe0b027b4436f8a42ccc9728d0725"
    )


FILE = """
services: [{{name: buzzy-main, image: buzzybuzz/buzzy-main}}]
suites: {suites}
environments:
  staging: {{namespace: buzzy-staging, channel: C0STAGING, validate: {validate}}}
"""
SMOKE = "{smoke: {job: {image: 'buzzybuzz/smoke:2'}}}"


@pytest.mark.parametrize(
    ("suites", "validate", "said"),
    [
        (SMOKE, "[smok]", "environments.staging.validate[0]: is no suite of this file; did you mean smoke?"),
        (SMOKE, "[smoke, smoke]", "environments.staging.validate[1]: is in the list already; leave it out"),
        ("{smoke: {}}", "[]", "suites.smoke: needs one of job, http, metric and person"),
        (
            "{acceptance: {person: {question: 'Is it good?'}}}",
            "[]",
            "suites.acceptance.person.by: is missing; write by: [S0QA]",
        ),
        (
            "{unit: {http: {url: 'https://ci/{version}', field: a}}}",
            "[]",
            "suites.unit.http: needs field and one of equals, at_least and at_most, or none of them",
        ),
        (
            "{unit: {http: {url: 'https://ci/', field: a..b, equals: x}}}",
            "[]",
            (
                "suites.unit.http.field: must be the names of fields, with dots between them; such as "
                "tests.result"
            ),
        ),
        (
            "{unit: {http: {url: 'https://ci/{name}'}}}",
            "[]",
            "suites.unit.http.url: is no address, such as https://ci.example.com/results/{version}.json",
        ),
        (
            "{apdex: {metric: {name: user_experience, at_least: 85%}}}",
            "[apdex]",
            (
                "environments.staging.validate[0]: needs metrics, and it is not said where those are; write "
                "prometheus: {address: http://…}, there or at the top of the file"
            ),
        ),
        (
            "{apdex: {metric: {name: user_experience}}}",
            "[]",
            "suites.apdex.metric: needs one of at_least and at_most, such as at_most: 250ms",
        ),
        (
            "{apdex: {metric: {name: user_experience, at_least: 85%, promql: x}}}",
            "[]",
            "suites.apdex.metric: needs one of name and promql",
        ),
        (
            "{speed: {metric: {name: latency_p95, at_most: 20%}}}",
            "[]",
            "suites.speed.metric: has a limit that is not in the metric's unit: write it like 500ms",
        ),
        (
            "{speed: {metric: {name: latency_p95, at_most: 1.3x}}}",
            "[]",
            (
                "suites.speed.metric: has a limit against the version before, which only a monitor knows: "
                "write a value"
            ),
        ),
        (
            "{recovery: {job: {image: 'x/restore:1', backup: newest}}}",
            "[recovery]",
            (
                "environments.staging.validate[0]: needs backups to restore; write database.backup, or leave "
                "it out"
            ),
        ),
        (
            "{unit: {http: {url: 'https://a:b@ci/'}}}",
            "[]",
            "suites.unit.http.url: has a login in it: results are read without one",
        ),
    ],
)
def test_problems_of_suites(suites: str, validate: str, said: str) -> None:
    """Each is one line, with what to write."""
    with pytest.raises(ConfigError) as caught:
        parse_config(FILE.format(suites=suites, validate=validate))
    assert str(caught.value) == said


def test_suites_of_what_is_prepared_are_those_of_the_file() -> None:
    """They are named where a blue-green release is described."""
    text = FILE.format(suites="{smoke: {job: {image: x/smoke}}}", validate="[]")
    text = text.replace("validate: []", "blue_green: {validate: [smok]}")
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    said = "environments.staging.blue_green.validate[0]: is no suite of this file; did you mean smoke?"
    assert str(caught.value) == said


def test_nothing_is_measured_of_what_nobody_uses_yet() -> None:
    """A metric before a release would be of another version."""
    suites = "{apdex: {metric: {name: user_experience, at_least: 85%}}}"
    text = FILE.format(suites=suites, validate="[]").replace("validate: []", "before: [apdex]")
    with pytest.raises(ConfigError, match=r"before\[0\]: is measured while a version is used, .* of"):
        parse_config(text)


def test_nobody_can_sign_off_what_is_not_there_yet() -> None:
    """A person's suite before a release is a mistake: a checklist has items for that."""
    suites = "{acceptance: {person: {question: 'Good?', by: [S0QA]}}}"
    text = FILE.format(suites=suites, validate="[]").replace("validate: []", "before: [acceptance]")
    with pytest.raises(
        ConfigError, match=r"staging\.before\[0\]: is for a person, .* an item of the checklist"
    ):
        parse_config(text)


ALICE = Person(id="U0ALICE", name="alice")


@pytest.mark.requirement("T4")
def test_a_validation_runs_the_suites_of_its_environment_or_one() -> None:
    """Nobody has to agree; where there are none, it says what to write; a lock lets it pass."""
    config = parse_config(FILE.format(suites=SMOKE, validate="[smoke]"))
    none = parse_config(FILE.format(suites=SMOKE, validate="[]"))
    now = datetime(2026, 3, 1, tzinfo=UTC)
    asked = policy.request(grammar.Validate("staging"), config.environment("staging"), ALICE, now)
    assert isinstance(asked, e.ReleaseRequested)
    assert (asked.kind, asked.suites, asked.approval) == ("validation", ("smoke",), None)
    named = policy.request(grammar.Validate("staging", "smoke"), none.environment("staging"), ALICE, now)
    assert isinstance(named, e.ReleaseRequested)
    refused = policy.request(grammar.Validate("staging"), none.environment("staging"), ALICE, now)
    assert isinstance(refused, Refusal)
    assert "environments.staging.validate" in refused.hint
    lock = Closure(kind="lock", place="staging", by=BOB, reason="audit", at=now, claim="x")
    assert pass_by(Traveller("validation", "U0ALICE"), "staging", (lock,)) == ()


@pytest.mark.requirement("T4", "C2")
def test_a_validation_is_told_as_one() -> None:
    """Its message, thread and history speak of suites, not of a release; it waits behind what moves."""
    step = Validate(suite="smoke", version="3.2.0", job=Task(image="buzzybuzz/smoke:2", deadline_seconds=60))
    made = plan(kind="rollback").model_copy(
        update={"kind": "validation", "steps": (step,), "stable": "3.2.0", "new": "3.2.0"}
    )
    teller = Teller(made)
    asked = e.ReleaseRequested(
        at=MONDAY,
        kind="validation",
        environment="staging",
        version=None,
        strategy="rolling",
        suites=("smoke",),
        by=BOB,
        channel="C0STAGING",
        approval=None,
    )
    teller.happens(asked)
    first = thread_message(teller.release(), asked, "buzzy")
    assert first is not None
    assert "asked for a validation of buzzy" in read(first)
    teller.planned()
    proposed = thread_message(teller.release(), teller.events[-1], "buzzy")
    assert proposed is not None
    assert "suite smoke" in read(proposed)
    assert "Way back" not in read(proposed)
    assert queue_of(teller.release()) == "validation"
    teller.approved().happens(e.ReleaseStarted(at=MONDAY), e.StepStarted(at=MONDAY, index=0))
    assert "running the suite smoke" in read(release_message(teller.release(), "buzzy"))
    teller.happens(e.StepFinished(at=MONDAY, index=0, changed=True), e.ReleaseFinished(at=MONDAY))
    shown = read(release_message(teller.release(), "buzzy"))
    assert "R42 · validation of buzzy 3.2.0 · staging — passed in" in shown
    assert "suites smoke" in shown
    assert "Roll back" not in shown
    assert "Suite smoke: buzzybuzz/smoke:2" in read(plan_message(made))
    known = EnvironmentNow("staging", None, None, (teller.release(),))
    told = read(history_message((known,), MONDAY, ending="."))
    assert "🔎 3.2.0" in told
    assert "passed" in told


ASKED = e.SignOffAsked(
    at=MONDAY, index=0, question="Is it good?", by=("S0QA",), expires_at=MONDAY + timedelta(hours=24)
)
QA = Person(id="U0ERIN", name="erin", groups=frozenset({"S0QA"}))
SOON, LATE = MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=25)


def signing() -> Teller:
    """A validation that waits for a person."""
    person = PersonCheck(question="Is it good?", by=("S0QA",), expires_seconds=24 * 3600)
    step = Validate(suite="acceptance", version="3.2.1", person=person)
    made = plan().model_copy(update={"steps": (step,)})
    teller = Teller(made).asked().planned().approved()
    return teller.happens(e.ReleaseStarted(at=MONDAY), e.StepStarted(at=MONDAY, index=0), ASKED)


@pytest.mark.requirement("T2")
def test_whoever_is_asked_signs_off_or_not() -> None:
    """By button, reaction or line; others are told who may; too late is too late."""
    release = signing().release()
    assert release.state is State.SIGNING
    yes = approval.approve(release, QA, SOON, via="button", digest=None)
    assert isinstance(yes, tuple)
    (signed,) = yes
    assert isinstance(signed, e.SignedOff)
    no = approval.refuse(release, QA, SOON, via="command")
    assert isinstance(no, tuple)
    assert isinstance(no[0], e.SignOffRefused)
    other = approval.approve(release, ALICE, SOON, via="button", digest=None)
    assert isinstance(other, Refusal)
    assert other.who == ("S0QA",)
    guest = Person(id="U0ERIN", name="erin", standing=Standing.GUEST, groups=frozenset({"S0QA"}))
    assert isinstance(approval.approve(release, guest, SOON, via="button", digest=None), Refusal)
    assert isinstance(approval.approve(release, QA, LATE, via="button", digest=None), Refusal)
    assert gates.settle(release, SOON) == ()
    assert isinstance(gates.settle(release, LATE)[0], e.SignOffExpired)


@pytest.mark.requirement("T2", "C2")
def test_the_question_stands_on_the_message_with_its_buttons() -> None:
    """Who is asked what, until when; a new post in the thread mentions them."""
    release = signing().release()
    shown = read(release_message(release, "buzzy"))
    assert "waiting for a sign-off" in shown
    assert "⬜ @S0QA: “Is it good?” · until <2026-11-24 14:00 UTC>" in shown
    assert "[ Sign off ] [ Reject ] [ Plan ] [ Abort ]" in shown
    line = thread_message(release, ASKED, "buzzy")
    assert line is not None
    assert "@S0QA: “Is it good?”" in read(line)
    told: list[e.Event] = [
        e.SignedOff(at=SOON, index=0, by=BOB, via="button"),
        e.SignOffRefused(at=SOON, index=0, by=BOB, via="button"),
        e.SignOffExpired(at=LATE, index=0),
    ]
    for event, says in zip(
        told, ("signed it off", "did not sign it off", "Nobody signed it off"), strict=True
    ):
        said = thread_message(signing().happens(event).release(), event, "buzzy")
        assert said is not None
        assert says in read(said)
