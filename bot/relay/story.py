"""A release's message, kept at its newest state, and the thread under it, a line an event, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.messages.release import release_message
from bot.messages.thread import thread_message
from bot.relay.posting import GONE, LaterError, Post, Poster, fingerprint
from bot.slack import RefusedError
from releases.events import Event
from releases.lifecycle import Release, apply, begin
from releases.record.told import Place, Told

EARLIER = 60.0
"""Seconds by which Slack's clock may be behind ours."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Tale:
    """What happened to a release, and the release after each of it."""

    events: tuple[Event, ...]
    states: tuple[Release, ...]

    @property
    def release(self) -> Release:
        """The release as it is now."""
        return self.states[-1]

    @property
    def since(self) -> float:
        """The earliest that anything about it can have been posted, in seconds since 1970."""
        return self.release.request.at.timestamp() - EARLIER


def tale_of(release_id: str, events: Sequence[Event]) -> Tale:
    """The tale that the events tell. Raises `IllegalEventError`."""
    states = [begin(release_id, events[0])]
    for event in events[1:]:
        states.append(apply(states[-1], event))
    return Tale(tuple(events), tuple(states))


class Story:
    """Tells releases in their channels, one call to Slack at a time."""

    def __init__(self, told: Told, poster: Poster, application: str) -> None:
        """`application` is the name before the versions."""
        self._told = told
        self._poster = poster
        self._application = application

    def tell(self, tale: Tale) -> bool:
        """Take the next step; True when everything is told. Raises `LaterError` and Slack's errors."""
        memory = self._told.of(tale.release.id)
        ts = memory.get("message")
        if ts is None:
            self._post_message(tale, memory)
            return False
        place = Place(tale.release.request.channel, ts)
        edit_after: LaterError | None = None
        try:
            if self._edit_message(tale, place, memory.get("shown", "")):
                return False
        except LaterError as later:
            edit_after = later  # the thread need not wait for the edit
        if self._post_line(tale, place, int(memory.get("told", "0")), int(memory.get("rebuilt", "0"))):
            return False
        if edit_after is not None:
            raise edit_after
        return True

    def _post_message(self, tale: Tale, memory: Mapping[str, str]) -> None:
        release = tale.release
        message = release_message(release, self._application)
        channel = release.request.channel
        # A post that is found, because an earlier attempt at it succeeded after all, says what was true then.
        says = "" if "trying_message" in memory else fingerprint(message)
        self._told.note(release.id, shown=says)
        ts = self._poster.post_once(release.id, "message", Post(release.id, channel, message, tale.since))
        # Who reacts must be understood from now on; only then it counts as posted.
        self._told.stands_at(release.id, Place(channel, ts))
        self._told.note(release.id, channel=channel, message=ts)

    def _edit_message(self, tale: Tale, place: Place, shown: str) -> bool:
        message = release_message(tale.release, self._application)
        if fingerprint(message) == shown:
            return False
        try:
            self._poster.edit(place, message)
        except RefusedError as error:
            if self._forgets(tale, error):
                return True
            log.warning("A release's message cannot be edited", release=tale.release.id, slack=error.code)
        self._told.note(tale.release.id, shown=fingerprint(message))
        return True

    def _post_line(self, tale: Tale, place: Place, told: int, rebuilt: int) -> bool:
        """Post the next line of the thread, if there is one. The first `rebuilt` may stand there already."""
        release_id = tale.release.id
        for index in range(told, len(tale.events)):
            line = thread_message(tale.states[index], tale.events[index], self._application)
            if line is None:
                continue
            # What happened after a rebuild stands where something else did that the lost record had.
            id_ = f"{release_id}:{index + 1}{'+' if 0 < rebuilt <= index else ''}"
            post = Post(id_, place.channel, line, tale.since, place.ts)
            if index < rebuilt:  # told before the record was lost, or not: it is looked up
                self._told.note(release_id, trying_line=post.id)
            try:
                self._poster.post_once(release_id, "line", post)
            except RefusedError as error:
                if self._forgets(tale, error):
                    return True
                raise
            self._told.note(release_id, told=str(index + 1))
            return True
        if told < len(tale.events):
            self._told.note(release_id, told=str(len(tale.events)))
        return False

    def _forgets(self, tale: Tale, error: RefusedError) -> bool:
        """Whether somebody deleted the message; then there will be a new one."""
        if error.code not in GONE:
            return False
        log.warning("A release's message was deleted; posting it again", release=tale.release.id)
        self._told.note(tale.release.id, message="", shown="", trying_message="")
        return True
