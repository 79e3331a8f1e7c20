"""What releases do to an environment's database: each a Kubernetes Job of an image that knows how."""

from __future__ import annotations

from pydantic import Field, model_validator

from releases.config.durations import Duration
from releases.config.section import ImageName, Repository, Section
from releases.config.tasks import JobTask


class BackupTask(JobTask):
    """Makes a backup. Its termination message, or the last line of its log, says what it is called."""

    image: ImageName = Field(description="the image that makes it", examples=["buzzybuzz/backup:1.4"])
    fresh: Duration | None = Field(
        default=None,
        description="how old a release's backup may be that is enough where nothing is migrated; "
        "each release makes its own if left out",
        examples=["24h"],
    )


class RestoreTask(JobTask):
    """Puts a backup back; $(BUZZY_BACKUP) is what it is called."""

    image: ImageName = Field(description="the image that does it", examples=["buzzybuzz/backup:1.4"])


class MigrationsTask(JobTask):
    """Runs migrations; $(BUZZY_DIRECTION) is up or down, $(BUZZY_MIGRATIONS) has their ids and commas."""

    image: Repository = Field(
        description="the image repository; its tag is the version, and its label buzzy.migrations lists them",
        examples=["buzzybuzz/buzzy-migrations"],
    )


class DatabaseCare(Section):
    """Backups before releases, and migrations."""

    backup: BackupTask | None = Field(
        default=None,
        description="a backup before a release changes anything",
        examples=[{"image": "buzzybuzz/backup:1.4"}],
    )
    migrations: MigrationsTask | None = Field(
        default=None,
        description="migrations, which run before the services of their version",
        examples=[{"image": "buzzybuzz/buzzy-migrations"}],
    )
    restore: RestoreTask | None = Field(
        default=None,
        description="what rollback --restore runs",
        examples=[{"image": "buzzybuzz/backup:1.4", "args": ["restore", "$(BUZZY_BACKUP)"]}],
    )

    @model_validator(mode="after")
    def _something_to_restore(self) -> DatabaseCare:
        if self.restore is not None and self.backup is None:
            raise ValueError("can restore nothing without a backup: write backup beside restore")
        return self
