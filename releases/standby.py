"""A standby: an environment that follows another one, after a while. Pure.

What the leading environment has run whole for long enough is released to the standby by Buzzy itself, once
for each release that began such a span. A standby that has a newer version than the leading one, which has
gone back from it, goes back as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from releases.config import Environment, format_duration
from releases.events import BUZZY, ReleaseRequested, Target
from releases.holding import went_back
from releases.lifecycle import Release, State
from releases.policy import grace, grace_by_type, needed, needed_by_type
from releases.proof import Lead, lead
from releases.snapshot import Snapshot
from releases.version import InvalidVersion, Version

AGAIN = timedelta(hours=1)
"""When a release that could not be planned, and so touched nothing, is asked for again."""


@dataclass(frozen=True)
class Follow:
    """What Buzzy asks for, and the name under which it asks once."""

    request: ReleaseRequested
    delivery: str


def due(environment: Environment, leading: Lead) -> datetime | None:
    """When a standby is to have what its leading environment runs; None for what is no standby."""
    return None if environment.after is None else leading.run.began + environment.after


def running(seen: Snapshot | None, own: Sequence[Release], services: Iterable[str]) -> frozenset[Version]:
    """The versions that a standby's services have: as it was seen, or else as its releases left them."""
    if seen is not None and seen.services:
        return frozenset(found for each in seen.services if (found := _parsed(each.version)) is not None)
    known = lead(own, services)
    return frozenset() if known is None else frozenset({known.version})


def follow(
    environment: Environment,
    leading: Lead,
    own: Sequence[Release],
    has: frozenset[Version],
    now: datetime,
) -> Follow | None:
    """What Buzzy asks for so that a standby follows; None while there is nothing to ask for.

    `own` are the standby's releases, the newest first, and `has` the versions that its services have.
    """
    moment = due(environment, leading)
    if moment is None or now < moment or environment.follows is None or environment.after is None:
        return None
    if has == {leading.version}:
        return None
    before = [each for each in own if each.request.follows == leading.run.release]
    if before and (before[0].state is not State.IMPOSSIBLE or now - before[0].request.at < AGAIN):
        return None
    version = str(leading.version)
    if went_back(version, own) is not None:
        return None  # a person has to ask for it
    back = bool(has) and max(has) > leading.version
    request = ReleaseRequested(
        at=now,
        kind="rollback" if back else "release",
        environment=environment.name,
        version=None if back else version,
        target=Target(version=version) if back else None,
        strategy=environment.strategy,
        reason=f"{environment.follows} has run {version} since {leading.run.release}, "
        f"for {format_duration(now - leading.run.began)}",
        by=BUZZY,
        channel=environment.channel,
        approval=needed(environment),
        approval_by_type={} if back else needed_by_type(environment),
        grace_seconds=0 if back else grace(environment),
        grace_by_type={} if back else grace_by_type(environment),
        source=None if back else environment.follows,
        follows=leading.run.release,
    )
    return Follow(request, f"follow:{environment.name}:{leading.run.release}:{len(before)}")


@dataclass(frozen=True)
class Drift:
    """How a standby differs from what it follows, in a few words, and since when it has been so."""

    words: str
    since: datetime | None = None
    in_step: bool = False


def drift(
    environment: Environment, own: Snapshot | None, other: Snapshot | None, leading: Lead | None
) -> Drift | None:
    """What is seen of a standby beside what it follows; None for what is no standby, or was not seen."""
    follows = environment.follows
    if follows is None or own is None or other is None or not own.services:
        return None
    there = {each.service: each.version or each.image for each in other.services}
    here = {each.service: each.version or each.image for each in own.services}
    theirs = {name: there[name] for name in here if name in there}
    if here == theirs:
        return Drift(f"in step with {follows}", in_step=True)
    has, have = _joined(here.values()), _joined(theirs.values())
    mine, its = _parsed(has), _parsed(have)
    where = "not in step with" if mine is None or its is None else "behind" if mine < its else "ahead of"
    since = leading.run.began if leading is not None and have == str(leading.version) else None
    return Drift(f"{where} {follows}: {has}, {follows} has {have or 'nothing'}", since)


def _joined(versions: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(versions))


def _parsed(text: str | None) -> Version | None:
    try:
        return Version.parse(text or "")
    except InvalidVersion:
        return None
