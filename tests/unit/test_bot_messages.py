"""What a release's message, thread and alert say, state by state."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.messages.alert import alert_message, evidence_message, resolved_message
from bot.messages.bars import bars
from bot.messages.presses import Press
from bot.messages.release import release_message
from bot.messages.thread import thread_message
from bot.relay.story import tale_of
from releases import events as e
from releases.lifecycle import Release
from releases.version import ReleaseType
from tests.unit.bot_reading import button_labels, elements, read
from tests.unit.bot_tales import ALICE, BOB, CAROL, MONDAY, SERVICES, TWO_APPROVALS, Teller, crash, plan, seen


def shown(release: Release) -> list[str]:
    """The lines of a release's message."""
    return read(release_message(release, "buzzy")).split("\n")


def told(teller: Teller) -> list[str]:
    """What the thread says, a text for each post."""
    tale = tale_of("R42", teller.events)
    posts = (
        thread_message(state, event, "buzzy") for state, event in zip(tale.states, tale.events, strict=True)
    )
    return [read(post) for post in posts if post is not None]


@pytest.mark.requirement("C2")
def test_the_first_line_says_what_happens_and_who_is_wanted() -> None:
    """While it waits: what goes where, how many approvals are missing, of whom, and until when."""
    waiting = Teller(approval=TWO_APPROVALS).asked(reason="fix export").planned().approved(BOB).release()
    first, second, third, *rest = shown(waiting)
    assert first == "🟡 R42 · buzzy 3.2.0 → 3.2.1 · staging — waiting for 1 of 2 approvals"
    assert second == "patch · rolling · asked by @U0ALICE <2026-11-23 14:00 UTC> · “fix export”"
    approved, missing = third.split("   ")
    assert approved == "✅ @U0BOB <2026-11-23 14:00 UTC>"
    assert missing == "⬜ one more of @S0APPROVERS (not @U0ALICE) · expires <2026-11-23 18:00 UTC>"
    assert rest == [
        f"Plan #{plan().short_digest} · 6 steps · way back: 5 steps",
        "[ Approve ] [ Refuse ] [ Plan ]",
    ]


@pytest.mark.requirement("C2")
def test_a_bar_for_each_service_while_it_runs() -> None:
    """Done, under way and to come are told apart; the columns stand under one another."""
    running = Teller().asked().planned().approved().started(steps=2)
    running.begins(2, seen("buzzy-api", 2, state="1 starting"))
    lines = shown(running.release())
    assert lines[0].startswith("🔵 R42 · buzzy 3.2.0 → 3.2.1 · staging — service 2 of 4 · since ")
    assert lines[3:] == [
        "buzzy-main    ██████████ 3/3  3.2.1  healthy",
        "buzzy-api     ██████░░░░ 2/3  3.2.1  1 starting",
        "buzzy-files   ░░░░░░░░░░ 0/3  3.2.0",
        "buzzy-worker  ░░░░░░░░░░ 0/3  3.2.0",
        "[ Plan ] [ Pause ] [ Abort ]",
    ]


@pytest.mark.requirement("C2")
def test_a_release_that_is_done_says_how_long_it_took() -> None:
    """From its start to its end, not from when it was asked for."""
    teller = Teller().asked().planned().approved().passes(hours=1).started(steps=6)
    finished = e.ReleaseFinished(at=teller.events[3].at + timedelta(minutes=3, seconds=40))
    lines = shown(teller.happens(finished).release())
    assert lines[0] == "🟢 R42 · buzzy 3.2.1 · staging — released in 3 min 40 s"
    assert lines[2].startswith("4 of 4 services healthy · finished ")
    assert lines[-1] == "[ Roll back ]"


@pytest.mark.requirement("C2")
def test_a_failure_says_what_is_left_changed_and_offers_the_way_back() -> None:
    """The pods' reason on the message; which services stay as they are; one button."""
    teller = Teller().asked().planned().approved().started(steps=2).begins(2).happens(*crash(2))
    lines = shown(teller.release())
    assert lines[0] == "🔴 R42 · buzzy 3.2.0 → 3.2.1 · staging — failed at buzzy-api"
    assert "buzzy-api crashes at start (exit code 1)" in lines
    assert any("buzzy-main, buzzy-api were changed and left as they are" in line for line in lines)
    assert lines[-1] == "[ Retry ] [ Roll back ] [ Plan ]"


def test_an_abort_goes_back_and_says_so() -> None:
    """While it turns back, the services that are undone show what they come to run."""
    teller = Teller().asked().planned().approved().started(steps=2).begins(2)
    teller.happens(e.AbortRequested(at=teller.now, by=CAROL, reason="wrong version"))
    assert "🟠" in shown(teller.release())[0]
    back = teller.release().way_back()
    teller.happens(e.TurnedBack(at=teller.now, steps=back, because="carol stopped it"))
    teller.begins(6, seen("buzzy-api", 1, version="3.2.0", state="2 starting"))
    lines = shown(teller.release())
    assert "going back to 3.2.0, step 1 of 3" in lines[0]
    assert "buzzy-main    ░░░░░░░░░░ 0/3  3.2.1  to be undone" in lines
    assert "buzzy-api     ███░░░░░░░ 1/3  3.2.0  2 starting" in lines
    for index in (6, 7, 8):
        teller.ends(index)
    ended = teller.happens(e.RolledBack(at=teller.now)).release()
    assert "🟣 R42 · buzzy 3.2.0 → 3.2.1 · staging — stopped, and back at 3.2.0 in" in shown(ended)[0]


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ([e.ReleaseRefused(at=MONDAY, by=BOB, via="reaction")], "refused, nothing was changed"),
        ([e.ReleaseExpired(at=MONDAY)], "expired: nobody decided in time, nothing was changed"),
        (
            [e.AbortRequested(at=MONDAY, by=ALICE), e.ReleaseCancelled(at=MONDAY)],
            "cancelled, nothing was changed",
        ),
    ],
    ids=["refused", "expired", "cancelled"],
)
def test_an_end_without_a_change_says_that_nothing_was_changed(ends: list[e.Event], says: str) -> None:
    """And has no button left that could be pressed."""
    release = Teller(approval=TWO_APPROVALS).asked().planned().happens(*ends).release()
    assert shown(release)[0] == f"⚫ R42 · buzzy 3.2.0 → 3.2.1 · staging — {says}"
    assert button_labels(release_message(release, "buzzy")) == []


def test_what_cannot_be_done_says_why_and_what_to_do() -> None:
    """The refusal of the plan stands on the message."""
    refused = e.PlanRefused(at=MONDAY, reason="3.2.1 runs there already.", hint="Nothing to do.")
    lines = shown(Teller().asked().happens(refused).release())
    assert lines == [
        "⚫ R42 · buzzy 3.2.1 · staging — cannot be done, nothing was changed",
        "rolling · asked by @U0ALICE <2026-11-23 14:00 UTC>",
        "3.2.1 runs there already.",
        "Nothing to do.",
    ]


def test_a_rollback_is_called_one() -> None:
    """From the first line to the last word."""
    back = Teller(plan(stable="3.2.1", new="3.2.0", kind="rollback")).asked(kind="rollback")
    assert "⚪ R42 · rollback of buzzy · staging — being planned" in shown(back.release())[0]
    back.planned().approved().started(steps=6).happens(e.ReleaseFinished(at=back.now))
    assert "🟢 R42 · rollback of buzzy 3.2.1 → 3.2.0 · staging — rolled back in " in shown(back.release())[0]
    assert told(back)[0] == "📝 @U0ALICE asked for a rollback of buzzy"
    assert told(back)[-1].startswith("🟢 rolled back in ")
    assert told(back)[-1].endswith(": 3.2.1 → 3.2.0")


def test_thirty_services_fit_on_a_phone() -> None:
    """Those that stand still are counted; those that move or are ill are shown."""
    many = tuple(f"service-{number:02}" for number in range(30))
    teller = Teller(plan(services=many)).asked().planned().approved().started(steps=11)
    teller.begins(11, seen("service-10", 1, state="2 starting"))
    lines = shown(teller.release())
    assert "service-10  ███░░░░░░░ 1/3  3.2.1  2 starting" in lines
    assert "✔ 10 services done · 19 to come" in lines
    assert len(lines) < 10


@pytest.mark.requirement("C3")
def test_a_button_carries_the_plan_that_was_shown() -> None:
    """Approving is of one digest: the one on the message when it was pressed."""
    release = Teller(approval=TWO_APPROVALS).asked().planned().release()
    approve = next(
        each for each in elements(release_message(release, "buzzy")) if each.get("action_id") == "approve"
    )
    assert Press.read(approve["value"]) == Press(release="R42", digest=plan().digest)
    assert approve["style"] == "primary"
    assert Press.read("not ours") is None


@pytest.mark.requirement("C2")
def test_the_thread_tells_each_step_once_with_how_long_it_took() -> None:
    """Decisions with who made them, steps with their time, the end; starts and progress are no lines."""
    teller = Teller(approval=TWO_APPROVALS).asked(reason="fix export").planned().approved(BOB, CAROL)
    teller.started(steps=1).begins(1, seen("buzzy-main", 1)).ends(1)
    asked, planned, *rest = told(teller)
    digest = plan().short_digest
    assert asked == "📝 @U0ALICE asked for buzzy 3.2.1: “fix export”"
    assert planned.startswith(f"🗺️ Plan #{digest} · patch release · 6 steps\n1. configuration buzzy-3.2.1")
    assert "1. buzzy-worker to 3.2.0" in planned
    assert "⬜ Asks 2 of @S0APPROVERS (not @U0ALICE)" in planned
    assert rest == [
        f"✅ @U0BOB approved plan #{digest} · 1 of 2",
        f"✅ @U0CAROL approved plan #{digest} · 2 of 2, going ahead",
        "▶️ Started: everything is still as the plan saw it",
        "✔️ 1/6 configuration buzzy-3.2.1-1a2b3c · 10 s",
        "✔️ 2/6 buzzy-main to 3.2.1 · 20 s",
    ]


@pytest.mark.requirement("C2")
def test_the_thread_has_the_pods_own_words() -> None:
    """A failed step: its reason, the last lines of the log, the cluster's warnings."""
    teller = Teller().asked().planned().approved().started(steps=2).begins(2).happens(*crash(2))
    failed, end = told(teller)[-2:]
    assert failed.startswith("🔴 3/6 buzzy-api to 3.2.1 failed after ")
    assert "buzzy-api-7c9f-x2x1z · CrashLoopBackOff" in failed
    assert "Error: no such table: exports" in failed
    assert end.endswith("Failed: buzzy-main, buzzy-api are left as they are")


def test_pods_that_fail_alike_are_not_quoted_twice() -> None:
    """The second one is named; its last lines stand above."""
    failed, _ = crash(2)
    evidence = failed.evidence[0]
    other = evidence.model_copy(update={"pod": "buzzy-api-7c9f-other"})
    teller = Teller().asked().planned().approved().started(steps=2).begins(2)
    teller.happens(failed.model_copy(update={"evidence": (evidence, other)}))
    post = told(teller)[-1]
    assert "buzzy-api-7c9f-other" in post
    assert post.count("no such table") == 1
    assert "The same last lines as above." in post


def test_what_was_found_after_a_crash_is_told() -> None:
    """In the worker's own sentence."""
    teller = Teller().asked().planned().approved().started(steps=1)
    found = "The worker stopped at step 2; buzzy-main was already at 3.2.1; going on with step 3."
    assert told(teller.happens(e.Interrupted(at=teller.now, found=found)))[-1] == f"⚠️ {found}"


def test_an_alert_wakes_on_call_and_ends_when_somebody_put_it_right() -> None:
    """Mention, reason, what is changed, a way to the message, one button; later none."""
    failed = Teller().asked().planned().approved().started(steps=2).begins(2).happens(*crash(2)).release()
    alert = alert_message(failed, "buzzy", "S0ONCALL", "https://example.com/archives/C0STAGING/p1")
    assert read(alert).split("\n") == [
        "🚨 R42 · buzzy 3.2.0 → 3.2.1 · staging: failed at buzzy-api — @S0ONCALL",
        "buzzy-api crashes at start (exit code 1)",
        "Changed, and still so: buzzy-main, buzzy-api",
        "R42's message · asked by @U0ALICE · failed <2026-11-23 14:05 UTC>",
        "[ Roll back ]",
    ]
    evidence = evidence_message(failed)
    assert evidence is not None
    assert "no such table" in read(evidence)
    back = (
        Teller(plan(stable="3.2.1", new="3.2.0", kind="rollback")).asked(kind="rollback").planned().approved()
    )
    back.started(steps=6).happens(e.ReleaseFinished(at=back.now))
    resolved = resolved_message(failed, "buzzy", back.release("R43"), None)
    assert read(resolved).startswith("✅ R42")
    assert "Put right by R43: rollback of buzzy 3.2.1 → 3.2.0" in read(resolved)
    assert button_labels(resolved) == []


def test_an_alert_of_a_person_mentions_the_person() -> None:
    """`on_call` may be a person or a group."""
    failed = Teller().asked().planned().approved().started(steps=2).begins(2).happens(*crash(2)).release()
    assert "@U0ERIN" in read(alert_message(failed, "buzzy", "U0ERIN", None))
    assert "@" not in read(alert_message(failed, "buzzy", None, None)).split("\n")[0]


def test_the_services_of_the_tale_are_those_of_the_house() -> None:
    """The teller's plan covers every service, or the tests above would show less than they say."""
    assert plan().services == SERVICES


def test_a_failure_says_which_services_it_did_not_touch() -> None:
    """At three in the morning an empty bar would look like a service that is down."""
    failed = Teller().asked().planned().approved().started(steps=1).begins(1).happens(*crash(1, "buzzy-main"))
    untouched = [row for row in bars(failed.release()) if "not touched" in row]
    assert untouched
    assert not any("0/" in row or "░" in row for row in untouched)


@pytest.mark.requirement("B6")
def test_a_rollback_offers_neither_a_way_back_nor_a_button_to_go_back_further() -> None:
    """It is never rolled back in turn: neither by an abort nor by a second press."""
    rollback = plan().model_copy(update={"kind": "rollback", "type": None})
    waiting = Teller(rollback).asked(kind="rollback").planned()
    assert "way back" not in read(release_message(waiting.release(), "buzzy"))
    ended = waiting.approved().started(steps=len(rollback.steps))
    ended.happens(e.ReleaseFinished(at=ended.now))
    assert "Roll back" not in button_labels(release_message(ended.release(), "buzzy"))


@pytest.mark.requirement("S1", "S2")
def test_a_hurry_is_shown_beside_the_type_that_the_versions_say() -> None:
    """A security release that is a minor one is shown as both: its rules are those of a minor one."""
    teller = Teller(plan().model_copy(update={"type": ReleaseType.MINOR})).asked(reason="a leak")
    request = teller.events[0].model_copy(update={"urgency": "security"})
    teller.events[0] = request
    shown = read(release_message(teller.planned().release(), "buzzy"))
    assert "minor · security · rolling" in shown
    both = Teller(plan().model_copy(update={"type": ReleaseType.SECURITY})).asked(reason="a leak")
    both.events[0] = request
    assert "\nsecurity · rolling" in read(release_message(both.planned().release(), "buzzy"))


@pytest.mark.requirement("S3")
def test_what_cannot_be_done_yet_says_when_and_by_whom_it_can() -> None:
    """On the message and in the thread alike, and the line to copy is code."""
    refused = e.PlanRefused(
        at=MONDAY,
        reason="3.2.1 has run in staging for 4 h of the 1 d that production asks for.",
        hint="With `--hotfix` and a `--reason`, 1 h would do.",
        ready_at=MONDAY,
        who=("S0MANAGERS",),
    )
    release = Teller().asked().happens(refused).release()
    line = thread_message(release, refused, "buzzy")
    assert line is not None
    for shown in (read(release_message(release, "buzzy")), read(line)):
        assert "It will be ready <2026-11-23 14:00 UTC>. With --hotfix and a --reason, 1 h would do." in shown
        assert "It can be done by @S0MANAGERS." in shown
