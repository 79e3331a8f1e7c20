"""The steps of a plan, one module a kind.

Each looks, does what is missing and looks again: it may be run twice, by anyone, after any crash, with one
effect.
"""

from __future__ import annotations

from collections.abc import Iterable

from releases.database import Backup, Migrate, Restore
from releases.plan import EnsureConfiguration, RollOut, Step, Verify
from releases.validation import Validate
from workers.steps.database import back_up, migrate, restore
from workers.steps.ensure_configuration import ensure_configuration
from workers.steps.roll_out import roll_out
from workers.steps.validate import validate
from workers.steps.verify import verify
from workers.steps.work import Asks, Done, Failed, Outcome, Unfinished, Work

__all__ = ["Asks", "Done", "Failed", "Outcome", "Unfinished", "Work", "run"]


def run(step: Step, rollouts: Iterable[RollOut], work: Work) -> Outcome:
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
        case Backup():
            return back_up(step, work)
        case Migrate():
            return migrate(step, work)
        case Restore():
            return restore(step, work)
        case Validate():
            return validate(step, work)
