"""Waiting for a condition without sleeping: the workspace says when there is a reason to look again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import httpx

T = TypeVar("T")


class Waiting:
    """Waits for a condition by following the workspace's changes as `reader`."""

    def __init__(self, http: httpx.Client, reader: str) -> None:
        self._http = http
        self._reader = reader

    def until(self, condition: Callable[[], T | None], timeout: float, what: str) -> T:
        """What `condition` returns once that is true; after `timeout` seconds, `AssertionError`."""
        deadline = time.monotonic() + timeout
        seen = self._changes(-1, 0.0)
        while True:
            result = condition()
            if result:
                return result
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"Waited {timeout:g} s in vain until {what}.")
            seen = self._changes(seen, left)

    def _changes(self, since: int, wait: float) -> int:
        """Wait for a change after `since`; -1 asks for the present number only."""
        parameters = {"user": self._reader, "since": str(since), "wait": f"{wait:.3f}"}
        latest: int = self._http.get("/client/changes", params=parameters).json()["seq"]
        return latest
