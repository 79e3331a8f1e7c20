"""Validation suites: what shows that a version is good, each by its name."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from releases.config.durations import Duration
from releases.config.section import AnyImage, Section
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

    @model_validator(mode="after")
    def _one(self) -> Suite:
        if (self.job is None) == (self.http is None):
            raise ValueError("needs one of job and http")
        return self
