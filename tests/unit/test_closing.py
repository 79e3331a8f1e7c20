"""What closes an environment to whom, and who may close it and open it again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from releases import grammar
from releases.closing import CalendarFreeze, Closed, Closure, Traveller, Unreadable, closing, pass_by
from releases.config import parse_config, zone_of
from releases.events import Actor, Passage, PlanProposed
from releases.lifecycle import fold
from releases.passing import freeze, line_through, lock, over_freezes, right_of, sentence, unlock
from releases.people import Person, Standing
from releases.policy import Refusal
from releases.version import ReleaseType, Urgency, Version
from tests.unit.workers_things import plan, requested, rollout

NOW = datetime(2026, 12, 24, 14, 0, tzinfo=UTC)
CONFIG = parse_config(
    """
    time_zone: Europe/Berlin
    freezes:
      managers: [S0MANAGERS]
      windows: [{deny: "0 18 18 12 *", for: 16d, reason: year-end freeze, owner: U0CAROL}]
    services: [{name: buzzy-main, image: buzzybuzz/buzzy-main}]
    environments:
      staging: {namespace: buzzy-staging, channel: C0STAGING, freezes: {managers: [U0DAN]}}
      production: {namespace: buzzy-production, channel: C0RELEASES, time_zone: America/New_York}
    """
)
STAGING, PRODUCTION = CONFIG.environment("staging"), CONFIG.environment("production")
ALICE, BOB, DAN = Person("U0ALICE", "alice"), Person("U0BOB", "bob"), Person("U0DAN", "dan")
CAROL = Person("U0CAROL", "carol", groups=frozenset({"S0MANAGERS"}))
GUEST = Person("U0GUEST", "gus", Standing.GUEST)
RELEASE = grammar.Release(Version.parse("3.2.1"), "production", reason="CVE-2026-1", override_freeze=True)
RIGHT = Passage(kind="freeze", what="", right="carol may pass it", reason="CVE-2026-1")


def made(kind: str = "lock", place: str = "staging", by: Person = BOB, **more: object) -> Closure:
    """A lock or freeze."""
    start = {"kind": kind, "place": place, "reason": "audit", "at": NOW, "claim": "d1"}
    return Closure.model_validate({**start, "by": Actor(id=by.id, name=by.name), **more})


@pytest.mark.requirement("C7", "X3")
@pytest.mark.parametrize(
    ("traveller", "standing", "passes"),
    [
        (Traveller("release", "U0ALICE"), made(), False),
        (Traveller("release", "U0BOB"), made(), True),
        (Traveller("release", "U0ALICE", RIGHT), made(), False),
        (Traveller("release", "U0ALICE"), Unreadable("lock", "staging"), False),
        (Traveller("release", "U0BOB"), made("freeze"), False),
        (Traveller("release", "U0ALICE", RIGHT), made("freeze"), True),
        (Traveller("release", "U0ALICE"), CalendarFreeze("weekend", None, None), False),
        (Traveller("release", "U0ALICE", RIGHT), CalendarFreeze("weekend", None, None), True),
        (Traveller("drill", "U0ALICE"), made(rollbacks_too=True), True),
        (Traveller("drill", "U0ALICE"), CalendarFreeze("weekend", None, None), True),
        (Traveller("rollback", "U0ALICE"), made(), True),
        (Traveller("rollback", "U0ALICE"), made("freeze"), True),
        (Traveller("rollback", "U0ALICE"), Unreadable("lock", "staging"), True),
        (Traveller("rollback", "U0ALICE"), made(rollbacks_too=True), False),
        (Traveller("rollback", "U0BOB"), made(rollbacks_too=True), True),
    ],
)
def test_who_passes_what(
    traveller: Traveller, standing: Closure | Unreadable | CalendarFreeze, *, passes: bool
) -> None:
    """Its owner a lock, a right a freeze, a rollback both; and what was passed is kept."""
    verdict = pass_by(traveller, "staging", (standing,))
    assert isinstance(verdict, Closed) is not passes
    if not isinstance(verdict, Closed):
        assert [each.kind for each in verdict] == [standing.kind]
        assert all(each.right and each.what for each in verdict)


@pytest.mark.requirement("C7")
def test_the_global_lock_comes_first_then_the_own_then_freezes() -> None:
    """Only what holds now, of this environment or all; the calendar last."""
    there = (
        made("freeze"),
        made(until=NOW),
        made("freeze", "all", until=NOW + timedelta(hours=1)),
        made(place="production"),
        made(place="all"),
        Unreadable("lock", "staging"),
    )
    found = closing(CONFIG, STAGING, there, NOW)
    assert [(each.kind, getattr(each, "place", "calendar")) for each in found] == [
        ("lock", "all"),
        ("lock", "staging"),
        ("freeze", "all"),
        ("freeze", "staging"),
        ("freeze", "calendar"),
    ]


@pytest.mark.requirement("C7", "S2")
def test_a_sentence_says_until_when_on_the_environments_clock() -> None:
    """For threads and tables, in which nobody's own time can be shown."""
    zone = closing(CONFIG, PRODUCTION, (), NOW)[0]
    assert sentence(zone, "production", NOW, zone_of(CONFIG, PRODUCTION)) == (
        "production is frozen until Sun 3 Jan 2027 18:00 EST (year-end freeze)."
    )
    locked = made(until=NOW + timedelta(hours=2))
    assert sentence(locked, "staging", NOW, zone_of(CONFIG, STAGING)) == (
        "staging is locked by bob until 17:00 CET: “audit”."
    )


@pytest.mark.requirement("C7", "C11", "S2")
@pytest.mark.parametrize(
    ("who", "command", "says"),
    [
        (CAROL, RELEASE, None),
        (ALICE, RELEASE, "You may not pass a freeze of production."),
        (DAN, RELEASE, "You may not pass a freeze of production."),
        (
            CAROL,
            grammar.Release(Version.parse("3.2.1"), "production", override_freeze=True),
            "Passing a freeze needs a reason, for the record.",
        ),
    ],
)
def test_a_freeze_is_passed_by_those_who_are_named_with_a_reason(
    who: Person, command: grammar.Release, says: str | None
) -> None:
    """Dan may pass staging's, not production's."""
    right = over_freezes(command, CONFIG, PRODUCTION, who, (ReleaseType.PATCH,))
    if says is None:
        assert isinstance(right, Passage)
        assert (right.right, right.reason) == ("carol may pass it", "CVE-2026-1")
    else:
        assert isinstance(right, Refusal)
        assert right.problem == says
    assert not isinstance(over_freezes(RELEASE, CONFIG, STAGING, DAN, (ReleaseType.PATCH,)), Refusal)


@pytest.mark.requirement("S2", "C7")
@pytest.mark.parametrize("hurry", ["hotfix", "security"])
def test_a_release_in_a_hurry_passes_a_freeze_if_it_is_what_it_says(hurry: Urgency) -> None:
    """By the reason that it needs anyway; a minor one is none, whatever it is called, also when it starts."""
    hotfix, security = hurry == "hotfix", hurry == "security"
    command = grammar.Promote("staging", "production", reason="CVE-2026-1", hotfix=hotfix, security=security)
    types = (ReleaseType.MINOR, ReleaseType(hurry))
    right = over_freezes(command, CONFIG, PRODUCTION, ALICE, types)
    assert isinstance(right, Passage)
    assert (right.reason, right.urgency) == ("CVE-2026-1", hurry)
    assert over_freezes(command, CONFIG, PRODUCTION, ALICE, (ReleaseType.MINOR,)) is None
    request = requested().model_copy(update={"over_freezes": right})
    for type_, has in [(ReleaseType(hurry), right), (ReleaseType.MINOR, None)]:
        planned = plan(rollout("api", "3.2.0", "3.2.1")).model_copy(update={"type": type_})
        assert right_of(fold("R1", [request, PlanProposed(at=NOW, plan=planned)])) == has
    assert right_of(fold("R1", [request])) == right


@pytest.mark.requirement("C7", "C11")
@pytest.mark.parametrize(
    ("who", "standing", "take_over", "may"),
    [
        (ALICE, None, False, True),
        (ALICE, made(), False, False),
        (ALICE, made(), True, True),
        (ALICE, made(until=NOW), False, True),
        (BOB, made(), False, True),
        (ALICE, Unreadable("lock", "staging"), False, False),
        (ALICE, Unreadable("lock", "staging"), True, True),
        (GUEST, None, True, False),
    ],
)
def test_who_may_lock(
    who: Person, standing: Closure | Unreadable | None, *, take_over: bool, may: bool
) -> None:
    """Any member what is open or their own; another's with a reason, on purpose."""
    command = grammar.Lock("staging", "mine", take_over=take_over)
    outcome = lock(command, who, None, standing, at=NOW, claim="d2")
    assert isinstance(outcome, Closure) is may


@pytest.mark.requirement("C11")
def test_who_may_unlock_and_freeze() -> None:
    """A lock its owner; a freeze a manager of that environment, or of all."""
    assert unlock("staging", BOB, made()) is None
    assert unlock("staging", ALICE, made()) is not None
    assert unlock("staging", BOB, Unreadable("lock", "staging")) is not None
    assert freeze("staging", CONFIG, STAGING, DAN) is None
    assert freeze("staging", CONFIG, STAGING, CAROL) is None
    refusal = freeze("production", CONFIG, PRODUCTION, DAN)
    assert refusal is not None
    assert refusal.who == ("S0MANAGERS",)
    assert freeze("all", CONFIG, None, DAN) is not None
    assert freeze("all", CONFIG, None, CAROL) is None


@pytest.mark.requirement("C9")
def test_the_line_to_copy_is_a_command() -> None:
    """Whatever closes: the grammar takes what people are given."""
    vocabulary = grammar.Vocabulary(("staging", "production"), ("buzzy-main",))
    for standing in (made(), made("freeze"), CalendarFreeze("weekend", None, None)):
        line = line_through(Closed("production", standing), RELEASE)
        assert grammar.parse(line, vocabulary).line() in line
