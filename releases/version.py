"""Versions, as Semantic Versioning 2.0.0 has them (https://semver.org/spec/v2.0.0.html).

Their order is that of §11 of the specification, pre-releases included. Build metadata (§10) is refused:
a container tag cannot hold a `+`, and two versions that differ in it alone have no order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import total_ordering
from typing import Any, Literal, Self

import semver
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

LONGEST = 128
"""Characters that a container tag may have (https://github.com/opencontainers/distribution-spec)."""

_SHOWN = 40
"""Characters of a wrong version that a message repeats."""

# The same language as the specification's own expression, without build metadata.
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_NUMBER = r"(?:0|[1-9][0-9]*)"
_VERSION = rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?"

# What people write when they mean a version: parts missing, zeros in front, a pre-release without its dash.
_ALMOST = re.compile(
    r"(?<![\w.])[vV]?(?P<numbers>[0-9]+(?:\.[0-9]+){0,2})"
    r"(?:-?(?P<prerelease>(?<=-)[0-9a-zA-Z.-]+|[a-zA-Z][0-9a-zA-Z.-]*))?(?:\+[\w.+-]*)?$"
)


class InvalidVersion(ValueError):  # noqa: N818 - it names what is wrong with the text, as `ValueError` does
    """A text that is no version that can be released.

    `problem` is a sentence without its full stop; `hint` is the version that was probably meant, which
    can be parsed, or empty when there is no good guess.
    """

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(f"{problem}; did you mean {hint}?" if hint else problem)
        self.problem = problem
        self.hint = hint


@total_ordering
@dataclass(frozen=True, slots=True, repr=False)
class Version:
    """A version. Made with `Version.parse`; equal, hashed and ordered by its precedence."""

    _semver: semver.Version

    @classmethod
    def parse(cls, text: str) -> Self:
        """The version that a text names; a `v` in front, as git tags have it, is dropped.

        Raises `InvalidVersion`.
        """
        bare = text.strip()
        if bare[:1] in {"v", "V"}:
            bare = bare[1:]
        if len(bare) <= LONGEST and re.fullmatch(_VERSION, bare):
            return cls(semver.Version.parse(bare))
        raise InvalidVersion(_problem(text.strip()), _guess(text.strip()))

    @property
    def major(self) -> int:
        """Rises with what is incompatible (§8)."""
        return self._semver.major

    @property
    def minor(self) -> int:
        """Rises with what is new (§7)."""
        return self._semver.minor

    @property
    def patch(self) -> int:
        """Rises with what is mended (§6)."""
        return self._semver.patch

    @property
    def prerelease(self) -> str | None:
        """What follows the dash (§9), such as `rc.2`; None for a stable version."""
        return self._semver.prerelease

    @property
    def is_prerelease(self) -> bool:
        """Whether it comes before the version that its three numbers name."""
        return self._semver.prerelease is not None

    def __str__(self) -> str:
        return str(self._semver)

    def __repr__(self) -> str:
        return f"Version({str(self)!r})"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return bool(self._semver < other._semver)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's interface
        """In models a version is read from text and written as text."""
        text = core_schema.str_schema(metadata={"pydantic_js_updates": {"pattern": f"^{_VERSION}$"}})
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(cls.parse, text),
            python_schema=core_schema.no_info_plain_validator_function(cls._of),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def _of(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.parse(value)
        raise InvalidVersion("A version is written as text")


class ReleaseType(StrEnum):
    """How much a release changes; policy asks more of the bigger ones."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    HOTFIX = "hotfix"
    SECURITY = "security"


Urgency = Literal["hotfix", "security"]
"""Why a release is in a hurry, as the person who asks for it says."""


def release_type(stable: Version | None, new: Version, *, urgency: Urgency | None = None) -> ReleaseType:
    """The type of a release of `new` where `stable` runs: the first of their numbers that differs.

    A first release is a major one: nothing is known of what it is compatible with. A pre-release has the
    type of the version that it precedes. `urgency` names a patch in a hurry, it makes no major or minor
    release smaller than it is: the numbers decide what policy asks, not the word of whoever is in a hurry.
    """
    if stable is None or stable.major != new.major:
        return ReleaseType.MAJOR
    if stable.minor != new.minor:
        return ReleaseType.MINOR
    return ReleaseType.PATCH if urgency is None else ReleaseType(urgency)


def is_downgrade(stable: Version | None, new: Version) -> bool:
    """Whether `new` precedes what runs: that is a rollback, not a release."""
    return stable is not None and new < stable


def _problem(text: str) -> str:
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    if not text:
        return "The version is missing"
    if len(text) > LONGEST:
        return f'"{shown}" is longer than the {LONGEST} characters that a container tag may have'
    if "+" in text:
        return f'"{shown}" has build metadata (the part from "+" on), which a container tag cannot hold'
    if not re.search(r"[0-9]", text):
        return f'"{shown}" is no version: tags must be versions, such as 3.2.1'
    return f'"{shown}" is no version: it needs three numbers, such as 3.2.1 or 3.3.0-rc.1'


def _guess(text: str) -> str:
    """The version that was probably meant, or an empty text."""
    found = _ALMOST.search(text) if len(text) <= LONGEST else None
    if found is None:
        return ""
    numbers, prerelease = found["numbers"].split("."), found["prerelease"] or ""
    if prerelease and len(numbers) == 1:
        return ""
    guess = ".".join(_without_zeros(number) for number in [*numbers, "0", "0"][:3])
    if prerelease:
        guess += "-" + ".".join(_without_zeros(part) for part in prerelease.split(".") if part)
    return guess if re.fullmatch(_VERSION, guess) else ""


def _without_zeros(part: str) -> str:
    return str(int(part)) if part.isdigit() else part
