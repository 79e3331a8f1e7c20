"""Who holds an environment at the cluster, as it stands on the Lease there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from releases.lifecycle import Release
from releases.record import Installation
from workers.cluster import LeaseSeen

_NOTES = {
    "installation": "buzzy/installation",
    "workspace": "buzzy/workspace",
    "environment": "buzzy/environment",
    "release": "buzzy/release",
    "what": "buzzy/version",
    "by": "buzzy/asked-by",
}
_SINCE = "buzzy/since"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Tenant:
    """A release that has an environment. Texts are empty, and `since` None, where it is not known."""

    installation: str
    environment: str
    workspace: str = ""
    release: str = ""
    what: str = ""
    """The version, or `rollback`."""

    by: str = ""
    since: datetime | None = None

    def shares_record_with(self, other: Tenant) -> bool:
        """Whether one record decides between the two: they are of one installation and environment."""
        return (self.installation, self.environment) == (other.installation, other.environment)

    def notes(self) -> dict[str, str]:
        """The annotations that say so."""
        notes = {key: str(getattr(self, name)) for name, key in _NOTES.items()}
        return notes | ({} if self.since is None else {_SINCE: self.since.isoformat()})


def tenant(release: Release, installation: Installation) -> Tenant:
    """A release of ours, as others are told about it."""
    return Tenant(
        installation=installation.id,
        environment=release.environment,
        workspace=installation.name,
        release=release.id,
        what=release.request.version or release.request.kind,
        by=release.request.by.name,
    )


def tenant_of(seen: LeaseSeen) -> Tenant | None:
    """Who holds it or, if nobody does, who held it last; None when nobody ever did."""
    notes = seen.annotations
    if not seen.holder and _NOTES["installation"] not in notes:
        return None
    since = _time(notes) or seen.acquired_at
    return Tenant(**{name: notes.get(key, "") for name, key in _NOTES.items()}, since=since)


def runs_out(seen: LeaseSeen) -> datetime:
    """Until when its holder is believed alive."""
    return _LONG_AGO if seen.renewed_at is None else seen.renewed_at + seen.lasts


def rival(seen: LeaseSeen, own: Tenant, now: datetime) -> Tenant | None:
    """Whom a release that wants to begin has to wait for; None when it may have the environment.

    For those whom its own record knows it need not wait: they have ended.
    """
    holder = tenant_of(seen)
    if holder is None or not seen.holder or holder.shares_record_with(own) or runs_out(seen) <= now:
        return None
    return holder


def usurper(seen: LeaseSeen, own: Tenant) -> Tenant | None:
    """Who had the environment after a release of ours that had it; None: nobody, as far as can be told."""
    last = tenant_of(seen)
    return None if last is None or last.shares_record_with(own) else last


def is_left(seen: LeaseSeen, own: Tenant) -> bool:
    """Whether it was held by another installation that went without letting it go."""
    return bool(seen.holder) and usurper(seen, own) is not None


def _time(notes: Mapping[str, str]) -> datetime | None:
    """What somebody may have edited by hand."""
    try:
        at = datetime.fromisoformat(notes.get(_SINCE, ""))
    except ValueError:
        return None
    return at if at.tzinfo else None
