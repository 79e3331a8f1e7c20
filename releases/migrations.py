"""Which migrations an environment's database has, as its releases tell it. Pure.

Each plan carries what was known when it was made, and each release adds what it ran: so the newest plan of an
environment knows all, however many releases ago it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from releases.database import Applied, Backup, Migrate, Migration, Restore
from releases.lifecycle import Release, StepState, StepStatus
from releases.version import InvalidVersion, Version


def applied(past: Iterable[Release]) -> tuple[Applied, ...] | None:
    """What the database has; None when no release has kept track. `past` is the newest release first.

    What a plan says counts once it was carried out: before, it may be a guess that is made anew.
    """
    for release in past:
        if release.started_at is not None and release.plan is not None and release.plan.database is not None:
            return left_by(release)
    return None


def left_by(release: Release) -> tuple[Applied, ...]:
    """What the database has once this release has come as far as it has. Its plan knows what was before."""
    if release.plan is None or release.plan.database is None:
        raise ValueError(f"{release.id} knows nothing of its database")
    has = {each.migration.id: each for each in release.plan.database}
    for state in (*release.forward, *release.back):
        if state.status is not StepStatus.PENDING:
            _note(has, release.id, state)
    return tuple(has.values())


def pending(wanted: Iterable[Migration], has: Iterable[Applied]) -> tuple[Migration, ...]:
    """The migrations that are still to be run; one that may be half done is run again."""
    there = {each.migration.id for each in has if not each.unclear}
    return tuple(each for each in wanted if each.id not in there)


def later(has: Iterable[Applied], version: Version) -> tuple[Applied, ...]:
    """What versions after this one brought and Buzzy ran, in the order in which it ran."""
    return tuple(each for each in has if each.release is not None and Version.parse(each.version) > version)


@dataclass(frozen=True)
class BackupKnown:
    """A backup that a release made before it changed anything, and what the database had then."""

    name: str
    release: Release

    @property
    def made_at(self) -> datetime:
        """When it was there."""
        state = next(each for each in self.release.forward if isinstance(each.step, Backup))
        if state.finished_at is None:
            raise ValueError(f"{self.release.id} has not made its backup")
        return state.finished_at

    @property
    def applied(self) -> tuple[Applied, ...]:
        """The migrations that it has."""
        return (self.release.plan and self.release.plan.database) or ()


def newest_backup(past: Iterable[Release]) -> BackupKnown | None:
    """The backup that was made last. `past` is the newest release first."""
    return next((BackupKnown(each.backup, each) for each in past if each.backup), None)


def backup_of(past: Iterable[Release], has: Iterable[Applied]) -> BackupKnown | None:
    """The newest backup, if the database has the same migrations still."""
    known = newest_backup(past)
    same = known is not None and _names(known.applied) == _names(has)
    return known if same else None


def _names(has: Iterable[Applied]) -> set[tuple[str, bool]]:
    return {(each.migration.id, each.unclear) for each in has}


def backup_before(past: Iterable[Release], version: Version) -> BackupKnown | None:
    """The newest backup from before anything beyond this version came to the database; None: there is none.

    A release that was tried again made its second backup after the first try. `past` is the newest first.
    """
    known = tuple(past)
    for index, release in enumerate(known):
        plan = release.plan
        if plan is None or release.started_at is None or release.request.kind != "release":
            continue
        stable, new = _versions(plan.stable), _versions(plan.new)
        went_beyond = all(each <= version for each in stable) and any(each > version for each in new)
        if went_beyond and not later(plan.database or (), version):
            return backup_of(known[index:], plan.database or ())
    return None


def _versions(text: str) -> tuple[Version, ...]:
    """The versions of a plan's words for what runs; what is no version is left out."""
    found = []
    for part in text.split(" / "):
        with suppress(InvalidVersion):
            found.append(Version.parse(part))
    return tuple(found)


def _note(has: dict[str, Applied], release: str, state: StepState) -> None:
    done = state.status is StepStatus.DONE
    match state.step:
        case Migrate(direction="up", migrations=migrations, version=version, task=task):
            for each in migrations:
                before = has.pop(each.id, None)
                has[each.id] = Applied(
                    migration=each,
                    version=version if before is None else before.version,
                    image=task.image,
                    release=release,
                    at=state.finished_at or state.started_at,
                    unclear=not done,
                )
        case Migrate(direction="down", migrations=migrations):
            for each in migrations:
                if done:
                    has.pop(each.id, None)
                elif each.id in has:
                    has[each.id] = has[each.id].model_copy(update={"unclear": True})
        case Restore(applied=then) if done:
            _replace(has, {each.migration.id: each for each in then})
        case Restore():
            _replace(has, {key: each.model_copy(update={"unclear": True}) for key, each in has.items()})


def _replace(has: dict[str, Applied], then: Mapping[str, Applied]) -> None:
    has.clear()
    has.update(then)
