"""Looks on at what was released once it counts as that, for as long as the monitor says.

Nothing goes back by itself any more: people may rely on it by now, and something else may be the cause.
What trips is one alert for each trigger of a release, with a way to go back. No worker is held between two
looks, and nothing is written into the release, which has ended: all that is remembered is how its triggers
stood, so a lost Redis costs the time for which a limit had been passed already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import TypeAdapter, ValidationError

from releases.config import Config, Environment, UnknownEnvironment
from releases.lifecycle import Release, State
from releases.monitoring import Monitor, Reading, Trigger, Verdict, tripped_in_words
from releases.notices import Tripped
from releases.record import JobQueue, Record, RecordUnavailableError, Store, UnknownReleaseError
from releases.record.closures import Closures
from releases.record.rounds import Rounds
from workers.cluster import Cluster, ClusterError
from workers.cluster.connections import Clusters
from workers.metrics import Metrics
from workers.steps.monitor import Look, look_at

log = structlog.stdlib.get_logger(__name__)

PAST = 10
"""So many releases back it is looked for the one that runs; what never started may have come since."""

REMEMBER_SECONDS = 90 * 24 * 3600
"""How long it is remembered that something was told."""

_READINGS: TypeAdapter[tuple[Reading, ...]] = TypeAdapter(tuple[Reading, ...])


def watched_on(release: Release, now: datetime) -> Monitor | None:
    """The monitor by which a release is looked at now that it has ended; None when it is not."""
    if release.state is not State.RELEASED or release.request.kind != "release" or release.ended_at is None:
        return None
    steps = (each.step for each in release.forward if isinstance(each.step, Monitor))
    step = next(steps, None)
    if step is None or now - release.ended_at >= timedelta(seconds=step.after_seconds):
        return None
    return step


class Afterwards:
    """Has a job look, as often as the monitor says. Looks at the record only, when it is called."""

    def __init__(
        self, config: Config, record: Record, rounds: Rounds, queue: JobQueue, now: Callable[[], datetime]
    ) -> None:
        """`queue` takes the jobs; `now` gives aware UTC times."""
        self._config = config
        self._record = record
        self._rounds = rounds
        self._queue = queue
        self._now = now
        self._known: dict[str, tuple[object, Release | None]] = {}

    def look(self) -> None:
        """Look at each environment once. Trouble with one stops it for no other."""
        for environment in self._config.environments.values():
            if environment.monitor is None:
                continue
            try:
                self._see_to(environment)
            except RecordUnavailableError as error:
                log.info("left alone", environment=environment.name, why=str(error))
            except Exception:
                log.exception("mistake", environment=environment.name)

    def _see_to(self, environment: Environment) -> None:
        name = environment.name
        news = self._record.latest(name)
        before, release = self._known.get(name, (None, None))
        if news != before:
            release = running(self._record, name)
            self._known[name] = (news, release)
        step = None if release is None else watched_on(release, self._now())
        if release is None or step is None:
            return
        if self._rounds.turn("watch", release.id, timedelta(seconds=step.every_seconds)):
            self._queue.put("validation", "watch", release.id)


def running(record: Record, environment: str) -> Release | None:
    """The release that last began to change an environment, whether or not it has ended."""
    begun = (
        each
        for each in record.recent(environment, PAST)
        if each.started_at is not None and each.request.kind in {"release", "rollback"}
    )
    return next(begun, None)


@dataclass(frozen=True)
class _Place:
    """What one look is given."""

    cluster: Cluster
    namespace: str
    since: datetime
    metrics: Metrics | None
    release_began: datetime
    now: Callable[[], datetime]
    before: tuple[Reading, ...]

    def readings(self) -> tuple[Reading, ...]:
        """How the triggers stood last."""
        return self.before


@dataclass(frozen=True)
class Watcher:
    """Looks at a release that has ended. One look is one job."""

    config: Config
    record: Record
    store: Store
    clusters: Clusters
    metrics: Callable[[Environment], Metrics | None]
    now: Callable[[], datetime]

    def watch(self, release_id: str) -> None:
        """Look once; what has tripped is told, once."""
        try:
            release = self.record.load(release_id).release
            step = watched_on(release, self.now())
            newest = running(self.record, release.environment)
            if step is None or newest is None or newest.id != release_id:
                return  # it is over, or something else has begun there
            self._look(release, step, self.config.environment(release.environment))
        except (ClusterError, UnknownEnvironment, UnknownReleaseError, RecordUnavailableError) as error:
            log.warning("what was released is not looked at", release=release_id, why=str(error))

    def _look(self, release: Release, step: Monitor, environment: Environment) -> None:
        begun = next(each.started_at for each in release.forward if isinstance(each.step, Monitor))
        place = _Place(
            self.clusters(environment.cluster.context),
            environment.namespace,
            begun or release.request.at,
            self.metrics(environment),
            release.started_at or release.request.at,
            self.now,
            self._remembered(release),
        )
        look = look_at(step, place)
        if isinstance(look, str):
            log.info("it is not what was released any more", release=release.id, why=look)
            return
        readings = tuple(look.reading(trigger) for trigger in step.triggers)
        for trigger, reading in zip(step.triggers, readings, strict=True):
            if reading.verdict is Verdict.FAILED:
                self._tell(release, environment, trigger, reading, look)
        text = _READINGS.dump_json(readings).decode()
        self.store.call("SET", self._key(release), text, "EX", step.after_seconds + 3600)

    def _tell(
        self, release: Release, environment: Environment, trigger: Trigger, reading: Reading, look: Look
    ) -> None:
        """Have it told, unless it was: told first, remembered with it, in one step."""
        alerts, plan = environment.alerts, release.plan
        tripped = Tripped(
            at=self.now(),
            channel=environment.channel if alerts is None else alerts.critical,
            environment=environment.name,
            release=release.id,
            version="" if plan is None else plan.new,
            stable="" if plan is None else plan.stable,
            released_at=release.ended_at or self.now(),
            trigger=trigger.name,
            reason=tripped_in_words(trigger, reading),
            on_call=None if alerts is None else alerts.on_call,
            evidence=look.evidence(),
            chart=look.chart(trigger, reading),
        )
        name = f"tripped:{release.id}:{trigger.name}"
        Closures(self.store).once(name, REMEMBER_SECONDS, [tripped])

    def _remembered(self, release: Release) -> tuple[Reading, ...]:
        """How the triggers stood last: when the release ended, if nobody has looked since."""
        text = self.store.call("GET", self._key(release))
        try:
            return _READINGS.validate_json(text) if text else release.readings
        except ValidationError:
            return release.readings

    def _key(self, release: Release) -> str:
        return self.store.key("watched", release.id)
