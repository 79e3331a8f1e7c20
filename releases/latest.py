"""An environment that has the newest build: which one that is, and when Buzzy asks for it. Pure.

The newest is by the order of versions, not by when it was pushed, of those that every service has. It is
asked for once: however that ended, people have seen it, and the next try is the next version. What could not
be planned has touched nothing, and is asked for again, each time after twice as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from releases.compatibility import within
from releases.config import Environment
from releases.events import BUZZY, ReleaseRequested
from releases.lifecycle import Release, State
from releases.plan import Frozen
from releases.policy import grace, grace_by_type, needed, needed_by_type
from releases.standby import AGAIN, Follow
from releases.version import InvalidVersion, Version

LONGEST = timedelta(days=1)
"""What could not be planned is asked for again at least so often."""


class Newest(Frozen):
    """What a look into the registry found: the newest version, if there is one, or why it cannot be read."""

    at: AwareDatetime
    version: str | None = None
    problem: str = ""


def newest(tags: Sequence[Iterable[str]], rule: str, *, prerelease: bool) -> Version | None:
    """The newest version of the rule that is among all the tags, given those of each repository."""
    common = set.intersection(*(set(each) for each in tags)) if tags else set()
    versions = (found for tag in common if (found := _version(tag)) is not None)
    fitting = (each for each in versions if within(rule, each) and (prerelease or not each.is_prerelease))
    return max(fitting, default=None)


def ask(
    environment: Environment,
    version: Version,
    own: Sequence[Release],
    has: frozenset[Version],
    now: datetime,
) -> Follow | None:
    """What Buzzy asks for so that an environment has that version; None while there is nothing to ask for.

    `own` are the environment's releases, the newest first, and `has` the versions that its services have: one
    with a newer version is left alone.
    """
    rule = environment.latest
    if rule is None or has == {version} or any(each > version for each in has):
        return None
    tried = [each for each in own if _is_of(each, version)]
    pause = min(AGAIN * 2 ** max(len(tried) - 1, 0), LONGEST)
    if tried and (tried[0].state is not State.IMPOSSIBLE or now - tried[0].request.at < pause):
        return None
    request = ReleaseRequested(
        at=now,
        kind="release",
        environment=environment.name,
        version=str(version),
        strategy=environment.strategy,
        reason=f"{version} is the newest build of {rule} in the registry",
        by=BUZZY,
        channel=environment.channel,
        approval=needed(environment),
        approval_by_type=needed_by_type(environment),
        grace_seconds=grace(environment),
        grace_by_type=grace_by_type(environment),
        latest=rule,
    )
    return Follow(request, f"latest:{environment.name}:{version}:{len(tried)}")


def _is_of(release: Release, version: Version) -> bool:
    """Whether a release was to bring that version, whoever asked for it and however it ended."""
    if release.request.kind != "release":
        return False
    return str(version) in {release.request.version, release.plan.new if release.plan else None}


def _version(tag: str) -> Version | None:
    """The version that a tag is, letter by letter: it is looked up under its own name again."""
    try:
        found = Version.parse(tag)
    except InvalidVersion:
        return None
    return found if str(found) == tag else None
