"""The relay's loop: who is behind gets one step at a time, so that nobody waits for somebody else's pause."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from bot.relay.alarm import Alarm
from bot.relay.announcements import Announcements
from bot.relay.audience import Audience
from bot.relay.charts import Charts
from bot.relay.gates import Escalations
from bot.relay.posting import LaterError
from bot.relay.replies import Replies
from bot.relay.story import Story, Tale, tale_of
from bot.slack import RefusedError, UnclearError
from releases.lifecycle import IllegalEventError
from releases.record import Record, RecordUnavailableError, UnknownReleaseError
from releases.record.told import NotLeadingError, Told

LOOK_SECONDS = 0.5
"""How often the list of what is untold is looked at, whether or not somebody said that there is news."""

STANDBY_SECONDS = 1.0
"""How often a relay that does not lead asks whether it may."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds after an unclear outcome or a dead Slack; the first is long enough for a post to be seen."""

REDIS_PAUSE = 2.0
"""Seconds, at most, until a Redis that is away is asked again."""

REFUSED_PAUSE = 30.0
"""Seconds after Slack said no, which somebody has to mend: an invitation to a channel, a scope."""

log = structlog.get_logger(__name__)


class _Turn:
    """When a part of a subject is due, how often in a row it went wrong, and up to where it is told."""

    def __init__(self) -> None:
        self.due = float("-inf")
        self.failures = 0
        self.told = 0

    def later(self, seconds: float) -> None:
        self.due = time.monotonic() + seconds

    def failed(self) -> float:
        pause = min(FIRST_PAUSE * 2.0**self.failures, LONGEST_PAUSE)
        self.failures = min(self.failures + 1, 10)
        self.later(pause)
        return pause


class Relay:
    """Tells what is untold, while it leads."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that tell
        self,
        record: Record,
        told: Told,
        story: Story,
        alarm: Alarm,
        announcements: Announcements,
        audience: Audience,
        escalations: Escalations,
        charts: Charts,
        replies: Replies,
    ) -> None:
        """`told`'s store must wait longer than `LOOK_SECONDS`."""
        self._record = record
        self._told = told
        self._story = story
        self._alarm = alarm
        self._announcements = announcements
        self._audience = audience
        self._escalations = escalations
        self._charts = charts
        self._replies = replies
        self._turns: dict[tuple[str, str], _Turn] = {}

    def run(self, stop: threading.Event) -> None:
        """Tell until `stop` is set; the step in hand is finished, and another relay may lead at once."""
        pause = REDIS_PAUSE / 8
        while not stop.is_set():
            try:
                self.turn(stop)
                pause = REDIS_PAUSE / 8
            except RecordUnavailableError as error:
                log.warning("The record cannot be read; trying again", why=str(error), in_seconds=pause)
                stop.wait(pause)
                pause = min(pause * 2, REDIS_PAUSE)
            except Exception:
                log.exception("The relay stumbled")
                stop.wait(pause)
        self._step_down()

    def turn(self, stop: threading.Event) -> None:
        """Take a step for everybody who is due, then wait for news or for the next who is due."""
        if not self._told.lead():
            self._turns.clear()
            stop.wait(STANDBY_SECONDS)
            return
        behind = self._record.behind()
        self._turns = {key: turn for key, turn in self._turns.items() if key[0] in behind}
        try:
            for subject in behind:
                if stop.is_set() or not self._told.lead():
                    return
                self._tell(subject)
        except NotLeadingError:
            return
        waits = [turn.due - time.monotonic() for turn in self._turns.values() if not turn.told]
        wait = min([LOOK_SECONDS, *waits])
        if wait > 0 and not stop.is_set():
            self._told.wait(wait)

    def _tell(self, subject: str) -> None:
        if subject.startswith("N"):
            self._step(subject, "notice", 1, lambda: self._announcements.tell(subject))
            return
        if subject.startswith("Q"):
            self._step(subject, "answer", 1, lambda: self._replies.tell(subject))
            return
        tale = self._read(subject)
        if tale is None:
            return
        position = tale.release.position
        story = self._step(subject, "story", position, lambda: self._story.tell(tale))
        alarm = self._step(subject, "alarm", position, lambda: self._alarm.tell(tale))
        audience = self._step(subject, "audience", position, lambda: self._audience.tell(tale))
        gate = self._step(subject, "gate", position, lambda: self._escalations.tell(tale))
        charts = self._step(subject, "charts", position, lambda: self._charts.tell(tale))
        if story and alarm and audience and gate and charts:
            self._record.caught_up(subject, position)

    def _read(self, subject: str) -> Tale | None:
        """What happened to a release; None while its record cannot be understood, which stops no other."""
        turn = self._turns.setdefault((subject, "record"), _Turn())
        if turn.due > time.monotonic():
            return None
        try:
            tale = tale_of(subject, self._record.events(subject))
        except (IllegalEventError, UnknownReleaseError, ValueError):
            turn.told = 0
            log.exception("A release's record cannot be read", subject=subject, in_seconds=turn.failed())
            return None
        turn.told = tale.release.position
        return tale

    def _step(self, subject: str, part: str, position: int, step: Callable[[], bool]) -> bool:
        """Take one step if it is due; whether nothing is left to tell of what happened up to `position`."""
        turn = self._turns.setdefault((subject, part), _Turn())
        if turn.told == position:
            return True
        turn.told = 0
        if turn.due > time.monotonic():
            return False
        try:
            done = step()
        except LaterError as later:
            turn.later(later.seconds)
        except UnclearError as error:
            pause = turn.failed()
            log.warning("Slack does not answer clearly", subject=subject, why=str(error), in_seconds=pause)
        except RefusedError as error:
            turn.later(REFUSED_PAUSE)
            log.warning(_advice(error.code), subject=subject, part=part, slack=str(error))
        except (RecordUnavailableError, NotLeadingError):
            raise
        except Exception:
            log.exception("Something cannot be told", subject=subject, part=part, in_seconds=turn.failed())
        else:
            turn.failures = 0
            turn.told = position if done else 0
            return done
        return False

    def _step_down(self) -> None:
        try:
            self._told.step_down()
        except RecordUnavailableError:
            log.info("The lead runs out by itself")


def _advice(code: str) -> str:
    match code:
        case "channel_not_found" | "not_in_channel" | "is_archived":
            return "Slack does not let Buzzy post: invite it into the channel, and check its id in buzzy.yaml"
        case "missing_scope" | "not_allowed_token_type":
            return "Slack does not let Buzzy post: install the app again from deploy/slack-manifest.yaml"
        case "invalid_auth" | "account_inactive" | "token_revoked" | "token_expired" | "not_authed":
            return "Slack does not know the token any more: set SLACK_BOT_TOKEN anew"
        case _:
            return "Slack said no"
