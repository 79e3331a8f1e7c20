"""A standby beside the environment that it follows, service by service. Pure.

What is asked of a standby is data (`Expected`), made from what is seen of the other environment: the regular
look for drift and a drill judge by the same. Only names of variables and files are compared, no values: they
may well differ, as the address of a database does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import AwareDatetime, Field

from releases.events import ServiceSeen
from releases.plan import Expected, Frozen

_DIGITS = 12


class Found(Frozen):
    """What a look at a standby found. Without differences it is in step."""

    at: AwareDatetime
    follows: str
    differences: tuple[str, ...] = ()
    since: AwareDatetime | None = Field(default=None, description="when they were first found")


@dataclass(frozen=True)
class Twin:
    """A service as it runs: what was seen of it, what its ConfigMaps hold, and those that are not there."""

    seen: ServiceSeen
    configuration: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()

    @property
    def is_there(self) -> bool:
        """Whether it has a Deployment."""
        return bool(self.seen.image)


def expected_of(
    leading: Iterable[Twin], services: Iterable[str], *, smaller: bool, soaking: bool
) -> tuple[Expected, ...]:
    """What the services of a standby have to be like.

    With `smaller` it may ask for fewer pods. While a version is `soaking` the standby has the one before,
    whose images and configuration are other ones.
    """
    there = {each.seen.service: each for each in leading if each.is_there}
    return tuple(
        Expected(
            service=name,
            image="" if soaking else there[name].seen.image,
            pods=0 if smaller else there[name].seen.total,
            configuration=() if soaking else tuple(sorted(there[name].configuration)),
        )
        for name in services
        if name in there
    )


def differences(expected: Iterable[Expected], own: Iterable[Twin], follows: str) -> tuple[str, ...]:
    """All that a standby lacks, a few words each."""
    wanted, twins = tuple(expected), tuple(own)
    return (
        *versions_differ(wanted, twins, follows),
        *pods_lack(wanted, twins, follows),
        *configuration_lacks(wanted, twins, follows),
    )


def versions_differ(expected: Iterable[Expected], own: Iterable[Twin], follows: str) -> tuple[str, ...]:
    """Services that run something else; digests count where both images have one, whatever the registry."""
    found = []
    for each, twin in _pairs(expected, own):
        if twin is None or not each.image:
            continue
        (version, digest), (theirs, its) = _parts(twin.seen.image), _parts(each.image)
        if version != theirs:
            found.append(f"{each.service} has {version or 'no version'}, {follows} has {theirs or 'none'}")
        elif digest and its and digest != its:
            found.append(
                f"{each.service} has another image of {version} than {follows} "
                f"({digest[:_DIGITS]}, not {its[:_DIGITS]})"
            )
    return tuple(found)


def pods_lack(expected: Iterable[Expected], own: Iterable[Twin], follows: str) -> tuple[str, ...]:
    """Services that are not there, or ask for fewer pods than they have to."""
    found = []
    for each, twin in _pairs(expected, own):
        if twin is None:
            found.append(f"{each.service} is not there")
        elif twin.seen.total < each.pods:
            asks = f"{twin.seen.total} {'pod' if twin.seen.total == 1 else 'pods'}"
            found.append(f"{each.service} asks for {asks}, {follows} for {each.pods}")
    return tuple(found)


def configuration_lacks(expected: Iterable[Expected], own: Iterable[Twin], follows: str) -> tuple[str, ...]:
    """Services whose pods are given less than they have to be, or could not start at all."""
    found = []
    for each, twin in _pairs(expected, own):
        if twin is None:
            continue
        found += [f"the ConfigMap {name} of {each.service} is not there" for name in twin.missing]
        lacking = sorted(set(each.configuration) - twin.configuration)
        if lacking and not twin.missing:
            found.append(f"{each.service} has no {_listed(lacking)}, which {follows} has")
    return tuple(found)


def _pairs(expected: Iterable[Expected], own: Iterable[Twin]) -> list[tuple[Expected, Twin | None]]:
    there: Mapping[str, Twin] = {each.seen.service: each for each in own if each.is_there}
    return [(each, there.get(each.service)) for each in expected]


def _parts(image: str) -> tuple[str, str]:
    """The tag and the digits of the digest of an image, each empty where it has none."""
    name, _, digest = image.partition("@")
    _, colon, tag = name.rpartition(":")
    return ("" if not colon or "/" in tag else tag), digest.rpartition(":")[2]


def _listed(names: list[str], most: int = 4) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
