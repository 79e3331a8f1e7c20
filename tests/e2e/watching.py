"""Follows what a cluster tells, for the length of a block: each object as it is, then each change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx

from tests.e2e.contracts.worlds import Api, Json

Note = Callable[[str, Json], None]
"""Hears of one object: `ADDED`, `MODIFIED` or `DELETED`, and how it is."""

LONGEST_END_SECONDS = 15


class Following:
    """Threads that follow lists of objects, and others that are to end with them."""

    def __init__(self, kubeconfig: Path) -> None:
        """Nothing is followed yet."""
        self._kubeconfig = kubeconfig
        self._threads: list[threading.Thread] = []
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        """It is entered so that it is left."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all of it."""
        self.ended.set()
        for thread in self._threads:
            thread.join(LONGEST_END_SECONDS)

    def start(self, run: Callable[[], None]) -> None:
        """Run something beside; it looks at `ended`."""
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._threads.append(thread)

    def follow(self, path: str, note: Note, *, selector: str = "") -> None:
        """Tell of all objects under a path, from a thread."""
        self.start(partial(self._follow, path, note, selector))

    def _follow(self, path: str, note: Note, selector: str) -> None:
        api = Api(self._kubeconfig)
        while not self.ended.is_set():
            with suppress(httpx.HTTPError):
                listed = api.ask("GET", path, labelSelector=selector).body
                for item in listed["items"]:
                    note("ADDED", item)
                version = listed["metadata"]["resourceVersion"]
                query: dict[str, Any] = {"labelSelector": selector, "resourceVersion": version}
                with api.watch(path, timeoutSeconds=5, **query) as changes:
                    for change in changes:
                        if change["type"] not in {"ERROR", "BOOKMARK", "HTTP"}:
                            note(change["type"], change["object"])
                        if self.ended.is_set():
                            break
        api.close()
