"""Whether Redis can be trusted with the record: it keeps it over a restart, and evicts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from releases.findings import Finding, Level, good, problem, unknown
from releases.record.store import RecordUnavailableError, Store

OLDEST = (6, 2)
"""The inbox takes over what a dead bot left by XAUTOCLAIM, which came with 6.2."""

SUBJECT = "Redis"
_APPEND = (
    "redis-cli CONFIG SET appendonly yes\n"
    "and for its next start, in redis.conf or as arguments: appendonly yes, appendfsync everysec"
)
_KEEP = (
    "redis-cli CONFIG SET maxmemory-policy noeviction\n"
    "and for its next start, in redis.conf or as arguments: maxmemory-policy noeviction"
)


def look_at(store: Store) -> tuple[Finding, ...]:
    """What is to be known of this Redis."""
    try:
        told: Mapping[str, Any] = store.call("INFO")
    except RecordUnavailableError as error:
        fix = "Is REDIS_URL right, and does the server run?"
        return (problem(SUBJECT, f"{error}", fix),)
    try:
        snapshots: str | None = str(store.call("CONFIG GET", "save").get("save", ""))
    except (RecordUnavailableError, AttributeError):
        snapshots = None  # managed services forbid it
    return judge(told, snapshots)


def judge(told: Mapping[str, Any], snapshots: str | None) -> tuple[Finding, ...]:
    """The same, from what INFO says and when snapshots are made; None when that may not be asked. Pure."""
    return (_version(told), _persistence(told, snapshots), _eviction(told))


def warn(store: Store) -> None:
    """Say in the log what is wrong with Redis, when a process starts that relies on it."""
    for finding in look_at(store):
        if finding.level is Level.PROBLEM:
            structlog.stdlib.get_logger(__name__).warning(
                "Redis is not set up to keep the record", why=finding.what, fix=finding.fix.splitlines()
            )


def _version(told: Mapping[str, Any]) -> Finding:
    version = str(told.get("redis_version", ""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if not numbers:
        return unknown(SUBJECT, "it does not say which version it is")
    if numbers < OLDEST:
        return problem(SUBJECT, f"it is version {version}", "Buzzy needs Redis 6.2 or newer.")
    return good(SUBJECT, f"version {version}")


def _persistence(told: Mapping[str, Any], snapshots: str | None) -> Finding:
    failing = [
        name for name in ("aof_last_write_status", "rdb_last_bgsave_status") if told.get(name, "ok") != "ok"
    ]
    if failing:
        what = f"it cannot write to its disk ({', '.join(failing)})"
        return problem(SUBJECT, what, "Look into its log: is the disk full, may it write there?")
    if str(told.get("aof_enabled")) == "1":
        return good(SUBJECT, "it appends every write to its log")
    if snapshots is None:
        what = "it keeps no log of its writes, and whether it makes snapshots may not be asked"
        return unknown(
            SUBJECT, what, "Turn on append-only persistence (AOF) where the service is configured."
        )
    if not snapshots:
        return problem(SUBJECT, "it keeps nothing over a restart: neither a log nor snapshots", _APPEND)
    what = f"it makes snapshots only ({snapshots}): what came after the last is lost with it"
    return problem(SUBJECT, what, _APPEND)


def _eviction(told: Mapping[str, Any]) -> Finding:
    policy = told.get("maxmemory_policy")
    if policy is None:
        fix = "Set its maxmemory-policy to noeviction where the service is configured."
        return unknown(SUBJECT, "it does not say what it evicts when it is full", fix)
    if policy != "noeviction":
        return problem(SUBJECT, f"it may evict parts of the record when it is full ({policy})", _KEEP)
    return good(SUBJECT, "it evicts nothing")
