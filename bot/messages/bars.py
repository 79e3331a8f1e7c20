"""A bar per service: how far each has come, in monospace so that the columns stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.messages.parts import clip, count
from releases.events import ServiceSeen
from releases.lifecycle import MOVING, Release, StepState, StepStatus
from releases.plan import Change, Prepare, Template

CELLS = 10
MOST_ROWS = 12
"""Services that are shown one by one; beyond, those that stand still are counted: a phone has few lines."""

NAME, VERSION, NOTE = 30, 24, 48


@dataclass(frozen=True)
class Row:
    """One service: pods that are as they should be, of how many, and what it runs or comes to run."""

    service: str
    ready: int
    total: int
    version: str
    note: str
    status: StepStatus

    @property
    def calm(self) -> bool:
        """Whether there is nothing to look at: it has not begun, or is done and healthy."""
        return self.status is StepStatus.PENDING or (self.status is StepStatus.DONE and self.note == HEALTHY)


HEALTHY, UNTOUCHED, PREPARED = "healthy", "not touched", "prepared, no traffic yet"


def bars(release: Release) -> list[str]:
    """The lines of a release that has begun, in rollout order."""
    rows = _rows(release)
    if len(rows) <= MOST_ROWS:
        return _aligned(rows)
    restless = [row for row in rows if not row.calm][:MOST_ROWS]
    calm = [row for row in rows if row not in restless]
    done = sum(row.status is StepStatus.DONE for row in calm)
    waiting = sum(row.status is StepStatus.PENDING for row in calm)
    rest = [f"✔ {count(done, 'service')} done" if done else "", f"{waiting} to come" if waiting else ""]
    more = len(calm) - done - waiting
    rest.append(f"… {count(more, 'more')} under way" if more else "")
    return [*_aligned(restless), " · ".join(part for part in rest if part)]


def bar(ready: int, total: int) -> str:
    """`██████░░░░`; full only when all are ready."""
    full = CELLS if ready >= total else CELLS * ready // total
    return "█" * full + "░" * (CELLS - full)


def healthy_services(release: Release) -> tuple[int, int]:
    """How many of the services are done and healthy, and how many there are."""
    rows = _rows(release)
    return sum(row.status is StepStatus.DONE and row.note == HEALTHY for row in rows), len(rows)


def _rows(release: Release) -> list[Row]:
    """What the last step that concerns each service says of it: the way back comes after the way there."""
    last: dict[str, tuple[StepState, bool]] = {}
    for back, states in ((False, release.forward), (True, release.back)):
        for state in states:
            if isinstance(state.step, Change):
                before = last.get(state.step.service)
                waits = state.status is StepStatus.PENDING and before is not None
                if waits and before is not None and isinstance(before[0].step, Prepare):
                    continue  # prepared, or being so: that is what there is to see
                last[state.step.service] = (state, back)
            elif isinstance(state.step, Prepare) and state.status is not StepStatus.PENDING:
                last[state.step.service] = (state, back)
    order = [step.service for step in release.plan.rollouts()] if release.plan is not None else []
    return [_row(release, name, *last[name]) for name in order if name in last]


def _row(release: Release, name: str, state: StepState, back: bool) -> Row:  # noqa: FBT001 - as `_rows` has it
    step, seen = state.step, release.seen.get(name)
    assert isinstance(step, Change | Prepare)  # noqa: S101 - `_rows` keeps no other
    ready, total = (seen.ready, seen.total) if seen is not None else (0, 0)
    new, stable = (_version(template) for template in (step.new, step.stable))
    prepared = isinstance(step, Prepare) and release.state in MOVING
    match state.status:
        case StepStatus.PENDING:
            if release.ended:
                return Row(name, 0, total, stable, UNTOUCHED, state.status)
            return Row(name, 0, total, stable, "to be undone" if back else "", state.status)
        case StepStatus.RUNNING:
            return Row(name, ready, total, new, _note(seen, _going(release)), state.status)
        case StepStatus.FAILED:
            return Row(
                name,
                ready,
                total,
                new,
                f"failed: {seen.state}" if seen and seen.state else "failed",
                state.status,
            )
        case StepStatus.DONE:
            note = PREPARED if prepared else _note(seen, HEALTHY)
            return Row(name, ready, total, new, note, state.status)


def _version(template: Template | None) -> str:
    return "" if template is None else template.version or template.image


def _going(release: Release) -> str:
    return "starting" if release.state in MOVING else "stopped here"


def _note(seen: ServiceSeen | None, otherwise: str) -> str:
    if seen is None:
        return otherwise
    return seen.state or (otherwise if seen.healthy else "not healthy")


def _aligned(rows: Iterable[Row]) -> list[str]:
    cells = [
        (
            clip(row.service, NAME),
            f"{bar(row.ready, row.total)} {row.ready}/{row.total}" if row.note != UNTOUCHED else "",
            clip(row.version, VERSION),
            clip(row.note, NOTE),
        )
        for row in rows
    ]
    return table(cells)


def table(cells: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell."""
    rows = list(cells)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
