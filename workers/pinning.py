"""Which image a version is: its tag, looked up in the registry and pinned to what it is now.

A digest names content: whatever happens to the tag afterwards, the nodes run what was looked up, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from releases.version import InvalidVersion, Version
from workers.planning.scene import Refused, listed
from workers.registry import ImageMissingError, Registry

Digests = Mapping[str, str]
"""Service → the digest of its image."""

NEAR = 5
"""Versions that a refusal lists."""


def look_up(registry: Registry, images: Mapping[str, str], version: Version) -> dict[str, str] | Refused:
    """The digest of each service's image of that version, or which there is none of.

    `images` are repositories by service. Raises `RegistryError` when the registry does not say.
    """
    found: dict[str, str] = {}
    missing: list[str] = []
    for service, image in images.items():
        try:
            found[service] = registry.digest(image, str(version))
        except ImageMissingError:
            missing.append(image)
    return _missing(registry, missing, version) if missing else found


def _missing(registry: Registry, images: list[str], version: Version) -> Refused:
    names = listed(list(dict.fromkeys(f"{image}:{version}" for image in images)))
    have: dict[str, list[str]] = {}
    for image in dict.fromkeys(images):
        have.setdefault(_have(registry, image, version), []).append(image)
    hints = [f"Of {listed(images)} it has {known}." for known, images in have.items()]
    return Refused(f"There is no image {names} in the registry.", " ".join(hints))


def _have(registry: Registry, image: str, version: Version) -> str:
    """Which versions of an image there are that may have been meant."""
    try:
        tags = registry.tags(image)
    except ImageMissingError:
        return "nothing at all: check the name in buzzy.yaml"
    return listed(near(version, tags)) or "no versions"


def near(version: Version, tags: Iterable[str], most: int = NEAR) -> list[str]:
    """The versions among the tags that are nearest to one, in their order.

    Pre-releases are near to pre-releases only, unless there is nothing else.
    """
    known = {each for tag in tags if (each := _version(tag)) is not None}
    stable = {each for each in known if not each.is_prerelease}
    versions = sorted(known if version.is_prerelease else stable or known)
    place = sum(each < version for each in versions)
    first = max(0, min(place - (most + 1) // 2, len(versions) - most))
    return [str(each) for each in versions[first : first + most]]


def _version(tag: str) -> Version | None:
    try:
        return Version.parse(tag)
    except InvalidVersion:
        return None
