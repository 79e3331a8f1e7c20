"""Alerts: a release that failed wakes whoever is on call, and the one that puts it right ends the alert."""

from __future__ import annotations

import structlog

from bot.messages.alert import alert_message, evidence_message, resolved_message
from bot.relay.posting import Post, Poster
from bot.relay.story import Tale
from bot.slack import RefusedError, Slack
from releases.config import Alerts, Config
from releases.lifecycle import Release, State
from releases.record import Record
from releases.record.told import Place, Told

NOTHING = "-"
"""Remembered where there was nothing to post."""

LATER = 20
"""So many releases back it is looked whether one of them put an alert right that was told late."""

log = structlog.get_logger(__name__)


class Alarm:
    """Tells failures in the channel for what cannot wait, one call to Slack at a time."""

    def __init__(self, config: Config, record: Record, told: Told, poster: Poster, slack: Slack) -> None:
        """`config` says which environments have alerts, and where."""
        self._config = config
        self._record = record
        self._told = told
        self._poster = poster
        self._slack = slack

    def tell(self, tale: Tale) -> bool:
        """Take the next step; True when everything is told. Raises `LaterError` and Slack's errors."""
        if tale.release.request.kind == "validation":  # it has changed nothing, and puts nothing right
            return True
        if tale.release.retries and not tale.release.ended and not self._is_taken_up(tale.release):
            return False
        match tale.release.state:
            case State.FAILED if (alerts := self._alerts(tale.release)) is not None:
                return self._wake(tale, alerts) and self._is_put_right(tale.release)
            case State.TURNING_BACK if (alerts := self._alerts(tale.release)) and tale.release.by_itself:
                return self._wake(tale, alerts)
            case State.ROLLED_BACK if (alerts := self._alerts(tale.release)) and tale.release.by_itself:
                return self._wake(tale, alerts) and self._is_back(tale.release)
            case State.RELEASED:
                return self._put_right(tale.release)
            case _:
                return True

    def _alerts(self, release: Release) -> Alerts | None:
        environment = self._config.environments.get(release.environment)
        return environment.alerts if environment is not None else None

    def _wake(self, tale: Tale, alerts: Alerts) -> bool:
        release = tale.release
        memory = self._told.of(release.id)
        alert, thread = _slots(release.retries)
        ts = memory.get(alert)
        if ts is None:
            if not self._is_taken_up(release):  # it was retried and has failed again since
                return False
            text = alert_message(release, self._config.application, alerts.on_call, self._url(release.id))
            post = Post(f"{release.id}:{alert}", alerts.critical, text, tale.since)
            ts = self._poster.post_once(release.id, alert, post)
            self._told.alerted(release.environment, release.id, Place(alerts.critical, ts))
            self._told.note(release.id, **{alert: ts})
            return False
        if thread not in memory:
            evidence = evidence_message(release)
            found = NOTHING
            if evidence is not None:
                post = Post(f"{release.id}:{thread}", alerts.critical, evidence, tale.since, ts)
                found = self._poster.post_once(release.id, thread, post)
            self._told.note(release.id, **{thread: found})
        return True

    def _is_taken_up(self, release: Release) -> bool:
        """Say on the alert of a failure that somebody has retried; False: that was a call to Slack.

        It stays open: how that ends is said there as well, unless it fails again: that is another alert.
        """
        place = self._told.alerts(release.environment).get(release.id)
        memory, slot = self._told.of(release.id), f"retried{release.retries}"
        earlier = [memory.get(_slots(attempt)[0]) for attempt in range(release.retries)]
        if place is None or place.ts not in earlier or slot in memory:
            return True
        self._edit(release, place, release)
        self._told.note(release.id, **{slot: place.ts})
        return False

    def _is_back(self, release: Release) -> bool:
        """End the alert of a release that went back by itself: the environment runs what it did before."""
        place = self._told.alerts(release.environment).get(release.id)
        if place is not None:
            self._end(release, place, release)
        return True

    def _is_put_right(self, failed: Release) -> bool:
        """End an alert that was told late: a later release had put the environment right by then."""
        place = self._told.alerts(failed.environment).get(failed.id)
        if place is not None:
            for later in self._record.recent(failed.environment, LATER):
                if (
                    number(later.id) > number(failed.id)
                    and later.state is State.RELEASED
                    and later.request.kind != "validation"
                    and _mends(later, failed)
                ):
                    self._end(failed, place, later)
                    break
        return True

    def _put_right(self, release: Release) -> bool:
        """End the alerts of earlier releases of this environment: it runs what somebody wanted again."""
        for failed_id, place in sorted(self._told.alerts(release.environment).items()):
            failed = self._record.load(failed_id).release
            if number(failed_id) <= number(release.id) and _mends(release, failed):
                self._end(failed, place, release)
                return False
        return True

    def _end(self, failed: Release, place: Place, by: Release) -> None:
        """Say on an alert that it is over, because of another release or because it went back itself."""
        self._edit(failed, place, by)
        self._told.put_right(failed.environment, failed.id)

    def _edit(self, failed: Release, place: Place, by: Release) -> None:
        message = resolved_message(failed, self._config.application, by, self._url(failed.id))
        try:
            self._poster.edit(place, message)
        except RefusedError as error:
            log.warning("An alert cannot be changed", release=failed.id, slack=error.code)

    def _url(self, release_id: str) -> str | None:
        place = self._told.message_of(release_id)
        return self._slack.permalink(place) if place is not None else None


def _slots(retries: int) -> tuple[str, str]:
    """Under which names the alert of a failure and its evidence are remembered: a retry may fail as well."""
    again = str(retries) if retries else ""
    return f"alert{again}", f"evidence{again}"


def _mends(later: Release, failed: Release) -> bool:
    """Whether it says that the failure is over: drills and releases say nothing of each other."""
    return (later.request.kind == "drill") == (failed.request.kind == "drill")


def number(release_id: str) -> int:
    """`R42` as 42: releases are numbered in the order in which they were asked for."""
    return int(release_id[1:])
