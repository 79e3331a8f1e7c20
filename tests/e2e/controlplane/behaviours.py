"""What a container does, by its image: the table from tags to behaviours, and how fast things happen."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Behaviour(StrEnum):
    """What becomes of a container; `-<value>` at the end of an image's tag asks for it."""

    READY = "ready"
    """Gets ready after a short while and stays so."""
    SLOW = "slow"
    """Gets ready, but late."""
    NEVER_READY = "never-ready"
    """Runs, and its readiness probe fails for ever."""
    CRASH = "crash"
    """Exits with 1 soon after each start."""
    MISSING = "missing"
    """Cannot be pulled."""
    OOM = "oom"
    """Gets ready and is then killed for its memory, again and again."""
    FLAKY = "flaky"
    """Gets ready, and after a while its readiness probe fails for ever."""
    SUCCEED = "succeed"
    """Exits with 0 after a while; also what a Job's container with an ordinary image does."""
    FAIL = "fail"
    """Exits with 1 after a while."""


class Table:
    """Which behaviour an image has: what was said of it, else what its tag says, else it gets ready."""

    def __init__(self, said: Mapping[str, Behaviour] | None = None) -> None:
        self._said = dict(said or {})

    def say(self, image: str, behaviour: Behaviour | None) -> None:
        """Say what the images of a tag, a digest or a whole reference do; None takes it back."""
        if behaviour is None:
            self._said.pop(image, None)
        else:
            self._said[image] = behaviour

    def behaviour(self, image: str, *, runs_to_end: bool = False) -> Behaviour:
        """Return what a container of this image does.

        Args:
            image: The reference as the pod has it.
            runs_to_end: Whether the container belongs to a pod that is to finish, such as a Job's.
        """
        tag = tag_of(image)
        said = (self._said.get(key) for key in (image, image.partition("@")[2], tag))
        asked = (each for each in _LONGEST_FIRST if _asks_for(tag, each))
        found = next(filter(None, [*said, *asked]), Behaviour.READY)
        return _TO_THE_END.get(found, found) if runs_to_end else found


# `never-ready` ends like `ready`.
_LONGEST_FIRST = sorted(Behaviour, key=len, reverse=True)
_TO_THE_END = {
    Behaviour.READY: Behaviour.SUCCEED,
    Behaviour.FLAKY: Behaviour.SUCCEED,
    Behaviour.CRASH: Behaviour.FAIL,
}


def _asks_for(tag: str, behaviour: Behaviour) -> bool:
    return tag == behaviour or tag.endswith(f"-{behaviour}")


def tag_of(image: str) -> str:
    """Return an image's tag; a digest behind it does not count, a port before it is none."""
    named = image.partition("@")[0]
    return named.rpartition("/")[2].partition(":")[2] or "latest"


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds: much less than in life, in the same order."""

    pull: float = 0.05
    ready_after: float = 0.3
    slow_after: float = 3.0
    crash_after: float = 0.2
    oom_after: float = 1.0
    run_for: float = 0.3
    """How long what runs to its end takes to get there."""
    probe_every: float = 1.0
    """Between two readiness probes, as far as failed ones are reported."""
    flaky_after: float = 1.5
    back_off: float = 0.5
    """Before the second restart, doubled for each one after; the first comes at once."""
    longest_back_off: float = 5.0
    stop_after: float = 0.1
    """Between the request to stop and the end of a container."""

    def back_off_after(self, failures: int) -> float:
        """Return the pause after so many failures."""
        return min(self.back_off * 2 ** min(failures - 2, 16), self.longest_back_off) if failures > 1 else 0.0
