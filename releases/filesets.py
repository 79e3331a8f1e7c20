"""Which files a version gets: those of the version itself, or of the nearest one before it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from releases.version import Version

MOST_BYTES = 1_048_576
"""What Kubernetes stores in a ConfigMap at most: names and contents together."""


def nearest(version: Version, there: Iterable[Version]) -> Version | None:
    """The set of files for a version: its own, else that of the newest before it with the same major.minor.

    A set that was made for 3.2.0 is good for 3.2.1, which mends and adds nothing; for 3.3.0 somebody has to
    say what its files are.
    """
    same = [each for each in there if (each.major, each.minor) == (version.major, version.minor)]
    return max((each for each in same if each <= version), default=None)


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """What becomes of the files that differ, given digests by name: `+ new`, `~ changed`, `- gone`."""
    signs = {
        name: "+" if name not in before else "-" if name not in after else "~"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }
    return tuple(f"{sign} {name}" for name, sign in signs.items())
