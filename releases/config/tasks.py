"""What a Kubernetes Job of ours needs besides its image."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field

from releases.config.durations import Duration
from releases.config.section import DnsName, Section, Variable, VariableValue


class JobTask(Section):
    """A Job: one container that runs to its end, once."""

    command: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="what it runs; the image's own if left out",
        examples=[["mongodump"]],
    )
    args: tuple[str, ...] = Field(
        default=(),
        description="its arguments; $(BUZZY_RELEASE) and the other variables may stand in them",
        examples=[["--archive=/backups/$(BUZZY_RELEASE)"]],
    )
    env: Mapping[Variable, VariableValue] = Field(
        default={}, description="more environment variables", examples=[{"LOG_LEVEL": "info"}]
    )
    secrets: tuple[DnsName, ...] = Field(
        default=(),
        description="Secrets of the namespace whose keys become environment variables",
        examples=[["mongodb-backup"]],
    )
    service_account: DnsName | None = Field(
        default=None, description="the ServiceAccount of its pod", examples=["backup"]
    )
    deadline: Duration = Field(
        default=timedelta(minutes=15), description="how long it may take", examples=["15m"]
    )
