"""The record of releases in Redis, and what travels beside it: deliveries, questions, jobs.

Every write that depends on what was read is one Lua script, so that it happens whole or not at all and
nobody writes between the look and the leap.
"""

from releases.record.archive import Archive
from releases.record.inbox import Delivery, Inbox
from releases.record.known import KnownGroup, KnownPerson, LastKnown
from releases.record.questions import Questions
from releases.record.queue import JobQueue, queue_of
from releases.record.record import (
    BusyError,
    Held,
    Installation,
    Lease,
    MovedError,
    Record,
    StaleError,
    UnknownReleaseError,
)
from releases.record.requests_seen import RequestsSeen
from releases.record.store import RecordUnavailableError, Store

__all__ = [
    "Archive",
    "BusyError",
    "Delivery",
    "Held",
    "Inbox",
    "Installation",
    "JobQueue",
    "KnownGroup",
    "KnownPerson",
    "LastKnown",
    "Lease",
    "MovedError",
    "Questions",
    "Record",
    "RecordUnavailableError",
    "RequestsSeen",
    "StaleError",
    "Store",
    "UnknownReleaseError",
    "queue_of",
]
