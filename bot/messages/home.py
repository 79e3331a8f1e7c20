"""The App Home: what waits for the reader, and every environment as it is now.

Limits: 100 blocks a view (https://docs.slack.dev/reference/views/home-tab-views). Times are absolute, in the
reader's own zone: what is written here stays true until the home is shown anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bot.messages import wording
from bot.messages.approvals import Awaiting, awaiting_pieces
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
    told = message(
        "Home",
        buttons(
            button("Release a version", HOME_FORM, "form", style="primary"),
            button("Look again", HOME_LOOK, "look"),
        ),
        *awaiting_pieces(awaiting, application),
        lines([bold("Environments")]),
        *(_environment(each, links, application) for each in environments[:MOST_ENVIRONMENTS]),
        _more(environments),
    )
    return _view(told, notice)


def closed_view(refusal: Message) -> Json:
    """The home of somebody whom none of this is for."""
    return _view(refusal, "")


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


def _view(told: Message, notice: str) -> Json:
    said = [*json.loads(notice), {"type": "divider"}] if notice else []
    return {"type": "home", "blocks": [*said, *told.payload()["blocks"]]}


def _environment(each: EnvironmentNow, links: dict[str, str], application: str) -> Piece:
    seen = each.seen
    last = next((release for release in each.recent if release.state is State.RELEASED), None)
    newest = each.recent[0] if each.recent else None
    failed = newest is not None and newest.state is State.FAILED
    return lines(
        joined(
            [bold(clip(each.name, NAME))],
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
