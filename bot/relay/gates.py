"""Tells on-call of a release that waits too long, and says on that message when it waits no more."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bot.messages import Message
from bot.messages.gates import GATES, answered_message, escalation_message
from bot.relay.posting import Post, Poster, fingerprint
from bot.relay.story import Tale
from bot.slack import RefusedError, Slack
from releases.config import Config
from releases.events import GateEscalated
from releases.lifecycle import Release
from releases.record.told import Place, Told

log = structlog.get_logger(__name__)


class Escalations:
    """Tells in the channel for what cannot wait, one call to Slack at a time."""

    def __init__(self, config: Config, told: Told, poster: Poster, slack: Slack) -> None:
        """`config` says which environments have such a channel."""
        self._config = config
        self._told = told
        self._poster = poster
        self._slack = slack

    def tell(self, tale: Tale) -> bool:
        """Take the next step; True when everything is told. Raises `LaterError` and Slack's errors."""
        environment = self._config.environments.get(tale.release.environment)
        if environment is None or environment.alerts is None:
            return True
        then = [
            state
            for state, event in zip(tale.states, tale.events, strict=True)
            if isinstance(event, GateEscalated)
        ]
        now, application = tale.release, self._config.application
        on_call = environment.alerts.on_call
        for number, told in enumerate(then, 1):
            waits = number == len(then) and now.state in GATES  # of several the last one only

            def make(url: str | None, told: Release = told, *, waits: bool = waits) -> Message:
                if waits:
                    return escalation_message(now, application, on_call, url)
                return answered_message(told, now, application, url)

            if self._step(tale, f"gate_{number}", environment.alerts.critical, make, waits=waits):
                return False
        return True

    def _step(
        self, tale: Tale, slot: str, channel: str, make: Callable[[str | None], Message], *, waits: bool
    ) -> bool:
        """Post a message, or edit it to what is true now; whether there was something to do."""
        now, shown = tale.release, f"{slot}_shown"
        memory = self._told.of(now.id)
        tried = f"trying_{slot}" in memory
        mark, ts = fingerprint(make(None)), memory.get(slot)
        if memory.get(shown) == mark if ts is not None else not waits and not tried:
            return False
        url = self._url(now.id)
        if ts is None:
            self._told.note(now.id, **{shown: "" if tried else mark})  # one that is found may be older
            post = Post(f"{now.id}:{slot}", channel, make(url), tale.since)
            ts = self._poster.post_once(now.id, slot, post)
            self._told.note(now.id, **{slot: ts})
            return True
        try:
            self._poster.edit(Place(channel, ts), make(url))
        except RefusedError as error:
            log.warning("What on-call was told cannot be edited", release=now.id, slack=error.code)
        self._told.note(now.id, **{shown: mark})
        return True

    def _url(self, release_id: str) -> str | None:
        place = self._told.message_of(release_id)
        return self._slack.permalink(place) if place is not None else None
