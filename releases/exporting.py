"""The record as a file: a line of JSON an event, which proves itself. Pure.

Each line says who, what, when, why, the plan's digest and how the release then stood, and holds the event
with its hash; these words are read from the event, and are held against it when the file is verified. The
last line says how much there is, so that a file that is cut off shows as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from releases import chain
from releases.chain import Line, Problem
from releases.events import BUZZY, Event, load_event
from releases.keeping import KeptRecord, KeptRelease
from releases.ledger import number
from releases.lifecycle import IllegalEventError, Release, apply, begin
from releases.plan import canonical_json
from releases.verifying import Verdict

Json = dict[str, Any]

_WORDS = ("environment", "when", "who", "what", "why", "plan", "outcome")


def export(record: KeptRecord, *, environment: str | None, since: datetime | None) -> Iterator[str]:
    """The lines of a file: whole releases, of one environment or all, that something happened to since."""
    count, hashes, releases = 0, hashlib.sha256(), 0
    for release in sorted(record.releases, key=number):
        kept = record.releases[release]
        if environment is not None and kept.environment != environment:
            continue
        lines = list(_lines(kept, record.installation))
        if since is not None and not _is_newer(lines, since):
            continue
        releases += 1
        for line in lines:
            count += 1
            hashes.update(line["hash"].encode())
            yield canonical_json(line)
    yield canonical_json({"end": {"releases": releases, "events": count, "digest": hashes.hexdigest()}})


def verify_file(texts: Iterable[str]) -> Verdict:
    """Whether a file is as it was exported."""
    problems: list[Problem] = []
    entries: list[Json] = []
    end: Json | None = None
    for row, text in enumerate(texts, 1):
        try:
            entry = json.loads(text)
            if end is not None:
                problems.append(Problem("", 0, f"line {row} stands behind the end"))
            elif "end" in entry:
                end = dict(entry["end"])
            else:
                str(entry["release"]), int(entry["position"]), str(entry["hash"]), dict(entry["event"])
                entries.append(entry)
        except (ValueError, KeyError, TypeError):
            problems.append(Problem("", 0, f"line {row} is no line of an export"))
    problems += _ending(entries, end)
    for release in dict.fromkeys(entry["release"] for entry in entries):
        problems += _release(release, [entry for entry in entries if entry["release"] == release])
    return Verdict(tuple(problems))


def _lines(kept: KeptRelease, installation: str) -> Iterator[Json]:
    state: Release | None = None
    for position, line in enumerate(kept.lines, 1):
        head = {"release": kept.id, "position": position, "hash": line.hash}
        first = {"installation": installation, "before": line.before} if position == 1 else {}
        try:
            event = load_event(line.text)
        except ValueError:  # it is exported as it is; what is wrong with it, verifying tells
            yield {**head, **first, **dict.fromkeys(_WORDS), "event": {"unreadable": line.text}}
            continue
        state = _after(kept.id, state, event)
        yield {**head, **first, **_words(event, state), "event": json.loads(line.text)}


def _is_newer(lines: Sequence[Json], since: datetime) -> bool:
    times = [datetime.fromisoformat(line["when"]) for line in lines if line["when"]]
    return not times or max(times) >= since


def _after(release: str, state: Release | None, event: Event) -> Release | None:
    """The release after an event; as before where it cannot be true, which verifying tells."""
    try:
        return begin(release, event) if state is None else apply(state, event)
    except IllegalEventError:
        return state


def _words(event: Event, state: Release | None) -> Json:
    who = getattr(event, "by", BUZZY)
    why = next(
        (said for name in ("reason", "because", "found") if (said := getattr(event, name, None))), None
    )
    plan = state.plan.digest if state is not None and state.plan is not None else None
    return {
        "environment": state.environment if state is not None else None,
        "when": event.at.isoformat(),
        "who": f"{who.name} ({who.id})",
        "what": event.event,
        "why": why,
        "plan": plan,
        "outcome": str(state.state) if state is not None else None,
    }


def _ending(entries: Sequence[Json], end: Json | None) -> Iterator[Problem]:
    if end is None:
        yield Problem("", 0, "the file has no end: it is cut off")
        return
    hashes = "".join(str(entry["hash"]) for entry in entries)
    if end.get("events") != len(entries) or end.get("digest") != hashlib.sha256(hashes.encode()).hexdigest():
        yield Problem("", 0, f"the file should have {end.get('events')} events, and other ones than it has")


def _release(release: str, entries: Sequence[Json]) -> Iterator[Problem]:
    positions = [int(entry["position"]) for entry in entries]
    if positions != list(range(1, len(entries) + 1)):
        yield Problem(release, 0, "its events are not all there, or not in their order")
    lines = [_line(entry) for entry in entries]
    yield from chain.broken(release, lines, str(entries[0].get("installation", "")))
    state: Release | None = None
    for position, (line, entry) in enumerate(zip(lines, entries, strict=True), 1):
        try:
            event = load_event(line.text)
        except ValueError:
            yield Problem(release, position, "it cannot be read as an event")
            continue
        state = _after(release, state, event)
        words = _words(event, state)
        if any(entry.get(name) != words[name] for name in _WORDS):
            yield Problem(release, position, "the words beside the event say something else than the event")


def _line(entry: Json) -> Line:
    return Line(canonical_json(entry["event"]), str(entry["hash"]), str(entry.get("before", "")))
