"""What proves a record: each event carries a hash over the hash before it and itself. Pure.

An edit, an insertion, a deletion or a change of order breaks the chain at its place. A release's first event
is chained to the installation, the release's id and the first event of the release before it, so that a
release that is taken out, or put under another number, breaks it as well. What is cut off at the end breaks
nothing: that shows only where somebody else remembers the last hash, which the ledgers do.

Events that an earlier version of the bot wrote carry no hash. They are counted as if they did, so what is
written behind them proves them from then on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from releases.events import Event
from releases.plan import canonical_json, digest_of

NOTHING = "0" * 64
"""The hash before the very first release."""

_DIGITS = 64


@dataclass(frozen=True)
class Line:
    """An event as the record has it: its canonical JSON, and its hash; empty when it was written without.

    `before`, of a release's first event, is the hash of the first event of the release before it.
    """

    text: str
    hash: str = ""
    before: str = ""

    def stored(self) -> str:
        """The line as it is kept: hashes in front of the JSON."""
        return " ".join(part for part in (self.hash, self.before, self.text) if part)


@dataclass(frozen=True)
class Problem:
    """Something that cannot be true of a record. `position` counts a release's events from 1."""

    release: str
    position: int
    what: str

    def __str__(self) -> str:
        """The problem in a line."""
        where = f"{self.release}, event {self.position}" if self.position else self.release
        return f"{where}: {self.what}" if where else self.what


def read_line(stored: str) -> Line:
    """A line as it was kept."""
    hashes, brace, rest = stored.partition("{")
    parts = hashes.split()
    if not all(len(part) == _DIGITS for part in parts) or len(parts) > 2:
        return Line(stored)  # no line of ours: reading the event says what is wrong
    return Line(brace + rest, *parts)


def text_of(event: Event) -> str:
    """An event's canonical JSON, over which its hash goes."""
    return canonical_json(event.model_dump(mode="json"))


def canonical(text: str) -> str:
    """The same for JSON that somebody else may have written another way. Raises `ValueError`."""
    return canonical_json(json.loads(text))


def opening(installation: str, release: str, before: str, text: str) -> Line:
    """A release's first line."""
    about = digest_of({"installation": installation, "release": release, "before": before})
    return Line(text, _link(about, text), before)


def chained(before: str, texts: Sequence[str]) -> tuple[Line, ...]:
    """The lines of these events, behind the hash before them."""
    lines = []
    for text in texts:
        before = _link(before, text)
        lines.append(Line(text, before))
    return tuple(lines)


def proven(release: str, lines: Sequence[Line]) -> Iterator[Line]:
    """The lines with their hashes; those that were written without get the one that they would have."""
    before = ""
    for line in lines:
        if not line.hash and not before:
            known = opening("", release, "", line.text)
        elif not line.hash:
            known = replace(line, hash=_link(before, line.text))
        else:
            known = line
        before = known.hash
        yield known


def head(release: str, lines: Sequence[Line]) -> str:
    """The hash of the last line; empty when there is none."""
    if lines and lines[-1].hash:
        return lines[-1].hash
    return next((line.hash for line in reversed(tuple(proven(release, lines)))), "")


def broken(release: str, lines: Sequence[Line], installation: str) -> tuple[Problem, ...]:
    """Where a release's chain does not hold."""
    problems, before = [], ""
    was_proven = False
    for position, (line, known) in enumerate(zip(lines, proven(release, lines), strict=True), 1):
        if line.hash and line.hash != _expected(release, line, before, installation, first=position == 1):
            what = "it, its place, or what was before it was changed after it was written"
            problems.append(Problem(release, position, what))
        elif not line.hash and was_proven:
            problems.append(Problem(release, position, "it carries no hash, and those before it do"))
        elif line.before and position > 1:
            problems.append(Problem(release, position, "it begins a release, and stands inside one"))
        was_proven = was_proven or bool(line.hash)
        before = known.hash
    return tuple(problems)


def unproven(lines: Sequence[Line]) -> int:
    """How many events at the beginning were written without a hash."""
    return next((index for index, line in enumerate(lines) if line.hash), len(lines))


def _expected(release: str, line: Line, before: str, installation: str, *, first: bool) -> str:
    if first:
        return opening(installation, release, line.before, line.text).hash
    return _link(before, line.text)


def _link(before: str, text: str) -> str:
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
