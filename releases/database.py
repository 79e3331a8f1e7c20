"""What a release does to a database: the backup before it, migrations, and the ways back from them. Pure.

Which migrations a version has, its migrations image says itself (`LABEL`). Each may be reversible: there is a
way down again. Each may be compatible: the version before runs with it. From one that is neither only a
backup leads back, and what was written since is lost: a person has to decide that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from releases.frozen import Frozen

LABEL = "buzzy.migrations"
"""The label of a migrations image: a JSON list of all `Migration`s that there ever were, the oldest first."""

MOST = 1_000
ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class Task(Frozen):
    """What a Kubernetes Job runs: one container, to its end, once."""

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default={})
    secrets: tuple[str, ...] = Field(default=(), description="Secrets whose keys become variables")
    service_account: str | None = None
    deadline_seconds: int = Field(gt=0, description="how long the Job may take")


class Migration(Frozen):
    """One change of the database's schema or data."""

    id: str = Field(pattern=ID, description="unique among all migrations of the application")
    title: str = Field(default="", max_length=200)
    reversible: bool = Field(description="whether the image can take it back without losing anything")
    compatible: bool = Field(default=False, description="whether the version before it runs with it as well")

    def __str__(self) -> str:
        return f"{self.id} ({self.title})" if self.title else self.id


class Applied(Frozen):
    """A migration that an environment's database has."""

    migration: Migration
    version: str = Field(description="the version that brought it")
    image: str | None = Field(default=None, description="the image that can undo it; None: Buzzy ran none")
    release: str | None = Field(
        default=None, description="the release that ran it; None: it was there before Buzzy kept track"
    )
    at: AwareDatetime | None = None
    unclear: bool = Field(default=False, description="its Job did not end well: it may be there, or half so")


class Backup(Frozen):
    """Make a backup, unless a release made one not long ago and that is enough."""

    kind: Literal["backup"] = "backup"
    task: Task
    fresh_seconds: int = Field(default=0, ge=0, description="how old one may be that is enough; 0: none is")

    def undo(self) -> None:
        """Nothing: a backup is left where it is."""
        return

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return "backup of the database"


class Migrate(Frozen):
    """Run migrations up or down, in the order in which they are listed."""

    kind: Literal["migrate"] = "migrate"
    direction: Literal["up", "down"]
    version: str = Field(description="the version whose migrations they are")
    migrations: tuple[Migration, ...] = Field(min_length=1)
    task: Task

    def undo(self) -> Migrate | None:
        """Down again, as far as that goes: to the newest one that cannot be undone."""
        undone, _ = way_down(self.migrations)
        if self.direction == "down" or not undone:
            return None
        return self.model_copy(update={"direction": "down", "migrations": undone})

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        names = ", ".join(each.id for each in self.migrations[:3])
        more = len(self.migrations) - 3
        what = "migration" if len(self.migrations) == 1 else f"{len(self.migrations)} migrations"
        undo = "undo " if self.direction == "down" else ""
        return f"{undo}{what} of {self.version}: {names}{f' and {more} more' if more > 0 else ''}"


class Restore(Frozen):
    """Put a backup back: what was written since is lost. Only a person decides that."""

    kind: Literal["restore"] = "restore"
    task: Task
    backup: str = Field(description="what the backup is called, as its Job said")
    made_by: str = Field(description="the release that made it")
    applied: tuple[Applied, ...] = Field(default=(), description="the migrations that it has")

    def undo(self) -> None:
        """Nothing does."""
        return

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        return f"backup {self.backup} of {self.made_by} restored"


DatabaseStep = Backup | Migrate | Restore

_LISTED: TypeAdapter[tuple[Migration, ...]] = TypeAdapter(tuple[Migration, ...])


class UnreadableMigrationsError(ValueError):
    """The label of an image is no list of migrations. Its text goes on after `the label …`."""


def read_label(text: str) -> tuple[Migration, ...]:
    """The migrations that a label lists. Raises `UnreadableMigrationsError`."""
    try:
        found = _LISTED.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableMigrationsError(
            f"cannot be read{f' at {where}' if where else ''}: {first['msg']}"
        ) from error
    ids = [each.id for each in found]
    twice = next((id_ for index, id_ in enumerate(ids) if id_ in ids[:index]), None)
    if twice is not None:
        raise UnreadableMigrationsError(f"lists {twice} twice")
    if len(found) > MOST:
        raise UnreadableMigrationsError(f"lists more than {MOST} migrations")
    return found


def way_down(migrations: Iterable[Migration]) -> tuple[tuple[Migration, ...], tuple[Migration, ...]]:
    """Those that can be undone, the newest first; and those that stay: the last irreversible, and before."""
    there = tuple(migrations)
    stays = max((index + 1 for index, each in enumerate(there) if not each.reversible), default=0)
    return tuple(reversed(there[stays:])), there[:stays]


def in_the_way(steps: Iterable[object]) -> tuple[Migration, ...]:
    """The migrations of these steps with which the version before would not run, and which stay."""
    up = [
        each
        for step in steps
        if isinstance(step, Migrate) and step.direction == "up"
        for each in step.migrations
    ]
    return tuple(each for each in way_down(up)[1] if not each.compatible)


def names(migrations: Iterable[Migration]) -> str:
    """Their ids in a sentence: `a, b and c`."""
    ids = [each.id for each in migrations]
    return " and ".join([", ".join(ids[:-1]), ids[-1]] if len(ids) > 1 else ids)
