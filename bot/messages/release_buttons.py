"""The buttons of a release's message: what a person can do about it now."""

from __future__ import annotations

from slack_sdk.models.blocks import ActionsBlock, ButtonElement, ConfirmObject, PlainTextObject

from bot.messages.checklist import checklist_buttons
from bot.messages.parts import NAME, button, buttons, clip
from bot.messages.presses import (
    ABORT,
    APPROVE,
    CHECKLIST,
    FINISH,
    PAUSE,
    PLAN,
    REFUSE,
    RESUME,
    RETRY,
    ROLLBACK,
    Press,
)
from releases.checklist import blocking
from releases.lifecycle import Release, State


def release_buttons(release: Release) -> ActionsBlock | None:  # noqa: PLR0911 - one case a state
    """What a person can do about it where it stands."""
    press = Press(release=release.id, digest=release.plan.digest if release.plan else None).value()
    plan = button("Plan", PLAN, press)
    match release.state:
        case State.WAITING if release.approval is not None:
            return buttons(
                button("Approve", APPROVE, press, style="primary"),
                button("Refuse", REFUSE, press, style="danger"),
                plan,
                button("Checklist", CHECKLIST, press) if release.checklist else None,
                *checklist_buttons(release),
            )
        case State.WAITING if blocking(release.checklist):
            return buttons(
                plan,
                button("Checklist", CHECKLIST, press),
                *checklist_buttons(release),
                _abort(release, press),
            )
        case State.ABOUT_TO_START:  # one click, and nothing to be sure about: it can be asked for again
            return buttons(button("Stop", ABORT, press, style="danger"), plan)
        case State.SIGNING:
            return buttons(
                button("Sign off", APPROVE, press, style="primary"),
                button("Reject", REFUSE, press, style="danger"),
                plan,
                _abort(release, press),
            )
        case State.APPROVED | State.HELD:
            return buttons(plan, _abort(release, press))
        case State.RUNNING:
            return buttons(plan, _pause(release, press), _abort(release, press))
        case State.PAUSED:
            resume = button("Resume", RESUME, press, style="primary")
            return buttons(resume, plan, _abort(release, press))
        case State.UNDECIDED:
            return buttons(
                button("It is good", FINISH, press, style="primary"),
                button("Roll back", ABORT, press, style="danger", confirm=_sure_to_abort(release)),
                plan,
            )
        case State.RELEASED if release.request.kind == "release":
            return buttons(button("Roll back", ROLLBACK, press, confirm=sure_to_roll_back(release)))
        case State.FAILED if release.changed_services or release.changed_database:
            return buttons(
                _retry(release, press),
                button("Roll back", ROLLBACK, press, style="danger", confirm=sure_to_roll_back(release)),
                plan,
            )
        case State.FAILED:
            return buttons(_retry(release, press), plan)
        case State.ROLLED_BACK:
            return buttons(plan)
        case _:
            return None


def _pause(release: Release, press: str) -> ButtonElement | None:
    """Only a release is paused; one that will pause can be let go on instead."""
    if release.request.kind != "release":
        return None
    return button("Pause", PAUSE, press) if release.pause is None else button("Do not pause", RESUME, press)


def _retry(release: Release, press: str) -> ButtonElement | None:
    return button("Retry", RETRY, press) if release.request.kind in {"release", "rollback"} else None


def _abort(release: Release, press: str) -> ButtonElement:
    return button("Abort", ABORT, press, style="danger", confirm=_sure_to_abort(release))


def _sure_to_abort(release: Release) -> ConfirmObject:
    undone = {"release": "and undoes what it did", "rollback": "and leaves what it did"}.get(
        release.request.kind, "and has changed nothing"
    )
    if release.stays:
        undone = "and goes no way back over a migration that cannot be undone"
    return ConfirmObject(
        title=f"Abort {release.id}?",
        text=PlainTextObject(text=f"It stops at its next safe point {undone} in {release.environment}."),
        confirm="Abort",
        deny="Let it go on",
        style="danger",
    )


def sure_to_roll_back(release: Release) -> ConfirmObject:
    """The question before a rollback, wherever its button stands."""
    environment = clip(release.environment, NAME)
    stable = clip(release.plan.stable, NAME) if release.plan else "what was there before"
    return ConfirmObject(
        title=f"Roll back {environment}?",
        text=PlainTextObject(
            text=f"This is the same as /buzzy rollback {environment}: back from {release.id} to {stable}."
        ),
        confirm="Roll back",
        deny="Leave it",
        style="danger",
    )
