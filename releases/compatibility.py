"""The compatibility matrix: which versions of what is around it a version of Buzzy runs with. Pure.

Ranges are npm's (https://github.com/npm/node-semver#ranges): `>=4.4`, `14.x`, `>=1.18 <1.30`, `4.x || 5.x`;
and `4.4+` is `>=4.4`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from semantic_version import NpmSpec
from semantic_version import Version as Running

from releases.version import Version

Requirements = Mapping[str, str]
"""What is needed (`mongodb`, `kubernetes`, `node`) → the range of its versions."""

NAMES = {"mongodb": "MongoDB", "kubernetes": "Kubernetes", "node": "Node.js"}

_HIGH = 10**9
# A vendor's suffix (`v1.29.4-gke.100`, `v1.30.1-eks-b9c9ed7`) is no pre-release.
_NUMBER = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-(?:alpha|beta|rc)[.\d]*)?(?:[-+ ].*|\+?)?")


class InvalidRange(ValueError):  # noqa: N818 - it names what is wrong, as `InvalidVersion` does
    """It is no range of versions."""


def check_range(text: str) -> str:
    """The range as it is. Raises `InvalidRange`."""
    _spec(text)
    return text


def check_pattern(text: str) -> str:
    """The versions of Buzzy that a row is for, such as `3.2.x`. Raises `InvalidRange`."""
    return check_range(text)


@dataclass(frozen=True)
class Row:
    """The row of the matrix that a version of Buzzy is in."""

    versions: str
    needs: Requirements


def row_of(matrix: Iterable[Row], version: Version) -> Row | None:
    """The first row, in the order of the file, that has the version; None when there is none.

    A pre-release belongs to the row of the version that it will be.
    """
    return next((row for row in matrix if within(row.versions, version)), None)


def within(pattern: str, version: Version) -> bool:
    """Whether a version of Buzzy, or the one that a pre-release will be, is among those of a pattern."""
    core = Running(f"{version.major}.{version.minor}.{version.patch}")
    fit: bool = _spec(pattern).match(core)
    return fit


def fits(wanted: str, running: str) -> bool | None:
    """Whether what runs is in the range; None when what it says of its version does not tell.

    A pre-release is less than its version and more than all before: 4.4.0-rc.1 is not yet 4.4.
    """
    found = _NUMBER.fullmatch(running.strip())
    if found is None:
        return None
    spec, numbers = _spec(wanted), [int(part) if part else None for part in found.group(1, 2, 3)]
    # `4.2` may be any 4.2: the first and the last that it may be have to agree.
    lowest, highest = (_version(*[rest if part is None else part for part in numbers]) for rest in (0, _HIGH))
    fit: bool = spec.match(lowest)
    if fit is not spec.match(highest):
        return None
    return fit and (found.group(4) is None or spec.match(_just_below(lowest)))


def _just_below(version: Running) -> Running:
    """The last version before: npm's own rule would keep pre-releases out of all ranges but their own."""
    major, minor, patch = version.major, version.minor, version.patch
    if patch:
        return _version(major, minor, patch - 1)
    return _version(major, minor - 1, _HIGH) if minor else _version(max(major - 1, 0), _HIGH, _HIGH)


def _version(major: int, minor: int, patch: int) -> Running:
    return Running(f"{major}.{minor}.{patch}")


_SPACE = re.compile(r"(?<=[<>=~^])\s+")
_PLUS = re.compile(r"(?<![\w.])([\d.]+)\+")


def _spec(text: str) -> NpmSpec:
    plain = _PLUS.sub(r">=\1", _SPACE.sub("", text.replace(",", " ")))
    try:
        return NpmSpec(" ".join(plain.split()))
    except ValueError as error:
        raise InvalidRange(text) from error
