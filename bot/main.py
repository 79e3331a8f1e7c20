"""The bot's composition root: makes the parts, starts them, and ends them when it is asked to."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from slack_bolt import App

from bot.answers import Answers
from bot.app import make_app
from bot.approvals import Approvals
from bot.calendar import Calendar
from bot.closing import Closing
from bot.confirming import Confirming
from bot.doors import Door, DoorError, HttpDoor, SocketDoor
from bot.gate import Gate
from bot.home import HomeKeeper, HomePace
from bot.inbox import InboxLoop
from bot.people import People
from bot.planner import Planner
from bot.questions import Desk
from bot.reception import Reception
from bot.relay import Relay
from bot.relay.alarm import Alarm
from bot.relay.announcements import Announcements
from bot.relay.audience import Audience
from bot.relay.charts import Charts
from bot.relay.gates import Escalations
from bot.relay.pace import Pace
from bot.relay.pencil import Pencil
from bot.relay.posting import Poster
from bot.relay.replies import Replies
from bot.relay.story import Story
from bot.replays import Guard, Replays
from bot.requests import Requests
from bot.settings import Settings, load_config
from bot.slack import Identity, RefusedError, Slack, SlackError, web_client
from bot.vocabulary import vocabulary_of
from releases.config import Config
from releases.logs import set_up as set_up_logs
from releases.record import (
    Inbox,
    JobQueue,
    LastKnown,
    Questions,
    Record,
    RecordUnavailableError,
    RequestsSeen,
    Store,
    health,
)
from releases.record.closures import Closures
from releases.record.drifts import Drifts
from releases.record.homes import Homes
from releases.record.rounds import Rounds
from releases.record.schedules import Schedules
from releases.record.told import Told

PATIENT_SECONDS = 5.0
"""How long the loops wait for Redis: longer than they let it wait for news."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
STOP_SECONDS = 4.5
"""By then the bot has ended: what is in hand takes a call to Slack at most."""

QUIET = {"slack_bolt": logging.ERROR, "slack_sdk": logging.ERROR, "uvicorn": logging.ERROR}
"""Bolt's warnings are about settings that are meant so."""

log = structlog.get_logger(__name__)


def run(settings: Settings, http: tuple[str, int] | None) -> int:
    """Run until SIGTERM or Ctrl-C; the exit code. 1 when it cannot start."""
    set_up_logs(QUIET)
    config = load_config(settings.buzzy_config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    token = settings.slack_bot_token.get_secret_value()
    me = wait_for_slack(Slack(web_client(token, settings.slack_api_url)), stop)
    if me is None:
        return 0 if stop.is_set() else 1
    _warn_of_redis(settings)
    bot = Bot(settings, config, me, http)
    try:
        bot.start(stop)
    except DoorError as error:
        log.critical("The bot cannot start", why=str(error))
        stop.set()
        return 1
    log.info("ready", team=me.team, environments=list(config.environments))
    stop.wait()
    bot.join()
    log.info("ended as asked")
    return 0


def _warn_of_redis(settings: Settings) -> None:
    store = Store.connect(settings.redis_url)
    health.warn(store)
    store.close()


def wait_for_slack(slack: Slack, stop: threading.Event) -> Identity | None:
    """Whose token it is, once Slack answers; None when Slack does not take it, or `stop` is set."""
    pause = FIRST_PAUSE
    while not stop.is_set():
        try:
            return slack.whoami()
        except RefusedError as error:
            log.critical("Slack does not take SLACK_BOT_TOKEN", slack=error.code, fix="set it anew in .env")
            return None
        except SlackError as error:
            log.warning("Slack does not answer; trying again", why=str(error), in_seconds=pause)
            stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
    return None


class Bot:
    """All parts of the bot, put together."""

    def __init__(  # noqa: PLR0913 - what a bot is told
        self,
        settings: Settings,
        config: Config,
        me: Identity,
        http: tuple[str, int] | None,
        *,
        pace: Pace | None = None,
        home_pace: HomePace | None = None,
    ) -> None:
        """Nothing is started and nobody is called yet. The paces are Slack's, unless they are given."""
        token, url = settings.slack_bot_token.get_secret_value(), settings.redis_url
        self._slack = Slack(web_client(token, settings.slack_api_url))
        self._config = config
        self._me = me
        self._name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._queue = JobQueue.connect(url)
        self._hasty = Store.connect(url)
        self._patient = Store.connect(url, answer_seconds=PATIENT_SECONDS)
        self._reception = Reception(
            config, Inbox(self._hasty), Homes(self._hasty), self._desk(self._hasty), _now
        )
        app = make_app(
            me,
            self._reception,
            self._slack,
            token=token,
            signing_secret=settings.slack_signing_secret.get_secret_value() if http else "",
            api_url=settings.slack_api_url,
        )
        self._replays = Replays(RequestsSeen(self._hasty))
        self.door: Door = self._door(app, settings, http)
        self._threads: list[threading.Thread] = []
        self._loops: list[Callable[[threading.Event], None]] = [
            self._inbox_loop(me).run,
            self._confirming(me).run,
            self._relay(pace or Pace()).run,
            self._home_keeper(me, home_pace).run,
            self._keep_people(me),
        ]

    def start(self, stop: threading.Event) -> None:
        """Start acting and telling, then let Slack in. Raises `DoorError`."""
        with contextlib.suppress(RecordUnavailableError):  # others in the same cluster see its id alone then
            Record(self._hasty).name_installation(self._me.workspace)
        for loop in self._loops:
            thread = threading.Thread(target=loop, args=(stop,), name=loop.__qualname__, daemon=True)
            thread.start()
            self._threads.append(thread)
        self.door.open(stop)

    def join(self) -> None:
        """After `stop` was set: close the door and wait for what is in hand, within `STOP_SECONDS`."""
        deadline = time.monotonic() + STOP_SECONDS
        with contextlib.suppress(RecordUnavailableError):
            Told(self._hasty, self._name).stir()
            Homes(self._hasty).stir()
        self.door.close()
        self._reception.close()
        self._replays.close()
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.1))
        for store in (self._hasty, self._patient):
            store.close()

    def _door(self, app: App, settings: Settings, http: tuple[str, int] | None) -> Door:
        if http is None:
            return SocketDoor(app, settings.slack_app_token.get_secret_value())
        guard = Guard(app, settings.slack_signing_secret.get_secret_value(), self._replays)
        return HttpDoor(guard.dispatch, http)

    def _desk(self, store: Store) -> Desk:
        calendar = Calendar(self._config, Closures(store), Schedules(store))
        return Desk(
            self._config,
            Record(store),
            Questions(store),
            self._queue,
            Told(store, self._name),
            _now,
            calendar,
            Drifts(store),
            Rounds(store),
        )

    def _inbox_loop(self, me: Identity) -> InboxLoop:
        store = self._patient
        record, told = Record(store), Told(store, self._name)
        people = self._people(me)
        closures = Closures(store)
        gate = Gate(self._config, record, closures, people, _now)
        closing = Closing(self._config, record, closures, people, gate, _now)
        planner = Planner(self._config, Schedules(store), closures, people, gate, _now)
        requests = Requests(
            self._config, record, self._queue, people, self._slack, told, _now, gate, closing, planner
        )
        answers = Answers(record, requests, self._slack, told, _now)
        return InboxLoop(
            self._name,
            Inbox(store),
            record,
            requests,
            answers,
            Approvals(self._config, record, told, self._slack, people, _now),
            Homes(store),
            self._desk(store),
            self._slack,
            vocabulary_of(self._config),
            _now,
        )

    def _home_keeper(self, me: Identity, pace: HomePace | None) -> HomeKeeper:
        store, people = self._patient, self._people(me)
        told = Told(store, self._name)
        return HomeKeeper(
            Homes(store, self._name),
            self._desk(store),
            Approvals(self._config, Record(store), told, self._slack, people, _now),
            people,
            self._slack,
            self._config.application,
            _now,
            pace or HomePace(),
        )

    def _confirming(self, me: Identity) -> Confirming:
        store = self._patient
        told = Told(store, self._name)
        return Confirming(Record(store), self._queue, self._people(me), self._slack, told, _now)

    def _people(self, me: Identity) -> People:
        last_known = LastKnown(self._patient)
        return People(self._slack, me, self._config.user_groups, last_known=last_known)

    def _keep_people(self, me: Identity) -> Callable[[threading.Event], None]:
        """What the command line goes by while Slack is away is never old."""
        people = self._people(me)

        def keep(stop: threading.Event) -> None:
            people.keep(stop, sorted(set(self._config.operators.values())))

        return keep

    def _relay(self, pace: Pace) -> Relay:
        store = self._patient
        record, told = Record(store), Told(store, self._name)
        poster, pencil = Poster(self._slack, told, pace), Pencil()
        return Relay(
            record,
            told,
            Story(told, poster, self._config.application),
            Alarm(self._config, record, told, poster, self._slack),
            Announcements(Closures(store), told, poster, pencil),
            Audience(self._config, told, poster, self._slack),
            Escalations(self._config, told, poster, self._slack),
            Charts(told, poster, pencil),
            Replies(Questions(store), self._desk(store), told, poster, self._slack),
        )


def _now() -> datetime:
    return datetime.now(UTC)
