"""Servers as processes of this machine, on ports that nobody can take from them, that never outlive us."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25
_LAST_LINES = 20


class StartError(Exception):
    """A server did not start; the message has its last words."""


class Port:
    """A free port, held until `release`.

    A socket that is bound but does not listen keeps the number from everybody but those who share it
    (SO_REUSEPORT), as the servers here do, and no connection ever goes to it. So the number is theirs before
    they start, and stays theirs between a stop and the next start.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def release(self) -> None:
        """Let go of the number."""
        self._socket.close()


class Server:
    """One command that runs until it is stopped, or until this process ends in whatever way."""

    def __init__(self, command: Path, arguments: Sequence[str], log: Path) -> None:
        self._command = [str(command), *arguments]
        self._name = command.name
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start it; its output goes to the log."""
        # The commands watch over this process's id, and end when it is gone: see main.go.
        environment = os.environ | {"CONTROLPLANE_PARENT": str(os.getpid())}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # Ctrl-C in a terminal is for us; we stop the servers in their order.
                start_new_session=True,
            )

    def stop(self) -> None:
        """End it at once: nothing it could still write is wanted any more, or it is to look like a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait for a sign of life.

        Raises:
            StartError: The process ended, or the time was up.
        """
        end = time.monotonic() + seconds
        pause = _FIRST_PAUSE
        while not is_ready():
            if self._process is None or self._process.poll() is not None:
                raise StartError(f"{self._name} ended while it was starting:\n{self._last_words()}")
            if time.monotonic() > end:
                raise StartError(f"{self._name} was not ready after {seconds:.0f} s:\n{self._last_words()}")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
