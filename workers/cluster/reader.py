"""One list of objects, kept up to date: listed, then watched from there, for as long as it is wanted.

A thread, because a watch is a read that blocks. What it finds goes to a callback as `News`; whoever listens
sees no difference between a watch that ended, one that broke and one that had to begin anew.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import urllib3.exceptions

from workers.cluster.errors import (
    BELIEVED_SECONDS,
    ClusterUnreachableError,
    DeniedError,
    TooManyRequestsError,
    TransientError,
)
from workers.cluster.seen import Json
from workers.cluster.translate import ExpiredError, Request, from_status, translated

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 3.0


class Source(Protocol):
    """Where a list comes from."""

    @property
    def request(self) -> Request:
        """What is asked for, in the words of roles."""

    def list(self) -> Json:
        """The whole list. Raises `ClusterError`."""

    def watch(self, version: str) -> urllib3.BaseHTTPResponse:
        """The changes behind that version, as they come. Raises `ClusterError`."""


@dataclass(frozen=True)
class Listed:
    """The list is this, whatever was said before."""

    items: tuple[Json, ...]


@dataclass(frozen=True)
class Changed:
    """One object is new, different, or gone."""

    item: Json
    gone: bool


@dataclass(frozen=True)
class Heard:
    """The cluster answers (again)."""


@dataclass(frozen=True)
class Lost:
    """The cluster cannot be heard; it is tried again."""

    error: TransientError


@dataclass(frozen=True)
class Refused:
    """The list cannot be had, and trying again would not help. The last news there is."""

    error: Exception


News = Listed | Changed | Heard | Lost | Refused


class Reader:
    """Reads one source and tells what it finds, until it is closed."""

    def __init__(self, source: Source, tell: Callable[[News], None]) -> None:
        """Begin to read."""
        self._source = source
        self._tell = tell
        self._closed = threading.Event()
        self._response: urllib3.BaseHTTPResponse | None = None
        self._version = ""
        self._failures = 0
        self._was_allowed = False
        self._denied_at: float | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"watch-{source.request.resource}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Let it end, also in the middle of a read."""
        self._closed.set()
        response = self._response
        if response is not None:
            with suppress(ValueError, RuntimeError, OSError):  # it has ended by itself meanwhile
                response.shutdown()

    def join(self, seconds: float) -> None:
        """Wait for its end, not for long: one that waits for a connection has nothing more to tell."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                if not self._version:
                    self._list()
                self._watch()
                self._closed.wait(FIRST_PAUSE)  # something in between may end each watch at once
            except ExpiredError:
                self._version = ""
            except TransientError as error:
                self._pause(error)
            except DeniedError as error:
                if self._is_believed():
                    self._tell(Refused(error))
                    return
                self._pause(ClusterUnreachableError("it does not know Buzzy's rights just now"))
            except Exception as error:  # noqa: BLE001 - raised again by whoever listens, in their own thread
                self._tell(Refused(error))
                return

    def _list(self) -> None:
        found = self._source.list()
        self._failures = 0
        self._allow()
        self._tell(Listed(tuple(found["items"])))
        self._version = found["metadata"]["resourceVersion"]

    def _watch(self) -> None:
        """Tell what changes from here on, until the server ends the watch."""
        response = self._response = self._source.watch(self._version)
        try:
            if self._closed.is_set():
                return
            self._allow()
            self._tell(Heard())
            with translated(self._source.request):
                for change in _lines(response):
                    self._failures = 0
                    item = change["object"]
                    if change["type"] == "ERROR":
                        raise from_status(self._source.request, item.get("code", 500), item)
                    self._version = item["metadata"]["resourceVersion"]
                    if change["type"] != "BOOKMARK":
                        self._tell(Changed(item, gone=change["type"] == "DELETED"))
        except TransientError:
            # A watch that broke is resumed where it was; only if that fails as well is it worth a word.
            if self._failures:
                raise
            self._failures = 1
        finally:
            self._response = None
            response.close()

    def _allow(self) -> None:
        self._was_allowed, self._denied_at = True, None

    def _is_believed(self) -> bool:
        """Whether it is denied for good: from the beginning, or for long enough."""
        now = time.monotonic()
        self._denied_at = self._denied_at or now
        return not self._was_allowed or now - self._denied_at >= BELIEVED_SECONDS

    def _pause(self, error: TransientError) -> None:
        if self._closed.is_set():
            return
        self._tell(Lost(error))
        pause = min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        self._failures += 1
        if isinstance(error, TooManyRequestsError):
            pause = max(pause, min(error.retry_after, LONGEST_PAUSE))
        self._closed.wait(pause)


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[dict[str, Any]]:
    """The JSON objects of a watch, one a line, each as soon as it is there."""
    rest = b""
    for chunk in response.stream(amt=None):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield json.loads(line)
