"""Versions that went back by themselves: nothing releases them again before a person asks for it. Pure.

In the environment itself that holds for what Buzzy would do by itself: what was scheduled before, trains, a
standby that follows. A person who asks again is told, and so are those who approve. Other environments that
want a version proven there do not take it: it is no proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from releases.lifecycle import Release


def went_back(version: str, past: Iterable[Release]) -> Release | None:
    """The last release of a version to an environment, if it went back by itself.

    `past` has the environment's releases, the newest first; those that changed nothing say nothing.
    """
    for release in past:
        if release.request.kind == "release" and release.plan is not None and release.plan.new == version:
            if release.by_itself:
                return release
            if release.changed_services:
                return None
    return None


def held(version: str, past: Iterable[Release], wanted_at: datetime) -> Release | None:
    """The release that holds up what somebody wanted at that time; None when they knew, or nothing does."""
    last = went_back(version, past)
    if last is None or last.last_at is None or wanted_at > last.last_at:
        return None
    return last


def because(release: Release) -> str:
    """Why it went back, as a part of a sentence without a full stop."""
    return (release.turned_back_because or "it was ill").rstrip(".")
