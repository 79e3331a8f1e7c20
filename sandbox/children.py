"""Child processes that never outlive whoever started them."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

_PR_SET_PDEATHSIG = 1
STOP_SECONDS = 8.0
FIRST_LINE_SECONDS = 60.0
POLL_SECONDS = 0.05


class ChildFailedError(Exception):
    """A process that should run has ended, or never said that it was ready."""


def die_with_parent() -> None:
    """Run in a child before it becomes its program: Linux ends it when its parent is gone.

    Also after a SIGKILL of the parent, when nobody is left to clean up.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A program of ours, running, with what it writes in a file."""

    def __init__(
        self, name: str, arguments: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        """Start `python arguments…` (`-m module`, say). Its folder is the log's."""
        self.name = name
        self.log = log
        with log.open("ab") as sink:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=sink,
                env={**os.environ, **(env or {})},
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe in the child
            )
        self._first = threading.Event()
        self._line = ""
        self._reader = threading.Thread(target=self._read, name=f"{name}-output", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process, for tests that kill it."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def ready(self) -> dict[str, Any]:
        """The JSON object that it prints first, when it is ready. Raises `ChildFailedError`."""
        if not self._first.wait(FIRST_LINE_SECONDS) or not self._line:
            raise ChildFailedError(f"{self.name} did not start:\n{self.tail()}")
        try:
            said: dict[str, Any] = json.loads(self._line)
        except ValueError:
            raise ChildFailedError(f"{self.name} did not start:\n{self._line}{self.tail()}") from None
        return said

    def tail(self, lines: int = 20) -> str:
        """The last lines that it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def signal(self, how: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.running:
            self._process.send_signal(how)

    def kill(self) -> None:
        """End it as a crash would."""
        self.signal(signal.SIGKILL)
        self._process.wait()

    def wait(self, seconds: float) -> int | None:
        """Its exit code; None when it still runs."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        self.signal(signal.SIGTERM)
        if self.wait(STOP_SECONDS) is None:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        """The child, stopped when the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        with self.log.open("ab") as sink:
            for line in self._process.stdout:
                if not self._first.is_set():
                    self._line = line.decode(errors="replace")
                    self._first.set()
                sink.write(line)
                sink.flush()
        self._first.set()


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, *, while_running: Child) -> None:
    """Wait until somebody listens. Raises `ChildFailedError` when the child has ended before."""
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if while_running.wait(POLL_SECONDS) is not None:
            raise ChildFailedError(f"{while_running.name} did not start:\n{while_running.tail()}")
