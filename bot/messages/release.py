"""The message of a release: one, edited in place. The first line says what is happening and what it wants."""

from __future__ import annotations

from datetime import timedelta

from bot.messages import wording
from bot.messages.bars import bars, healthy_services
from bot.messages.checklist import summary
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
    count,
    joined,
    lines,
    link,
    message,
    moment,
    monospace,
    phrase,
    several,
    who,
    whom,
)
from bot.messages.refusals import way_out
from bot.messages.release_buttons import release_buttons
from bot.messages.signing import sign_off_row
from bot.messages.watching import reading_rows
from releases.lifecycle import MOVING, Release, State
from releases.monitoring import Monitor
from releases.plan import Plan

MOST_WARNINGS = 3


def release_message(release: Release, application: str) -> Message:
    """What the channel sees of a release now."""
    title, now = wording.title(release, application), wording.headline(release)
    return message(
        f"{title}: {now}",
        lines(
            [bold(f"{wording.emoji(release)} {title}"), f" — {now}", *_since(release)],
            _asked(release),
            *_body(release),
        ),
        _progress(release),
        release_buttons(release),
    )


def _since(release: Release) -> Row:
    if release.state in MOVING and release.started_at:
        return [" · since ", moment(release.started_at, "{time_secs}")]
    if release.state is State.ABOUT_TO_START and release.moment:
        return [" · at ", moment(release.moment.starts_at, "{time_secs}")]
    return []


def _asked(release: Release) -> Row:
    request = release.request
    kind = release.plan.type if release.plan else None
    return joined(
        [kind.value] if kind else None,
        [f"suites {clip(', '.join(request.suites), SENTENCE)}"] if request.suites else None,
        [request.urgency] if request.urgency and kind != request.urgency else None,
        [request.strategy] if request.kind not in {"drill", "validation"} else None,
        [f"from {clip(request.source, NAME)}"] if request.source else None,
        [f"only {clip(', '.join(request.services), SENTENCE)}"] if request.services else None,
        ["asked by ", who(request.by), f"{wording.via(request.via)} ", moment(request.at, DAY_AND_TIME)],
        [f"“{clip(request.reason, SENTENCE)}”"] if request.reason else None,
    )


def _body(release: Release) -> list[Row]:  # noqa: C901, PLR0911, PLR0912 - one case a state
    """The lines between who asked and the bars: what was agreed, what is planned, how it ended."""
    match release.state:
        case State.REQUESTED if release.replanned_because:
            return [[f"Planned again: {clip(release.replanned_because, SENTENCE)}"]]
        case State.WAITING:
            return [
                approvals_row(release),
                *_passed(release),
                *summary(release),
                _plan(release),
                *_warnings(release),
            ]
        case State.HELD if release.held is not None:
            return [approvals_row(release), [f"✋ {clip(release.held.because, PARAGRAPH)}"], _plan(release)]
        case State.ABOUT_TO_START:
            return [
                approvals_row(release),
                ["Nothing is changed yet: whoever is involved can stop it."],
                _plan(release),
            ]
        case State.SIGNING if release.asked is not None:
            return [approvals_row(release), sign_off_row(release.asked), _plan(release)]
        case State.RUNNING if release.watching is not None:
            return [approvals_row(release), _plan(release), *reading_rows(release)]
        case State.UNDECIDED if release.undecided is not None:
            return [[clip(release.undecided.because, PARAGRAPH)], *reading_rows(release)]
        case State.PAUSED:
            return [approvals_row(release), *_paused(release), _plan(release)]
        case State.APPROVED | State.RUNNING | State.ABORTING:
            return [approvals_row(release), _plan(release), *_aborted(release)]
        case State.TURNING_BACK | State.ROLLED_BACK:
            because = release.turned_back_because
            return [
                approvals_row(release),
                *([phrase(f"because {clip(because, SENTENCE)}")] if because else []),
                _held(release),
            ]
        case State.FAILED:
            return [approvals_row(release), [clip(release.reason, PARAGRAPH)], _left_behind(release)]
        case State.IMPOSSIBLE:
            return [
                [clip(release.reason, PARAGRAPH)],
                way_out(release.hint, release.ready_at, release.who),
            ]
        case State.RELEASED:
            return [approvals_row(release), _finished(release), *reading_rows(release)]
        case State.CANCELLED | State.REFUSED if release.ended_by and release.ended_at:
            return [["by ", who(release.ended_by), " ", moment(release.ended_at), *_why(release)]]
        case _:
            return []


def _held(release: Release) -> Row:
    """What a release that went back by itself means for those that would follow it."""
    if not release.by_itself or release.plan is None:
        return []
    version, where = clip(release.plan.new, NAME), clip(release.environment, NAME)
    return [f"Promotion of {version} to and from {where} is held until somebody asks for it again."]


def approvals_row(release: Release) -> Row:
    """Who has agreed, who else has to, and until when."""
    needed = release.approval
    if needed is None:
        return []
    given = [phrase("✅ ", who(approval.by), " ", moment(approval.at)) for approval in release.approvals]
    row = joined(*given[:6], [f"and {len(given) - 6} more"] if len(given) > 6 else None, by="   ")
    if not release.approvals_missing or release.state is not State.WAITING:
        return row
    missing = wording.more(release.approvals_missing, first=not given)
    own = phrase() if needed.own_release else phrase(" (not ", who(release.request.by), ")")
    row += [
        "   ⬜ " if row else "⬜ ",
        f"{missing} ",
        *several([whom(id_) for id_ in needed.approvers]),
        *own,
    ]
    if release.expires_at is not None:
        row += [" · expires ", moment(release.expires_at, DAY_AND_TIME)]
    return row


def _plan(release: Release) -> Row:
    plan = release.plan
    if plan is None:
        return []
    row = [f"Plan #{plan.short_digest} · {count(len(plan.steps), 'step')}"]
    return joined(
        row,
        _way_back(plan),
        [link(plan.notes, "release notes")] if plan.notes else None,
    )


def _way_back(plan: Plan) -> Row | None:
    if plan.stays:
        return ["way back: ⚠️ a person decides about the database"]
    return [f"way back: {count(len(plan.way_back()), 'step')}"] if plan.way_back() else None


def _warnings(release: Release) -> list[Row]:
    warnings = release.plan.warnings if release.plan else ()
    rows: list[Row] = [[f"⚠️ {clip(warning, SENTENCE)}"] for warning in warnings[:MOST_WARNINGS]]
    if len(warnings) > MOST_WARNINGS:
        rows.append([f"⚠️ {count(len(warnings) - MOST_WARNINGS, 'more warning')}: see the plan"])
    return rows


def _passed(release: Release) -> list[Row]:
    """The locks and freezes that it passed, for those who are to agree."""
    return [
        [f"⚠️ passes {clip(each.what, SENTENCE)}: {clip(each.right, SENTENCE)}"]
        for each in release.request.passed[:MOST_WARNINGS]
    ]


def _aborted(release: Release) -> list[Row]:
    if release.abort is None:
        return []
    return [["🛑 ", who(release.abort.by), " stops it", *_why(release)]]


def _paused(release: Release) -> list[Row]:
    """Who had it paused, since when, and what that means."""
    if release.pause is None:
        return []
    reason = f": “{clip(release.pause.reason, SENTENCE)}”" if release.pause.reason else ""
    since = phrase(" since ", moment(release.paused_at, DAY_AND_TIME)) if release.paused_at else []
    return [["⏸️ by ", who(release.pause.by), *since, reason, " · nothing is changed until it is resumed"]]


def _why(release: Release) -> Row:
    reason = release.abort.reason if release.abort else None
    return [f": “{clip(reason, SENTENCE)}”"] if reason else []


def _left_behind(release: Release) -> Row:
    """What a failed release leaves changed: the thing that somebody must decide about."""
    changed = wording.left_changed(release)
    if not changed:
        return ["Nothing was changed."]
    one = len(release.changed_services) + release.changed_database == 1
    left = "was changed and left as it is" if one else "were changed and left as they are"
    return [f"⚠️ {changed} {left}: roll back, or release a version that works."]


def _finished(release: Release) -> Row:
    healthy, services = healthy_services(release)
    at = phrase("finished ", moment(release.ended_at, DAY_AND_TIME)) if release.ended_at else None
    return joined(
        [f"{healthy} of {count(services, 'service')} healthy"] if services else None, at, _watched_on(release)
    )


def _watched_on(release: Release) -> Row | None:
    """Until when it is looked at, where its monitor says so for what is released."""
    steps = (each.step for each in release.forward if isinstance(each.step, Monitor))
    step = next(steps, None)
    if step is None or not step.after_seconds or release.ended_at is None:
        return None
    if release.state is not State.RELEASED:
        return None
    until = release.ended_at + timedelta(seconds=step.after_seconds)
    return ["watched until ", moment(until, DAY_AND_TIME)]


def _progress(release: Release) -> Piece | None:
    return monospace(bars(release)) if release.started_at is not None else None
