"""Several worlds at a time, each in a process of its own, which plays what it is given."""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.util
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from sandbox.children import die_with_parent
from tests.faults.crashpoints.boundaries import CrashPoint
from tests.faults.crashpoints.scenarios import BY_NAME
from tests.faults.crashpoints.world import Run, World

_worlds: list[World] = []
"""This process's one."""


@contextmanager
def lanes(number: int) -> Iterator[Executor]:
    """So many worlds; `play` is submitted to them."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(number, mp_context=spawn, initializer=_open) as pool:
        yield pool


def play(scenario: str, armed: Sequence[CrashPoint] = ()) -> Run:
    """Play a scenario in this process's world."""
    return _worlds[0].run(BY_NAME[scenario], armed)


def _open() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever gave the order ends this, after what is in hand
    gc.freeze()  # what is loaded by now stays, and need not be looked at again and again
    world = World().__enter__()
    _worlds.append(world)
    multiprocessing.util.Finalize(world, world.__exit__, exitpriority=10)
