"""How a command ended, as an exit code that a script can go by."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from releases.lifecycle import Release, State

Wanted = Literal["go", "stop"]
"""What was asked for: that a release or a rollback is done, or that one is stopped."""


class Exit(IntEnum):
    """The exit codes of `buzzy do`, as its `--help` has them. Typer itself has 2 for what it cannot read."""

    DONE = 0
    MISTAKE = 2
    REFUSED = 3
    NOTHING_CHANGED = 4
    FAILED = 5
    WENT_BACK = 6
    UNKNOWN = 7
    INTERRUPTED = 130


def exit_of(release: Release, wanted: Wanted) -> Exit:
    """What the end of a release means to who asked for this."""
    match release.state:
        case State.RELEASED:
            return Exit.DONE if wanted == "go" else Exit.FAILED  # it could not be stopped any more
        case State.ROLLED_BACK:
            return Exit.WENT_BACK if wanted == "go" else Exit.DONE
        case State.CANCELLED:
            return Exit.NOTHING_CHANGED if wanted == "go" else Exit.DONE
        case State.FAILED:
            return Exit.FAILED
        case _:
            return Exit.NOTHING_CHANGED
