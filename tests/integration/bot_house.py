"""A bot in a workspace, with a real Redis behind it; the tests play the worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from bot.home import HomePace
from bot.main import Bot, wait_for_slack
from bot.relay.pace import Pace
from bot.settings import Settings
from bot.slack import Slack, web_client
from releases import events as e
from releases.checklist import Item
from releases.config import Config, parse_config
from releases.lifecycle import Release, apply
from releases.plan import Plan, RollOut
from releases.record import JobQueue, Questions, Record, Store
from releases.record.closures import Closures
from releases.record.schedules import Schedules
from releases.version import ReleaseType
from sandbox.workspace import Message, Person, RunningWorkspace, running_workspace
from sandbox.workspace.settings import Settings as WorkspaceSettings
from tests.unit.bot_tales import plan, seen
from workers.timekeeper import Timekeeper

STAGING, PRODUCTION, ON_CALL, GENERAL = "C0STAGING", "C0RELEASES", "C0ONCALL", "C0GENERAL"
TICK, CROSS = "white_check_mark", "x"

CONFIG = """
services:
  - {name: buzzy-main, image: buzzybuzz/buzzy-main}
  - {name: buzzy-api, image: buzzybuzz/buzzy-api}
environments:
  development: {namespace: buzzy-development, channel: C0DEV}
  staging:
    namespace: buzzy-staging
    channel: C0STAGING
    approval: {quorum: 1, from: [S0APPROVERS]}
    alerts: {critical: C0ONCALL, on_call: S0ONCALL}
  production:
    namespace: buzzy-production
    channel: C0RELEASES
    approval: {quorum: 2, from: [S0APPROVERS], own_release: false, expires: 4h}
    alerts: {critical: C0ONCALL, on_call: S0ONCALL}
"""


def now() -> datetime:
    """The time that the record is written with."""
    return datetime.now(UTC)


def settings_for(workspace: RunningWorkspace, redis_url: str) -> Settings:
    """The settings with which a bot finds both; without the files and variables of this machine."""
    return Settings(
        _env_file=None,
        slack_bot_token=SecretStr(workspace.bot_token),
        slack_app_token=SecretStr(workspace.app_token),
        slack_signing_secret=SecretStr(workspace.signing_secret),
        slack_api_url=workspace.api_url,
        redis_url=redis_url,
        buzzy_config=Path("not read here"),
    )


def without_moments(config: Config) -> Config:
    """The same, but nobody waits for a moment before a start that the test did not ask for."""
    environments = config.environments.values()
    given = [each.grace if each.grace is not None else timedelta(0) for each in environments]
    made = [each.model_copy(update={"grace": grace}) for each, grace in zip(environments, given, strict=True)]
    return config.model_copy(update={"environments": {each.name: each for each in made}})


class House:
    """Everything that a test touches."""

    def __init__(self, workspace: RunningWorkspace, redis_url: str, config: str = CONFIG) -> None:
        """Nothing of the bot runs yet."""
        self.config = without_moments(parse_config(config))
        self.pace: Pace | None = Pace(posts_per_second=100, edit_seconds=0.02, settle_seconds=0.5)
        self.home_pace: HomePace | None = HomePace(publish_seconds=0.02, again_seconds=0.05)
        self.workspace = workspace
        self.redis_url = redis_url
        self.store = Store.connect(redis_url, answer_seconds=10)
        self.record = Record(self.store)
        self.questions = Questions(self.store)
        self.queue = JobQueue.connect(redis_url)
        self.bot: Bot | None = None
        self._stop = threading.Event()
        self._settings = settings_for(workspace, redis_url)

    def start(self, http: tuple[str, int] | None = None, *, beside: int = 0) -> Bot:
        """Start a bot and wait until Slack reaches it, and as many others as run already."""
        slack = Slack(web_client(self.workspace.bot_token, self.workspace.api_url))
        self._stop = threading.Event()
        me = wait_for_slack(slack, self._stop)
        assert me is not None
        self.bot = Bot(self._settings, self.config, me, http, pace=self.pace, home_pace=self.home_pace)
        self.bot.start(self._stop)
        if http is None:
            self.workspace.wait_for_app(beside + 1)
        return self.bot

    def stop(self) -> None:
        """End the bot as SIGTERM does."""
        if self.bot is not None:
            self._stop.set()
            self.bot.join()
            self.bot = None

    def person(self, name: str) -> Person:
        """Somebody of the workspace."""
        return self.workspace.person(name)

    def ask(self, line: str, channel: str, who: str = "alice") -> Message:
        """Type a command and wait for the release's message."""
        person = self.person(who)
        before = person.messages(channel)
        delivery = person.command(line, channel)
        assert delivery.acknowledged, delivery.error
        return person.wait_for_message(channel, after=before[-1] if before else None)

    def until(self, message: Message, text: str) -> Message:
        """Wait until a message says something."""
        return self.person("alice").wait_until_shows(message, text)

    def thread(self, message: Message) -> list[str]:
        """What the thread says, a text a post."""
        return [reply.shown for reply in self.person("alice").thread(message)]

    # -- playing the worker ------------------------------------------------------------------------

    def append(self, release_id: str, *happened: e.Event) -> Release:
        """Write what a worker would."""
        return self.record.append(self.record.load(release_id), happened).release

    def timekeeper(self, at: datetime | None = None) -> Timekeeper:
        """What a worker looks with, at a moment of its own if that is given."""
        closures, schedules = Closures(self.store), Schedules(self.store)
        return Timekeeper(self.config, self.record, closures, schedules, lambda: at or now())

    def planned(
        self,
        release_id: str,
        new: str = "3.2.1",
        type_: ReleaseType | None = None,
        checklist: tuple[Item, ...] = (),
    ) -> Plan:
        """Propose a plan; a patch, unless it is said what it is."""
        release = self.record.load(release_id).release
        made = plan(
            services=("buzzy-main", "buzzy-api"),
            new=new,
            environment=release.environment,
            kind=release.request.kind,
        ).model_copy(update={"checklist": checklist})
        made = made if type_ is None else made.model_copy(update={"type": type_})
        proposed = e.PlanProposed(at=now(), plan=made)
        events: list[e.Event] = [proposed]
        if apply(release, proposed).may_start:
            events.append(e.Approved(at=now(), digest=made.digest))
        self.append(release_id, *events)
        return made

    def run_steps(self, release_id: str, *, count: int | None = None) -> Release:
        """Start, and finish so many steps: all of them, and the release, if not said."""
        release = self.append(release_id, e.ReleaseStarted(at=now()))
        for index, state in enumerate(release.forward[:count]):
            step = state.step
            services = (seen(step.service, 3),) if isinstance(step, RollOut) else ()
            self.append(
                release_id,
                e.StepStarted(at=now(), index=index),
                e.StepFinished(at=now(), index=index, changed=True, seen=services),
            )
        if count is None:
            return self.append(release_id, e.ReleaseFinished(at=now()))
        return self.record.load(release_id).release

    def ready_for_approval(
        self, line: str = "/buzzy release 3.2.1 staging", channel: str = STAGING
    ) -> Message:
        """Ask, plan, and wait until approval is asked for."""
        message = self.ask(line, channel)
        self.planned("R1")
        return self.until(message, "waiting for")


def eventually(condition: Callable[[], object], what: str, *, seconds: float = 10.0) -> None:
    """Wait until a condition holds that Slack's side cannot see."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain until {what}"
        time.sleep(0.01)


@contextmanager
def open_house(
    redis_url: str,
    *,
    start: bool = True,
    workspace_settings: WorkspaceSettings | None = None,
    config: str = CONFIG,
) -> Iterator[House]:
    """A house for the length of a `with` block."""
    with running_workspace(workspace_settings) as workspace:
        house = House(workspace, redis_url, config)
        try:
            if start:
                house.start()
            yield house
        finally:
            house.stop()
            house.store.close()
