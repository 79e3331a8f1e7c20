"""Watches every way out of a process and, at one boundary, kills it there.

The ways out are wrapped at their narrowest: redis-py's and Kubernetes' and Slack's own clients. So whatever
the product, RQ or Bolt send is seen, and code that is written tomorrow is as well.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import redis
from kubernetes.client.rest import RESTClientObject
from redis.client import Pipeline
from slack_sdk.socket_mode.builtin.client import SocketModeClient
from slack_sdk.web.base_client import BaseClient
from slack_sdk.webhook import WebhookClient

import releases.lifecycle
from tests.faults.crashpoints import acts
from tests.faults.crashpoints.boundaries import Boundary, CrashPoint, Kill, Role, Side

OURS = ("bot", "releases", "workers", "rq")
PARENT_GONE_SECONDS = 5.0


class Instrument:
    """One process's: counts what is passed, and kills where it was told to."""

    def __init__(self, role: Role, passed: Path, armed: Sequence[CrashPoint]) -> None:
        """`passed` takes a line for each passing; beside it are the counts of what is armed."""
        self._role: Role = role
        self._pid = os.getpid()
        self._passed = os.open(passed, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._armed = [(point, passed.with_name(f"armed-{n}")) for n, point in enumerate(armed)]
        self._states: dict[int, str] = {}

    def note_state(self, state: str) -> None:
        """The release that this thread of a work-horse works on is in this state."""
        if self._is_horse:
            self._states[threading.get_ident()] = state

    def pass_by(self, act: str, side: Side) -> None:
        """A boundary is passed, or not survived."""
        role: Role = "horse" if self._is_horse else self._role
        state = self._states.get(threading.get_ident(), "") if self._is_horse else ""
        boundary = Boundary(role, state, _site(), act, side)
        line = {**boundary.as_json(), "horse": role == "worker" and bool(_horses())}
        os.write(self._passed, json.dumps(line).encode() + b"\n")
        for point, count in self._armed:
            if point.boundary == boundary and _counted(count) == point.passing:
                count.with_name(f"{count.name}.fired").touch()
                _kill(role, point.kill)

    @property
    def _is_horse(self) -> bool:
        return os.getpid() != self._pid


_here: list[Instrument] = []


def begin(instrument: Instrument) -> None:
    """From now on this process, and those that it forks, are watched."""
    _here[:] = [instrument]


def install(writing: frozenset[str]) -> None:
    """Wrap the ways out. `writing` are the commands of Redis that write."""
    commands = acts.Redis(writing)
    _wrap(redis.Redis, "execute_command", lambda _, *words, **__: commands.command(words))
    _wrap(Pipeline, "execute", lambda p, *_, **__: commands.pipeline(words for words, *_ in p.command_stack))
    _wrap(RESTClientObject, "request", lambda _, method, url, **__: acts.kubernetes(method, url))
    _wrap(BaseClient, "api_call", lambda _, method, *__, **___: acts.slack(method))
    _wrap(WebhookClient, "send_dict", lambda *_, **__: "slack response_url")
    _wrap(SocketModeClient, "send_message", lambda *_, **__: "slack acknowledge")
    for name in ("begin", "apply"):
        _follow_state(name)


def _wrap(owner: type, name: str, describe: Callable[..., str | None]) -> None:
    original = getattr(owner, name)

    def watched(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever it takes and gives
        act = describe(*args, **options) if _here else None
        if act is None:
            return original(*args, **options)
        _here[0].pass_by(act, "before")
        answer = original(*args, **options)
        if not acts.took_nothing(act, answer):
            _here[0].pass_by(act, "after")
        return answer

    setattr(owner, name, watched)


def _follow_state(name: str) -> None:
    """Every fold goes through these two; the last one says where the release stands."""
    original = getattr(releases.lifecycle, name)

    def followed(*args: Any) -> releases.lifecycle.Release:  # noqa: ANN401 - handed on
        release: releases.lifecycle.Release = original(*args)
        if _here:
            _here[0].note_state(release.state.value)
        return release

    for module in [each for each in sys.modules.values() if getattr(each, name, None) is original]:
        setattr(module, name, followed)


def _site() -> str:
    """The functions of ours and RQ's on the stack; what nobody of us called is Bolt's."""
    names: list[str] = []
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] in OURS:
            name = frame.f_code.co_qualname.rpartition("<locals>.")[2]
            if not name.startswith("<"):
                names.append(name)
        frame = frame.f_back  # type: ignore[assignment] # None at the end
    return " > ".join(reversed(names)) or "Bolt"


def _counted(file: Path) -> int:
    """Count a passing in a file that all processes share; how many there were."""
    with file.open("a+") as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)
        shared.write(".")
        shared.flush()
        return shared.tell()


def _kill(role: Role, kill: Kill) -> None:
    match kill:
        case Kill.WORKER | Kill.BOTH if role == "horse":
            _kill_parent()
        case Kill.BOTH:
            for horse in _horses():
                os.kill(horse, signal.SIGKILL)
    if role != "horse" or kill is not Kill.WORKER:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(PARENT_GONE_SECONDS)  # the signal comes first


def _kill_parent() -> None:
    """And wait until it is dead, so that the horse does nothing more beside a parent that lives."""
    parent = os.getppid()
    os.kill(parent, signal.SIGKILL)
    deadline = time.monotonic() + PARENT_GONE_SECONDS
    while os.getppid() == parent and time.monotonic() < deadline:
        time.sleep(0.001)


def _horses() -> list[int]:
    """The processes that this one forked."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []
