"""A release in a hurry is told to a wider audience: once when it starts, once when it ends."""

from __future__ import annotations

from bot.messages.audience import end_message, start_message
from bot.relay.posting import LaterError, Post, Poster
from bot.relay.story import Tale
from bot.slack import RefusedError, Slack
from releases.config import Config
from releases.record.told import Told


class Audience:
    """Tells hotfixes and security releases to the channels that want to know, one call to Slack at a time."""

    def __init__(self, config: Config, told: Told, poster: Poster, slack: Slack) -> None:
        """`config` says which channels."""
        self._config = config
        self._told = told
        self._poster = poster
        self._slack = slack

    def tell(self, tale: Tale) -> bool:
        """Take the next step; True when everything is told. Raises `LaterError` and Slack's errors.

        A channel that has to wait, or that Buzzy is not in, holds up no other.
        """
        release = tale.release
        environment = self._config.environments.get(release.environment)
        if release.request.urgency is None or release.started_at is None or environment is None:
            return True  # what never started is nobody else's business
        application = self._config.application
        memory = self._told.of(release.id)
        trouble: LaterError | RefusedError | None = None
        for channel in environment.audience:
            for when, make in (("start", start_message), ("end", end_message)):
                again = f"{release.retries}" if when == "end" and release.retries else ""
                slot = f"{when}{again}_{channel}"
                if slot in memory or (when == "end" and not release.ended):
                    continue
                text = make(release, application, self._url(release.id))
                post = Post(f"{release.id}:{when}{again}", channel, text, tale.since)
                try:
                    ts = self._poster.post_once(release.id, slot, post)
                except (LaterError, RefusedError) as error:
                    trouble = trouble or error
                    break  # its end is not told before its start
                self._told.note(release.id, **{slot: ts})
                return False
        if trouble is not None:
            raise trouble
        return True

    def _url(self, release_id: str) -> str | None:
        place = self._told.message_of(release_id)
        return self._slack.permalink(place) if place is not None else None
