"""What a database has, and the way back from what a release does to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases import events as e
from releases.database import (
    Applied,
    Backup,
    Migrate,
    Migration,
    Restore,
    Task,
    UnreadableMigrationsError,
    in_the_way,
    read_label,
    way_down,
)
from releases.lifecycle import Release
from releases.migrations import applied, backup_before, left_by, newest_backup, pending
from releases.plan import Plan, way_back
from releases.version import Version
from tests.unit.bot_tales import MONDAY, Teller, plan, roll_out

TASK = Task(image="buzzybuzz/migrations:3.2.1@sha256:1", deadline_seconds=60)


def migration(id_: str, *, reversible: bool = True, compatible: bool = False) -> Migration:
    """One that is called so."""
    return Migration(id=id_, reversible=reversible, compatible=compatible)


def up(*migrations: Migration, version: str = "3.2.1") -> Migrate:
    """The step that runs them."""
    return Migrate(direction="up", version=version, migrations=migrations, task=TASK)


A, B, C = (migration(name) for name in "abc")
STUCK = migration("stuck", reversible=False)
FINE = migration("fine", reversible=False, compatible=True)
BACKUP = Backup(task=TASK)


def ids(migrations: tuple[Migration, ...]) -> str:
    """Their ids in one word."""
    return " ".join(each.id for each in migrations)


@pytest.mark.requirement("X1")
@pytest.mark.parametrize(
    ("there", "undone", "stay", "blocks"),
    [
        ((A, B), "b a", "", ""),
        ((A, STUCK, B, C), "c b", "a stuck", "a stuck"),
        ((A, B, STUCK), "", "a b stuck", "a b stuck"),
        ((FINE, A), "a", "fine", ""),
        ((A, FINE), "", "a fine", "a"),
        ((), "", "", ""),
    ],
    ids=["all", "behind one that stays", "none", "compatible", "under a compatible one", "no migrations"],
)
def test_the_way_down_ends_at_the_newest_that_cannot_be_undone(
    there: tuple[Migration, ...], undone: str, stay: str, blocks: str
) -> None:
    """What is older than that stays as well, and is in the way unless the version before runs with it."""
    down, left = way_down(there)
    assert (ids(down), ids(left)) == (undone, stay)
    steps = (up(*there),) if there else ()
    assert ids(in_the_way(steps)) == blocks


@given(st.lists(st.builds(migration, st.uuids().map(str), reversible=st.booleans()), max_size=8))
def test_nothing_is_undone_twice_or_forgotten(there: list[Migration]) -> None:
    """Each is undone or stays; all that is undone is reversible and newer than all that stays."""
    down, left = way_down(there)
    assert [*left, *reversed(down)] == there
    assert all(each.reversible for each in down)
    assert not left or not left[-1].reversible


@pytest.mark.requirement("X1", "B5")
def test_the_way_back_has_the_services_first_and_then_the_database() -> None:
    """Then all is verified; the backup is left where it is."""
    service = roll_out("buzzy-main", "3.2.0", "3.2.1")
    back = way_back((BACKUP, up(A, STUCK, B), service))
    assert [step.title for step in back] == [
        "buzzy-main to 3.2.0",
        "undo migration of 3.2.1: b",
        "all services verified",
    ]
    assert [step.title for step in way_back((BACKUP, up(STUCK)))] == []


def test_titles_are_short() -> None:
    """However many migrations there are."""
    many = up(*(migration(f"m{number}") for number in range(12)))
    assert many.title == "12 migrations of 3.2.1: m0, m1, m2 and 9 more"


@pytest.mark.requirement("V4")
def test_a_label_lists_migrations_in_order() -> None:
    """With what is said of each; what is left out is the careful answer."""
    first, second = read_label(
        '[{"id": "1-a", "reversible": true}, {"id": "2-b", "title": "x", "reversible": false}]'
    )
    assert (first.reversible, first.compatible, str(first)) == (True, False, "1-a")
    assert (second.reversible, str(second)) == (False, "2-b (x)")
    assert read_label("[]") == ()


@pytest.mark.parametrize("text", ["", "{}", '[{"id": "a", "reversible": true, "more": 1}]', '["a"]'])
def test_what_is_no_list_of_migrations_says_where(text: str) -> None:
    """Nothing is guessed: an unknown key may have been meant to say that it cannot be undone."""
    with pytest.raises(UnreadableMigrationsError, match=r"cannot be read"):
        read_label(text)


def test_a_list_has_an_end() -> None:
    """So that a label cannot fill a record."""
    text = ", ".join(f'{{"id": "m{number}", "reversible": true}}' for number in range(1_001))
    with pytest.raises(UnreadableMigrationsError, match="more than 1000"):
        read_label(f"[{text}]")


# -- what the record says ---------------------------------------------------------------------------


def with_steps(
    has: tuple[Applied, ...] | None,
    *steps: Backup | Migrate | Restore,
    stable: str = "3.2.0",
    new: str = "3.2.1",
) -> Plan:
    """A plan of one service with these steps at its beginning."""
    made = plan(services=("buzzy-main",), stable=stable, new=new)
    return made.model_copy(update={"steps": (*steps, *made.steps), "database": has})


def told(planned: Plan, *happened: e.Event, id_: str = "R42") -> Release:
    """A release of that plan that has started."""
    teller = Teller(planned).asked().planned().approved()
    teller.happens(e.ReleaseStarted(at=MONDAY))
    for event in happened:
        teller.happens(event)
    return teller.release(id_)


def begun(index: int) -> e.StepStarted:
    """A step begins."""
    return e.StepStarted(at=MONDAY, index=index)


def done(index: int, result: str = "") -> e.StepFinished:
    """And ends well."""
    return e.StepFinished(at=MONDAY + timedelta(minutes=1), index=index, changed=True, result=result)


def failed(index: int) -> e.StepFailed:
    """Or not."""
    return e.StepFailed(at=MONDAY, index=index, reason="it failed.")


def known(release: Release) -> list[str]:
    """What the database has after it; a question mark behind what may be half done."""
    return [f"{each.migration.id}{'?' * each.unclear}" for each in left_by(release)]


OLD = Applied(migration=migration("old"), version="3.1.0")


@pytest.mark.requirement("V4")
def test_what_ran_is_known_with_its_release_and_time() -> None:
    """A release that is under way has what it has run so far."""
    planned = with_steps((OLD,), BACKUP, up(A))
    assert known(told(planned)) == ["old"]
    assert known(told(planned, begun(0), done(0, "x"))) == ["old"]
    assert known(told(planned, begun(0), done(0), begun(1))) == ["old", "a?"]
    assert known(told(planned, begun(0), done(0), begun(1), failed(1))) == ["old", "a?"]
    release = told(planned, begun(0), done(0, "backup-1"), begun(1), done(1))
    assert known(release) == ["old", "a"]
    last = left_by(release)[-1]
    assert (last.version, last.release, last.image) == ("3.2.1", "R42", TASK.image)
    assert last.at == MONDAY + timedelta(minutes=1)
    assert release.backup == "backup-1"


@pytest.mark.requirement("V4")
def test_what_was_undone_is_gone_and_what_may_be_is_unclear() -> None:
    """Down, and a restore, which brings back what the backup has."""
    has = (OLD, Applied(migration=A, version="3.2.1", release="R41", image="i"))
    down = Migrate(direction="down", version="3.2.1", migrations=(A,), task=TASK)
    assert known(told(with_steps(has, down), begun(0), done(0))) == ["old"]
    assert known(told(with_steps(has, down), begun(0), failed(0))) == ["old", "a?"]
    restore = Restore(task=TASK, backup="b", made_by="R40", applied=(OLD,))
    assert known(told(with_steps(has, restore), begun(0), done(0))) == ["old"]
    assert known(told(with_steps(has, restore), begun(0), failed(0))) == ["old?", "a?"]


@pytest.mark.requirement("V4")
def test_what_may_be_half_done_is_run_again() -> None:
    """Those that ran are not, whatever they were called by."""
    has = (OLD, Applied(migration=A, version="3.2.1", unclear=True))
    assert ids(pending((migration("old"), A, B), has)) == "a b"


@pytest.mark.requirement("V4")
def test_the_newest_plan_that_was_carried_out_knows() -> None:
    """What was only planned, and releases from before anybody kept track, say nothing."""
    before = told(with_steps(None), id_="R40")
    knows = told(with_steps((OLD,)), id_="R41")
    only_planned = Teller(with_steps(())).asked().planned().release("R42")
    assert applied((before,)) is None
    assert applied((only_planned, knows, before)) == (OLD,)
    assert applied((before, knows)) == (OLD,)


@pytest.mark.requirement("B5", "X1")
def test_a_restore_goes_to_the_backup_from_before_the_first_try() -> None:
    """A second try made its backup with what the first had left behind."""
    steps = (BACKUP, up(STUCK))
    first = told(with_steps((OLD,), *steps), begun(0), done(0, "one"), begun(1), failed(1), id_="R42")
    second = told(with_steps(left_by(first), *steps), begun(0), done(0, "two"), begun(1), done(1), id_="R43")
    third = told(
        with_steps(left_by(second), BACKUP, stable="3.2.1", new="3.2.2"),
        begun(0),
        done(0, "three"),
        id_="R44",
    )
    past = (third, second, first)
    found = backup_before(past, Version.parse("3.2.0"))
    assert found is not None
    assert (found.name, found.applied) == ("one", (OLD,))
    latest = backup_before(past, Version.parse("3.2.1"))
    assert latest is not None
    assert latest.name == "three"
    assert backup_before(past, Version.parse("3.1.0")) is None
    newest = newest_backup(past)
    assert newest is not None
    assert (newest.name, newest.made_at) == ("three", MONDAY + timedelta(minutes=1))


def test_a_plan_without_a_database_keeps_its_digest() -> None:
    """Approvals of plans from before there were migrations still hold."""
    made = plan()
    content = made.model_dump(mode="json")
    assert content.pop("database") is None
    assert Plan.model_validate(content).digest == made.digest
    assert with_steps((OLD,)).digest != with_steps(None).digest
