"""Notices what time brings: locks that run out, turns that come, releases that are due, trains that leave.

Nobody has to type for it. Each thing is written and told in one step that happens once, so it may be looked
for by any worker, at any time, twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from releases import events as e
from releases import notices, passing
from releases.closing import ALL, Closed, Closure, Kind, Traveller, closing, ends_at, pass_by
from releases.config import Config, Environment, UnknownEnvironment, zone_of
from releases.lifecycle import Release
from releases.record import MovedError, Record, RecordUnavailableError
from releases.record.closures import Board, Closures
from releases.record.schedules import Schedules
from releases.record.turns import call_next

REMIND = timedelta(days=1)
"""How often somebody is reminded of a lock without an end."""

REMEMBER_TRAIN_SECONDS = 90 * 24 * 3600

log = structlog.stdlib.get_logger(__name__)


class Timekeeper:
    """Looks when it is called."""

    def __init__(
        self,
        config: Config,
        record: Record,
        closures: Closures,
        schedules: Schedules,
        now: Callable[[], datetime],
    ) -> None:
        """`now` gives aware UTC times."""
        self._config = config
        self._record = record
        self._closures = closures
        self._schedules = schedules
        self._now = now

    def look(self) -> None:
        """Look at everything once. Trouble with one thing does not stop it for the others."""
        environments = self._config.environments
        for place in (ALL, *environments):
            with _carefully("closed", place):
                self._closed(place)
        for name, environment in environments.items():
            with _carefully("turn", name):
                call_next(self._closures, self._record, self._config, environment, self._now())
        with _carefully("due", "schedules"):
            self._due()
        for name in self._config.trains:
            with _carefully("train", name):
                self._train(name)

    def holds_back(self, release: Release) -> e.ReleaseHeld | None:
        """What keeps a release from starting now; None when nothing does."""
        return self.closed_to(release.request, passing.right_of(release))

    def closed_to(self, request: e.ReleaseRequested, right: e.Passage | None = None) -> e.ReleaseHeld | None:
        """What closes its environment to what is asked for; None when nothing does."""
        environment = self._config.environments.get(request.environment)
        if environment is None:
            raise UnknownEnvironment(request.environment, None, tuple(self._config.environments))
        now, name = self._now(), environment.name
        standing = closing(self._config, environment, self._closures.board(name).made, now)
        traveller = Traveller(request.kind, request.by.id, right)
        verdict = pass_by(traveller, name, standing)
        if not isinstance(verdict, Closed):
            return None
        because = passing.sentence(verdict.by, name, now, zone_of(self._config, environment))
        return e.ReleaseHeld(at=now, because=because, until=ends_at(verdict.by))

    # -- locks and freezes -----------------------------------------------------------------------------

    def _closed(self, place: str) -> None:
        board = self._closures.board(place)
        kinds: tuple[Kind, ...] = ("lock", "freeze")
        for kind in kinds:
            closure = board.closure(kind, place)
            if isinstance(closure, Closure):
                self._run_out(board, closure)
                self._remind(board, closure)

    def _run_out(self, board: Board, closure: Closure) -> None:
        now = self._now()
        if closure.holds(now):
            return
        told = [
            notices.Opened(at=now, channel=each.channel, closure=closure, by=e.BUZZY)
            for each in self._environments(closure.place)
        ]
        self._closures.write(board, {(closure.kind, closure.place): ""}, told)

    def _remind(self, board: Board, closure: Closure) -> None:
        now = self._now()
        if closure.kind != "lock" or closure.until is not None:
            return
        if now - (closure.reminded_at or closure.at) < REMIND:
            return
        reminded = closure.model_copy(update={"reminded_at": now})
        told = [
            notices.Reminded(at=now, channel=each.channel, closure=closure)
            for each in self._environments(closure.place)[:1]  # one reminder is enough for its owner
        ]
        self._closures.write(board, {(closure.kind, closure.place): reminded.model_dump_json()}, told)

    def _environments(self, place: str) -> list[Environment]:
        environments = self._config.environments
        return list(environments.values()) if place == ALL else [environments[place]]

    # -- what is due -----------------------------------------------------------------------------------

    def _due(self) -> None:
        for schedule in self._schedules.all():
            if schedule.due > self._now():
                return  # they are in order
            log.info("due", schedule=schedule.id, environment=schedule.environment)
            self._schedules.hand_over(schedule)

    def _train(self, name: str) -> None:
        train, now = self._config.trains[name], self._now()
        environment = self._config.environment(train.environment)
        leaves = train.next_after(now, zone_of(self._config, environment))
        if leaves is None or now < leaves - train.remind:
            return
        if any(each.train == name and each.due == leaves for each in self._schedules.all()):
            return
        told = notices.TrainEmpty(
            at=now,
            channel=environment.channel,
            train=name,
            environment=environment.name,
            leaves=leaves,
            owner=train.owner,
        )
        self._closures.once(f"train:{name}:{leaves.isoformat()}", REMEMBER_TRAIN_SECONDS, [told])


@contextmanager
def _carefully(what: str, about: str) -> Iterator[None]:
    try:
        yield
    except (MovedError, RecordUnavailableError) as error:
        log.info("left for the next look", what=what, about=about, why=str(error))
    except Exception:
        log.exception("mistake", what=what, about=about)
