"""Validation suites: what shows that a version is good, each by its name."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from releases.config.durations import Duration
from releases.config.section import AnyImage, PersonOrGroup, Section
from releases.config.tasks import JobTask

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

    @property
    def of_version(self) -> bool:
        """Whether the version that it is about is its tag."""
        return ":" not in self.image.rsplit("/", 1)[-1]


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

    @model_validator(mode="after")
    def _one(self) -> Suite:
        if sum(kind is not None for kind in (self.job, self.http, self.person)) != 1:
            raise ValueError("needs one of job, http and person")
        return self
