"""What an environment has shown of a version, as the record tells it: released there, kept, and for how long.

A version is proven by a release that came to its end: verified and, where that is asked for, watched. It is
so no more once somebody went back from it, or to something before it, or it went back by itself. How long it
ran is counted from the end of that release, only while every service had it: a release of something else,
even one that failed or was undone, interrupts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from releases.lifecycle import Release, State
from releases.plan import Plan
from releases.version import InvalidVersion, Version

PAST = 50
"""How many releases of an environment are read to know what is proven there."""


@dataclass(frozen=True)
class Run:
    """A span in which every service ran the version, and the release that it began with."""

    release: str
    began: datetime
    ended: datetime | None = None

    def lasted(self, now: datetime) -> timedelta:
        """How long; up to now, while it lasts."""
        return (self.ended or now) - self.began


@dataclass(frozen=True)
class Proof:
    """What is on record of one version in one environment.

    `given_up` went back from it, `unsettled` changes its services now or broke off at it, `newest` is the
    last release that came to its end there.
    """

    released: bool
    runs: tuple[Run, ...] = ()
    given_up: Release | None = None
    unsettled: Release | None = None
    newest: Release | None = None

    @property
    def run(self) -> Run | None:
        """The span that lasts; None while something else runs there, as far as the record knows."""
        return self.runs[-1] if self.runs and self.runs[-1].ended is None else None

    def soaked(self, now: datetime) -> timedelta:
        """How long the version ran there, all spans together."""
        return sum((run.lasted(now) for run in self.runs), timedelta(0))


@dataclass
class _Tale:
    """The state of the telling: what each service has, was released with, and the spans so far."""

    version: str
    services: tuple[str, ...]
    has: dict[str, str | None] = field(default_factory=dict)
    released: dict[str, set[str]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    given_up: Release | None = None
    unsettled: Release | None = None
    newest: Release | None = None

    def tell(self, release: Release, plan: Plan) -> None:
        """What one release that changed something did."""
        begun = release.started_at or release.request.at
        if set(self.services) & set(release.changed_services):
            self._interrupt(begun)
            self.unsettled = None if release.state in {State.RELEASED, State.ROLLED_BACK} else release
        match release.state:
            case State.RELEASED if release.request.kind == "release":
                for service in release.request.services or self.services:
                    self.has[service] = plan.new
                    self.released.setdefault(service, set()).add(plan.new)
                    self.given_up = None if plan.new == self.version else self.given_up
            case State.RELEASED:
                self._go_back(release, plan)
            case State.ROLLED_BACK if release.by_itself and plan.new == self.version:
                self._give_up(release)
            case State.ROLLED_BACK:
                pass  # everything is as it was before
            case _:
                self.has.update(dict.fromkeys(release.changed_services))
        if release.ended_at is not None:
            if release.state is State.RELEASED:
                self.newest = release
            self._resume(release.id, release.ended_at)

    def _go_back(self, release: Release, plan: Plan) -> None:
        for step in plan.rollouts():
            reached = step.new.version
            self.has[step.service] = reached
            kept = {each for each in self.released.get(step.service, set()) if _reaches(reached, each)}
            if self.version in self.released.get(step.service, set()) - kept:
                self.given_up, self.runs = release, []
            self.released[step.service] = kept

    def _give_up(self, release: Release) -> None:
        """It was seen to be ill there, whatever it had shown before: it has to be released there again."""
        self.given_up, self.runs = release, []
        for versions in self.released.values():
            versions.discard(self.version)

    def _interrupt(self, at: datetime) -> None:
        if self.runs and self.runs[-1].ended is None:
            self.runs[-1] = Run(self.runs[-1].release, self.runs[-1].began, at)

    def _resume(self, release: str, at: datetime) -> None:
        lasts = bool(self.runs) and self.runs[-1].ended is None
        if not lasts and all(self.has.get(service) == self.version for service in self.services):
            self.runs.append(Run(release, at))


def proof_of(version: str, services: Iterable[str], past: Iterable[Release]) -> Proof:
    """What is on record of a version, given an environment's releases, the newest first."""
    tale = _Tale(version, tuple(services))
    for release in reversed(tuple(past)):
        if release.plan is not None and release.changed_services:
            tale.tell(release, release.plan)
    released = all(version in tale.released.get(service, set()) for service in tale.services)
    return Proof(
        released=released,
        runs=tuple(tale.runs),
        given_up=tale.given_up,
        unsettled=tale.unsettled,
        newest=tale.newest,
    )


@dataclass(frozen=True)
class Lead:
    """What an environment runs now, whole, and since when."""

    version: Version
    run: Run


def lead(past: Sequence[Release], services: Iterable[str]) -> Lead | None:
    """The version that these releases, the newest first, left in all services; None when none did."""
    for release in past:
        if release.plan is not None and release.changed_services and release.state is State.RELEASED:
            version = _parsed(release.plan.new)
            run = proof_of(str(version), services, past).run if version is not None else None
            return Lead(version, run) if version is not None and run is not None else None
    return None


def _parsed(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except InvalidVersion:
        return None


def _reaches(version: str | None, other: str) -> bool:
    """Whether going back to `version` keeps `other`."""
    try:
        return version is not None and Version.parse(other) <= Version.parse(version)
    except InvalidVersion:
        return False
