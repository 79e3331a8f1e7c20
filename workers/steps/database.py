"""Back a database up, migrate it, restore it: each a Job of an image that knows how."""

from __future__ import annotations

from datetime import timedelta

from releases.database import Backup, Migrate, Restore
from workers.steps.task import Ran, run_task
from workers.steps.work import Done, Outcome, Work


def back_up(step: Backup, work: Work) -> Outcome:
    """Make a backup, unless one is fresh enough and this step has not begun its own."""
    if work.job is None and step.fresh_seconds:
        known = work.usable_backup()
        if known is not None and work.since - known.made_at <= timedelta(seconds=step.fresh_seconds):
            return Done(changed=False, result=known.name)
    ran = run_task("backup", step.task, {}, work)
    return Done(changed=True, result=ran.said, log=ran.log) if isinstance(ran, Ran) else ran


def migrate(step: Migrate, work: Work) -> Outcome:
    """Run the migrations in one Job; which of them are there already, its image knows."""
    variables = {
        "BUZZY_VERSION": step.version,
        "BUZZY_DIRECTION": step.direction,
        "BUZZY_MIGRATIONS": ",".join(each.id for each in step.migrations),
    }
    ran = run_task("migration", step.task, variables, work)
    return Done(changed=True, log=ran.log) if isinstance(ran, Ran) else ran


def restore(step: Restore, work: Work) -> Outcome:
    """Put the backup back."""
    ran = run_task("restore", step.task, {"BUZZY_BACKUP": step.backup}, work)
    return Done(changed=True, log=ran.log) if isinstance(ran, Ran) else ran
