"""What waits for a word: of one person, and of others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.messages import Message
from bot.messages.approvals import Awaiting, approvals_message
from bot.messages.refusals import refusal_message
from bot.people import Known
from bot.slack import Slack
from releases.awaiting import is_waiting, wanted
from releases.config import Config
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
        return approvals_message(self.waiting(who), self._config.application)

    def waiting(self, who: Person) -> tuple[Awaiting, ...]:
        """All releases that wait, in the order of the environments, and what each wants of `who`."""
        found = []
        for name in self._config.environments:
            holder = self._record.holder(name)
            release = None if holder is None else self._record.load(holder).release
            if release is not None and is_waiting(release):
                found.append(Awaiting(release, wanted(release, who, self._now()), self._link(release.id)))
        return tuple(found)

    def _link(self, release_id: str) -> str | None:
        """Where its message is: asked of Slack once for each, since it stays."""
        place = self._told.message_of(release_id)
        if place is None:
            return None
        key = f"{place.channel} {place.ts}"
        if key not in self._links and (url := self._slack.permalink(place)) is not None:
            self._links[key] = url
        return self._links.get(key)
