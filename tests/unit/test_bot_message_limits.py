"""Whatever people, pods and configurations say: Slack takes the message, and mentions only who is meant."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.messages import Message
from bot.messages.alert import alert_message, evidence_message, resolved_message
from bot.messages.audience import end_message, start_message
from bot.messages.checklist import checklist_message
from bot.messages.history import history_message
from bot.messages.notices import notice_message
from bot.messages.parts import escape, fit, monospace
from bot.messages.plan import plan_message, release_plan_message
from bot.messages.refusals import note, refusal_message
from bot.messages.release import release_message
from bot.messages.status import EnvironmentNow, status_message
from bot.messages.thread import thread_message
from bot.relay.story import Tale, tale_of
from releases import events as e
from releases.checklist import Item, Outcome
from releases.identifying import Identify, Suspect
from releases.monitoring import Monitor, Reading, Trigger, Unit, Verdict
from releases.notices import Tripped
from releases.plan import Plan
from releases.policy import Refusal
from releases.snapshot import RevisionSeen, Snapshot
from releases.standby import Drift
from sandbox.workspace.blocks import check_message
from tests.unit.bot_reading import elements
from tests.unit.bot_tales import ALICE, BOB, CAROL, MONDAY, TWO_APPROVALS, Teller, plan, roll_out, seen

NASTY = [
    "<!here>",
    "<@U0BOB>",
    "<!subteam^S0ONCALL>",
    "@channel",
    "```",
    "*bold*",
    "<http://evil|x>",
    "`",
    "&lt;",
    "\n",
]
words = st.lists(st.sampled_from(NASTY) | st.text(min_size=1, max_size=40), min_size=1, max_size=60).map(
    " ".join
)
long_words = st.builds(lambda text, times: text * times, words, st.sampled_from([1, 10, 300]))
names = st.from_regex(r"[a-z]([a-z0-9-]{0,60}[a-z0-9])?", fullmatch=True)
OURS = {"U0ALICE", "U0BOB", "U0CAROL", "S0APPROVERS", "S0ONCALL"}
LIMITS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

evidence = st.builds(
    e.Evidence,
    service=names,
    pod=st.none() | names,
    reason=words,
    message=long_words,
    log=words.map(lambda text: (text,) * 40),
    events=words.map(lambda text: (text,) * 20),
)


checklist_items = st.builds(
    Item,
    name=words.map(lambda text: text[:60]),
    outcome=st.sampled_from(Outcome),
    evidence=long_words,
    fix=long_words,
    by=st.lists(st.sampled_from(["U0BOB", "S0APPROVERS"]), max_size=9).map(tuple),
    stops=st.booleans(),
)


units: st.SearchStrategy[Unit] = st.sampled_from(get_args(Unit))


class Told:
    """A tale that pytest prints short."""

    def __init__(self, tale: Tale) -> None:
        """Holds it."""
        self.tale = tale

    def __repr__(self) -> str:
        return f"<{len(self.tale.events)} events>"


@st.composite
def tales(draw: st.DrawFn) -> Told:
    """A release of any size, with anything in the places where text from outside stands."""
    name = draw(names)
    services = tuple(f"{name[:50]}-{number}" for number in range(draw(st.sampled_from([1, 4, 13, 35]))))
    warnings = (draw(long_words),) * draw(st.integers(0, 12))
    items = tuple(draw(st.lists(checklist_items, max_size=7, unique_by=lambda item: item.name)))
    more = [each.model_copy(update={"name": f"{n} {each.name}"[:60]}) for n in range(3) for each in items]
    planned = plan(services=services, stable=draw(words), new=draw(words), warnings=warnings)
    planned = planned.model_copy(update={"checklist": (*items, *more), "notes": "https://example.com/"})
    teller = Teller(planned, TWO_APPROVALS).asked(reason=draw(long_words)).planned(because=draw(long_words))
    for each in planned.checklist[:3]:
        teller.happens(e.ItemTicked(at=teller.now, by=BOB, item=each.name, digest=planned.digest))
    lines = (draw(long_words),) * 20
    teller.happens(
        e.NotesRead(at=teller.now, url="https://example.com/", lines=lines, problem=draw(st.just("") | words))
    )
    teller.approved(BOB, CAROL).started(steps=draw(st.integers(0, len(services))))
    index = teller.release().next_index or 0
    teller.begins(index, *(seen(each, 1, state=draw(words)) for each in services[:3]))
    if draw(st.booleans()):
        teller.happens(e.Interrupted(at=teller.now, found=draw(long_words)))
    reason, at = draw(long_words), teller.now
    teller.happens(
        e.StepFailed(
            at=at, index=index, reason=reason, evidence=tuple(draw(st.lists(evidence, max_size=2)) * 3)
        ),
        e.ReleaseFailed(at=at, reason=reason, changed=services),
    )
    return Told(tale_of("R42", teller.events))


@st.composite
def watched_tales(draw: st.DrawFn) -> Told:
    """A release that is watched by any number of triggers, which say anything, and that goes back or asks."""
    triggers = tuple(
        Trigger(kind="query", name=f"{n} {draw(names)}", above=draw(st.floats(0, 1e12)), unit=draw(units))
        for n in range(draw(st.sampled_from([1, 5, 20])))
    )
    made = plan()
    watch = Monitor(window_seconds=900, every_seconds=30, triggers=triggers, deployments={}, names={})
    made = made.model_copy(update={"steps": (*made.steps, watch), "on_failure": "rollback"})
    teller = Teller(made).asked().planned().approved().started(steps=len(made.steps) - 1)
    last = len(made.steps) - 1
    readings = tuple(
        Reading(
            trigger=each.name,
            verdict=draw(st.sampled_from(Verdict)),
            value=draw(st.none() | st.floats(-1e12, 1e12)),
            before=draw(st.none() | st.floats(0, 1e12)),
            why=draw(words),
        )
        for each in triggers
    )
    told = tuple(each.name for each in triggers)
    teller.begins(last).happens(e.Monitored(at=teller.now, index=last, readings=readings, news=told))
    because, proof = draw(long_words), tuple(draw(st.lists(evidence, max_size=2)) * 3)
    if draw(st.booleans()):
        teller.happens(
            e.DecisionAsked(at=teller.now, index=last, because=because, evidence=proof),
            e.DecisionReminded(at=teller.now),
            e.MonitorSettled(at=teller.now, by=BOB, via="button"),
            e.ReleaseFinished(at=teller.now),
        )
    else:
        back = teller.release().way_back()
        teller.happens(
            e.StepFailed(at=teller.now, index=last, reason=because, evidence=proof),
            e.TurnedBack(at=teller.now, steps=back, because=because, by_itself=True),
        )
    return Told(tale_of("R42", teller.events))


def check(message: Message) -> None:
    """Slack takes it, and only who is meant is mentioned."""
    check_message(message.payload()["blocks"])
    assert 0 < len(message.text) < 1_000
    # What stands between `<` and `>` would be markup: there is none but what we made of it.
    assert not re.search(r"[<>]", message.text)
    assert not re.search(r"@(?:here|channel|everyone)", message.text)
    for each in elements(message):
        match each.get("type"):
            case "user":
                assert each["user_id"] in OURS
            case "usergroup":
                assert each["usergroup_id"] in OURS
            case "link":
                assert each["url"] == "https://example.com/"
            case "text":
                assert each["text"], "Slack refuses a text without text"
            case "rich_text" | "rich_text_section":
                assert each["elements"]
            case "mrkdwn" | "broadcast":
                pytest.fail("text in a message of ours is never markup, and never for everybody")


@LIMITS
@given(told=tales())
@pytest.mark.requirement("C2")
def test_any_release_at_any_moment_is_a_message_that_slack_takes(told: Told) -> None:
    """Message, thread, plan and alert, after each event."""
    tale = told.tale
    for state, event in zip(tale.states, tale.events, strict=True):
        check(release_message(state, "buzzy"))
        line = thread_message(state, event, "buzzy")
        if line is not None:
            check(line)
    release = tale.release
    assert release.plan is not None
    check(release_plan_message(release, release.plan))
    check(checklist_message(release))
    check(start_message(release, "buzzy", "https://example.com/"))
    check(end_message(release, "buzzy", "https://example.com/"))
    check(alert_message(release, "buzzy", "S0ONCALL", "https://example.com/"))
    check(resolved_message(release, "buzzy", release, "https://example.com/"))
    if (why := evidence_message(release)) is not None:
        check(why)


@LIMITS
@given(told=watched_tales())
@pytest.mark.requirement("M1", "X8")
def test_any_watched_release_is_a_message_that_slack_takes(told: Told) -> None:
    """Whatever is measured and whoever has named it, in message, thread, plan and alert."""
    for state, event in zip(told.tale.states, told.tale.events, strict=True):
        check(release_message(state, "buzzy"))
        line = thread_message(state, event, "buzzy")
        if line is not None:
            check(line)
    release = told.tale.release
    check(alert_message(release, "buzzy", "S0ONCALL", "https://example.com/"))
    check(resolved_message(release, "buzzy", release, "https://example.com/"))


@LIMITS
@given(text=long_words, count=st.sampled_from([1, 4, 35]), warnings=st.integers(0, 12))
def test_any_issue_that_is_identified_is_a_message_that_slack_takes(
    text: str, count: int, warnings: int
) -> None:
    """However much has changed, and whatever the services and the people are called."""
    suspect = Suspect(
        service=text[:60],
        goes=text[:100],
        runs=text[:100],
        changes=(text,) * 12,
        configuration=((text, text),),
        by=text,
    )
    step = Identify(target=text, suspects=(suspect,) * count, migrations=(text,) * count)
    made = plan(kind="rollback", warnings=(text,) * warnings)
    made = made.model_copy(update={"steps": (step, *made.steps)})
    teller = Teller(made, TWO_APPROVALS).asked(reason=text).planned().approved(BOB, CAROL).started(steps=0)
    teller.begins(0)
    found = e.StepFinished(at=teller.now, index=0, changed=False, result=text, log=tuple(step.lines()))
    teller.happens(found)
    tale = tale_of("R42", teller.events)
    for state, event in zip(tale.states, tale.events, strict=True):
        if (told := thread_message(state, event, "buzzy")) is not None:
            check(told)
    check(release_plan_message(teller.release(), made))


@LIMITS
@given(text=long_words, pods=st.lists(evidence, max_size=6))
def test_any_late_alert_is_a_message_that_slack_takes(text: str, pods: list[e.Evidence]) -> None:
    """With the words of pods, a metric's name of somebody's own, and names of any length."""
    alert = Tripped(
        at=MONDAY,
        channel="C0ONCALL",
        environment=text[:60],
        release="R42",
        version=text,
        stable=text,
        released_at=MONDAY,
        trigger=text,
        reason=text,
        on_call="S0ONCALL",
        evidence=tuple(pods),
    )
    check(notice_message(alert))


@LIMITS
@given(
    names=st.lists(names, min_size=1, max_size=6, unique=True),
    services=st.integers(0, 40),
    text=words,
    problem=st.none() | long_words,
)
def test_any_answer_is_a_message_that_slack_takes(
    names: list[str], services: int, text: str, problem: str | None
) -> None:
    """Status and history, of one environment and of many, whatever was seen in them."""
    teller = Teller(plan(new=text[:100])).asked(reason=text).planned().approved().started(steps=6)
    release = teller.happens(e.ReleaseFinished(at=teller.now)).release()
    revisions = tuple(
        RevisionSeen(
            service=f"s{n}",
            revision=n,
            image=text,
            version=None,
            release="R42" if n % 2 else None,
            cause=text,
            created_at=MONDAY,
            serving=False,
        )
        for n in range(services)
    )
    snapshot = Snapshot(
        environment="staging",
        at=MONDAY,
        services=tuple(seen(f"service-{n}", 1, version=text, state=text) for n in range(services)),
        revisions=revisions,
        problem=problem,
    )
    drift = Drift(f"behind {text}", MONDAY)
    known = tuple(
        EnvironmentNow(name, snapshot, release, (release,) * 10, (text,) * 3, drift) for name in names
    )
    now = MONDAY + timedelta(minutes=3)
    check(status_message(known, now, ending="As seen 3 min ago."))
    check(history_message(known, now, ending="As seen 3 min ago."))


@LIMITS
@given(text=long_words, services=st.lists(names, min_size=1, max_size=3).map(lambda some: some * 10))
def test_any_plan_and_refusal_is_a_message_that_slack_takes(text: str, services: list[str]) -> None:
    """A dry run of thirty services, and a refusal with somebody's words in it."""
    rollouts = tuple(roll_out(name, "3.2.0", text[:200]) for name in services)
    planned: Plan = plan().model_copy(update={"steps": rollouts, "warnings": (text,) * 10})
    check(plan_message(planned, copy=text))
    who = ("S0APPROVERS", "U0BOB")
    check(refusal_message(Refusal(text, text, who=who, copy=text)))
    check(refusal_message(Refusal(text, text, where=("C0STAGING",) * 9, ready_at=MONDAY)))
    refused = e.PlanRefused(at=MONDAY, reason=text, hint=text, ready_at=MONDAY, who=who)
    tale = tale_of("R42", Teller().asked().happens(refused).events)
    check(release_message(tale.release, "buzzy"))
    line = thread_message(tale.release, refused, "buzzy")
    assert line is not None
    check(line)
    check(note(text, copy=text))


@given(text=words)
def test_the_sentence_in_notifications_has_no_markup(text: str) -> None:
    """Formatting, links, mentions: nothing of it survives, and what is read stays the same."""
    harmless = escape(text)
    assert not re.search(r"[<>*_~`]", harmless)
    assert "://" not in harmless
    assert not re.search(r"@\w", harmless)


def test_lines_that_do_not_fit_are_counted() -> None:
    """At the end; of a log, at its beginning, because its last lines say why."""
    rows = [f"line {number}" for number in range(100)]
    assert fit(rows, 10_000) == rows
    kept = fit(rows, 100)
    assert kept[0] == "line 0"
    assert kept[-1] == f"… {100 - len(kept) + 1} more lines"
    assert fit(rows, 100, keep_end=True)[-1] == "line 99"
    assert sum(len(row) + 1 for row in kept) <= 100
    assert monospace([]) is None


def test_who_asked_is_mentioned_by_id_and_named_in_the_sentence() -> None:
    """A notification has no mentions: it has the name."""
    tale = tale_of("R42", Teller().asked().events)
    line = thread_message(tale.release, tale.events[0], "buzzy")
    assert line is not None
    assert line.text.startswith(f"📝 {ALICE.name} asked for")
