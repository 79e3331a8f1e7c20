"""The releases there were, the newest first, with what changed beside Buzzy in its place among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.messages import wording
from bot.messages.bars import table
from bot.messages.parts import NAME, Message, Piece, bold, clip, lines, message, monospace
from bot.messages.status import EnvironmentNow, ago
from releases.lifecycle import ENDED, Release, State
from releases.snapshot import RevisionSeen

MOST_CHARACTERS = 8_000
"""Of all tables together; below what Slack takes in one message."""

_OUTCOMES = {
    State.RELEASED: "released",
    State.FAILED: "failed",
    State.ROLLED_BACK: "stopped and undone",
    State.CANCELLED: "cancelled",
    State.REFUSED: "refused",
    State.EXPIRED: "expired",
    State.IMPOSSIBLE: "not possible",
}


@dataclass(frozen=True)
class _Entry:
    at: datetime | None
    cells: tuple[str, ...]
    below: str = ""


def history_message(environments: tuple[EnvironmentNow, ...], now: datetime, *, ending: str) -> Message:
    """The answer to `history`: a table an environment."""
    room = MOST_CHARACTERS // len(environments)
    pieces: list[Piece | None] = []
    for each in environments:
        rows = _rows(each, now, revisions=len(environments) == 1)
        pieces += [
            lines([bold(clip(each.name, NAME))], *([["No releases yet."]] if not rows else [])),
            monospace(rows, at_most=min(room, 2_800)),
        ]
    names = ", ".join(each.name for each in environments)
    return message(f"Releases to {names}", *pieces, lines([ending]))


def _rows(each: EnvironmentNow, now: datetime, *, revisions: bool) -> list[str]:
    entries = [*_releases(each, now, revisions=revisions), *_outside(each, now)]
    # What has no time is old: Kubernetes keeps the time of every revision that it still has.
    entries.sort(key=lambda entry: entry.at.timestamp() if entry.at else 0.0, reverse=True)
    if not entries:
        return []
    shown = []
    for entry, row in zip(entries, table(entry.cells for entry in entries), strict=True):
        shown += [row, f"      {entry.below}"] if entry.below else [row]
    return shown


def _releases(each: EnvironmentNow, now: datetime, *, revisions: bool) -> Iterator[_Entry]:
    made: dict[str, list[RevisionSeen]] = {}
    for revision in each.seen.revisions if each.seen is not None else ():
        if revision.release is not None:
            made.setdefault(revision.release, []).append(revision)
    for release in each.recent:
        at = release.ended_at or release.request.at
        outcome = _outcome(release)
        yield _Entry(
            at,
            (
                release.id,
                clip(_version(release), 30),
                ago(at, now),
                clip(release.request.by.name, 24),
                clip(outcome, 40),
            ),
            _revisions(made.get(release.id, [])) if revisions else "",
        )


def _outcome(release: Release) -> str:
    if release.request.kind in {"drill", "validation"} and release.state is State.RELEASED:
        return "passed"
    return _OUTCOMES[release.state] if release.state in ENDED else wording.headline(release)


def _version(release: Release) -> str:
    if release.request.kind == "drill":
        return "drill" if release.plan is None else f"drill of {release.plan.new}"
    if release.request.kind == "validation":
        return f"🔎 {release.plan.new}" if release.plan is not None else "🔎 validation"
    if release.plan is not None:
        return f"↩ {release.plan.new}" if release.request.kind == "rollback" else release.plan.new
    return release.request.version or release.request.source or "↩ rollback"


def _revisions(made: list[RevisionSeen]) -> str:
    if not made:
        return ""
    shown = ", ".join(f"{revision.service} {revision.revision}" for revision in made)
    return clip(f"revisions: {shown}", 140)


def _outside(each: EnvironmentNow, now: datetime) -> Iterator[_Entry]:
    """What `kubectl` and others did: a rollout revision that no release made."""
    for revision in each.seen.revisions if each.seen is not None else ():
        if revision.release is None:
            what = f"{revision.service} revision {revision.revision}: changed outside Buzzy (kubectl)"
            yield _Entry(
                revision.created_at,
                (
                    "",
                    clip(revision.version or revision.image, 30),
                    ago(revision.created_at, now) if revision.created_at else "",
                    "",
                    clip(what, 90),
                ),
                clip(f"cause: {revision.cause}", 140) if revision.cause else "",
            )
