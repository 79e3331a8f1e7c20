"""What comes in from Slack, as the inbox keeps it: enough to act on it later, in another process."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from releases.plan import Frozen
from releases.record import Delivery
from releases.record.schedules import KIND
from releases.schedule import Scheduled


class Asked(Frozen):
    """A line that somebody typed, as a slash command or behind a mention."""

    line: str
    user: str
    channel: str
    """Where it was typed; empty for the form of the App Home, where the answer stands, too."""
    at: AwareDatetime
    response_url: str = ""
    """Where answers for this person alone go; empty for a mention, which is answered in its thread."""
    thread_ts: str = ""
    """The thread of a mention; empty for a slash command."""


class Reacted(Frozen):
    """A reaction that means something was added to a message of ours, or taken back."""

    user: str
    channel: str
    ts: str
    at: AwareDatetime


class Pressed(Frozen):
    """A button of ours was pressed."""

    action: Literal[
        "approve",
        "refuse",
        "abort",
        "rollback",
        "plan",
        "checklist",
        "tick",
        "look_again",
        "wait",
        "unschedule",
        "finish",
        "pause",
        "resume",
        "retry",
    ]
    release: str
    digest: str | None
    item: str = ""
    user: str
    channel: str
    """Where the button stands; empty on the App Home, where the answer stands, too."""
    at: AwareDatetime
    response_url: str


Payload = Asked | Reacted | Pressed | Scheduled

_KINDS: dict[str, type[Payload]] = {
    "asked": Asked,
    "reacted": Reacted,
    "pressed": Pressed,
    KIND: Scheduled,  # what nobody types now: they did when they scheduled it
}


def kind_of(payload: Payload) -> str:
    """The name under which the inbox keeps it."""
    return next(name for name, model in _KINDS.items() if isinstance(payload, model))


def read(delivery: Delivery) -> Payload:
    """What a delivery says. Raises `ValueError` when no version of this bot wrote it."""
    model = _KINDS.get(delivery.kind)
    if model is None:
        raise ValueError(f"a delivery of kind {delivery.kind!r} is unknown here")
    return model.model_validate(delivery.payload)
