"""The answer to `diff`: a table of what two environments do not have in common."""

from __future__ import annotations

from collections.abc import Iterator

from bot.messages.bars import table
from bot.messages.parts import NAME, SENTENCE, Message, bold, clip, count, lines, message, monospace
from releases.difference import Difference, ServiceDifference

CELL, SERVICE = 44, 30
DIGEST = len("sha256:") + 12
MOST_SERVICES = 20


def difference_message(found: Difference) -> Message:
    """What differs, service by service, and what is the same."""
    pair = f"{clip(found.first, NAME)} and {clip(found.second, NAME)}"
    services = len(found.services) + len(found.same)
    if not found.services:
        verdict = f"{pair} do not differ" if services else f"{pair} have no services to compare"
    else:
        verdict = f"{pair} differ in {len(found.services)} of {count(services, 'service')}"
    rows = [row for each in found.services[:MOST_SERVICES] for row in _rows(each)]
    more = len(found.services) - MOST_SERVICES
    shown = table([("", "", clip(found.first, CELL), clip(found.second, CELL)), *rows]) if rows else []
    return message(
        verdict,
        lines([bold(verdict)]),
        monospace([*shown, *([f"… {count(more, 'more service')}"] if more > 0 else [])]),
        lines(
            [clip(f"The same in both: {', '.join(found.same)}.", SENTENCE)]
            if found.same and found.services
            else None,
            ["Compared: versions, images and their digests, pods, variables (not their values: by name)."],
        ),
    )


def _rows(each: ServiceDifference) -> Iterator[tuple[str, str, str, str]]:
    """A row for each thing that differs; the service stands on the first."""
    name = clip(each.service, SERVICE)
    for what, first, second in _facts(each):
        yield name, what, clip(first, CELL), clip(second, CELL)
        name = ""


def _facts(each: ServiceDifference) -> Iterator[tuple[str, str, str]]:
    if each.missing is not None:
        yield "service", each.missing[0] or "there", each.missing[1] or "there"
    if each.version is not None:
        yield "version", each.version[0] or "no tag", each.version[1] or "no tag"
    if each.image is not None:
        yield "image", *each.image
    if each.pinned is not None:
        yield "digest", _digest(each.pinned[0]), _digest(each.pinned[1])
    if each.pods is not None:
        yield "pods", str(each.pods[0]), str(each.pods[1])
    if each.only_first or each.only_second:
        yield "variables", _named(each.only_first), _named(each.only_second)
    if each.other_values:
        yield "other values", _named(each.other_values), _named(each.other_values)


def _digest(text: str) -> str:
    return text[:DIGEST] if text else "not pinned"


def _named(names: tuple[str, ...]) -> str:
    """As many names as fit, and how many more there are."""
    if len(", ".join(names)) <= CELL:
        return ", ".join(names)
    room, shown = CELL - len("… 999 more"), ""
    for index, name in enumerate(names):
        longer = f"{shown}{name}, "
        if len(longer) > room:
            return f"{shown}… {len(names) - index} more"
        shown = longer
    return shown
