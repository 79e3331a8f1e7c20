"""What waits for the reader, with the buttons that answer it, and what waits for others."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock

from bot.messages import wording
from bot.messages.checklist import tick_buttons
from bot.messages.parts import (
    NAME,
    PARAGRAPH,
    Message,
    Piece,
    Row,
    bold,
    button,
    buttons,
    clip,
    count,
    joined,
    lines,
    link,
    message,
    who,
)
from bot.messages.presses import APPROVE, Press
from bot.messages.release import approvals_row
from releases.awaiting import Wanted
from releases.checklist import blocking
from releases.lifecycle import Release, State

MOST = 8
"""Releases of each of the two kinds; there is at most one for each environment."""


@dataclass(frozen=True)
class Awaiting:
    """A release that waits, what it wants of the reader, and where its message is."""

    release: Release
    wanted: Wanted
    url: str | None = None


def approvals_message(found: tuple[Awaiting, ...], application: str) -> Message:
    """The answer to `approvals`."""
    mine = sum(bool(each.wanted) for each in found)
    sentence = f"{count(mine, 'release waits', 'releases wait')} for you" if mine else "Nothing waits for you"
    others = waiting_for_others(found, application)
    return message(
        f"{sentence}.",
        lines([bold("Waiting for you")]),
        *waiting_for_reader(found, application),
        lines([bold("Waiting for others")]) if others else None,
        others,
    )


def waiting_for_reader(found: tuple[Awaiting, ...], application: str) -> list[Piece | ActionsBlock | None]:
    """What the reader can do something about, each with its buttons; or that there is nothing."""
    mine = [each for each in found if each.wanted]
    pieces: list[Piece | ActionsBlock | None] = []
    for each in mine[:MOST]:
        pieces += [lines(_title(each, application), _wants(each), _asked(each.release)), _buttons(each)]
    if len(mine) > MOST:
        pieces.append(lines([f"and {len(mine) - MOST} more: see /buzzy status"]))
    return pieces or [lines(["Nothing."])]


def waiting_for_others(found: tuple[Awaiting, ...], application: str) -> Piece | None:
    """The others, and whom or what each waits for; None when there are none."""
    others = [each for each in found if not each.wanted]
    rows = [row for each in others[:MOST] for row in (_title(each, application), _held_up(each.release))]
    if len(others) > MOST:
        rows.append([f"and {len(others) - MOST} more: see /buzzy status"])
    return lines(*rows) if rows else None


def _title(each: Awaiting, application: str) -> Row:
    title = wording.title(each.release, application)
    linked = link(each.url, title) if each.url else title
    return [f"{wording.emoji(each.release)} ", linked, f" — {wording.headline(each.release)}"]


def _wants(each: Awaiting) -> Row:
    wishes: list[Row] = [["it wants your approval"]] if each.wanted.approval else []
    wishes += [[f"your tick: {clip(name, NAME)}"] for name in each.wanted.ticks]
    return joined(*wishes)


def _asked(release: Release) -> Row:
    reason = release.request.reason
    return joined(
        ["asked by ", who(release.request.by)],
        [f"“{clip(reason, PARAGRAPH)}”"] if reason else None,
    )


def _held_up(release: Release) -> Row:
    """Whom or what it waits for."""
    if release.state is State.HELD:
        return [clip(release.held.because, PARAGRAPH)] if release.held else []
    names = ", ".join(clip(item.name, NAME) for item in blocking(release.checklist))
    return joined(approvals_row(release), [f"checklist: {clip(names, PARAGRAPH)}"] if names else None)


def _buttons(each: Awaiting) -> ActionsBlock | None:
    plan = each.release.plan
    press = Press(release=each.release.id, digest=plan.digest if plan else None).value()
    label = f"Approve {each.release.id}"
    return buttons(
        button(label, APPROVE, press, style="primary") if each.wanted.approval else None,
        *tick_buttons(each.release, each.wanted.ticks),
    )
