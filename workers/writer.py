"""A worker's hold on one release: the lease, kept alive; its events, written in order; news, noticed.

Redis may be away for as long as the lease lasts by this worker's own clock. After that somebody else may be
at work, and this one must not even try. Beside it goes the Lease at the cluster, once it is taken: it is
renewed while this worker is at work, and let go with the release's end, not with this job's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from releases.events import Event
from releases.lifecycle import MOVING, IllegalEventError, Release, State
from releases.record import Held, Lease, MovedError, Record, RecordUnavailableError, StaleError
from releases.record.archive import LOST
from releases.record.record import LEASE_MS
from workers.cluster import ClusterError
from workers.tenure import TRY_AGAIN_SECONDS, TakenOverError, Tenure

RENEWALS = 3
"""How often the lease is renewed in the time that it lasts."""

PAUSE_SECONDS = 0.5
NEWS_SECONDS = 0.5
"""How often it is looked whether somebody else wrote, such as a wish to abort."""

JOIN_SECONDS = 0.3

T = TypeVar("T")


class Writer:
    """Writes one release, for as long as nobody else has taken over and the `with` block lasts.

    The lease is kept by a thread of its own, and so is the cluster's: how long an answer of the cluster
    takes must not decide who is the writer.
    """

    def __init__(
        self, record: Record, lease: Lease, *, stopping: Callable[[], bool], lease_ms: int = LEASE_MS
    ) -> None:
        """`lease` was taken just now, for `lease_ms`; `stopping` says that this worker is asked to end."""
        self._record = record
        self._lease = lease
        self._stopping = stopping
        self._lease_ms = lease_ms
        self._until = time.monotonic() + lease_ms / 1000
        self._looked = time.monotonic()
        self._lost: Exception | None = None
        self._unfenced = lease.unfenced
        self.tenure: Tenure | None = None
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name=f"lease-{lease.release}", daemon=True)
        self._held = self._patiently(lambda: record.load(lease.release))

    def __enter__(self) -> Self:
        """Begin to keep the lease."""
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go; if that cannot be said, it runs out by itself.

        The keeper may be in a call that takes long. It need not be waited for: a lease that was let go cannot
        be renewed any more.
        """
        if self.tenure is not None and self.release.state not in MOVING:
            with suppress(ClusterError):
                self.tenure.let_go()
        self._ended.set()
        self._keeper.join(JOIN_SECONDS)
        with suppress(RecordUnavailableError, StaleError):
            if kind is not None:  # it was torn away from what it did, perhaps from a write
                self.note_unfenced(is_so=True)
            self._record.let_go(self._lease)

    @property
    def id(self) -> str:
        """This worker's name among all."""
        return self._lease.writer

    @property
    def epoch(self) -> int:
        """The epoch under which it writes."""
        return self._lease.epoch

    @property
    def release(self) -> Release:
        """The release as it was last read or written."""
        return self._held.release

    def events(self) -> tuple[Event, ...]:
        """Everything that happened to the release."""
        return self._patiently(lambda: self._record.events(self._lease.release))

    @property
    def interrupted(self) -> bool:
        """Whether the worker before this one ended without a word."""
        return self._lease.interrupted is not None

    @property
    def unfenced(self) -> bool:
        """Whether a write to the cluster, of this worker or an earlier one, may still be under way."""
        return self._unfenced

    def note_unfenced(self, *, is_so: bool) -> None:
        """Remember it, for whoever comes next as well."""
        if is_so != self._unfenced:
            self._patiently(partial(self._record.unfenced, self._lease, is_so=is_so))
            self._unfenced = is_so

    def keep(self, tenure: Tenure) -> None:
        """Keep the Lease at the cluster as well, from when it is taken on."""
        self.tenure = tenure
        name = f"tenure-{self._lease.release}"
        threading.Thread(target=self._keep_tenure, args=(tenure,), name=name, daemon=True).start()

    @property
    def rebuilt(self) -> bool:
        """Whether the record was lost, and nobody has written the release since it was rebuilt."""
        return self._lease.interrupted == LOST

    def append(self, happened: Sequence[Event], *, only_in: State | None = None) -> bool:
        """Write events. False when they cannot happen (any more): somebody wrote first, decide again.

        With `only_in` they are not written once the release is in another state, although they could be.
        Raises `StaleError` and, when the lease is over before Redis is back, `RecordUnavailableError`.
        """
        while only_in is None or self.release.state is only_in:
            before = self._held
            try:
                self._held = self._patiently(partial(self._record.append, before, happened))
            except MovedError:
                self._held = self._patiently(partial(self._record.load, before.release.id))
                if self._is_written(before, happened):
                    return True
            except IllegalEventError:
                return False
            else:
                return True
        return False

    def look(self) -> None:
        """Look for news, if it is time to. Raises `StaleError` when somebody else is the writer now."""
        self._check()
        now = time.monotonic()
        if now - self._looked < NEWS_SECONDS:
            return
        self._looked = now
        try:
            moved = self._record.position(self.release.id) != self.release.position
        except RecordUnavailableError:
            return  # the lease decides how long that may last
        if moved:
            self._held = self._patiently(lambda: self._record.load(self.release.id))

    def make_sure(self) -> None:
        """Renew both leases here and now. Raises `StaleError` when somebody else is the writer now.

        For the cluster's it raises `TakenOverError`, and `ClusterError` when it cannot be renewed just now.
        """
        self._patiently(self._renew)
        if self.tenure is not None:
            self.tenure.renew()

    def _renew(self) -> None:
        began = time.monotonic()
        self._record.renew(self._lease, lease_ms=self._lease_ms)
        self._until = began + self._lease_ms / 1000

    def _keep(self) -> None:
        while not self._ended.wait(self._lease_ms / 1000 / RENEWALS):
            try:
                self._patiently(self._renew)
            except StaleError as error:
                self._lost = error
                return
            except RecordUnavailableError:
                continue

    def _keep_tenure(self, tenure: Tenure) -> None:
        pause = tenure.rest()
        while not self._ended.wait(pause):
            try:
                if tenure.rest() <= 0:
                    tenure.renew()
            except (StaleError, TakenOverError) as error:
                self._lost = self._lost or error
                return
            except ClusterError:  # silent, or the right was taken away: the step that is at work says so
                pause = TRY_AGAIN_SECONDS
            else:
                pause = max(tenure.rest(), 0.0)

    def _check(self) -> None:
        if self._lost is not None:
            raise self._lost
        if time.monotonic() >= self._until:
            raise RecordUnavailableError("Redis was away for longer than the lease lasts")

    def _is_written(self, before: Held, happened: Sequence[Event]) -> bool:
        """Whether these events are there already: the answer to writing them was lost on the way."""
        start = before.release.position
        return self.events()[start : start + len(happened)] == tuple(happened)

    def _patiently(self, action: Callable[[], T]) -> T:
        """Try until Redis answers, the lease is over or the worker has to end."""
        while True:
            try:
                return action()
            except RecordUnavailableError:
                if time.monotonic() + PAUSE_SECONDS >= self._until or self._stopping():
                    raise
                time.sleep(PAUSE_SECONDS)
