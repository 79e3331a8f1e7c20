"""The checklist of a release: a line on its message, all of it behind a button and in the thread."""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.blocks import ButtonElement

from bot.messages.parts import (
    NAME,
    SENTENCE,
    Message,
    Row,
    bold,
    button,
    clip,
    joined,
    lines,
    message,
    moment,
    phrase,
    several,
    who,
    whom,
    with_code,
)
from bot.messages.presses import LOOK_AGAIN, TICK, Press
from releases.checklist import Item, Outcome, blocking, green, needs_work
from releases.lifecycle import Release, State

MOST_ITEMS = 15
TEXT, FULL_TEXT = 1_500, 5_000
"""Characters that the evidence of all items may take beside other things, and on its own."""

MOST_SHOWN = 3
"""Items of which a release's own message says that they are in the way; the button shows all."""

LABEL = 70
"""Characters of a button's label: Slack takes 75."""

_SIGNS = {Outcome.GREEN: "✅", Outcome.RED: "🔴", Outcome.UNKNOWN: "⚪", Outcome.WAITING: "⬜"}


def summary(release: Release) -> list[Row]:
    """`Checklist 9/10 — ⬜ release notes read (tick)`, and a line for each that has to be mended."""
    items = release.checklist
    if not items:
        return []
    waiting = [each for each in blocking(items) if each.is_for_people]
    open_ = [f"{_SIGNS[each.outcome]} {clip(each.name, NAME)} (tick)" for each in waiting[:MOST_SHOWN]]
    unknown = [each for each in items if each.outcome is Outcome.UNKNOWN and not each.blocks]
    open_ += [f"{_SIGNS[each.outcome]} {clip(each.name, NAME)}: not known" for each in unknown[:MOST_SHOWN]]
    rows = [phrase(f"Checklist {green(items)}/{len(items)}", *([" — ", " · ".join(open_)] if open_ else []))]
    wrong = needs_work(items)
    rows += [_line(each, release, SENTENCE) for each in wrong[:MOST_SHOWN]]
    if len(wrong) > MOST_SHOWN:
        rows.append([f"and {len(wrong) - MOST_SHOWN} more: see the checklist"])
    return rows


def checklist_rows(release: Release) -> list[Row]:
    """All items with their evidence, beside other things."""
    return rows_of(release.checklist, release)


def rows_of(items: tuple[Item, ...], release: Release | None = None, text: int = TEXT) -> list[Row]:
    """Items, a line each; `text` is how many characters their evidence may take in all."""
    room = text // max(min(len(items), MOST_ITEMS), 1)
    rows = [_line(each, release, min(room, SENTENCE)) for each in items[:MOST_ITEMS]]
    return [*rows, [f"and {len(items) - MOST_ITEMS} more"]] if len(items) > MOST_ITEMS else rows


def checklist_message(release: Release) -> Message:
    """What the Checklist button shows."""
    items = release.checklist
    title = f"Checklist of {release.id}: {green(items)} of {len(items)}"
    return message(title, lines([bold(f"📋 {title}")], *rows_of(items, release, FULL_TEXT)))


def checklist_buttons(release: Release) -> list[ButtonElement]:
    """A button for each item that a person may tick now, and one to look again at what was to be mended."""
    plan = release.plan
    if release.state is not State.WAITING or plan is None:
        return []
    made = tick_buttons(release, [each.name for each in blocking(release.checklist) if each.is_for_people])
    if needs_work(release.checklist):
        press = Press(release=release.id, digest=plan.digest).value()
        made.append(button("Look again", LOOK_AGAIN, press))
    return made


def tick_buttons(release: Release, items: Sequence[str]) -> list[ButtonElement]:
    """A button for each of these items of the plan that is there now."""
    digest = release.plan.digest if release.plan is not None else None
    return [
        button(
            f"☑ {clip(name, LABEL)}",
            f"{TICK}:{index}",
            Press(release=release.id, digest=digest, item=name).value(),
        )
        for index, name in enumerate(items[:MOST_SHOWN])
    ]


def _line(item: Item, release: Release | None, room: int) -> Row:
    """One item: how it stands, who ticked it or may, what was found, what would mend it."""
    ticks = () if release is None else release.ticks
    tick = next((each for each in ticks if each.item == item.name), None)
    row = phrase(f"{_SIGNS[item.outcome]} {clip(item.name, NAME)}")
    if tick is not None:
        row += [" · ", who(tick.by), " ", moment(tick.at)]
    elif item.by:
        row += [" · ", *several([whom(id_) for id_ in item.by])]
    mend = "to mend it: " if item.outcome is Outcome.RED else ""
    return joined(
        row,
        ["not known"] if item.outcome is Outcome.UNKNOWN else None,
        with_code(clip(item.evidence, room)) if item.evidence else None,
        with_code(clip(f"{mend}{item.fix}", room)) if item.fix else None,
    )
