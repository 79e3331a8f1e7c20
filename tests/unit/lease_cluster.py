"""The Lease of a cluster, as the workers' port has it, with somebody else who can get in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import cast

from workers.cluster import (
    AlreadyExistsError,
    Cluster,
    ClusterUnreachableError,
    ConflictError,
    LeaseSeen,
    LeaseWrite,
    NotFoundError,
)


class LeaseCluster:
    """Keeps one Lease and refuses what was decided from an earlier look."""

    def __init__(self) -> None:
        """There is none yet."""
        self.stored: LeaseSeen | None = None
        self.asked: list[str] = []
        self.before_write: Callable[[], None] = lambda: None
        self.lose_answer = False
        self._version = 0

    @property
    def port(self) -> Cluster:
        """As far as these tests go it is one."""
        return cast("Cluster", self)

    def lease(self, namespace: str, name: str) -> LeaseSeen:
        """Read it."""
        self.asked.append("get")
        if self.stored is None:
            raise NotFoundError("leases", name, namespace)
        return self.stored

    def create_lease(
        self, namespace: str, name: str, write: LeaseWrite, *, rehearse: bool = False
    ) -> LeaseSeen:
        """Create it."""
        self.asked.append("create, rehearsed" if rehearse else "create")
        self._meet_others()
        if self.stored is not None:
            raise AlreadyExistsError(f"{namespace}/{name}")
        return self._store({"name": name}, write, rehearse=rehearse)

    def write_lease(
        self, namespace: str, seen: LeaseSeen, write: LeaseWrite, *, rehearse: bool = False
    ) -> LeaseSeen:
        """Change it."""
        self.asked.append("update, rehearsed" if rehearse else "update")
        self._meet_others()
        version = None if self.stored is None else self.stored.metadata["resourceVersion"]
        if version != seen.metadata.get("resourceVersion"):
            raise ConflictError(f"{namespace}/{seen.metadata['name']} was changed")
        return self._store(seen.metadata, write, rehearse=rehearse)

    def _meet_others(self) -> None:
        others, self.before_write = self.before_write, lambda: None
        others()

    def _store(self, metadata: dict[str, object], write: LeaseWrite, *, rehearse: bool) -> LeaseSeen:
        self._version += 1
        notes = {**cast("dict[str, str]", metadata.get("annotations") or {}), **write.annotations}
        made = LeaseSeen(
            metadata={**metadata, "resourceVersion": str(self._version), "annotations": notes},
            holder=write.holder,
            lasts=write.lasts or timedelta(),
            acquired_at=write.acquired_at,
            renewed_at=write.renewed_at,
            transitions=write.transitions,
        )
        if not rehearse:
            self.stored = made
            if self.lose_answer:
                self.lose_answer = False
                raise ClusterUnreachableError("no answer in time")
        return made
