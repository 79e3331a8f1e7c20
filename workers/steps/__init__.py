"""The steps of a plan, one module a kind.

Each looks, does what is missing and looks again: it may be run twice, by anyone, after any crash, with one
effect.
"""

from __future__ import annotations

from collections.abc import Iterable

from releases.database import Backup, Migrate, Restore
from releases.monitoring import Monitor
from releases.plan import (
    Drill,
    EnsureConfiguration,
    EnsureFiles,
    Follow,
    Identify,
    Keep,
    Prepare,
    Preview,
    RollOut,
    Step,
    Switch,
    Verify,
    VerifyGreen,
    Watch,
)
from releases.validation import Validate
from workers.steps.database import back_up, migrate, restore
from workers.steps.drill import drill
from workers.steps.ensure_configuration import ensure_configuration
from workers.steps.ensure_files import ensure_files
from workers.steps.identify import identify
from workers.steps.keep import keep
from workers.steps.monitor import Watching, monitor
from workers.steps.prepare import prepare
from workers.steps.roll_out import roll_out
from workers.steps.traffic import follow, preview, switch
from workers.steps.validate import validate
from workers.steps.verify import verify
from workers.steps.watch import watch
from workers.steps.work import Asks, Done, Failed, Outcome, Undecided, Unfinished, Work
from workers.verdict import Standing

__all__ = ["Asks", "Done", "Failed", "Outcome", "Undecided", "Unfinished", "Watching", "Work", "run"]


def run(  # noqa: C901, PLR0911, PLR0912 - one case a step
    step: Step, standings: Iterable[Standing], work: Watching
) -> Outcome:
    """Run a step, beside the `standings`: what the steps that go in its direction leave behind.

    Raises `ClusterError`s; a `TransientError` means that the step should be run again.
    """
    match step:
        case EnsureConfiguration():
            return ensure_configuration(step, work)
        case EnsureFiles():
            return ensure_files(step, work)
        case RollOut():
            return roll_out(step, work)
        case Prepare():
            return prepare(step, work)
        case Preview():
            return preview(step, work)
        case Switch():
            return switch(step, work)
        case Follow():
            return follow(step, work)
        case Watch():
            return watch(step, standings, work)
        case Keep():
            return keep(step, work)
        case Verify() | VerifyGreen():
            return verify(step, standings, work)
        case Backup():
            return back_up(step, work)
        case Migrate():
            return migrate(step, work)
        case Restore():
            return restore(step, work)
        case Identify():
            return identify(step, work)
        case Drill():
            return drill(step, work)
        case Validate():
            return validate(step, work)
        case Monitor():
            return monitor(step, work)
