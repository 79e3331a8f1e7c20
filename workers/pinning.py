"""Which image a version is: its tag, looked up in the registry and pinned to what it is now.

A digest names content: whatever happens to the tag afterwards, the nodes run what was looked up, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from releases.config import Service
from releases.version import InvalidVersion, Version
from workers.planning.scene import Refused, listed
from workers.registry import ImageMissingError, Registry

Digests = Mapping[str, str]
"""Service → the digest of its image."""

NEAR = 5
"""Versions that a refusal lists."""


def look_up(registry: Registry, services: Iterable[Service], version: Version) -> dict[str, str] | Refused:
    """The digest of each service's image of that version, or which there is none of.

    Raises `RegistryError` when the registry does not say.
    """
    found: dict[str, str] = {}
    missing: list[Service] = []
    for service in services:
        try:
            found[service.name] = registry.digest(service.image, str(version))
        except ImageMissingError:
            missing.append(service)
    return _missing(registry, missing, version) if missing else found


def _missing(registry: Registry, services: list[Service], version: Version) -> Refused:
    names = listed(list(dict.fromkeys(f"{each.image}:{version}" for each in services)))
    have = dict.fromkeys(_have(registry, each.image, version) for each in services)
    return Refused(f"There is no image {names} in the registry.", " ".join(have))


def _have(registry: Registry, image: str, version: Version) -> str:
    """Which versions of an image there are that may have been meant."""
    try:
        tags = registry.tags(image)
    except ImageMissingError:
        return f"It has no {image} at all: check the image in buzzy.yaml."
    known = near(version, tags)
    if not known:
        return f"Of {image} it has no versions."
    return f"Of {image} it has {listed(known)}."


def near(version: Version, tags: Iterable[str], most: int = NEAR) -> list[str]:
    """The versions among the tags that are nearest to one, in their order."""
    versions = sorted({each for tag in tags if (each := _version(tag)) is not None})
    place = sum(each < version for each in versions)
    first = max(0, min(place - (most + 1) // 2, len(versions) - most))
    return [str(each) for each in versions[first : first + most]]


def _version(tag: str) -> Version | None:
    try:
        return Version.parse(tag)
    except InvalidVersion:
        return None
