"""What waits for the reader, with the buttons that answer it, and what waits for others."""

from __future__ import annotations

from collections.abc import Iterable
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
    return message(f"{sentence}.", *awaiting_pieces(found, application))


def awaiting_pieces(found: tuple[Awaiting, ...], application: str) -> list[Piece | ActionsBlock | None]:
    """What waits for the reader first; what waits for others below, without buttons."""
    mine = [each for each in found if each.wanted]
    others = [each for each in found if not each.wanted]
    pieces: list[Piece | ActionsBlock | None] = [
        lines([bold("Waiting for you")], *([] if mine else [["Nothing."]]))
    ]
    for each in mine[:MOST]:
        pieces += [lines(_title(each, application), _wants(each), _asked(each.release)), _buttons(each)]
    pieces += [_more(mine)]
    if others:
        pieces.append(lines([bold("Waiting for others")], *_others(others, application)))
    return pieces


def _others(others: list[Awaiting], application: str) -> Iterable[Row]:
    for each in others[:MOST]:
        yield _title(each, application)
        yield _held_up(each.release)
    if len(others) > MOST:
        yield [f"and {len(others) - MOST} more: see /buzzy status"]


def _more(mine: list[Awaiting]) -> Piece | None:
    return lines([f"and {len(mine) - MOST} more: see /buzzy status"]) if len(mine) > MOST else None


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
