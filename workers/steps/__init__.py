"""The steps of a plan, one module a kind.

Each looks, does what is missing and looks again: it may be run twice, by anyone, after any crash, with one
effect.
"""

from __future__ import annotations

from collections.abc import Iterable

from releases.monitoring import Monitor
from releases.plan import EnsureConfiguration, RollOut, Step, Verify
from workers.steps.ensure_configuration import ensure_configuration
from workers.steps.monitor import Watch, monitor
from workers.steps.roll_out import roll_out
from workers.steps.verify import verify
from workers.steps.work import Done, Failed, Outcome, Undecided, Unfinished, Work

__all__ = ["Done", "Failed", "Outcome", "Undecided", "Unfinished", "Watch", "Work", "run"]


def run(step: Step, rollouts: Iterable[RollOut], work: Watch) -> Outcome:
    """Run a step, beside the `rollouts` that go in its direction.

    Raises `ClusterError`s; a `TransientError` means that the step should be run again.
    """
    match step:
        case EnsureConfiguration():
            return ensure_configuration(step, work)
        case RollOut():
            return roll_out(step, work)
        case Verify():
            return verify(step, rollouts, work)
        case Monitor():
            return monitor(step, work)
