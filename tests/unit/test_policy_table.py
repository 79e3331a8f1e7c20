"""Every combination of what is asked, where, in which state and by whom, against the rules in plain words.

The rules are stated a second time here, slowly and apart from the code: as questions about a person, an
environment and a release, each a few words long. Whatever the code lets pass has to pass here as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from bot.reactions import Reactions
from releases import approval, gates, grammar, policy, steering
from releases import events as e
from releases.config import Environment, Permission, parse_config
from releases.lifecycle import ENDED, Release, State, apply, fold
from releases.people import Person, Standing
from releases.plan import Plan, verification
from releases.policy import Refusal
from releases.version import ReleaseType, Urgency, Version, release_type
from tests.unit.bot_tales import roll_out

T0 = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
SOON, LATE = T0 + timedelta(minutes=1), T0 + timedelta(hours=5)

CONFIG = parse_config(
    """
    services: [{name: buzzy-main, image: buzzybuzz/buzzy-main}]
    environments:
      development: {namespace: a, channel: C0DEV}
      staging:
        namespace: b
        channel: C0STAGING
        approval: {quorum: 1, from: [S0APPROVERS], hotfix: {quorum: 0}}
        permissions: {release: {in: [C0STAGING]}, rollback: {from: [S0ONCALL]}}
      production:
        namespace: c
        channel: C0RELEASES
        approval:
          quorum: 2
          from: [S0APPROVERS]
          own_release: false
          major: {quorum: 3}
          hotfix: {quorum: 1, own_release: true, grace: off}
          security: {quorum: 1, from: [S0SECURITY]}
        grace: 30s
        permissions:
          release: {from: [U0ALICE, S0APPROVERS], in: [C0RELEASES]}
          promote: {from: [S0APPROVERS]}
          security: {from: [S0SECURITY]}
          abort: {from: [S0ONCALL]}
        alerts: {critical: C0ONCALL, on_call: S0ONCALL}
    """
)


def person(name: str, *groups: str, standing: Standing = Standing.MEMBER) -> Person:
    """Somebody."""
    return Person(f"U0{name.upper()}", name, standing, frozenset(groups))


APPROVER, SECURITY, ON_CALL = "S0APPROVERS", "S0SECURITY", "S0ONCALL"
EVERYTHING = (APPROVER, SECURITY, ON_CALL)
PEOPLE = (
    person("alice"),
    person("bob", APPROVER),
    person("dan"),
    person("erin", ON_CALL),
    person("sam", SECURITY),
    person("left"),  # was an approver until a minute ago
    *(
        person(f"x{standing}", *EVERYTHING, standing=standing)
        for standing in Standing
        if standing != "member"
    ),
    # Not even under the id of somebody whom the rules name.
    *(
        Person("U0ALICE", "alice", standing, frozenset(EVERYTHING))
        for standing in Standing
        if standing != "member"
    ),
)
CHANNELS = ("C0STAGING", "C0RELEASES", "C0GENERAL", None)
URGENCIES: tuple[Urgency | None, ...] = (None, "hotfix", "security")
ENVIRONMENTS = ("development", "staging", "production")


# -- the rules, in plain words ---------------------------------------------------------------------


def is_one_of_us(who: Person) -> bool:
    """No guest, nobody of another workspace, no bot, nobody who has left."""
    return who.standing == "member"


def may_ask(what: str, environment: str, who: Person, channel: str | None) -> bool:
    """The `permissions` above, said once more."""
    if not is_one_of_us(who):
        return False
    if environment == "staging" and what == "release":
        return channel == "C0STAGING"
    if environment == "staging" and what == "rollback":
        return ON_CALL in who.groups
    if environment == "production" and what == "release":
        return channel == "C0RELEASES" and (who.name == "alice" or APPROVER in who.groups)
    if environment == "production" and what == "promote":
        return APPROVER in who.groups
    if environment == "production" and what == "security":
        return SECURITY in who.groups
    if environment == "production" and what == "abort":
        return ON_CALL in who.groups
    return True


def how_many(environment: str, kind: str) -> int:
    """How many have to agree to a release of a type."""
    if environment == "development" or (environment == "staging" and kind == "hotfix"):
        return 0
    if environment == "staging":
        return 1
    return {"major": 3, "minor": 2, "patch": 2, "hotfix": 1, "security": 1}[kind]


def may_agree(environment: str, kind: str, who: Person) -> bool:
    """Whether somebody is among those who may approve a release of a type."""
    group = SECURITY if environment == "production" and kind == "security" else APPROVER
    return is_one_of_us(who) and group in who.groups and how_many(environment, kind) > 0


def own_counts(environment: str, kind: str) -> bool:
    """Whether the person who asked may approve: nowhere in production but for a hotfix."""
    return environment != "production" or kind == "hotfix"


def moment(environment: str, kind: str) -> int:
    """How many seconds there are to stop an agreed release before it starts."""
    if environment == "production":
        return 0 if kind == "hotfix" else 30
    return 10 if how_many(environment, kind) else 0


def still_counts(fate: str) -> bool:
    """Whether a yes counts after this: it is there as it was given, and so is who gave it."""
    return fate in {"is there", "was pressed", "is there in another skin tone", "has other emoji beside it"}


def kind_of(stable: str, new: str, urgency: str | None) -> str:
    """The first number that differs; only a patch can be in a hurry."""
    before, after = stable.split("."), new.split(".")
    if before[0] != after[0]:
        return "major"
    if before[1] != after[1]:
        return "minor"
    return urgency or "patch"


# -- asking ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """Somebody asks for something."""

    what: str
    environment: str
    who: Person
    channel: str | None
    urgency: Urgency | None = None


ASKED = tuple(
    Asked(what, environment, who, channel, urgency)
    for what, environment, who, channel, urgency in product(
        ("release", "promote", "rollback"), ENVIRONMENTS, PEOPLE, CHANNELS, URGENCIES
    )
    if urgency is None or what != "rollback"
)


def command_of(asked: Asked) -> grammar.Release | grammar.Promote | grammar.Rollback:
    """What they type."""
    hotfix, security = asked.urgency == "hotfix", asked.urgency == "security"
    match asked.what:
        case "release":
            return grammar.Release(
                Version.parse("3.2.1"), asked.environment, reason="because", hotfix=hotfix, security=security
            )
        case "promote":
            other = "production" if asked.environment != "production" else "staging"
            return grammar.Promote(
                other, asked.environment, reason="because", hotfix=hotfix, security=security
            )
        case _:
            return grammar.Rollback(asked.environment)


@pytest.mark.requirement("C11", "S2")
def test_who_may_ask_for_what_and_where() -> None:
    """Hundreds of rows; a refusal of a member names the rule and who may, or where."""
    assert len(ASKED) > 500
    for asked in ASKED:
        environment = CONFIG.environment(asked.environment)
        outcome = policy.request(command_of(asked), environment, asked.who, T0, channel=asked.channel)
        expected = may_ask(asked.urgency or asked.what, asked.environment, asked.who, asked.channel)
        assert isinstance(outcome, e.ReleaseRequested) == expected, asked
        if isinstance(outcome, Refusal) and is_one_of_us(asked.who):
            assert f"permissions.{asked.urgency or asked.what}" in outcome.problem, asked
            assert outcome.who or outcome.where, asked


@pytest.mark.requirement("C7", "C11")
def test_who_may_release_may_lock_unless_there_is_a_rule_for_that() -> None:
    """People and channels are those of releases; its own rule takes their place; strangers never may."""
    sam = person("sam", SECURITY)
    for name, who, channel in product(ENVIRONMENTS, PEOPLE, CHANNELS):
        release = policy.may("release", CONFIG.environment(name), who, channel) is None
        assert (policy.may("lock", CONFIG.environment(name), who, channel) is None) == release
        assert policy.may("release", CONFIG.environment(name), who, policy.ANYWHERE) is None or not release
    production = CONFIG.environment("production")
    assert production.permissions is not None
    own = production.permissions.model_copy(update={"lock": Permission.model_validate({"from": [SECURITY]})})
    ruled = production.model_copy(update={"permissions": own})
    assert policy.may("lock", ruled, sam, None) is None
    refusal = policy.may("lock", ruled, ALICE, "C0RELEASES")
    assert refusal is not None
    assert "Locks of production are set and opened by others (`permissions.lock`" in refusal.problem
    assert policy.may("lock", ruled, replace(sam, standing=Standing.GUEST), None) is not None


# -- agreeing --------------------------------------------------------------------------------------

STABLE = "3.2.0"
VERSIONS = {"major": "4.0.0", "minor": "3.3.0", "patch": "3.2.1"}


def waiting(environment: Environment, new: str, urgency: Urgency | None, by: Person) -> Release:
    """A release whose plan waits."""
    requested = e.ReleaseRequested(
        at=T0,
        kind="release",
        environment=environment.name,
        version=new,
        strategy="rolling",
        by=by.actor,
        channel=environment.channel,
        approval=policy.needed(environment),
        approval_by_type=policy.needed_by_type(environment),
        grace_seconds=policy.grace(environment),
        grace_by_type=policy.grace_by_type(environment),
        urgency=urgency,
    )
    step = roll_out("buzzy-main", STABLE, new)
    plan = Plan(
        kind="release",
        application="buzzy",
        environment=environment.name,
        namespace=environment.namespace,
        strategy="rolling",
        stable=STABLE,
        new=new,
        type=release_type(Version.parse(STABLE), Version.parse(new), urgency=urgency),
        steps=(step, verification([step])),
    )
    return fold("R1", [requested, e.PlanProposed(at=T0, plan=plan)])


def in_state(release: Release, state: State) -> Release | None:
    """The release after what leads to a state; None where nothing does from there."""
    assert release.plan is not None
    digest = release.plan.digest
    approved = (e.Approved(at=T0, digest=digest),)
    running = (*approved, e.ReleaseStarted(at=T0))
    by = e.Actor(id="U0SOMEBODY", name="somebody")
    abort = e.AbortRequested(at=T0, by=by)
    back = release.plan.way_back()
    turned = (*running, e.StepStarted(at=T0, index=0), e.TurnedBack(at=T0, steps=back, because="?"))
    asked = e.SignOffAsked(at=T0, index=0, question="?", by=("S0QA",), expires_at=LATE)
    ways: dict[State, tuple[e.Event, ...]] = {
        State.REQUESTED: (e.ReplanRequested(at=T0, because="?"),),
        State.WAITING: (),
        State.ABOUT_TO_START: (e.MomentBegan(at=T0, digest=digest, starts_at=T0),),
        State.APPROVED: approved,
        State.HELD: (*approved, e.ReleaseHeld(at=T0, because="?")),
        State.RUNNING: running,
        State.SIGNING: (*running, e.StepStarted(at=T0, index=0), asked),
        State.UNDECIDED: (*running, e.DecisionAsked(at=T0, index=0, because="?")),
        State.PAUSED: (*running, e.PauseRequested(at=T0, by=by), e.Paused(at=T0)),
        State.ABORTING: (*running, abort),
        State.TURNING_BACK: turned,
        State.CANCELLING: (abort,),
        State.RELEASED: (*running, e.ReleaseFinished(at=T0)),
        State.FAILED: (*running, e.ReleaseFailed(at=T0, reason="?")),
        State.ROLLED_BACK: (*turned, e.RolledBack(at=T0)),
        State.CANCELLED: (abort, e.ReleaseCancelled(at=T0)),
        State.REFUSED: (e.ReleaseRefused(at=T0, by=by, via="button"),),
        State.EXPIRED: (e.ReleaseExpired(at=T0),),
        State.IMPOSSIBLE: (e.ReplanRequested(at=T0, because="?"), e.PlanRefused(at=T0, reason="?")),
    }
    for event in ways[state]:
        release = apply(release, event)
    assert release.state is state
    return release


ALICE, BOB = PEOPLE[0], PEOPLE[1]
AGREED_TO = {State.ABOUT_TO_START, State.APPROVED}
AGREED = tuple(
    (environment, size, urgency, asker, who, state, digest, when)
    for environment, size, urgency, asker, who, state, digest, when in product(
        ENVIRONMENTS,
        VERSIONS,
        URGENCIES,
        (ALICE, BOB),
        PEOPLE,
        State,
        ("right", "stale", "none"),
        (SOON, LATE),
    )
)


@pytest.mark.requirement("C3", "C11", "S1", "Q3")
def test_who_may_agree_to_what_and_when() -> None:
    """A yes counts of those whom the rules of the type name, while it waits, for that plan only."""
    assert len(AGREED) > 10_000
    cache: dict[object, Release | None] = {}
    for row in AGREED:
        environment, size, urgency, asker, who, state, digest, when = row
        key = (environment, size, urgency, asker.name, state)
        if key not in cache:
            begun = waiting(CONFIG.environment(environment), VERSIONS[size], urgency, asker)
            cache[key] = in_state(begun, state)
        release = cache[key]
        assert release is not None
        assert release.plan is not None
        shown = {"right": release.plan.digest, "stale": "0" * 64, "none": None}[digest]
        outcome = approval.approve(release, who, when, via="button", digest=shown)
        kind = kind_of(STABLE, VERSIONS[size], urgency)
        itself = who.id == asker.id
        expected = (
            state == "waiting"
            and when is SOON
            and digest != "stale"
            and may_agree(environment, kind, who)
            and (own_counts(environment, kind) or not itself)
        )
        given = isinstance(outcome, tuple) and any(isinstance(event, e.ApprovalGiven) for event in outcome)
        assert given == expected, row
        done = given and how_many(environment, kind) == 1
        at_once = isinstance(outcome, tuple) and any(isinstance(event, e.Approved) for event in outcome)
        assert at_once == (done and moment(environment, kind) == 0), row
        written = outcome if isinstance(outcome, tuple) else ()
        began = [event.starts_at for event in written if isinstance(event, e.MomentBegan)]
        starts = [when + timedelta(seconds=moment(environment, kind))] if done and not at_once else []
        assert began == starts, row


@pytest.mark.requirement("S1")
@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("size", VERSIONS)
@pytest.mark.parametrize("urgency", URGENCIES)
def test_so_many_have_to_agree_and_no_fewer(environment: str, size: str, urgency: Urgency | None) -> None:
    """One after the other, each once: it is approved with the last and not before."""
    release = waiting(CONFIG.environment(environment), VERSIONS[size], urgency, ALICE)
    kind = kind_of(STABLE, VERSIONS[size], urgency)
    wanted = how_many(environment, kind)
    assert release.approvals_missing == wanted
    assert release.plan is not None
    assert release.plan.type == ReleaseType(kind)
    group = SECURITY if kind == "security" and environment == "production" else APPROVER
    for number in range(1, wanted + 1):
        who = person(f"approver{number}", group)
        for _ in range(2):  # the second time is nothing
            outcome = approval.approve(release, who, SOON, via="reaction", digest=None)
            assert not isinstance(outcome, Refusal) or release.state in AGREED_TO
            for event in outcome if isinstance(outcome, tuple) else ():
                release = apply(release, event)
        assert (release.state in AGREED_TO) == (number == wanted)
        assert (release.state is State.APPROVED) == (number == wanted and moment(environment, kind) == 0)


@pytest.mark.requirement("C11")
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_who_may_stop_what(environment: str) -> None:
    """Whoever asked, always; others by the rule; strangers never, not even under the asker's name."""
    place = CONFIG.environment(environment)
    for who, state in product(PEOPLE, set(State) - ENDED - {State.TURNING_BACK}):
        release = in_state(waiting(place, "3.2.1", None, ALICE), state)
        assert release is not None

        def rule(asks: Person) -> Refusal | None:
            return policy.may("abort", place, asks, "C0GENERAL")

        outcome = steering.abort(release, who, SOON, None, allowed=rule)
        agreed = state in {"about to start", "approved", "held"}  # and nothing was changed yet
        expected = is_one_of_us(who) and (
            who.id == ALICE.id
            or may_ask("abort", environment, who, None)
            or (agreed and may_agree(environment, "patch", who))
        )
        assert isinstance(outcome, tuple) == expected, (who, state)


@pytest.mark.requirement("C3", "C11", "Q3")
def test_approvals_of_those_who_may_not_any_more_are_taken_off() -> None:
    """Left the group, became a guest, was deactivated; who still may stays."""
    release = waiting(CONFIG.environment("production"), "4.0.0", None, ALICE)
    for who in (BOB, person("carol", APPROVER)):
        outcome = approval.approve(release, who, SOON, via="button", digest=None)
        assert isinstance(outcome, tuple)
        for event in outcome:
            release = apply(release, event)
    for now in (
        person("bob"),
        person("bob", APPROVER, standing=Standing.GUEST),
        person("bob", APPROVER, standing=Standing.GONE),
    ):
        people = {"U0BOB": now, "U0CAROL": person("carol", APPROVER)}
        gone = gates.disown(release, SOON, people.__getitem__)
        assert [event.by.name for event in gone] == ["bob"]
        after = release
        for event in gone:
            after = apply(after, event)
        assert after.approvals_missing == 2
    assert gates.disown(release, SOON, lambda id_: person(id_[2:].lower(), APPROVER)) == ()


# -- reading it again before the start -------------------------------------------------------------

FATES = (
    "is there",
    "is there in another skin tone",
    "has other emoji beside it",
    "was pressed",
    "was taken back",
    "was exchanged for another emoji",
    "has a no beside it",
    "left the group",
    "is a guest now",
    "was deactivated",
)
"""What may have become of a yes, and of who gave it, when the moment before the start is over."""


def on_the_message(fates: dict[str, str]) -> Reactions:
    """The reactions as Slack has them; it knows one emoji by several names and in several skin tones."""
    emoji: dict[str, set[str]] = {}
    shown = {
        "is there": ("white_check_mark",),
        "is there in another skin tone": ("+1::skin-tone-4",),
        "has other emoji beside it": ("heavy_check_mark", "eyes", "tada"),
        "was exchanged for another emoji": ("eyes",),
        "has a no beside it": ("white_check_mark", "no_entry::skin-tone-2"),
    }
    for user, fate in fates.items():
        there = shown.get(fate, () if fate in {"was pressed", "was taken back"} else ("thumbsup",))
        for name in there:
            emoji.setdefault(name, set()).add(user)
    return Reactions({name: frozenset(users) for name, users in emoji.items()})


def now_is(name: str, group: str, fate: str) -> Person:
    """Who somebody is now."""
    match fate:
        case "left the group":
            return person(name)
        case "is a guest now":
            return person(name, group, standing=Standing.GUEST)
        case "was deactivated":
            return person(name, group, standing=Standing.GONE)
        case _:
            return person(name, group)


@pytest.mark.requirement("Q3", "C3", "C11", "X5")
@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("kind", ["major", "minor", "patch", "security"])
def test_it_starts_only_if_every_yes_still_counts(environment: str, kind: str) -> None:
    """Each fate of each approver: it starts, or waits for as many as have gone; never before the moment."""
    urgency: Urgency | None = "security" if kind == "security" else None
    begun = waiting(CONFIG.environment(environment), VERSIONS.get(kind, "3.2.1"), urgency, ALICE)
    group = SECURITY if kind == "security" and environment == "production" else APPROVER
    names = [f"approver{number}" for number in range(how_many(environment, kind))]
    for fates in product(FATES, repeat=len(names)):
        release = begun
        for name, fate in zip(names, fates, strict=True):
            via: e.Via = "button" if fate == "was pressed" else "reaction"
            outcome = approval.approve(release, person(name, group), SOON, via=via, digest=None)
            assert isinstance(outcome, tuple)
            for event in outcome:
                release = apply(release, event)
        people = {
            f"U0{name.upper()}": now_is(name, group, fate) for name, fate in zip(names, fates, strict=True)
        }
        reactions = on_the_message(dict(zip(people, fates, strict=True)))
        over = SOON + timedelta(seconds=moment(environment, kind))
        for at in (over - timedelta(seconds=1), over):
            happened = gates.confirm(release, at, people=people.__getitem__, stands=reactions.bears_out)
            after = release
            for event in happened:
                after = apply(after, event)
            gone = sum(not still_counts(fate) for fate in fates) if at == over else 0
            assert after.approvals_missing == gone, fates
            starts = at == over and gone == 0
            assert (after.state is State.APPROVED) == starts, fates
            assert (after.state is State.WAITING) == (gone > 0), fates
            replayed = gates.confirm(after, at, people=people.__getitem__, stands=reactions.bears_out)
            assert at < over or replayed == (), fates


@pytest.mark.requirement("Q3")
def test_a_yes_to_an_edited_message_is_none_to_what_it_says_now() -> None:
    """The message shows another plan: the reactions that stand on it were about the one before."""
    release = waiting(CONFIG.environment("production"), "3.2.1", None, ALICE)
    for name in ("bob", "carol"):
        outcome = approval.approve(release, person(name, APPROVER), SOON, via="reaction", digest=None)
        assert isinstance(outcome, tuple)
        for event in outcome:
            release = apply(release, event)
    assert release.plan is not None
    edited = release.plan.model_copy(update={"warnings": ("another cluster than before",)})
    moved = e.ReplanRequested(at=SOON, because="it moved")
    for event in (
        e.Approved(at=SOON, digest=release.plan.digest),
        moved,
        e.PlanProposed(at=SOON, plan=edited),
    ):
        release = apply(release, event)
    assert release.approvals_missing == 2
    both = Reactions({"white_check_mark": frozenset({"U0BOB", "U0CAROL"})})
    happened = gates.confirm(
        release, LATE, people=lambda id_: person(id_[2:].lower(), APPROVER), stands=both.bears_out
    )
    assert happened == ()
