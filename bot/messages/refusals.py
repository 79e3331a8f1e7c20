"""What one person is told: what is wrong, what was meant, and a line to copy. Three lines at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.messages.parts import (
    DAY_AND_TIME,
    NAME,
    PARAGRAPH,
    SENTENCE,
    Message,
    Row,
    clip,
    code,
    joined,
    lines,
    link,
    message,
    moment,
    room,
    several,
    whom,
    with_code,
)
from releases.database import names
from releases.grammar import GrammarError
from releases.lifecycle import Release
from releases.policy import Refusal


def refusal_message(refusal: Refusal, *, holder: Release | None = None, url: str | None = None) -> Message:
    """Why something is not done, who could lift that, and a line that would work.

    `holder` is the release that stands in the way, `url` leads to its message.
    """
    since: Row = ["since ", moment(holder.request.at, DAY_AND_TIME)] if holder else []
    problem = clip(refusal.problem.removesuffix(".") if holder else refusal.problem, PARAGRAPH)
    told = message(
        refusal.problem,
        lines(
            joined(
                with_code(problem),
                since,
                [link(url, f"{holder.id}'s message")] if holder and url else None,
            ),
            way_out(refusal.hint, refusal.ready_at, refusal.who, refusal.where),
            [code(clip(refusal.copy, SENTENCE))] if refusal.copy else None,
        ),
    )
    return replace(told, refused=True)


def way_out(hint: str, ready_at: datetime | None, who: Sequence[str], where: Sequence[str] = ()) -> Row:
    """When, how, by whom and where it can be done after all."""
    return joined(
        ["It will be ready ", moment(ready_at, DAY_AND_TIME), "."] if ready_at is not None else None,
        with_code(clip(hint, PARAGRAPH)) if hint else None,
        ["It can be done by ", *several([whom(id_) for id_ in who]), "."] if who else None,
        ["It can be done in ", *several([room(id_) for id_ in where]), "."] if where else None,
        by=" ",
    )


def mistake_message(error: GrammarError) -> Message:
    """What is wrong with a command and what was meant; a line to copy; what could have been said."""
    problem = f"{error.problem} {error.meant}" if error.meant else error.problem
    return message(
        problem,
        lines(
            [clip(problem, PARAGRAPH)],
            [code(clip(error.copy, PARAGRAPH))] if error.copy else None,
            [clip(error.footer, PARAGRAPH)],
        ),
    )


def unknown_release(release_id: str) -> Message:
    """There is no release of that name."""
    return refused(f"There is no release {release_id}.", copy="/buzzy history")


def taken_back_message(release: Release, url: str | None) -> Message:
    """That the release that is under way is stopped and goes back, in its own thread.

    Where a migration cannot be undone, a person will have to decide there.
    """
    stable = clip(release.plan.stable, NAME) if release.plan is not None else "what was stable"
    then = f"goes back to {stable}"
    if release.stays:
        then = f"does not go back by itself over {clip(names(release.stays), SENTENCE)}: its thread says how"
    sentence = (
        f"{release.id} is under way in {clip(release.environment, NAME)}: it stops at its next safe point"
    )
    rest: Row = [" Follow it in ", link(url, f"{release.id}'s thread"), "."] if url else []
    return message(f"{sentence} and {then}.", lines([f"{sentence} and {then}.", *rest]))


def note(sentence: str, *, copy: str | None = None) -> Message:
    """A sentence and, if there is one, a line to copy."""
    return message(
        sentence,
        lines([clip(sentence, PARAGRAPH)], [code(clip(copy, SENTENCE))] if copy else None),
    )


def refused(sentence: str, *, copy: str | None = None) -> Message:
    """The same, about something that is not done."""
    return replace(note(sentence, copy=copy), refused=True)
