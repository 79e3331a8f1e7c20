"""The story of a release, under its message: a line for each event that a reader later wants to find."""

from __future__ import annotations

from collections.abc import Iterator

from bot.messages import wording
from bot.messages.checklist import checklist_rows
from bot.messages.evidence import evidence_pieces
from bot.messages.gates import reminder_message
from bot.messages.parts import (
    DAY_AND_TIME,
    NAME,
    PARAGRAPH,
    SENTENCE,
    Message,
    Piece,
    Row,
    bold,
    clip,
    code,
    count,
    joined,
    lines,
    link,
    moment,
    monospace,
    phrase,
    several,
    who,
    whom,
)
from bot.messages.refusals import way_out
from bot.messages.said import said_message
from bot.messages.telling import line, passed, place, reason
from bot.messages.watching import MOST, reading_row, readings
from releases import events as e
from releases.config import format_duration
from releases.database import names
from releases.lifecycle import Release, StepState, StepStatus
from releases.monitoring import Verdict
from releases.plan import Identify, Plan, Step

MOST_WARNINGS = 10
NO_WAY_BACK = {
    "release": "none",
    "rollback": "none: a rollback is not rolled back in turn",
    "drill": "none is needed: a drill changes nothing",
    "validation": "none is needed: a validation changes nothing",
}
NOTES = 20
"""Lines of release notes that are shown; a worker sends fewer."""

LOG = 1_500
"""Characters of what a Job wrote."""

_LOOKS = {"identify", "verify", "verify_green", "validate", "watch", "monitor", "drill"}
"""Steps that change nothing in any case."""

STEPS = 1_800
"""Characters that a list of steps may take; the Plan button shows the rest."""


def thread_message(release: Release, event: e.Event, application: str) -> Message | None:  # noqa: C901, PLR0911, PLR0912 - one case an event
    """What the thread says of an event; `release` is as it was right after it. None: nothing."""
    said = said_message(release, event)
    if said is not None:
        return said
    match event:
        case e.ReleaseRequested():
            wanted = ("a " if event.kind != "release" else "") + wording.what(release, application)
            passages = [passed(each) for each in event.passed]
            asked = f" asked for {wanted}{wording.via(event.via)}"
            return line("📝", [who(event.by), asked, *reason(event.reason)], *passages)
        case e.PlanProposed():
            return _planned(release, event)
        case e.PlanRefused():
            more = way_out(event.hint, event.ready_at, event.who)
            return line("✋", [clip(event.reason, PARAGRAPH)], more)
        case e.MomentBegan() if event.starts_at > event.at:
            starts = moment(event.starts_at, "{time_secs}")
            return line("⏳", ["Starts at ", starts, " unless somebody stops it"])
        case e.GateReminded():
            return reminder_message(release, application)
        case e.GateEscalated():
            return line("🔔", [f"On-call was told: {wording.headline(release)}"])
        case e.Approved(unread=True):
            unread = "Slack could not be asked whether all approvals still stand"
            return line("⚠️", [f"{unread}: those on the record count; going ahead"])
        case e.Approved() if release.approval is None:
            kind = release.plan.type if release.plan else None
            own = kind is not None and kind in release.request.approval_by_type
            what = f"for a {kind} release to" if own else "in"
            return line("✅", [f"No approval is needed {what} {clip(release.environment, 60)}"])
        case e.ReplanRequested():
            return line("🔄", [f"Planned again: {clip(event.because, SENTENCE)}"])
        case e.NotesRead():
            return _notes(event)
        case e.ReleaseExpired():
            return line("⌛", [wording.headline(release).capitalize()])
        case e.ReleaseCancelled():
            return line("⚫", ["Cancelled; nothing was changed"])
        case e.ReleaseHeld():
            return line("✋", [who(release.request.by), f", it waits: {clip(event.because, PARAGRAPH)}"])
        case e.HoldEnded():
            return line("🔓", [f"{clip(release.environment, 60)} is open; going on"])
        case e.ReleaseStarted():
            return line("▶️", ["Started: everything is still as the plan saw it"])
        case e.JobStarted():
            step = clip(release.steps[event.index].step.title, SENTENCE)
            return line("⚙️", [f"{place(release, event.index)} {step} · Job {clip(event.job, NAME)}"])
        case e.StepFinished():
            return _finished(release, event)
        case e.StepFailed():
            return _failed(release, event)
        case e.Monitored():
            return _monitored(release, event)
        case e.DecisionAsked():
            return _asked(release, event)
        case e.Interrupted():
            return line("⚠️", [clip(event.found, PARAGRAPH)])
        case e.TurnedBack():
            return _turned_back(event)
        case e.ReleaseFinished():
            return line("🟢", [wording.ending(release, application)])
        case e.ReleaseFailed():
            return line("🔴", _failure(release, event))
        case e.RolledBack():
            return line("🟣", [wording.headline(release).capitalize()])
        case _:
            return None  # shown on the message alone: its bars move, the thread does not


def _notes(event: e.NotesRead) -> Message:
    """The first lines of the release notes, as text and nothing else."""
    notes = phrase(link(event.url, "Release notes"))
    if event.problem:
        return line("📖", [*notes, f": they {clip(event.problem, SENTENCE)}; nothing waits for them"])
    return line("📖", notes, below=[lines(*([clip(line, SENTENCE)] for line in event.lines[:NOTES]))])


# -- the plan --------------------------------------------------------------------------------------


def _planned(release: Release, event: e.PlanProposed) -> Message:
    plan = event.plan
    kind = f"{plan.type.value} release" if plan.type else plan.kind
    again = f" again: {clip(event.because, SENTENCE)}" if event.because else ""
    first: Row = [f"Plan #{plan.short_digest}{again} · {kind} · {count(len(plan.steps), 'step')}"]
    below = [
        monospace(step_lines(plan.steps), at_most=STEPS),
        *_changed(plan),
        *_back(plan),
        stays_piece(plan),
        lines([bold("Checklist")], *checklist_rows(release)) if plan.checklist else None,
        lines(*_warnings(plan.warnings), _asks(release), _ask_again(release))
        if plan.warnings or _asks(release)
        else None,
    ]
    return line("🗺️", first, below=[piece for piece in below if piece is not None])


def _changed(plan: Plan) -> list[Piece | None]:
    """What is known of the issue, where it is a rollback: who agrees should have seen it."""
    step = next((each for each in plan.steps if isinstance(each, Identify)), None)
    if step is None:
        return []
    return [
        lines([bold(f"What changed since {clip(step.target, NAME)}")]),
        monospace(step.lines(), at_most=STEPS),
    ]


def _back(plan: Plan) -> list[Piece | None]:
    if plan.kind == "validation":
        return []
    return [
        lines([bold("Way back"), wording.when_back(plan)]),
        monospace(step_lines(plan.way_back()), at_most=STEPS) or lines([NO_WAY_BACK[plan.kind]]),
    ]


def stays_piece(plan: Plan) -> Piece | None:
    """That the way back ends where a migration cannot be undone: who agrees to the plan agrees to that."""
    if not plan.stays:
        return None
    which = clip(names(plan.stays), SENTENCE)
    return lines([f"⚠️ Only until {which} has begun: from there on, a person decides."])


def step_lines(steps: tuple[Step, ...]) -> list[str]:
    """The steps, numbered."""
    width = len(str(len(steps)))
    return [f"{number:>{width}}. {step.title}" for number, step in enumerate(steps, 1)]


def _warnings(warnings: tuple[str, ...]) -> Iterator[Row]:
    for warning in warnings[:MOST_WARNINGS]:
        yield [f"⚠️ {clip(warning, SENTENCE)}"]
    if len(warnings) > MOST_WARNINGS:
        yield [f"⚠️ {count(len(warnings) - MOST_WARNINGS, 'more warning')}"]


def _asks(release: Release) -> Row:
    """Who is asked to approve: a mention in a new post tells them, one in an edited message would not."""
    needed = release.approval
    if needed is None or not release.approvals_missing:
        return []
    approvers = several([whom(id_) for id_ in needed.approvers])
    own: Row = [] if needed.own_release else [" (not ", who(release.request.by), ")"]
    expires: Row = ["until ", moment(release.expires_at, DAY_AND_TIME)] if release.expires_at else []
    missing = wording.more(release.approvals_missing, first=not release.approvals)
    return joined([f"⬜ Asks {missing} ", *approvers, *own], expires)


def _ask_again(release: Release) -> Row:
    """What to do about a reaction that stands on the message since an earlier plan."""
    if release.replanned_because is None or not _asks(release):
        return []
    return ["A reaction to an earlier plan does not count: take it off and react again, or press Approve"]


# -- steps -----------------------------------------------------------------------------------------


def _finished(release: Release, event: e.StepFinished) -> Message:
    state = release.steps[event.index]
    time = f" · {format_duration(state.took)}" if state.took is not None else ""
    already = "" if event.changed or state.step.kind in _LOOKS else " · was so already"
    result = f" · {clip(event.result, SENTENCE)}" if event.result else ""
    first = f"{place(release, event.index)} {clip(state.step.title, SENTENCE)}{time}{already}{result}"
    log = monospace(event.log, at_most=LOG, keep_end=True) if event.log else None
    return line("✔️", [first], below=[log] if log else None)


def _failed(release: Release, event: e.StepFailed) -> Message:
    state: StepState = release.steps[event.index]
    after = f" after {format_duration(state.took)}" if state.took is not None else ""
    first = phrase(f"{place(release, event.index)} {clip(state.step.title, SENTENCE)} failed{after}")
    return line("🔴", first, [clip(event.reason, PARAGRAPH)], below=evidence_pieces(event.evidence))


def _monitored(release: Release, event: e.Monitored) -> Message | None:
    """What stands otherwise than before; what trips is told with what follows from it."""
    news = [
        reading_row(trigger, reading)
        for trigger, reading in readings(release, event.readings)
        if reading.trigger in event.news and reading.verdict is not Verdict.FAILED
    ]
    return line("👁️", *news[:MOST]) if news else None


def _asked(release: Release, event: e.DecisionAsked) -> Message:
    rows: list[Row] = [
        [who(release.request.by), f", {clip(event.because, PARAGRAPH)}"],
        ["Is it good, or shall it go back? Buttons are on its message; or:"],
        [code(f"/buzzy finish {release.id}"), "   ", code(f"/buzzy abort {release.id}")],
    ]
    return line("❓", *rows, below=evidence_pieces(event.evidence))


def _turned_back(event: e.TurnedBack) -> Message:
    steps = monospace(step_lines(event.steps), at_most=STEPS)
    by_itself = " by itself" if event.by_itself else ""
    return line(
        "↩️", [f"Going back{by_itself}: {clip(event.because, SENTENCE)}"], below=[steps] if steps else None
    )


def _failure(release: Release, event: e.ReleaseFailed) -> Row:
    """How it ended; why stands one line above, if it was a step that failed."""
    left = "nothing was changed"
    if changed := wording.left_changed(release):
        one = len(release.changed_services) + release.changed_database == 1
        left = f"{changed} {'is left as it is' if one else 'are left as they are'}"
    if release.failure is not None and release.failure.reason == event.reason:
        return [f"Failed: {left}"]
    return [f"Failed: {clip(event.reason, PARAGRAPH)} · {left}"]


def step_statuses(release: Release) -> list[str]:
    """The steps with how far each has come, for the Plan button of a release that has begun."""
    signs = {StepStatus.DONE: "✔", StepStatus.RUNNING: "▶", StepStatus.FAILED: "✘", StepStatus.PENDING: " "}
    titles = step_lines(tuple(state.step for state in release.steps))
    return [f"{signs[state.status]} {title}" for state, title in zip(release.steps, titles, strict=True)]
