"""What a run left behind for others to see, and how it differs from a run that nobody disturbed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Problem = Literal["lost", "doubled", "wrong"]

MAY_REPEAT = frozenset(
    {
        ("leases", ""),  # renewed at every sign of life
        ("configmaps", "buzzy-ledger"),  # brought up to the record, whoever comes by
        # Who takes over may mark a Deployment, so that a late write of the one before fails. What counts is
        # how often its spec was changed, which its generation tells.
        ("deployments", ""),
        # The same of a Service; what it picks in the end, its content tells. A preview is made once.
        ("services", "buzzy-main"),
        ("services", "buzzy-api"),
    }
)
"""Objects whose writes are level-triggered, by kind and name: how often says nothing about a release."""

MAY_BE_ADDED = frozenset({"interrupted", "step_progressed"})
"""Events that tell of a crash, and pictures of pods on their way: how many there are is no effect."""

_ALREADY = " · was so already"
"""Who goes on after a crash finds some things done."""

_VARIES = (
    (re.compile(r"<!date\^[^>]*>"), "<date>"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|min|h)\b( \d+ s\b)?"), "<time>"),
    (re.compile(r"\bsince \d+ \w+ \d\d:\d\d UTC\b"), "since <date>"),
    (re.compile(re.escape(_ALREADY)), ""),
    (re.compile(r"\b(buzzy-[a-z-]+-[0-9a-z]{8,10})-[0-9a-z]{5}\b"), r"\1-<pod>"),
    (re.compile(r"(\n.* GET /health 200 <time>)+"), ""),  # how often, says how long a pod has lived
)


@dataclass(frozen=True)
class Finding:
    """One difference."""

    problem: Problem
    what: str


@dataclass(frozen=True)
class Effects:
    """What can be seen from outside once all is quiet."""

    states: Mapping[str, str]
    """How each release ended."""
    events: tuple[str, ...]
    """The record, without what may be added."""
    writes: Mapping[str, int]
    """How often objects were written that are not among those of `MAY_REPEAT`, by verb, kind and name."""
    specs: Mapping[str, int]
    """How often the spec of each Deployment was changed, the seed's own changes included."""
    content: Mapping[str, str]
    """What the objects of the cluster hold that a release changes, by kind and name."""
    posts: Mapping[str, int]
    """How often each message was posted, by channel, the event that it tells, and what it says."""
    shown: Mapping[str, str]
    """What the messages that are edited say in the end, by the event that they tell."""
    leftovers: tuple[str, ...] = ()
    """What should be empty by now."""


def normal(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    return text


def is_counted(kind: str, name: str) -> bool:
    """Whether it matters how often an object is written."""
    return not {(kind, ""), (kind, name)} & MAY_REPEAT


def told(events: Iterable[str]) -> tuple[str, ...]:
    """The events that must be the same in every run."""
    return tuple(each for each in events if each.partition(" ")[0] not in MAY_BE_ADDED)


def compare(undisturbed: Effects, seen: Effects) -> tuple[Finding, ...]:
    """All that differs."""
    found: list[Finding] = []
    for what, wanted, got in (
        ("event", Counter(undisturbed.events), Counter(seen.events)),
        ("write", Counter(undisturbed.writes), Counter(seen.writes)),
        ("change of the spec of", Counter(undisturbed.specs), Counter(seen.specs)),
        ("post", Counter(undisturbed.posts), Counter(seen.posts)),
    ):
        found += [Finding("lost", f"{what} {each}") for each in (wanted - got).elements()]
        found += [Finding("doubled", f"{what} {each}") for each in (got - wanted).elements()]
    if not found and undisturbed.events != seen.events:
        found.append(Finding("wrong", f"order of events: {', '.join(seen.events)}"))
    for what, before, after in (
        ("release", undisturbed.states, seen.states),
        ("object", undisturbed.content, seen.content),
        ("message", undisturbed.shown, seen.shown),
    ):
        found += [
            Finding("wrong", f"{what} {name}: {after.get(name)!r} instead of {before.get(name)!r}")
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        ]
    found += [Finding("wrong", f"left behind: {each}") for each in seen.leftovers]
    return tuple(found)
