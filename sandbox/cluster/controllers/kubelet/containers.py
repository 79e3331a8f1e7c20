"""The life of one container: pulled, started, probed, ended, started again, later and later."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sandbox.cluster.behaviour import READY, Behaviour
from sandbox.cluster.objects import Json, now

Stage = Literal["creating", "pulling", "unpulled", "pull-backoff", "running", "exited", "backoff", "ended"]

SHORT_STAGES = {"creating": 0.05, "pulling": 0.1, "unpulled": 0.2, "exited": 0.15}
"""How long the stages without a length of their own take, in seconds at speed 1."""
PROBE_PERIOD = 1.0
FIRST_BACKOFF, LONGEST_BACKOFF = 10, 300
BACKOFF_PACE = 0.1
"""A back-off of 10 s, as messages have it, takes 1 s at speed 1: nobody learns anything from the rest."""
_MOMENT = 1e-6


@dataclass
class Run:
    """One start of a container: what its log and its last state are made from."""

    behaviour: Behaviour
    started: datetime
    ended: datetime | None = None
    exit_code: int = 0
    reason: str = ""


@dataclass
class Container:
    """A container as its kubelet knows it; times are the event loop's, ages are in seconds at speed 1."""

    name: str
    spec: Json
    runs_once: bool
    restarts_on: tuple[str, ...]
    """The outcomes (`success`, `failure`) after which it is started again."""
    speed: float
    since: float
    stage: Stage = "creating"
    behaviour: Behaviour = READY
    restarts: int = 0
    failed_pulls: int = 0
    ready: bool = False
    failed_probes: int = 0
    seen: float = 0.0
    """The age up to which a running container has been looked at."""
    runs: list[Run] = field(default_factory=list)

    @property
    def image(self) -> str:
        """The image that it runs."""
        return str(self.spec["image"])

    @property
    def run(self) -> Run | None:
        """The start that is under way, or was last."""
        return self.runs[-1] if self.runs else None

    @property
    def has_succeeded(self) -> bool:
        """Whether it ran to its end and is done."""
        return self.stage == "ended" and self.run is not None and self.run.exit_code == 0

    @property
    def has_failed(self) -> bool:
        """Whether it ended badly and is not started again."""
        return self.stage == "ended" and not self.has_succeeded

    @property
    def backoff(self) -> int:
        """How long the next start waits, in the seconds that messages have."""
        doublings = max(self.restarts - 1, self.failed_pulls - 1, 0)
        return int(min(FIRST_BACKOFF * 2 ** min(doublings, 8), LONGEST_BACKOFF))

    def enter(self, stage: Stage, at: float) -> None:
        """Go on to another stage."""
        self.stage, self.since = stage, at

    def start(self, behaviour: Behaviour, at: float) -> None:
        """Begin a run; a container that nobody probes is ready as soon as it runs."""
        self.behaviour = behaviour
        self.runs = [*self.runs[-4:], Run(behaviour, now())]
        self.ready = "readinessProbe" not in self.spec
        self.failed_probes, self.seen = 0, 0.0
        self.enter("running", at)

    def end(self, at: float, exit_code: int, reason: str) -> None:
        """End the run; whether another follows is the restart policy's affair."""
        if self.run is not None:
            self.run.ended, self.run.exit_code, self.run.reason = now(), exit_code, reason
        self.ready = False
        outcome = "failure" if exit_code else "success"
        self.enter("exited" if outcome in self.restarts_on else "ended", at)

    def look(self, at: float) -> int:
        """Look at a running container: is it ready, has it ended? Returns how many probes failed since."""
        age = self.seen = (at - self.since) * self.speed + _MOMENT
        behaviour = self.behaviour
        if behaviour.ends_after is not None and age >= behaviour.ends_after:
            self.end(at, behaviour.exit_code, behaviour.end_reason)
            return 0
        if "readinessProbe" not in self.spec:
            return 0
        ready_from = math.inf if behaviour.ready_after is None else behaviour.ready_after
        ready_until = math.inf if behaviour.unready_after is None else behaviour.unready_after
        self.ready = ready_from <= age < ready_until
        failed = int(min(age, ready_from) / PROBE_PERIOD) + int(max(age - ready_until, 0) / PROBE_PERIOD)
        before, self.failed_probes = self.failed_probes, failed
        return failed - before

    def due(self) -> float | None:
        """Return the moment of its next change; None when nothing more happens by itself."""
        match self.stage:
            case "ended":
                return None
            case "running":
                age = min((moment for moment in self._moments() if moment > self.seen), default=None)
            case "backoff" | "pull-backoff":
                age = self.backoff * BACKOFF_PACE
            case _:
                age = SHORT_STAGES[self.stage]
        return None if age is None else self.since + age / self.speed

    def _moments(self) -> list[float]:
        """Return the ages at which something about a running container may be different."""
        behaviour = self.behaviour
        own = (behaviour.ready_after, behaviour.ends_after, behaviour.unready_after)
        moments = [moment for moment in own if moment is not None]
        if "readinessProbe" in self.spec and not self.ready:
            base = (
                behaviour.unready_after if behaviour.ready_after is not None and self.failed_probes else 0.0
            )
            start = base or 0.0
            moments.append(start + (math.floor(max(self.seen - start, 0) / PROBE_PERIOD) + 1) * PROBE_PERIOD)
        return moments
