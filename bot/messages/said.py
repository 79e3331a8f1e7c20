"""What people said to a release, as lines of its thread; and what they are asked, again if need be."""

from __future__ import annotations

from bot.messages import wording
from bot.messages.parts import SENTENCE, Message, Row, clip, several, who
from bot.messages.signing import sign_off_row
from bot.messages.telling import line, passed, place, reason
from releases import events as e
from releases.lifecycle import Release


def said_message(release: Release, event: e.Event) -> Message | None:  # noqa: C901, PLR0911, PLR0912 - one case an event
    """The line of an event by which a person decides or is asked; None: it is no such event."""
    match event:
        case e.ApprovalGiven():
            return line("✅", _approved(release, event))
        case e.ApprovalWithdrawn(because=str(because)):
            return line(
                "↩️", [f"{clip(because, SENTENCE)}: the approval does not count · {_counted(release)}"]
            )
        case e.ApprovalWithdrawn():
            return line("↩️", [who(event.by), f" took the approval back · {_counted(release)}"])
        case e.ItemTicked():
            return line("☑️", [who(event.by), f" ticked “{clip(event.item, SENTENCE)}”"])
        case e.ReleaseRefused():
            return line("❌", [who(event.by), f" refused{wording.via(event.via)}; nothing was changed"])
        case e.AbortRequested():
            return line(
                "🛑", [who(event.by), f" wants it stopped{wording.via(event.via)}", *reason(event.reason)]
            )
        case e.PauseRequested():
            wants = f" wants it paused before its next step{wording.via(event.via)}"
            return line("⏸️", [who(event.by), wants, *reason(event.reason)])
        case e.Paused():
            return line("⏸️", [wording.headline(release).capitalize()])
        case e.Resumed():
            return line("▶️", [who(event.by), f" lets it go on{wording.via(event.via)}"])
        case e.Retried() | e.WayBackRetried():
            return _retried(release, event)
        case e.SignOffAsked():
            return line("🙋", sign_off_row(event))
        case e.SignedOff():
            return line("✅", [who(event.by), f" signed it off{wording.via(event.via)}"])
        case e.SignOffRefused():
            return line("❌", [who(event.by), f" did not sign it off{wording.via(event.via)}"])
        case e.SignOffExpired():
            return line("⌛", ["Nobody signed it off in time"])
        case e.DecisionReminded() if release.pause is not None:
            asked = several([who(each) for each in dict.fromkeys((release.pause.by, release.request.by))])
            return line("⏰", [*asked, f", {release.id} is still paused: resume it, or abort it?"])
        case e.DecisionReminded():
            return line("⏰", [who(release.request.by), f", {release.id} still waits: is it good, or not?"])
        case e.MonitorSettled():
            return line("👍", [who(event.by), f" says that it is good{wording.via(event.via)}"])
        case _:
            return None


def _approved(release: Release, event: e.ApprovalGiven) -> Row:
    given = f" approved plan #{event.digest[:4]}{wording.via(event.via)} · {_counted(release)}"
    return [who(event.by), given]


def _counted(release: Release) -> str:
    needed = release.approval
    if needed is None:
        return "none needed"
    rest = "" if release.approvals_missing else ", going ahead"
    return f"{len(release.approvals)} of {needed.quorum}{rest}"


def _retried(release: Release, event: e.Retried | e.WayBackRetried) -> Message:
    """From where it goes on, and what it passes that would stop a new release."""
    index = release.next_index
    where = (
        "" if index is None else f"{place(release, index)} {clip(release.steps[index].step.title, SENTENCE)}"
    )
    passages = [passed(each) for each in getattr(event, "passed", ())]
    return line(
        "🔁",
        [who(event.by), f" retries{wording.via(event.via)}: going on with {where or 'the end'}"],
        *passages,
    )
