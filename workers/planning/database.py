"""What a release or a rollback does to the database: steps that are put into its plan. Pure.

There: the backup before anything is changed, the migrations between the configuration and the first service.
Back: the services first, then the database, so that nothing of a version writes into a database that is older
than itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby

from releases import grammar
from releases.config import DatabaseCare, JobTask
from releases.database import (
    Applied,
    Backup,
    Migrate,
    Migration,
    Restore,
    Task,
    names,
    way_down,
)
from releases.events import Target
from releases.migrations import BackupKnown, backup_before, later, pending
from releases.plan import EnsureConfiguration, EnsureFiles, Plan, Step, Verify
from releases.version import InvalidVersion, Version
from workers.observe import services_seen
from workers.planning.scene import Refused, Scene, Wanted

_FIRST = (EnsureConfiguration, EnsureFiles)
"""What stands before the migrations: it changes nothing that runs."""


@dataclass(frozen=True)
class Migrations:
    """The migrations that a version has, and the image that runs them, pinned to its digest."""

    image: str
    migrations: tuple[Migration, ...]


def there(scene: Scene, plan: Plan, has: tuple[Applied, ...] | None, release: Migrations | None) -> Plan:
    """The plan of a release with what it does to the database.

    `has` is what the database has, `release` what the version brings: both None where nobody keeps track.
    """
    care = scene.environment.database
    if care is None:
        return plan.model_copy(update={"database": has})  # somebody kept track once
    wanted = () if release is None else pending(release.migrations, has or ())
    steps: list[Step] = []
    if care.backup is not None:
        fresh = 0 if wanted or care.backup.fresh is None else int(care.backup.fresh.total_seconds())
        steps.append(Backup(task=task_of(care.backup, care.backup.image), fresh_seconds=fresh))
    first = next((i for i, step in enumerate(plan.steps) if not isinstance(step, _FIRST)), 0)
    steps += plan.steps[:first]
    if care.migrations is not None and release is not None and wanted:
        task = task_of(care.migrations, release.image)
        steps.append(Migrate(direction="up", version=plan.new, migrations=wanted, task=task))
    steps += plan.steps[first:]
    warnings = [*_warnings(care, plan.stable, wanted), *plan.warnings]
    return plan.model_copy(update={"steps": tuple(steps), "warnings": tuple(warnings), "database": has})


def baseline(version: str, migrations: Iterable[Migration]) -> tuple[Applied, ...]:
    """What a database has of which nobody kept track: the migrations of the version that runs on it."""
    return tuple(Applied(migration=each, version=version) for each in migrations)


def back(scene: Scene, plan: Plan, wanted: Wanted) -> Plan | Refused:
    """The plan of a rollback with what it does to the database, or why a person has to decide first."""
    care, has = scene.environment.database, scene.applied
    known = plan.model_copy(update={"database": has})
    if wanted.database == "keep":
        return _kept(known, has or ())
    goal = oldest(plan.new)
    if goal is None:  # where it goes is no version: nobody can say which migrations belong to it
        ran = [each.migration for each in has or () if each.release is not None]
        return _no_version(scene, plan, wanted) if ran or wanted.database is not None else known
    if wanted.database == "restore":
        return _restored(scene, known, wanted, goal)
    undo = later(has or (), goal)
    if not undo:
        return known
    if care is None or care.migrations is None:
        return _asks(scene, plan, wanted, [each.migration for each in undo])
    partial = _leaves_some(scene, plan, goal)
    undone, stay = ((), _migrations(undo)) if partial else way_down(_migrations(undo))
    stuck = [each for each in stay if not each.compatible]
    if stuck:
        return _asks(scene, plan, wanted, stuck, partial=partial)
    kept = [f"{names(stay)} stays in the database: {plan.new} is declared to run with it."] if stay else []
    by_id = {each.migration.id: each for each in undo}
    steps: list[Step] = []
    for (image, version), group in groupby(
        (by_id[each.id] for each in undone), lambda a: (a.image, a.version)
    ):
        task = task_of(care.migrations, str(image))
        migrations = tuple(each.migration for each in group)
        steps.append(Migrate(direction="down", version=version, migrations=migrations, task=task))
    return _appended(known, steps, kept)


def oldest(text: str) -> Version | None:
    """The oldest of the versions in a plan's words for what runs; None when something else runs as well."""
    try:
        return min(Version.parse(part) for part in text.split(" / "))
    except InvalidVersion:
        return None


def _kept(plan: Plan, has: tuple[Applied, ...]) -> Plan:
    goal = oldest(plan.new)
    more = () if goal is None else _migrations(later(has, goal))
    if not more:
        return plan
    warning = f"The database stays as it is: {plan.new} will run with {names(more)}."
    return plan.model_copy(update={"warnings": (warning, *plan.warnings)})


def _restored(scene: Scene, plan: Plan, wanted: Wanted, goal: Version) -> Plan | Refused:
    care, keep = scene.environment.database, _line(scene, wanted, "keep")
    if care is None or care.restore is None:
        return Refused(
            f"buzzy.yaml does not say how the database of {scene.environment.name} is restored.",
            f"Write database.restore, or leave the database as it is: {keep}",
        )
    backup = backup_before(scene.past, goal)
    if backup is None:
        return Refused(
            f"There is no backup of {scene.environment.name} from before the version that goes.",
            f"To leave the database as it is: {keep}",
        )
    task = task_of(care.restore, care.restore.image)
    step = Restore(task=task, backup=backup.name, made_by=backup.release.id, applied=backup.applied)
    return _appended(plan, [step], [_lost(backup)])


def _lost(backup: BackupKnown) -> str:
    made = f"{backup.release.id}, {backup.made_at.astimezone(UTC):%-d %b %H:%M} UTC"
    return f"What was written to the database since the backup {backup.name} ({made}) is lost."


def _leaves_some(scene: Scene, plan: Plan, goal: Version) -> bool:
    """Whether some services go on running a version beyond the goal, and need the database as it is."""
    others = [each for each in services_seen(scene.observed) if each.service not in plan.services]
    return any(each.version is not None and Version.parse(each.version) > goal for each in others)


def _asks(
    scene: Scene, plan: Plan, wanted: Wanted, stuck: list[Migration], *, partial: bool = False
) -> Refused:
    """Why a rollback does not decide this by itself, and the lines with which a person does."""
    one, environment = len(stuck) == 1, scene.environment
    why = (
        "some services stay at the newer version"
        if partial
        else f"{'it' if one else 'they'} cannot be undone"
    )
    if environment.database is None or environment.database.migrations is None:
        why = "buzzy.yaml does not say any more how migrations are undone"
    restore = environment.database is not None and environment.database.restore is not None and not partial
    lines = [f"Leave the database as it is: {_line(scene, wanted, 'keep')}"]
    if restore:
        lines.insert(
            0, f"Restore the backup, and lose what was written since: {_line(scene, wanted, 'restore')}"
        )
    which = f"the migration{'' if one else 's'} {names(stuck)}"
    return Refused(
        f"{plan.new} is not declared to run with {which}, and {why}.",
        "A person has to decide. " + " ".join(lines),
    )


def _no_version(scene: Scene, plan: Plan, wanted: Wanted) -> Refused:
    return Refused(
        f"{plan.new} is no version, so nobody can say which migrations or which backup belong to it.",
        f"A person has to decide. Leave the database as it is: {_line(scene, wanted, 'keep')}",
    )


def _line(scene: Scene, wanted: Wanted, how: str) -> str:
    command = grammar.Rollback(
        scene.environment.name,
        _to(wanted.target),
        wanted.services,
        restore=how == "restore",
        keep_database=how == "keep",
    )
    return f"`/buzzy {command.line()}`"


def _to(target: Target | None) -> grammar.Target | None:
    match target:
        case Target(version=str(version)):
            return grammar.ToVersion(Version.parse(version))
        case Target(revision=int(number)):
            return grammar.ToRevision(number)
        case Target(release=str(id_)):
            return grammar.ToRelease(id_)
        case _:
            return None


def _appended(plan: Plan, steps: list[Step], warnings: list[str]) -> Plan:
    """The plan with steps behind its last service, and before all services are verified."""
    at = next((i for i, step in enumerate(plan.steps) if isinstance(step, Verify)), len(plan.steps))
    return plan.model_copy(
        update={
            "steps": (*plan.steps[:at], *steps, *plan.steps[at:]),
            "warnings": (*warnings, *plan.warnings),
        }
    )


def _warnings(care: DatabaseCare, stable: str, migrations: tuple[Migration, ...]) -> list[str]:
    """What approvers have to know about the way back, before they agree."""
    _, stay = way_down(migrations)
    stuck = [each for each in stay if not each.compatible]
    fine = [each for each in stay if each.compatible]
    warnings = []
    if stuck:
        lost = "the backup that this release makes" if care.backup is not None else "a backup of your own"
        warnings.append(
            f"From {names(stuck)} there is no way back by itself: it cannot be undone, and {stable} is not "
            f"declared to run with it. Going back takes {lost}, and loses what was written since."
        )
    if fine:
        warnings.append(f"{names(fine)} cannot be undone; {stable} is declared to run with it.")
    return warnings


def task_of(task: JobTask, image: str) -> Task:
    """What a Job of this configuration runs."""
    return Task(
        image=image,
        command=task.command or (),
        args=task.args,
        env=dict(task.env),
        secrets=task.secrets,
        service_account=task.service_account,
        deadline_seconds=int(task.deadline.total_seconds()),
    )


def _migrations(known: Iterable[Applied]) -> tuple[Migration, ...]:
    return tuple(each.migration for each in known)
