"""The items of the checklist about the database. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from releases.checklist import Item, Outcome
from releases.config import Environment, format_duration
from releases.database import Applied, Backup, Migrate, Migration
from releases.lifecycle import Release
from releases.migrations import backup_of, newest_backup
from releases.plan import Plan
from workers.planning.scene import listed


def backup(plan: Plan, past: Iterable[Release], now: datetime) -> Item | None:
    """Which backup there will be before anything is changed; None where releases make none."""
    step = next((each for each in plan.steps if isinstance(each, Backup)), None)
    if step is None:
        return None
    releases = tuple(past)
    known = newest_backup(releases)
    told = "none was made by a release so far"
    if known is not None:
        age = now - known.made_at
        told = f"the last one is {known.name}, made by {known.release.id} {format_duration(age)} ago"
        usable = backup_of(releases, plan.database or ()) is not None
        if usable and age < timedelta(seconds=step.fresh_seconds):
            fresh = format_duration(timedelta(seconds=step.fresh_seconds))
            return Item(name="backup", outcome=Outcome.GREEN, evidence=f"{told}: fresh enough ({fresh})")
    evidence = f"made before anything is changed; {told}"
    return Item(name="backup", outcome=Outcome.GREEN, evidence=evidence)


def migrations(plan: Plan, environment: Environment, reviewed: Iterable[Applied]) -> Item | None:
    """Whether somebody has looked at what will be migrated; None where nobody keeps track of it.

    What ran well where versions are proven is reviewed; the rest approvers tick.
    """
    step = next((each for each in plan.steps if isinstance(each, Migrate)), None)
    if step is None:
        if plan.database is None:
            return None
        return Item(name="migrations", outcome=Outcome.GREEN, evidence="none to run")
    ran = {each.migration.id: each.release for each in reviewed}
    new = [each for each in step.migrations if each.id not in ran]
    where = "" if environment.requires is None else environment.requires.proven_in
    if not new:
        by = sorted({release for each in step.migrations if (release := ran[each.id]) is not None})
        evidence = f"{listed([each.id for each in step.migrations])} ran in {where}"
        return Item(
            name="migrations",
            outcome=Outcome.GREEN,
            evidence=f"{evidence}, by {listed(by)}" if by else evidence,
        )
    evidence = f"to be reviewed: {', '.join(_told(each) for each in new)}"
    if environment.approval is None:
        return Item(
            name="migrations",
            outcome=Outcome.UNKNOWN,
            evidence=evidence,
            fix=f"name in buzzy.yaml who could: environments.{environment.name}.approval.from",
        )
    return Item(
        name="migrations", outcome=Outcome.WAITING, evidence=evidence, by=environment.approval.approvers
    )


def _told(migration: Migration) -> str:
    undo = "can be undone" if migration.reversible else "cannot be undone"
    return f"{migration} {undo}"
