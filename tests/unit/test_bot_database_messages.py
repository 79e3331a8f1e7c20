"""What people read of a database: before they agree, while it is migrated, and when it cannot go back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.messages import Message
from bot.messages.alert import alert_message
from bot.messages.migrations import MOST, migrations_message
from bot.messages.plan import plan_message
from bot.messages.release import release_message
from bot.messages.thread import thread_message
from releases import events as e
from releases.database import Applied, Backup, Migrate, Migration, Restore, Task
from releases.plan import Plan
from sandbox.workspace.blocks import check_message
from tests.unit.bot_reading import read
from tests.unit.bot_tales import MONDAY, TWO_APPROVALS, Teller, plan

TASK = Task(image="buzzybuzz/migrations:3.2.1", deadline_seconds=60)
INDEX = Migration(id="index-exports", title="an index", reversible=True)
SPLIT = Migration(id="split-names", reversible=False, compatible=True)
DROP = Migration(id="drop-legacy", reversible=False)


def planned(*migrations: Migration) -> Plan:
    """A plan that backs up and migrates."""
    up = Migrate(direction="up", version="3.2.1", migrations=migrations, task=TASK)
    made = plan()
    return made.model_copy(update={"steps": (Backup(task=TASK), up, *made.steps)})


def text(message: Message | None) -> str:
    """All that it shows."""
    assert message is not None
    return read(message)


@pytest.mark.requirement("X1", "V4")
def test_approvers_read_which_step_cannot_be_undone() -> None:
    """On the message, in the thread and in the plan, before anybody agrees."""
    teller = Teller(planned(INDEX, DROP), TWO_APPROVALS).asked().planned()
    release = teller.release()
    shown = text(release_message(release, "buzzy"))
    assert "way back: ⚠️ a person decides about the database" in shown
    line = thread_message(release, teller.events[-1], "buzzy")
    assert "Only until index-exports and drop-legacy has begun" in text(line)
    dry = text(plan_message(teller.plan))
    assert "index-exports (an index): can be undone" in dry
    assert "drop-legacy: cannot be undone" in dry
    assert "a person decides" in dry


@pytest.mark.requirement("V4")
def test_a_plan_that_can_go_back_says_in_how_many_steps() -> None:
    """A migration that the version before runs with is in nobody's way."""
    release = Teller(planned(SPLIT, INDEX), TWO_APPROVALS).asked().planned().release()
    assert "way back: 6 steps" in text(release_message(release, "buzzy"))
    assert "cannot be undone, the version before runs with it" in text(plan_message(planned(SPLIT)))


@pytest.mark.requirement("C2", "V4")
def test_the_thread_has_the_job_and_its_last_lines() -> None:
    """Which Job it is, what the backup is called, and what the migration wrote."""
    teller = Teller(planned(INDEX)).asked().planned().approved()
    teller.happens(e.ReleaseStarted(at=MONDAY)).happens(e.StepStarted(at=MONDAY, index=0))
    job = e.JobStarted(at=MONDAY, index=0, job="buzzy-r42-backup-1a2b3c4d")
    teller.happens(job)
    assert "1/8 backup of the database · Job buzzy-r42-backup-1a2b3c4d" in text(
        thread_message(teller.release(), job, "buzzy")
    )
    assert "backing the database up" in text(release_message(teller.release(), "buzzy"))
    done = e.StepFinished(at=MONDAY, index=0, changed=True, result="backup-7", log=("dumped 12 collections",))
    teller.happens(done)
    shown = text(thread_message(teller.release(), done, "buzzy"))
    assert "backup-7" in shown
    assert "dumped 12 collections" in shown


@pytest.mark.requirement("C2", "V4")
def test_a_failed_migration_is_a_changed_database() -> None:
    """Although no service was touched: the message, the thread, the alert and the button say so."""
    teller = Teller(planned(INDEX)).asked().planned().approved().happens(e.ReleaseStarted(at=MONDAY))
    teller.happens(e.StepStarted(at=MONDAY, index=1))
    teller.happens(e.StepFailed(at=MONDAY, index=1, reason="The migration failed (exit code 1)."))
    end = e.ReleaseFailed(at=MONDAY, reason="The migration failed (exit code 1).")
    release = teller.happens(end).release()
    shown = text(release_message(release, "buzzy"))
    assert "the database was changed and left as it is" in shown
    assert "Roll back" in shown
    assert "the database is left as it is" in text(thread_message(release, end, "buzzy"))
    assert "Changed, and still so: the database" in text(alert_message(release, "buzzy", None, None))


def test_steps_of_a_database_have_their_headline() -> None:
    """What is happening now, in a few words."""
    down = Migrate(direction="down", version="3.2.1", migrations=(INDEX,), task=TASK)
    restore = Restore(task=TASK, backup="backup-7", made_by="R41")
    for step, says in ((down, "undoing migrations of the database"), (restore, "restoring the database")):
        made = plan(kind="rollback").model_copy(update={"steps": (step,)})
        teller = Teller(made).asked(kind="rollback").planned().approved()
        teller.happens(e.ReleaseStarted(at=MONDAY)).happens(e.StepStarted(at=MONDAY, index=0))
        assert says in text(release_message(teller.release(), "buzzy"))
        assert step.title in text(plan_message(made))


@pytest.mark.requirement("V4")
def test_migrations_are_listed_with_when_and_by_which_release() -> None:
    """The newest first; many are counted, and Slack takes it all."""
    ran = Applied(migration=INDEX, version="3.2.1", release="R42", at=MONDAY)
    half = Applied(migration=DROP, version="3.2.1", release="R43", at=MONDAY, unclear=True)
    old = Applied(migration=SPLIT, version="3.2.0")
    now = MONDAY + timedelta(hours=2)
    told = migrations_message({"staging": (old, ran, half), "development": None, "production": ()}, now)
    shown = text(told)
    assert shown.index("drop-legacy") < shown.index("index-exports") < shown.index("split-names")
    assert "may be half done" in shown
    assert "before Buzzy" in shown
    assert "R42" in shown
    assert "Buzzy keeps no track of its migrations." in shown
    assert "No migration has run." in shown
    many = migrations_message({f"env-{n}": (ran,) * 300 for n in range(6)}, now)
    check_message(many.payload()["blocks"])
    assert f"… and {300 - MOST} earlier ones" in text(migrations_message({"staging": (ran,) * 300}, now))
