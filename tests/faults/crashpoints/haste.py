"""Shorter times for the runs with crashes: what a crash is noticed by takes a tenth of what it takes outside.

Nothing here is a setting of the product; the relations between the times are kept.
"""

from __future__ import annotations

import functools

import bot.main
import bot.relay.pace
import bot.relay.relay
import releases.record.inbox
import workers.advance
import workers.main
import workers.reaper
import workers.runner
from releases.record.told import Told

LEASE_MS = 1_500
LEAD_MS = 1_500
CLAIM_MS = 1_500
REAP_SECONDS = 0.4
DEQUEUE_SECONDS = 0.4
STANDBY_SECONDS = 0.1
EDIT_SECONDS = 0.05
UNLIMITED = 10_000.0

_INSTEAD = (
    (workers.main, "Tools", functools.partial(workers.advance.Tools, lease_ms=LEASE_MS)),
    (workers.runner, "EVERY_SECONDS", REAP_SECONDS),
    (workers.reaper, "_ALONE_MS", int(REAP_SECONDS * 900)),
    (workers.runner.Runner, "dequeue_timeout", DEQUEUE_SECONDS),  # RQ's own takes whole seconds
    (releases.record.inbox, "CLAIM_MS", CLAIM_MS),
    (bot.relay.relay, "STANDBY_SECONDS", STANDBY_SECONDS),
    (
        bot.main,
        "Pace",
        functools.partial(bot.relay.pace.Pace, posts_per_second=UNLIMITED, edit_seconds=EDIT_SECONDS),
    ),
    (Told.__init__, "__kwdefaults__", {"lead_ms": LEAD_MS}),
)


def hasten() -> None:
    """Shorten them in this process, before the product starts in it."""
    for owner, name, value in _INSTEAD:
        assert hasattr(owner, name), f"{owner} has no {name} any more"
        setattr(owner, name, value)
