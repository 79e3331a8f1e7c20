"""The App Home: what waits for the reader, and every environment as it is now.

Limits: 100 blocks a view (https://docs.slack.dev/reference/views/home-tab-views). Times are absolute, in the
reader's own zone: what is written here stays true until the home is shown anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from slack_sdk.models.blocks import ActionsBlock

from bot.messages import wording
from bot.messages.approvals import Awaiting, waiting_for_others, waiting_for_reader
from bot.messages.parts import (
    DAY_AND_TIME,
    NAME,
    SENTENCE,
    Message,
    Piece,
    Row,
    bold,
    button,
    buttons,
    clip,
    code,
    joined,
    lines,
    link,
    message,
    moment,
    who,
)
from bot.messages.presses import HOME_FORM, HOME_LOOK
from bot.messages.status import EnvironmentNow, health_of, version_of
from releases.lifecycle import Release, State
from releases.snapshot import Snapshot

Json = dict[str, Any]

MOST_ENVIRONMENTS = 20


def home_view(
    environments: tuple[EnvironmentNow, ...],
    awaiting: tuple[Awaiting, ...],
    links: dict[str, str],
    application: str,
    *,
    notice: str = "",
) -> Json:
    """The home of somebody who may ask for releases. `links` has where releases' messages are, by id."""
    others = waiting_for_others(awaiting, application)
    blocks = [
        *(json.loads(notice) if notice else ()),
        *_blocks(
            buttons(button("Release a version", HOME_FORM, "form"), button("Look again", HOME_LOOK, "look"))
        ),
        _header("Waiting for you"),
        *_blocks(*waiting_for_reader(awaiting, application)),
        *([_header("Waiting for others"), *_blocks(others)] if others else []),
        _header("Environments"),
    ]
    for each in environments[:MOST_ENVIRONMENTS]:  # a block each, so that they stand apart
        blocks += _blocks(_environment(each, links, application))
    return _view([*blocks, *_blocks(_more(environments))])


def closed_view(refusal: Message) -> Json:
    """The home of somebody whom none of this is for."""
    return _view(refusal.payload()["blocks"])


def notice_of(answer: Message) -> str:
    """An answer as it is kept until it is shown on a home."""
    return json.dumps(answer.payload()["blocks"])


def notice_form(answer: Message) -> Json:
    """An answer in a window of its own: where nothing else can carry it."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Buzzy"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": answer.payload()["blocks"],
    }


def _view(blocks: list[Json]) -> Json:
    return {"type": "home", "blocks": blocks}


def _blocks(*pieces: Piece | ActionsBlock | None) -> list[Json]:
    found: list[Json] = message("Home", *pieces).payload()["blocks"]
    return found


def _header(text: str) -> Json:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def _sign(seen: Snapshot | None) -> str:
    if seen is None or seen.problem is not None or not seen.services:
        return "⚪"
    return "🟢" if all(service.healthy for service in seen.services) else "🔴"


def _environment(each: EnvironmentNow, links: dict[str, str], application: str) -> Piece:
    seen = each.seen
    last = each.last
    newest = each.recent[0] if each.recent else None
    failed = newest is not None and newest.state is State.FAILED
    return lines(
        joined(
            [f"{_sign(seen)} ", bold(clip(each.name, NAME))],
            [version_of(seen)],
            [health_of(seen)],
            ["seen ", moment(seen.at, DAY_AND_TIME)] if seen is not None else None,
        ),
        *_closed(each.calendar),
        _under_way(each.holder, links, application) if each.holder is not None else None,
        _under_way(newest, links, application) if newest is not None and failed else None,
        _last(last, links) if last is not None else None,
        [" · ".join(clip(words, SENTENCE) for words in each.soaking[:2])] if each.soaking else None,
        [clip(each.drift.words, SENTENCE)] if each.drift is not None else None,
        [f"⚠️ {clip(seen.problem, SENTENCE)}"] if seen is not None and seen.problem is not None else None,
    )


def _closed(brief: Iterable[str]) -> list[Row]:
    """What closes it now, and what is due next."""
    return [[clip(words, SENTENCE)] for words in brief]


def _under_way(release: Release, links: dict[str, str], application: str) -> Row:
    title = f"{release.id} · {wording.what(release, application)}"
    return joined(
        [f"{wording.emoji(release)} ", *_linked(release.id, title, links), f" — {wording.headline(release)}"],
        ["asked by ", who(release.request.by)],
    )


def _last(release: Release, links: dict[str, str]) -> Row:
    done = "rolled back" if release.request.kind == "rollback" else "released"
    at = release.ended_at or release.request.at
    return [
        *_linked(release.id, release.id, links),
        f" {done} ",
        moment(at, DAY_AND_TIME),
        ", asked by ",
        who(release.request.by),
    ]


def _linked(release_id: str, text: str, links: dict[str, str]) -> Row:
    return [link(links[release_id], text)] if release_id in links else [text]


def _more(environments: tuple[EnvironmentNow, ...]) -> Piece | None:
    more = len(environments) - MOST_ENVIRONMENTS
    return lines([f"and {more} more: ", code("/buzzy status")]) if more > 0 else None
