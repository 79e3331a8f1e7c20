"""Reads the approvals again before a release starts: when its moment has passed, and not earlier.

Between the last approval and the start somebody may have taken a reaction back, left the group of approvers
or been deactivated. Workers cannot know that, so nothing starts before a bot has looked. A Slack that does
not answer is asked again; a worker decides how long that may last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.people import People
from bot.reactions import read_reactions
from bot.slack import RateLimitedError, Slack, SlackError
from releases import gates
from releases.events import Approved
from releases.lifecycle import Release, State
from releases.record import (
    JobQueue,
    MovedError,
    Record,
    RecordUnavailableError,
    StaleError,
    UnknownReleaseError,
    queue_of,
)
from releases.record.told import Told

LOOK_SECONDS = 0.25
"""How often it is looked for releases whose moment has passed: people see when it should start."""

AGAIN = timedelta(seconds=3)
"""After how long a Slack that did not answer is asked again."""

REDIS_PAUSE = 2.0

log = structlog.get_logger(__name__)


class Confirming:
    """Looks for releases that are about to start, beside whatever else the bot does."""

    def __init__(  # noqa: PLR0913, PLR0917 - what is read, and where it is written
        self,
        record: Record,
        queue: JobQueue,
        people: People,
        slack: Slack,
        told: Told,
        now: Callable[[], datetime],
    ) -> None:
        """`people` is asked by nobody else; `now` gives aware UTC times."""
        self._record = record
        self._queue = queue
        self._people = people
        self._slack = slack
        self._told = told
        self._now = now
        self._known: dict[str, tuple[int, datetime | None]] = {}

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set."""
        while not stop.is_set():
            pause = LOOK_SECONDS
            try:
                self.look()
            except RecordUnavailableError:
                pause = REDIS_PAUSE  # the inbox says so
            except Exception:
                log.exception("It cannot be seen what is about to start")
                pause = REDIS_PAUSE
            stop.wait(pause)

    def look(self) -> None:
        """Confirm what is due. Trouble with one release does not stop it for the others."""
        idle = self._record.idle()
        self._known = {id_: known for id_, known in self._known.items() if id_ in idle}
        for release_id in idle:
            if not self._is_due(release_id):
                continue
            try:
                self._confirm(release_id)
            except SlackError as error:
                log.warning("Approvals cannot be read again", release=release_id, why=str(error))
                asked = error.retry_after if isinstance(error, RateLimitedError) else 0.0
                due = self._now() + max(AGAIN, timedelta(seconds=asked))
                self._known[release_id] = (self._known[release_id][0], due)
            except (MovedError, StaleError, UnknownReleaseError) as error:
                log.info("Looked at once more", release=release_id, why=str(error))

    def _is_due(self, release_id: str) -> bool:
        """Whether a moment has passed. Of what has no news since the last look, nothing is read again."""
        position = self._record.position(release_id)
        if self._known.get(release_id, (-1, None))[0] != position:
            release = self._record.load(release_id).release
            self._known[release_id] = (release.position, _starts_at(release))
        due = self._known[release_id][1]
        return due is not None and due <= self._now()

    def _confirm(self, release_id: str) -> None:
        held = self._record.load(release_id)
        if not gates.is_over(held.release, self._now()):
            return
        people = self._people.anew(given.by.id for given in held.release.approvals)
        reactions = read_reactions(self._slack, self._told.message_of(release_id))
        happened = gates.confirm(
            held.release, self._now(), people=people.__getitem__, stands=reactions.bears_out
        )
        after = self._record.append(held, happened).release
        if any(isinstance(event, Approved) for event in happened):
            self._queue.put(queue_of(after), "advance", release_id)
        elif after.state is State.REQUESTED:
            self._queue.put(queue_of(after), "plan", release_id)


def _starts_at(release: Release) -> datetime | None:
    """When a release that is about to start does; None for all others."""
    return release.moment.starts_at if release.state is State.ABOUT_TO_START and release.moment else None
