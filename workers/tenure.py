"""An environment held at the cluster: a Lease in its namespace says which release has it, whoever asks.

Within one installation (all bots and workers that share a Redis) the record decides who is the writer, and
the Lease follows it. Between installations the Lease decides: who finds it held by another that is alive
does not begin, and who finds it taken over by another ends. A release takes it before it starts and keeps it
until it has ended, from job to job. Who held it last stays to be read when it is let go, so that a release
that was away can tell that another was there meanwhile.

Each write carries the version that was read, so of two that want it one gets it. What a worker sent to a
Deployment before it was paused may still arrive after that: see `workers.hold`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from releases.record import StaleError
from workers import words
from workers.cluster import (
    AlreadyExistsError,
    Cluster,
    ConflictError,
    LeaseSeen,
    LeaseWrite,
    NotFoundError,
    despite_conflicts,
)
from workers.tenant import Tenant, is_left, rival, runs_out, tenant_of, usurper

NAME = "buzzy-release"
"""The Lease's name in each namespace; the workers' Role allows no other."""

LASTS = timedelta(seconds=60)
"""How long a holder is believed alive without a sign.

A worker that dies leaves at least 40 s of it, and its successor is at work within 30 s: its lease in the
record runs out after 15 s, the reaper comes every 5 s, a job begins in a second or two. An installation
that is gone for good keeps others waiting for a minute. One that runs out while its job waits for a worker
is not lost by that: the release goes on, unless another installation has taken it.
"""

RENEW_SECONDS = 20.0
"""How old a sign of life gets while a worker is at work, unless writes renew it sooner."""

TRY_AGAIN_SECONDS = 5.0
"""The pause after a sign of life that did not get through."""

_UNHELD = LeaseSeen({"name": NAME})


class HeldError(Exception):
    """Another installation has the environment. Its text is a sentence, `hint` says what to do."""

    def __init__(self, reason: str, hint: str = "") -> None:
        """Both are for people."""
        super().__init__(reason)
        self.hint = hint


class TakenOverError(HeldError):
    """Another installation has taken the environment over from a release that had it."""


class Tenure:
    """One worker's hold on an environment's Lease. Safe for threads.

    Methods that ask the cluster raise `ClusterError`s as well.
    """

    def __init__(
        self, cluster: Cluster, namespace: str, own: Tenant, writer: str, now: Callable[[], datetime]
    ) -> None:
        """`own` is who wants it, `writer` names this worker among all; nothing is held yet."""
        self._cluster = cluster
        self._namespace = namespace
        self._own = own
        self._writer = writer
        self._now = now
        self._seen: LeaseSeen | None = None
        self._renewed = 0.0
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether this worker has taken it."""
        return self._seen is not None

    def look(self) -> LeaseSeen:
        """It, if it could be taken now. Raises `HeldError`."""
        seen = self._read() or _UNHELD
        self._make_way(rival(seen, self._own, self._now()), seen)
        return seen

    def rehearse(self, seen: LeaseSeen) -> None:
        """Find out whether this worker may do what it has to, without doing it; `seen` is from `look`.

        That somebody changes it meanwhile says nothing about rights.
        """
        if seen is _UNHELD:
            with suppress(ConflictError):
                self._create(rehearse=True)
        with suppress(ConflictError):
            self._write(seen, rehearse=True)

    def take(self, *, fence: Callable[[], None]) -> None:
        """Become the holder, before a release starts. Raises `HeldError`.

        `fence` is called before it is taken from another installation that went without letting it go. A
        sign of life that comes from there after the Lease was read here keeps it from being taken; what was
        sent before that, the fence keeps from taking effect.
        """

        def take() -> LeaseSeen:
            seen = self._read()
            if seen is None:
                return self._create()
            self._make_way(rival(seen, self._own, self._now()), seen)
            if is_left(seen, self._own):
                fence()
            return self._write(seen)

        with self._lock:
            self._seen = despite_conflicts(take)

    def resume(self) -> None:
        """Become the holder for a release that has started. Raises `TakenOverError`."""

        def resume() -> LeaseSeen:
            seen = self._read()
            if seen is None:  # somebody removed it, or an earlier version of Buzzy began
                return self._create()
            self._give_way(seen)
            return self._write(seen)

        with self._lock:
            self._seen = despite_conflicts(resume)

    def renew(self) -> None:
        """Send a sign of life here and now, if it is held, and make sure that it still is.

        Raises `TakenOverError`, and `StaleError` when another worker goes on with the release.
        """
        with self._lock:
            if self._seen is None:
                return
            try:
                self._seen = self._write(self._seen)
            except ConflictError:
                self._seen = despite_conflicts(self._regain)

    def let_go(self) -> None:
        """Hold it no more."""
        with self._lock:
            seen, self._seen = self._seen, None
            if seen is None:
                return
            with suppress(ConflictError):
                self._write(seen, holder="")
                return
            last = self._read()
            if last is not None and last.holder == self._writer:  # an answer was lost on the way
                with suppress(ConflictError):
                    self._write(last, holder="")

    def rest(self) -> float:
        """How many seconds there are until it is to be renewed."""
        return RENEW_SECONDS - (time.monotonic() - self._renewed) if self.held else RENEW_SECONDS

    def _regain(self) -> LeaseSeen:
        """Somebody wrote since our last write, or the answer to that one was lost."""
        seen = self._read()
        if seen is None:
            return self._create()
        self._give_way(seen)
        if seen.holder != self._writer:
            raise StaleError(f"{self._own.release} was taken over at the cluster")
        return self._write(seen)

    def _make_way(self, other: Tenant | None, seen: LeaseSeen) -> None:
        if other is not None:
            raise HeldError(*words.held(self._own.environment, other, runs_out(seen)))

    def _give_way(self, seen: LeaseSeen) -> None:
        other = usurper(seen, self._own)
        if other is not None:
            raise TakenOverError(words.taken_over(self._own, other))

    def _read(self) -> LeaseSeen | None:
        try:
            return self._cluster.lease(self._namespace, NAME)
        except NotFoundError:
            return None

    def _create(self, *, rehearse: bool = False) -> LeaseSeen:
        began = time.monotonic()
        write = self._wanted(_UNHELD, self._writer)
        try:
            made = self._cluster.create_lease(self._namespace, NAME, write, rehearse=rehearse)
        except AlreadyExistsError as error:
            raise ConflictError(str(error)) from error
        self._renewed = began
        return made

    def _write(self, seen: LeaseSeen, *, holder: str | None = None, rehearse: bool = False) -> LeaseSeen:
        began = time.monotonic()
        write = self._wanted(seen, self._writer if holder is None else holder)
        written = self._cluster.write_lease(self._namespace, seen, write, rehearse=rehearse)
        self._renewed = began
        return written

    def _wanted(self, seen: LeaseSeen, holder: str) -> LeaseWrite:
        """What it shall say: the same as before, where the holder or the release is the same."""
        now, last = self._now(), tenant_of(seen)
        stays = bool(holder) and holder == seen.holder
        same = last is not None and last.shares_record_with(self._own) and last.release == self._own.release
        since = last.since if same and last is not None and last.since is not None else now
        return LeaseWrite(
            holder=holder,
            lasts=LASTS,
            acquired_at=seen.acquired_at if stays and seen.acquired_at is not None else now,
            renewed_at=now,
            transitions=seen.transitions + (0 if stays or not holder else 1),
            annotations=replace(self._own, since=since).notes(),
        )
