"""What a button carries: what it is about, and which plan was on the message when it was pressed."""

from __future__ import annotations

from pydantic import ValidationError

from releases.plan import Frozen

APPROVE, REFUSE, PLAN, ABORT, ROLLBACK = "approve", "refuse", "plan", "abort", "rollback"
CHECKLIST, TICK, LOOK_AGAIN = "checklist", "tick", "look_again"
WAIT, UNSCHEDULE = "wait", "unschedule"
HOME_LOOK, HOME_FORM = "home_look", "home_form"
"""Buttons of the App Home that are about no release: what they do is done at once, and not recorded."""

FINISH = "finish"
PAUSE, RESUME, RETRY = "pause", "resume", "retry"
ACTIONS = (
    APPROVE,
    REFUSE,
    PLAN,
    ABORT,
    ROLLBACK,
    CHECKLIST,
    TICK,
    LOOK_AGAIN,
    WAIT,
    UNSCHEDULE,
    FINISH,
    PAUSE,
    RESUME,
    RETRY,
)


class Press(Frozen):
    """The value of a button.

    `release` is what it is about: a release or, where there is none yet, the environment for which somebody
    waits in line, or the schedule that is taken back.
    """

    release: str
    digest: str | None = None
    item: str = ""
    """The item of the checklist that is ticked; the buttons of a row differ by a number behind the action."""

    def value(self) -> str:
        """The text that Slack gives back; well below its 2,000 characters."""
        return self.model_dump_json()

    @classmethod
    def read(cls, value: str) -> Press | None:
        """The press of a value; None when it is none of ours."""
        try:
            return cls.model_validate_json(value)
        except ValidationError:
            return None
