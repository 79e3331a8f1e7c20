"""What came in from Slack, recorded before it is acted on: at least once in, once done.

A delivery is known by an id that Slack gives it (an event id, a trigger id); Slack delivering it again
adds nothing. A delivery that was read by a process which then died is given to the next reader.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from releases.record import scripts
from releases.record.store import RecordUnavailableError, Store

GRACE_MS = 800
"""How long after it was handed over a delivery may still be written. A Redis that was hung and wakes up
later must not record what its sender has meanwhile been told is not recorded: so this is shorter than the
time that a store waits for an answer (`store.ANSWER_SECONDS`), which begins after Redis told its clock."""

REMEMBER_SECONDS = 24 * 3600
CLAIM_MS = 15_000
GROUP = "bots"


@dataclass(frozen=True)
class Delivery:
    """Something that came in. `entry` is its place in the inbox, `id` the name that Slack gave it."""

    entry: str
    id: str
    kind: str
    payload: dict[str, Any]


class Inbox:
    """The inbox in Redis, read by any number of bots, each delivery by one of them."""

    def __init__(self, store: Store) -> None:
        """The inbox that lives in this store."""
        self._store = store
        self._stream = store.key("inbox")
        self._ready = False

    def put(
        self, kind: str, delivery_id: str, payload: dict[str, Any], *, deadline: float | None = None
    ) -> bool:
        """Record a delivery; False when it had come before.

        Raises `RecordUnavailableError` when it is not recorded, and then it never will be: neither by a
        Redis that was hung, nor after `deadline`, a moment of `time.monotonic()`.
        """
        now = self._store.now_ms()
        left = GRACE_MS if deadline is None else int((deadline - time.monotonic()) * 1000)
        not_after = now + min(GRACE_MS, left)
        outcome = self._store.run(
            scripts.DELIVER,
            [self._stream, self._store.key("delivery", delivery_id)],
            [not_after, REMEMBER_SECONDS, kind, json.dumps(payload), delivery_id],
        )
        if outcome == "late":
            raise RecordUnavailableError("Redis answered too late")
        return bool(outcome == "recorded")

    def take(self, reader: str, *, wait_ms: int, count: int = 16) -> tuple[Delivery, ...]:
        """The next deliveries for this reader: first what a dead reader left, then what is new.

        Waits up to `wait_ms` (which the connection's own time limit must exceed) for something new.
        """
        try:
            return self._take(reader, wait_ms, count)
        except RecordUnavailableError:
            self._ready = False  # a Redis that comes back empty has no group either
            raise

    def _take(self, reader: str, wait_ms: int, count: int) -> tuple[Delivery, ...]:
        self._make_group()
        left = self._store.call("XAUTOCLAIM", self._stream, GROUP, reader, CLAIM_MS, "0", "COUNT", count)
        entries = [entry for entry in left[1] if entry is not None]
        if not entries:
            streams = self._store.call(
                "XREADGROUP",
                "GROUP",
                GROUP,
                reader,
                "COUNT",
                count,
                "BLOCK",
                wait_ms,
                "STREAMS",
                self._stream,
                ">",
            )
            entries = _entries(streams)
        return tuple(_delivery(entry) for entry in entries)

    def done(self, delivery: Delivery) -> None:
        """Say that a delivery was acted on; it will not be given to anybody again."""
        self._store.run(scripts.DONE, [self._stream], [GROUP, delivery.entry])

    def _make_group(self) -> None:
        if self._ready:
            return
        try:
            self._store.call("XGROUP", "CREATE", self._stream, GROUP, "0", "MKSTREAM")
        except RecordUnavailableError as error:
            if "BUSYGROUP" not in str(error.__cause__):
                raise
        self._ready = True


def _entries(streams: Any) -> list[Any]:  # noqa: ANN401 - redis-py gives a dict or pairs, by protocol
    if not streams:
        return []
    pairs = streams.items() if isinstance(streams, dict) else streams
    return [entry for _, entries in pairs for entry in entries]


def _delivery(entry: Any) -> Delivery:  # noqa: ANN401 - redis-py gives fields as a dict or a flat list
    place, fields = entry[0], entry[1]
    if not isinstance(fields, dict):
        fields = dict(zip(fields[::2], fields[1::2], strict=True))
    try:
        payload = json.loads(fields["payload"])
    except (KeyError, ValueError):
        payload = {}  # not ours: who reads it finds nothing in it, and is done with it
    return Delivery(place, fields.get("id", ""), fields.get("kind", ""), payload)
