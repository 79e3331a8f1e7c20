"""Keeps the App Homes up to date: of those who have opened theirs lately, at a pace that Slack takes.

One bot of all that share a Redis does it. A home is shown when it is opened, and again when something on it
has changed: one person's at most every five seconds, and one home a second in all (`views.publish` is good
for more than 100 a minute). `releases.record.homes` keeps fifty homes at most, so all of them are shown anew
within a minute of a change: first those that were opened since, then those that have waited longest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.approvals import Approvals
from bot.messages.home import Json, closed_view, home_view
from bot.messages.refusals import refusal_message
from bot.messages.status import EnvironmentNow
from bot.people import Known
from bot.questions import Desk
from bot.slack import RateLimitedError, RefusedError, Slack, SlackError
from releases import grammar
from releases.lifecycle import Release
from releases.plan import digest_of
from releases.policy import admit
from releases.record import RecordUnavailableError
from releases.record.homes import Homes, Viewer

REBUILD_SECONDS = 60.0
"""How old a home may get although nothing happened: who is an approver changes, and what has soaked."""

LOOK_SECONDS, IDLE_SECONDS, STANDBY_SECONDS = 1.0, 2.0, 1.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0

FRESH = timedelta(minutes=1)
"""What was seen of the clusters is looked at anew when somebody opens a home and it is older than this."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class HomePace:
    """Seconds, at least, between any two homes that are shown, and between two showings of the same."""

    publish_seconds: float = 1.0
    again_seconds: float = 5.0


@dataclass
class _Shown:
    """What somebody's home shows, and since when."""

    viewer: Viewer
    stamp: str
    fingerprint: str
    at: float
    built: float


class HomeKeeper:
    """Shows homes, one after the other."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a home is made of
        self,
        homes: Homes,
        desk: Desk,
        approvals: Approvals,
        people: Known,
        slack: Slack,
        application: str,
        now: Callable[[], datetime],
        pace: HomePace,
    ) -> None:
        """`now` gives aware UTC times; the store of `homes` must wait longer than `IDLE_SECONDS`."""
        self._homes = homes
        self._desk = desk
        self._approvals = approvals
        self._people = people
        self._slack = slack
        self._application = application
        self._now = now
        self._pace = pace
        self._shown: dict[str, _Shown] = {}
        self._board: tuple[str, tuple[EnvironmentNow, ...], float] = ("", (), float("-inf"))
        self._next = float("-inf")
        self._failures = 0

    def run(self, stop: threading.Event) -> None:
        """Show until `stop` is set; then another bot may at once."""
        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                self.turn(stop)
                pause = FIRST_PAUSE
            except RecordUnavailableError as error:
                log.info("The homes cannot be read; trying again", why=str(error), in_seconds=pause)
                stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            except Exception:
                log.exception("The keeper of the homes stumbled")
                stop.wait(LONGEST_PAUSE)
        try:
            self._homes.step_down()
        except RecordUnavailableError:
            log.info("The lead over the homes runs out by itself")

    def turn(self, stop: threading.Event) -> None:
        """Show the home that is due, if one is, or wait until one may be."""
        viewers = self._homes.viewers()
        self._shown = {each.user: self._shown[each.user] for each in viewers if each.user in self._shown}
        if not viewers:
            self._homes.wait(IDLE_SECONDS)
            return
        if not self._homes.lead():
            self._shown.clear()
            stop.wait(STANDBY_SECONDS)
            return
        stamp = self._desk.stamp()
        clock = time.monotonic()
        due = sorted(
            (self._since(viewer), viewer.user, viewer)
            for viewer in viewers
            if self._is_due(viewer, stamp, clock)
        )
        if not due:
            self._homes.wait(LOOK_SECONDS)
        elif self._next > clock:
            stop.wait(min(self._next - clock, LOOK_SECONDS))
        else:
            self._show(due[0][2], stamp)

    def _since(self, viewer: Viewer) -> float:
        """When it was last shown; never, if that was before it was last opened."""
        shown = self._shown.get(viewer.user)
        return shown.at if shown is not None and shown.viewer == viewer else float("-inf")

    def _is_due(self, viewer: Viewer, stamp: str, clock: float) -> bool:
        shown = self._shown.get(viewer.user)
        if shown is None or shown.viewer != viewer:
            return True
        if clock - shown.at < self._pace.again_seconds:
            return False
        return shown.stamp != stamp or clock - shown.built >= REBUILD_SECONDS

    def _show(self, viewer: Viewer, stamp: str) -> None:
        try:
            self._publish(viewer, stamp)
        except RateLimitedError as error:
            self._next = time.monotonic() + error.retry_after
        except RefusedError as error:
            log.warning(_advice(error.code), user=viewer.user, slack=error.code)
            self._homes.forget(viewer.user)
        except SlackError as error:
            pause = min(FIRST_PAUSE * 2.0**self._failures, LONGEST_PAUSE)
            self._failures = min(self._failures + 1, 10)
            self._next = time.monotonic() + pause
            log.warning("A home cannot be shown; trying again", slack=str(error), in_seconds=pause)
        else:
            self._failures = 0

    def _publish(self, viewer: Viewer, stamp: str) -> None:
        before = self._shown.get(viewer.user)
        view = self._view(viewer, stamp)
        fingerprint, clock = digest_of(view), time.monotonic()
        if before is not None and before.viewer == viewer and before.fingerprint == fingerprint:
            before.stamp, before.built = stamp, clock
            return
        self._slack.publish_home(viewer.user, view)
        self._next = clock + self._pace.publish_seconds
        self._shown[viewer.user] = _Shown(viewer, stamp, fingerprint, clock, clock)

    def _view(self, viewer: Viewer, stamp: str) -> Json:
        who = self._people.get(viewer.user)
        if (refusal := admit(who)) is not None:
            return closed_view(refusal_message(refusal))
        board = self._read(stamp)
        if self._since(viewer) == float("-inf"):
            self._look(viewer.user, board)
        holders = [each.holder for each in board if each.holder is not None]
        named = {release.id for each in board for release in (*each.recent[:1], *_last(each))}
        found = {id_: self._approvals.link(id_) for id_ in named}
        return home_view(
            board,
            self._approvals.of(who, holders),
            {id_: url for id_, url in found.items() if url is not None},
            self._application,
            notice=viewer.notice,
        )

    def _read(self, stamp: str) -> tuple[EnvironmentNow, ...]:
        """The environments: read once for all homes."""
        known, board, at = self._board
        clock = time.monotonic()
        if known != stamp or clock - at >= REBUILD_SECONDS:
            board = self._desk.board()
            self._board = (stamp, board, clock)
        return board

    def _look(self, user: str, board: tuple[EnvironmentNow, ...]) -> None:
        """Let a worker look at the clusters, unless one just did: what it finds is shown as any change is."""
        times = [each.seen.at if each.seen is not None else None for each in board]
        if any(at is None or self._now() - at > FRESH for at in times):
            self._desk.ask(grammar.Status(), user, "", "", show=lambda _: None)


def _advice(code: str) -> str:
    if code == "not_enabled":
        return "Slack shows no homes: take over deploy/slack-manifest.yaml, which has a home tab"
    return "Slack does not show somebody their home"


def _last(each: EnvironmentNow) -> list[Release]:
    """The release that put there what runs."""
    return [] if each.last is None else [each.last]
