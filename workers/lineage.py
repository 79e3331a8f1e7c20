"""What an environment ran before, as the record tells it: where a rollback goes when nobody says. Pure.

A stack of states, each the version of every service. A release that succeeded puts its state on top; a
rollback that succeeded takes off what lies above the state it went back to. So two rollbacks in a row go
back two releases, and never forward again to the version that was given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from releases.lifecycle import Release, State
from releases.plan import Template

Versions = Mapping[str, str]
"""Service → version, or the image where its tag is no version."""


@dataclass(frozen=True)
class Lineage:
    """The states that were stable, the latest last; and whether what came after them failed."""

    states: tuple[Versions, ...] = ()
    unsettled: bool = False

    def before(self, running: Versions) -> Versions | None:
        """Where these services go when a rollback names no target; None when the record does not know.

        To what was stable, if that is not what runs or a release broke off on the way from it; else to the
        latest state that was another.
        """
        if not self.states:
            return None
        *earlier, stable = self.states
        if self.unsettled or _differs(stable, running):
            return stable
        return next((state for state in reversed(earlier) if _differs(state, running)), None)


def label(template: Template) -> str:
    """The version of a template, or its image where its tag is no version."""
    return template.version or template.image


def lineage(past: Iterable[Release]) -> Lineage:
    """The lineage that releases of one environment make, given the newest first, as the record has them."""
    states: list[Versions] = []
    unsettled = False
    for release in reversed(tuple(past)):
        changed = release.changed_services or release.changed_database
        if release.plan is None or not (release.ended and changed):
            continue
        unsettled = release.state is State.FAILED
        rollouts = tuple(release.plan.rollouts())
        if not rollouts:  # the database alone went back
            continue
        _note(states, {step.service: label(step.stable) for step in rollouts})
        if release.state is State.RELEASED:
            left = {step.service: label(step.new) for step in rollouts}
            _settle(states, left, back=release.request.kind == "rollback")
    return Lineage(tuple(states), unsettled)


def _note(states: list[Versions], found: Versions) -> None:
    """Put on top what a release found before it changed anything."""
    top = states[-1] if states else {}
    after = {**top, **found}
    if states and not _differs(top, found):
        states[-1] = after  # with the services of which nothing was known
    else:
        states.append(after)  # somebody changed it beside the bot


def _settle(states: list[Versions], left: Versions, *, back: bool) -> None:
    """Put on top what a release or rollback that succeeded leaves behind."""
    after = {**states[-1], **left}
    if back:
        # All that is above where it went is given up; if it went lower than what is known, all of it is.
        reached = [index for index, state in enumerate(states) if left.items() <= state.items()]
        states[:] = states[: reached[-1] + 1] if reached else []
    if states[-1:] != [after]:
        states.append(after)


def _differs(state: Versions, other: Versions) -> bool:
    """Whether a service that both know has another version in one than in the other."""
    return any(other[service] != version for service, version in state.items() if service in other)
