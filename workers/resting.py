"""When a release that is under way has nothing to do for a while: no worker is held by it then. Pure."""

from __future__ import annotations

from releases.lifecycle import Release, State
from workers.steps.monitor import IN_PLACE_SECONDS

LONGEST_SECONDS = 30
"""Each job renews the release's hold on its environment at the cluster, which lasts for a minute."""

BEAT_SECONDS = 4
"""What is due is noticed every five seconds: so much earlier it may be."""


def rest_of(release: Release) -> int | None:
    """For how many seconds nothing is to be done; None when the next job is due at once."""
    if release.state in {State.UNDECIDED, State.PAUSED}:
        return LONGEST_SECONDS - BEAT_SECONDS
    watching = release.watching
    if watching is None or watching[1].every_seconds <= IN_PLACE_SECONDS:
        return None
    return max(min(watching[1].every_seconds, LONGEST_SECONDS) - BEAT_SECONDS, 1)
