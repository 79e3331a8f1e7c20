"""Redis' append-only file, and what is left of it when its machine dies before it was all written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def log_of(folder: Path) -> Path:
    """The file that is being appended to: one in Redis 6, the newest increment in Redis 7."""
    parts = sorted(folder.glob("appendonlydir/*.incr.aof"))
    return parts[-1] if parts else folder / "appendonly.aof"


def lose_from(folder: Path, word: bytes) -> int:
    """Cut the log before the last command that has this word in it; how many bytes were lost.

    The server must not run. Commands of one script or transaction are one: it is cut before all of it.
    """
    path = log_of(folder)
    whole = path.read_bytes()
    place = next(start for start, end in reversed(list(_units(whole))) if word in whole[start:end])
    path.write_bytes(whole[:place])
    return len(whole) - place


def _units(log: bytes) -> Iterator[tuple[int, int]]:
    """Where each command, or each transaction, begins and ends."""
    begin, within = 0, False
    for start, end in _commands(log):
        name = log[start:end].split(b"\r\n")[2].upper()
        if name == b"MULTI":
            begin, within = start, True
        elif name == b"EXEC":
            within = False
            yield begin, end
        elif not within:
            yield start, end


def _commands(log: bytes) -> Iterator[tuple[int, int]]:
    place = 0
    while place < len(log):
        start = place
        line = log.index(b"\r\n", place)
        count, place = int(log[place + 1 : line]), line + 2
        for _ in range(count):
            line = log.index(b"\r\n", place)
            place = line + 2 + int(log[place + 1 : line]) + 2
        yield start, place
