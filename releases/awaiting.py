"""What a release that waits wants of a person. Pure: the same rules that will judge what they say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from releases import approval
from releases.lifecycle import Release, State
from releases.people import Person
from releases.policy import Refusal


@dataclass(frozen=True)
class Wanted:
    """What one person can do now so that a release goes on."""

    approval: bool = False
    """Whether a yes of theirs would count, and is missing."""

    ticks: tuple[str, ...] = ()
    """The items of the checklist that they may tick."""

    def __bool__(self) -> bool:
        return self.approval or bool(self.ticks)


def is_waiting(release: Release) -> bool:
    """Whether it waits for somebody, or for its environment to open."""
    return release.state in {State.WAITING, State.HELD}


def wanted(release: Release, who: Person, now: datetime) -> Wanted:
    """What a release wants of `who`; nothing where their word would be refused or change nothing."""
    plan = release.plan
    if release.state is not State.WAITING or plan is None:
        return Wanted()
    digest = plan.digest
    yes = approval.approve(release, who, now, via="button", digest=digest)
    counts = release.approvals_missing > 0 and not isinstance(yes, Refusal) and bool(yes)
    ticks = []
    for item in release.checklist:
        said = approval.tick(release, who, now, item=item.name, digest=digest)
        if not isinstance(said, Refusal) and said:
            ticks.append(item.name)
    return Wanted(counts, tuple(ticks))
