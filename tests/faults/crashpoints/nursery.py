"""Starts bots and workers in no time, and starts them again when they die, as a supervisor would.

A process that has loaded everything forks for each of them. It takes lines of JSON and answers each with one.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import selectors
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, NoReturn

import redis

import bot.main
import workers.main
from bot.settings import load_settings as bot_settings
from tests.faults.crashpoints import instrument
from tests.faults.crashpoints.boundaries import CrashPoint
from tests.faults.crashpoints.haste import hasten
from workers.cluster.connections import Connections
from workers.settings import load_settings as worker_settings

_SUBREAPER = 36
"""Linux: orphans among its descendants, such as a killed worker's horse, become this process's children."""


class Nursery:
    """The processes of one run."""

    def __init__(self) -> None:
        """None yet."""
        self._wanted: dict[int, dict[str, Any]] = {}
        self.deaths: list[str] = []

    def start(self, order: dict[str, Any]) -> None:
        """Fork the process that an order describes."""
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _become(order)
        self._wanted[pid] = order

    def bury(self) -> None:
        """Take leave of the dead, and start those again that should live."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            order = self._wanted.pop(pid, None)
            if order is not None:
                self.deaths.append(f"{order['role']} {os.waitstatus_to_exitcode(status)}")
                self.start(order)

    def end(self) -> list[str]:
        """Kill them all; who had died before that."""
        self._wanted.clear()
        while children := _children():
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            for pid in children:
                os.waitpid(pid, 0)
        deaths, self.deaths = self.deaths, []
        return deaths


def _children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _become(order: dict[str, Any]) -> NoReturn:
    """In the child: be the program that was ordered, and nothing else."""
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, number)
        os.environ.update(order["env"])
        armed = [CrashPoint.of_json(each) for each in order["armed"]]
        instrument.begin(instrument.Instrument(order["role"], Path(order["passed"]), armed))
        if order["role"] == "bot":
            code = bot.main.run(bot_settings(http=False), http=None)
        else:
            code = workers.main.run(worker_settings())
    except BaseException:  # noqa: BLE001 - nothing may run on into the loop of the process that forked
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _writing(url: str) -> frozenset[str]:
    """The commands that the server says write."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        known = client.execute_command("COMMAND")
    listed = known.values() if isinstance(known, dict) else known
    return frozenset(
        (each["name"] if isinstance(each, dict) else each[0]).lower()
        for each in listed
        if "write" in (each["flags"] if isinstance(each, dict) else each[2])
    )


def main() -> None:
    """Serve until the orders end."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    hasten()
    instrument.install(_writing(sys.argv[1]))
    Connections(None).warm()
    assert threading.active_count() == 1, "a process with threads cannot be forked safely"
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    nursery = Nursery()
    gc.collect()
    gc.freeze()
    _answer(ready=os.getpid())
    with selectors.DefaultSelector() as ready:
        ready.register(sys.stdin, selectors.EVENT_READ)
        ready.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj == woken:
                    os.read(woken, 4096)
                elif line := sys.stdin.readline():
                    _obey(nursery, json.loads(line))
                else:
                    nursery.end()
                    return
            nursery.bury()


def _obey(nursery: Nursery, order: dict[str, Any]) -> None:
    if order.get("end"):
        _answer(deaths=nursery.end())
    else:
        nursery.start(order)
        _answer(started=order["role"])


def _answer(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
