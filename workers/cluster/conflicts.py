"""Deciding again when the object was changed between the look and the write."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from workers.cluster.errors import ConflictError

TRIES = 8
"""A Deployment in motion changes several times a second, as its pods come and go."""

PAUSE_SECONDS = 0.05

T = TypeVar("T")


def despite_conflicts(decide: Callable[[], T]) -> T:
    """What `decide` returns, which reads and then writes. Raises `ConflictError` if it never gets through."""
    for _ in range(TRIES - 1):
        try:
            return decide()
        except ConflictError:
            time.sleep(PAUSE_SECONDS * random.uniform(0.2, 1.0))  # noqa: S311 - jitter
    return decide()
