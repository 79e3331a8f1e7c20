"""How the steps of a release go."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from releases.events.base import Evidence, Happened, ServiceSeen
from releases.monitoring import Chart, Reading


class StepStarted(Happened):
    """A step begins. `index` counts from 0 over the steps there and then the steps back."""

    event: Literal["step_started"] = "step_started"
    index: int


class JobStarted(Happened):
    """The Job of a step is in the cluster: from here on, one that is not there any more was taken away."""

    event: Literal["job_started"] = "job_started"
    index: int
    job: str = Field(description="its name")


class StepProgressed(Happened):
    """Something that people watch has changed while a step runs."""

    event: Literal["step_progressed"] = "step_progressed"
    index: int
    seen: tuple[ServiceSeen, ...]


class StepFinished(Happened):
    """A step's end is reached, and was seen to be."""

    event: Literal["step_finished"] = "step_finished"
    index: int
    changed: bool = Field(description="False when everything was already as the step wants it")
    seen: tuple[ServiceSeen, ...] = ()
    result: str = Field(default="", description="what its Job gave, such as what the backup is called")
    log: tuple[str, ...] = Field(default=(), description="the last lines that its Job wrote")


class StepFailed(Happened):
    """A step cannot reach its end."""

    event: Literal["step_failed"] = "step_failed"
    index: int
    reason: str = Field(description="one sentence")
    evidence: tuple[Evidence, ...] = ()
    seen: tuple[ServiceSeen, ...] = ()
    chart: Chart | None = Field(default=None, description="the metric that tripped, if it was one")


class Monitored(Happened):
    """What is watched stands otherwise than before, or a fifth of the time has passed."""

    event: Literal["monitored"] = "monitored"
    index: int
    readings: tuple[Reading, ...]
    news: tuple[str, ...] = Field(default=(), description="the triggers that stand otherwise")


class Interrupted(Happened):
    """A worker found a release whose worker had died, and says what it saw in the cluster."""

    event: Literal["interrupted"] = "interrupted"
    found: str = Field(description="what was found and what is done about it, in one or two sentences")
