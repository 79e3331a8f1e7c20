"""What waits for a word: of one person, and of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from bot.messages import Message
from bot.messages.approvals import Awaiting, approvals_message
from bot.messages.refusals import refusal_message
from bot.people import Known
from bot.slack import Slack
from releases.awaiting import is_waiting, wanted
from releases.config import Config
from releases.lifecycle import Release
from releases.people import Person
from releases.policy import admit
from releases.record import Record
from releases.record.told import Told


class Approvals:
    """Finds the releases that wait."""

    def __init__(  # noqa: PLR0913, PLR0917 - what is looked at
        self,
        config: Config,
        record: Record,
        told: Told,
        slack: Slack,
        people: Known,
        now: Callable[[], datetime],
    ) -> None:
        """`now` gives aware UTC times; `told` knows where each release's message stands."""
        self._config = config
        self._record = record
        self._told = told
        self._slack = slack
        self._people = people
        self._now = now
        self._links: dict[str, str] = {}

    def answer(self, user: str) -> Message:
        """What somebody is told who asks. Raises Slack's errors."""
        who = self._people.get(user, fresh=True)
        if (refusal := admit(who)) is not None:
            return refusal_message(refusal)
        holders = (self._record.holder(name) for name in self._config.environments)
        releases = [self._record.load(holder).release for holder in holders if holder is not None]
        return approvals_message(self.of(who, releases), self._config.application)

    def of(self, who: Person, releases: Iterable[Release]) -> tuple[Awaiting, ...]:
        """Those of the releases that wait, and what each wants of `who`."""
        now = self._now()
        return tuple(
            Awaiting(release, wanted(release, who, now), self.link(release.id))
            for release in releases
            if is_waiting(release)
        )

    def link(self, release_id: str) -> str | None:
        """Where a release's message is: asked of Slack once for each, since it stays."""
        place = self._told.message_of(release_id)
        if place is None:
            return None
        key = f"{place.channel} {place.ts}"
        if key not in self._links and (url := self._slack.permalink(place)) is not None:
            self._links[key] = url
        return self._links.get(key)
