"""What the cluster remembers of an environment: its newest releases, complete, in one ConfigMap.

Pure. The text parts say whose ledger it is and what the last hash of each release was, also of those that
are no longer in it; the binary parts hold the events of a release each, as lines of JSON with their hashes,
compressed by xz:

    kubectl get configmap buzzy-ledger -o jsonpath='{.binaryData.R42}' | base64 -d | xzcat
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from releases import chain
from releases.chain import Line
from releases.events import Event, ReleaseStarted, Retried, TurnedBack, WayBackRetried
from releases.lifecycle import Release

NAME = "buzzy-ledger"
FORMAT = "1"

MOST_BYTES = 512 * 1024
"""Of all binary parts: well under the 1 MiB that Kubernetes stores, also as the base64 that is sent."""

MOST_RELEASES = 200
MOST_HEADS = 1_000
_MOST_UNPACKED = 64 * 1024 * 1024


class UnreadableLedgerError(Exception):
    """It is no ledger, or one of a later version. Its text is a sentence without a full stop."""


@dataclass(frozen=True)
class Head:
    """How many events a release had, and the hash of the last."""

    position: int
    hash: str


@dataclass(frozen=True)
class Ledger:
    """What a namespace remembers. `releases` holds the packed lines of a release, by its id."""

    installation: str
    environment: str
    counter: int = 0
    heads: Mapping[str, Head] = field(default_factory=dict)
    releases: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def newest(self) -> str | None:
        """The newest release that it knows of."""
        return max(self.heads, key=number, default=None)

    def lines(self, release: str) -> tuple[Line, ...]:
        """A release's events. Raises `UnreadableLedgerError`."""
        return unpacked(release, self.releases[release])

    def bounded(self) -> Ledger:
        """The same, without the oldest releases that it has no room for."""
        room, kept = MOST_BYTES, {}
        for release in newest_first(self.releases)[:MOST_RELEASES]:
            room -= len(self.releases[release])
            if room < 0:
                break
            kept[release] = self.releases[release]
        heads = {release: self.heads[release] for release in newest_first(self.heads)[:MOST_HEADS]}
        return replace(self, heads=heads, releases=kept)


def concerns(release: Release, happened: Iterable[Event]) -> bool:
    """Whether what happened should be remembered in the cluster: it begins to change it, or has ended."""
    turns = any(
        isinstance(event, ReleaseStarted | TurnedBack | Retried | WayBackRetried) for event in happened
    )
    return turns or (release.ended and release.started_at is not None)


def number(release: str) -> int:
    """`R42` as 42."""
    return int(release[1:])


def newest_first(releases: Iterable[str]) -> list[str]:
    """Ids of releases, the newest first."""
    return sorted(releases, key=number, reverse=True)


def head_of(release: str, lines: Sequence[Line]) -> Head:
    """What a ledger remembers of a release when its events have gone."""
    return Head(len(lines), chain.head(release, lines))


def packed(lines: Iterable[Line]) -> bytes:
    """A release's events as a binary part."""
    text = "".join(f"{line.stored()}\n" for line in lines)
    return lzma.compress(text.encode(), preset=1)


def unpacked(release: str, part: bytes) -> tuple[Line, ...]:
    """The events of a binary part. Raises `UnreadableLedgerError`."""
    try:
        unpacking = lzma.LZMADecompressor()
        text = unpacking.decompress(part, _MOST_UNPACKED).decode()
    except (lzma.LZMAError, UnicodeDecodeError, EOFError) as error:
        raise UnreadableLedgerError(f"the ledger's events of {release} cannot be read") from error
    if not unpacking.eof:
        raise UnreadableLedgerError(f"the ledger's events of {release} are not whole")
    return tuple(chain.read_line(stored) for stored in text.splitlines())


def texts(ledger: Ledger) -> dict[str, str]:
    """The text parts of its ConfigMap."""
    heads = [f"{each} {ledger.heads[each].position} {ledger.heads[each].hash}" for each in ledger.heads]
    return {
        "format": FORMAT,
        "installation": ledger.installation,
        "environment": ledger.environment,
        "counter": str(ledger.counter),
        "heads": "\n".join(sorted(heads, key=lambda line: number(line.split()[0]), reverse=True)),
    }


def read_ledger(parts: Mapping[str, str], releases: Mapping[str, bytes]) -> Ledger:
    """The ledger of a ConfigMap's parts. Raises `UnreadableLedgerError`."""
    if parts.get("format") != FORMAT:
        raise UnreadableLedgerError(f"the ConfigMap {NAME} is no ledger that this version can read")
    try:
        heads = {
            release: Head(int(position), hash_)
            for release, position, hash_ in (line.split() for line in parts["heads"].splitlines())
        }
        for release in (*heads, *releases):
            number(release)
        return Ledger(
            parts["installation"], parts["environment"], int(parts["counter"]), heads, dict(releases)
        )
    except (KeyError, ValueError) as error:
        raise UnreadableLedgerError(f"the ConfigMap {NAME} was changed: it cannot be read") from error
