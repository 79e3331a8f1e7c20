"""Validation suites: what shows that a version is good, each by its name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from releases.config.amounts import Amount, Limit
from releases.config.durations import Duration
from releases.config.monitors import SAMPLES, Query
from releases.config.section import AnyImage, PersonOrGroup, Section
from releases.config.tasks import JobTask
from releases.presets import PRESETS, PresetName
from releases.validation import MetricCheck

FIELD = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$"


def _address(text: str) -> str:
    try:
        parts = urlsplit(text.format(version="1.0.0"))
        parts.port  # noqa: B018 - reading it checks it
    except (LookupError, ValueError):
        raise ValueError("is no address, such as https://ci.example.com/results/{version}.json") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is no address, such as https://ci.example.com/results/{version}.json")
    if "@" in parts.netloc:
        raise ValueError("has a login in it: results are read without one")
    return text


Address = Annotated[str, AfterValidator(_address)]


class JobSuite(JobTask):
    """A Kubernetes Job, passed when its container ends with 0. $(BUZZY_VERSION) is what it is about."""

    image: AnyImage = Field(
        description="the image that runs it; without a tag, the version is its tag",
        examples=["buzzybuzz/smoke-tests:2"],
    )

    backup: Literal["newest"] | None = Field(
        default=None,
        description="newest: $(BUZZY_BACKUP) is the backup that this release made, or else the newest; "
        "the Job restores it in a place of its own",
        examples=["newest"],
    )

    @property
    def of_version(self) -> bool:
        """Whether the version that it is about is its tag."""
        return ":" not in self.image.rsplit("/", 1)[-1]


class MetricSuite(Section):
    """A metric of what runs: a named one, or PromQL, and its limit."""

    name: PresetName | None = Field(default=None, description="a named metric", examples=["user_experience"])
    promql: Query | None = Field(
        default=None,
        description="or PromQL of your own",
        examples=["sum(rate(checkouts_total{$labels}[$range]))"],
    )
    at_least: Amount | None = Field(default=None, description="the smallest good value", examples=["85%"])
    at_most: Amount | None = Field(default=None, description="or the largest", examples=["250ms"])
    over: Duration = Field(
        default=timedelta(minutes=5), description="the time over which it is measured", examples=["5m"]
    )
    samples: int = Field(
        default=SAMPLES,
        ge=1,
        description="how many requests must be behind a value; fewer mean nothing",
        examples=[50],
    )
    deadline: Duration = Field(
        default=timedelta(minutes=1),
        description="how long it may take to become good, behind a release",
        examples=["5m"],
    )

    @model_validator(mode="after")
    def _whole(self) -> MetricSuite:
        if (self.name is None) == (self.promql is None):
            raise ValueError("needs one of name and promql")
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("needs one of at_least and at_most, such as at_most: 250ms")
        limit = self.limit
        if limit.times:
            raise ValueError(
                "has a limit against the version before, which only a monitor knows: write a value"
            )
        wrong = None if self.name is None else limit.fits(PRESETS[self.name].unit)
        if wrong is not None:
            said, _, _ = wrong.partition(", or")
            raise ValueError(f"has a limit that {said}")
        return self

    @property
    def limit(self) -> Limit:
        """What is compared with."""
        given = self.at_least if self.at_least is not None else self.at_most
        if given is None:
            raise ValueError("needs one of at_least and at_most, such as at_most: 250ms")
        return given

    def check(self, queries: Mapping[PresetName, str]) -> MetricCheck:
        """The check, as a plan has it. `queries` replace those of named metrics."""
        preset = None if self.name is None else PRESETS[self.name]
        own = None if self.name is None else queries.get(self.name)
        samples = preset.samples if preset is not None and own is None else ""
        return MetricCheck(
            name="promql" if preset is None else preset.title,
            query=self.promql or own or (preset.query if preset is not None else ""),
            samples=samples,
            fewest=self.samples if samples else 0,
            unit=self.limit.unit if preset is None else preset.unit,
            at_least=None if self.at_least is None else self.at_least.value,
            at_most=None if self.at_most is None else self.at_most.value,
            over_seconds=int(self.over.total_seconds()),
            deadline_seconds=int(self.deadline.total_seconds()),
        )


class HttpSuite(Section):
    """An answer: its status and, if it is JSON, one field of it."""

    url: Address = Field(
        description="where it is; {version} may stand in it",
        examples=["https://ci.example.com/results/{version}.json"],
    )
    status: int = Field(
        default=200, ge=100, le=599, description="the status of a good answer", examples=[200]
    )
    field: str | None = Field(
        default=None, pattern=FIELD, description="a field of the JSON answer", examples=["tests.result"]
    )
    equals: str | None = Field(default=None, description="what it has to be", examples=["passed"])
    at_least: float | None = Field(default=None, description="or the smallest good number", examples=[95])
    at_most: float | None = Field(default=None, description="or the largest", examples=[250])
    deadline: Duration = Field(
        default=timedelta(seconds=30),
        description="how long it may take to become good, behind a release",
        examples=["30s"],
    )

    @model_validator(mode="after")
    def _whole(self) -> HttpSuite:
        wants = [self.equals, self.at_least, self.at_most]
        if (self.field is None) != all(each is None for each in wants):
            raise ValueError("needs field and one of equals, at_least and at_most, or none of them")
        return self


class PersonSuite(Section):
    """A person looks at it and signs it off."""

    question: str = Field(
        min_length=1,
        max_length=200,
        description="what they are asked; {version} may stand in it",
        examples=["Does {version} do what was asked for?"],
    )
    by: tuple[PersonOrGroup, ...] = Field(
        min_length=1,
        description="who may sign it off: ids of people (U…) and user groups (S…)",
        examples=[["S0QA"]],
    )
    expires: Duration = Field(
        default=timedelta(hours=24),
        description="without a word by then, it has not passed",
        examples=["24h"],
    )

    @field_validator("question")
    @classmethod
    def _braces(cls, text: str) -> str:
        try:
            text.format(version="1.0.0")
        except (LookupError, ValueError):
            raise ValueError("has other braces than {version}: write them as {{ and }}") from None
        return text


class Suite(Section):
    """One suite, of one kind."""

    job: JobSuite | None = Field(
        default=None, description="a Job that runs it", examples=[{"image": "buzzybuzz/smoke-tests:2"}]
    )
    http: HttpSuite | None = Field(
        default=None,
        description="an answer that says how it went",
        examples=[{"url": "https://ci.example.com/results/{version}.json"}],
    )

    person: PersonSuite | None = Field(
        default=None,
        description="a person who signs it off",
        examples=[{"question": "Does {version} do what was asked for?", "by": ["S0QA"]}],
    )

    metric: MetricSuite | None = Field(
        default=None,
        description="a metric of what runs, within a limit",
        examples=[{"name": "user_experience", "at_least": "85%"}],
    )

    @model_validator(mode="after")
    def _one(self) -> Suite:
        if sum(kind is not None for kind in (self.job, self.http, self.metric, self.person)) != 1:
            raise ValueError("needs one of job, http, metric and person")
        return self
