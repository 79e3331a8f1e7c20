"""The clock of a gate, and the moment before a start, by a clock that the tests hold in their hands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from releases import approval, gates, policy, steering
from releases import events as e
from releases.config import Environment, parse_config
from releases.lifecycle import Release, State, apply, fold
from releases.people import Person, Standing
from releases.plan import Plan
from releases.policy import Refusal
from releases.version import ReleaseType

T0 = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALICE = Person("U0ALICE", "alice")
BOB = Person("U0BOB", "bob", groups=frozenset({"S0APPROVERS"}))
CAROL = Person("U0CAROL", "carol", groups=frozenset({"S0APPROVERS"}))
DAN = Person("U0DAN", "dan", groups=frozenset({"S0APPROVERS"}))
PEOPLE = {each.id: each for each in (ALICE, BOB, CAROL, DAN)}
PLAN = Plan(
    kind="release",
    application="buzzy",
    environment="production",
    namespace="buzzy-production",
    strategy="rolling",
    stable="3.2.0",
    new="3.2.1",
    type=ReleaseType.PATCH,
    steps=(),
)
OTHER = PLAN.model_copy(update={"new": "3.2.2"})


def production(approval: str, *more: str) -> Environment:
    """An environment with this rule and these lines, and somebody on call."""
    lines = ("approval: {" + approval + "}", "alerts: {critical: C0ONCALL}", *more)
    text = "services: [{name: buzzy-main, image: buzzybuzz/buzzy-main}]\nenvironments:\n  production:\n"
    text += "    namespace: buzzy-production\n    channel: C0RELEASES\n"
    return parse_config(text + "".join(f"    {line}\n" for line in lines)).environment("production")


DEFAULT = production("quorum: 2, from: [S0APPROVERS], expires: 4h")


def waiting(environment: Environment = DEFAULT, plan: Plan = PLAN) -> Release:
    """A release whose plan waits since T0."""
    requested = e.ReleaseRequested(
        at=T0,
        kind="release",
        environment="production",
        version="3.2.1",
        strategy="rolling",
        by=ALICE.actor,
        channel="C0RELEASES",
        approval=policy.needed(environment),
        approval_by_type=policy.needed_by_type(environment),
        grace_seconds=policy.grace(environment),
        grace_by_type=policy.grace_by_type(environment),
    )
    return fold("R7", [requested, e.PlanProposed(at=T0, plan=plan)])


def after(release: Release, happened: Iterable[e.Event]) -> Release:
    """The release after more events."""
    for event in happened:
        release = apply(release, event)
    return release


def yes(release: Release, *people: Person, at: datetime = T0) -> Release:
    """The release after these people's yes."""
    for who in people:
        outcome = approval.approve(release, who, at, via="reaction", digest=None)
        assert not isinstance(outcome, Refusal), outcome
        release = after(release, outcome)
    return release


def names(happened: Iterable[e.Event]) -> list[str]:
    """What happened, by name."""
    return [event.event for event in happened]


def looked(release: Release, *hours: float) -> list[list[str]]:
    """What a worker writes that looks at these hours after the plan."""
    written = []
    for each in hours:
        happened = gates.settle(release, T0 + each * HOUR)
        written.append(names(happened))
        release = after(release, happened)
    return written


# -- a release that waits --------------------------------------------------------------------------


@pytest.mark.requirement("X2")
def test_a_gate_reminds_then_tells_on_call_then_expires_each_once() -> None:
    """At half and at three quarters of the time that there is, however often it is looked."""
    assert looked(waiting(), 0, 1.99, 2, 2, 2.5, 3, 3, 3.99, 4, 4) == [
        *([], [], ["gate_reminded"], [], [], ["gate_escalated"], [], [], ["release_expired"], []),
    ]


@pytest.mark.requirement("X2")
def test_after_a_long_night_without_workers_nothing_is_told_twice_or_too_late() -> None:
    """What became due meanwhile is told together; what is over is over."""
    assert looked(waiting(), 3.5, 3.6) == [["gate_reminded", "gate_escalated"], []]
    assert looked(waiting(), 5) == [["release_expired"]]


@pytest.mark.requirement("X2")
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("expires: 1h", (30, 45)),
        ("expires: 4h, remind: 10m", (10, 180)),
        ("expires: 4h, remind: off, escalate: 1h30m", (None, 90)),
        ("expires: 4h, remind: off, escalate: off", (None, None)),
        ("expires: 4h, patch: {expires: 40m}", (20, 30)),
        ("expires: 4h, patch: {remind: off, escalate: 5m}", (None, 5)),
    ],
)
def test_when_is_the_rule_of_the_environment_and_of_the_type(
    rule: str, expected: tuple[int | None, int | None]
) -> None:
    """Relative to when it expires, unless it is said; off is never."""
    release = waiting(production(f"quorum: 2, from: [S0APPROVERS], {rule}"))
    due = [None if at is None else (at - T0) // timedelta(minutes=1) for at in gates.clock(release)]
    assert tuple(due) == expected


@pytest.mark.requirement("X2")
def test_where_nobody_is_told_of_trouble_nobody_is_told_of_a_gate() -> None:
    """Without alerts there is no channel for it; the approvers are reminded all the same."""
    quiet = DEFAULT.model_copy(update={"alerts": None})
    assert looked(waiting(quiet), 2, 3, 4) == [["gate_reminded"], [], ["release_expired"]]


@pytest.mark.requirement("X2")
def test_what_people_say_in_between_changes_what_is_due() -> None:
    """All there: nothing is due. Taken back: the clock goes on from the plan, and repeats nothing."""
    agreed = yes(waiting(), BOB, CAROL, at=T0 + HOUR)
    assert looked(agreed, 2, 3, 5) == [[], [], []]
    back = after(agreed, gates.taken_back(agreed, [e.ApprovalWithdrawn(at=T0, by=BOB.actor)], T0))
    assert looked(back, 1, 2.1, 3.1, 4) == [[], ["gate_reminded"], ["gate_escalated"], ["release_expired"]]
    reminded = after(waiting(), gates.settle(waiting(), T0 + 2 * HOUR))
    again = yes(reminded, BOB, CAROL, at=T0 + 2.1 * HOUR)
    again = after(again, gates.taken_back(again, [e.ApprovalWithdrawn(at=T0, by=BOB.actor)], T0))
    assert looked(again, 2.5, 3) == [[], ["gate_escalated"]]
    refused = approval.refuse(waiting(), BOB, T0, via="reaction")
    assert isinstance(refused, tuple)
    assert looked(after(waiting(), refused), 3, 5) == [[], []]


@pytest.mark.requirement("X2")
def test_another_plan_has_a_clock_of_its_own() -> None:
    """It was asked again: whoever is to answer has the whole time again."""
    reminded = after(waiting(), gates.settle(waiting(), T0 + 2 * HOUR))
    moved = e.ReplanRequested(at=T0 + 2 * HOUR, because="it moved")
    again = after(reminded, [moved, e.PlanProposed(at=T0 + 2 * HOUR, plan=OTHER)])
    assert looked(again, 3, 4, 5, 6) == [[], ["gate_reminded"], ["gate_escalated"], ["release_expired"]]


@pytest.mark.requirement("X2")
@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (None, ["gate_reminded", "gate_escalated"]),
        (T0 + 3 * HOUR, []),
        (T0 + 9 * HOUR, ["gate_reminded", "gate_escalated"]),
    ],
    ids=["nobody knows", "opens in time", "opens too late"],
)
def test_a_release_that_is_held_has_a_gate_as_well(until: datetime | None, expected: list[str]) -> None:
    """Its clock begins when it is held; who only has to wait is not told to do something."""
    rule = production("quorum: 2, from: [S0APPROVERS], expires: 4h, remind: 30m, escalate: 1h")
    reminded = after(waiting(rule), gates.settle(waiting(rule), T0 + HOUR / 2))
    held = after(
        yes(reminded, BOB, CAROL),
        [
            e.Approved(at=T0, digest=PLAN.digest),
            e.ReleaseHeld(at=T0 + HOUR, because="locked", until=until),
        ],
    )
    assert looked(held, 1.4) == [[]]
    told = [name for names_ in looked(held, 1.5, 2) for name in names_]
    assert told == expected
    assert looked(held, 4) == [["release_expired"]]


@pytest.mark.requirement("X2")
def test_records_of_earlier_versions_are_read_and_remind_nobody() -> None:
    """They say nothing of reminders or of a moment; the quorum approved there and then."""
    old = waiting().request.model_dump(mode="json", exclude={"grace_seconds", "grace_by_type"})
    for key in ("remind_seconds", "escalate_seconds"):
        del old["approval"][key]
    old["approval_by_type"] = {}
    text = e.load_event(e.ReleaseRequested.model_validate(old).model_dump_json())
    release = fold("R7", [text, e.PlanProposed(at=T0, plan=PLAN)])
    assert looked(release, 3, 4) == [[], ["release_expired"]]
    assert yes(release, BOB, CAROL).state is State.APPROVED


# -- the moment before the start -------------------------------------------------------------------


@pytest.mark.requirement("X5")
@pytest.mark.parametrize(
    ("rule", "more", "seconds"),
    [
        ("", (), 10),
        ("", ("grace: 1m",), 60),
        ("", ("grace: off",), 0),
        ("", ("grace: 0s",), 0),
        (", patch: {grace: off}", (), 0),
        (", patch: {grace: 20s}", ("grace: 1m",), 20),
        (", patch: {quorum: 0}", (), 0),
        (", patch: {quorum: 0}", ("grace: 5s",), 5),
        (", patch: {quorum: 0, grace: 7s}", (), 7),
    ],
)
def test_how_long_the_moment_is(rule: str, more: tuple[str, ...], seconds: int) -> None:
    """Ten seconds where somebody has to agree; as the environment or the type has it, if it says so."""
    environment = production(f"quorum: 2, from: [S0APPROVERS]{rule}", *more)
    assert waiting(environment).grace == timedelta(seconds=seconds)


@pytest.mark.requirement("X5")
def test_where_nobody_has_to_agree_there_is_no_moment_unless_it_is_asked_for() -> None:
    """Development goes at once."""
    open_ = DEFAULT.model_copy(update={"approval": None})
    assert policy.grace(open_) == 0
    assert policy.grace(open_.model_copy(update={"grace": timedelta(seconds=5)})) == 5


@pytest.mark.requirement("X5", "Q3")
def test_the_last_approval_begins_the_moment_and_nothing_is_approved_before_it_has_passed() -> None:
    """Not by the bot, and not by a worker that thinks the bot is dead."""
    release = yes(waiting(), BOB, CAROL)
    assert release.state is State.ABOUT_TO_START
    assert release.moment is not None
    assert release.moment.starts_at == T0 + timedelta(seconds=10)
    for seconds in (0, 5, 9.9):
        at = T0 + timedelta(seconds=seconds)
        assert confirmed(release, at) == ()
        assert gates.overdue(release, at) == ()
    assert names(confirmed(release, T0 + timedelta(seconds=10))) == ["approved"]


@pytest.mark.requirement("X5")
@pytest.mark.parametrize("who", [ALICE, DAN, Person("U0ERIN", "erin")], ids=["asker", "approver", "on call"])
def test_whoever_is_involved_can_stop_it_in_the_moment(who: Person) -> None:
    """Who asked, who may approve, who may abort; nothing was changed."""
    release = yes(waiting(), BOB, CAROL)

    def allowed(person: Person) -> Refusal | None:
        return None if person.id == "U0ERIN" else Refusal("by others")

    outcome = steering.abort(release, who, T0, None, allowed=allowed)
    assert isinstance(outcome, tuple)
    assert after(release, outcome).state is State.CANCELLED


@pytest.mark.requirement("X5", "C11")
def test_who_is_not_involved_cannot_and_approvers_can_no_more_once_it_has_started() -> None:
    """After the start the rule for aborts alone counts."""
    release = yes(waiting(), BOB, CAROL)

    def nobody(_: Person) -> Refusal | None:
        return Refusal("by others")

    assert isinstance(steering.abort(release, Person("U0SAM", "sam"), T0, None, allowed=nobody), Refusal)
    guest = Person("U0DAN", "dan", Standing.GUEST, frozenset({"S0APPROVERS"}))
    assert isinstance(steering.abort(release, guest, T0, None, allowed=nobody), Refusal)
    running = after(release, [e.Approved(at=T0, digest=PLAN.digest), e.ReleaseStarted(at=T0)])
    assert isinstance(steering.abort(running, DAN, T0, None, allowed=nobody), Refusal)


@pytest.mark.requirement("X5", "C3")
def test_a_no_in_the_moment_ends_it() -> None:
    """An approver who reacts with ❌ a second later is heard."""
    release = yes(waiting(), BOB, CAROL)
    outcome = approval.refuse(release, BOB, T0, via="reaction")
    assert isinstance(outcome, tuple)
    assert after(release, outcome).state is State.REFUSED


@pytest.mark.requirement("Q3", "C3")
@pytest.mark.parametrize("state", ["about to start", "approved", "held"])
def test_an_approval_taken_back_before_the_start_is_taken_back(state: str) -> None:
    """It waits for another again, and the next one begins a moment of its own."""
    release = yes(waiting(), BOB, CAROL)
    approved = e.Approved(at=T0, digest=PLAN.digest)
    ways: dict[str, list[e.Event]] = {
        "about to start": [],
        "approved": [approved],
        "held": [approved, e.ReleaseHeld(at=T0, because="locked")],
    }
    release = after(release, ways[state])
    assert release.state == state
    outcome = approval.withdraw(release, BOB, T0 + timedelta(seconds=3))
    assert isinstance(outcome, tuple)
    back = after(release, outcome)
    assert (back.state, back.approvals_missing) == (State.WAITING, 1)
    later = T0 + timedelta(minutes=5)
    again = yes(back, DAN, at=later)
    assert again.moment is not None
    assert again.moment.starts_at == later + timedelta(seconds=10)


@pytest.mark.requirement("Q3")
def test_with_one_more_than_enough_one_taken_back_stops_nothing() -> None:
    """The moment goes on as it was, with those who are left."""
    release = yes(waiting(), BOB, CAROL)
    surplus = release.approvals[0].__class__(by=DAN.actor, digest=PLAN.digest, via="button", at=T0)
    release = release.__class__(**{**vars(release), "approvals": (*release.approvals, surplus)})
    outcome = approval.withdraw(release, BOB, T0 + timedelta(seconds=3))
    assert isinstance(outcome, tuple)
    on = after(release, outcome)
    assert on.state is State.ABOUT_TO_START
    assert on.moment is not None
    assert on.moment.starts_at == T0 + timedelta(seconds=10)


def confirmed(
    release: Release, at: datetime, *, gone: Iterable[str] = (), people: dict[str, Person] | None = None
) -> tuple[e.Event, ...]:
    """What a bot writes that reads the approvals; `gone` are not on the message any more."""
    who = people or PEOPLE
    return gates.confirm(release, at, people=who.__getitem__, stands=lambda given: given.by.id not in gone)


@pytest.mark.requirement("Q3")
def test_what_was_agreed_to_earlier_is_read_again_also_without_a_moment() -> None:
    """Planned again with the same result, or held for a day: the yes of then is not the yes of now."""
    at_once = yes(waiting(production("quorum: 2, from: [S0APPROVERS]", "grace: off")), BOB, CAROL)
    assert at_once.state is State.APPROVED
    opened = after(at_once, [e.ReleaseHeld(at=T0, because="locked"), e.HoldEnded(at=T0 + 3 * HOUR)])
    again = after(opened, gates.go_once_read(opened, T0 + 3 * HOUR))
    assert again.state is State.ABOUT_TO_START
    assert names(confirmed(again, T0 + 3 * HOUR)) == ["approved"]
    assert names(confirmed(again, T0 + 3 * HOUR, gone=["U0BOB"])) == ["approval_withdrawn"]


@pytest.mark.requirement("Q1", "X5")
def test_a_dead_slack_stops_no_release_but_is_waited_for() -> None:
    """Half a minute after the moment the approvals on the record count, and it is said that they do."""
    release = yes(waiting(), BOB, CAROL)
    over = T0 + timedelta(seconds=10)
    assert gates.overdue(release, over + gates.CONFIRM - timedelta(seconds=1)) == ()
    [started] = gates.overdue(release, over + gates.CONFIRM)
    assert isinstance(started, e.Approved)
    assert started.unread
    assert after(release, [started]).state is State.APPROVED


@pytest.mark.requirement("X5")
def test_where_there_is_nothing_to_read_a_worker_starts_it_when_the_moment_has_passed() -> None:
    """Nobody had to agree, so nobody can have taken anything back."""
    environment = production("quorum: 2, from: [S0APPROVERS], patch: {quorum: 0, grace: 5s}")
    release = waiting(environment)
    release = after(release, gates.go_once_read(release, T0))
    assert release.state is State.ABOUT_TO_START
    assert gates.overdue(release, T0 + timedelta(seconds=4)) == ()
    [started] = gates.overdue(release, T0 + timedelta(seconds=5))
    assert started == e.Approved(at=T0 + timedelta(seconds=5), digest=PLAN.digest)


@pytest.mark.requirement("Q3")
def test_a_worker_that_comes_late_has_the_approvals_read_again_and_does_not_ask_for_ever() -> None:
    """All workers were dead for an hour; and a bot's clock that is behind makes no circle of it."""
    release = after(yes(waiting(), BOB, CAROL), [e.Approved(at=T0, digest=PLAN.digest)])
    assert gates.read_again(release, T0 + timedelta(seconds=59)) == ()
    late = T0 + HOUR
    again = after(release, gates.read_again(release, late))
    assert again.state is State.ABOUT_TO_START
    assert names(confirmed(again, late, gone=["U0CAROL"])) == ["approval_withdrawn"]
    behind = after(again, [e.Approved(at=late - 10 * HOUR, digest=PLAN.digest)])
    assert gates.read_again(behind, late + timedelta(seconds=1)) == ()


@pytest.mark.requirement("Q3")
def test_a_moment_whose_approvals_are_missing_plans_again_instead_of_starting() -> None:
    """It cannot come to that; if it did, nothing would start that nobody agreed to."""
    release = yes(waiting(), BOB, CAROL)
    bare = release.__class__(**{**vars(release), "approvals": release.approvals[:1]})
    over = T0 + HOUR
    assert names(confirmed(bare, over)) == ["replan_requested"]
    assert names(gates.overdue(bare, over)) == ["replan_requested"]
    assert after(bare, confirmed(bare, over)).state is State.REQUESTED
