"""The words for a release's states, the same wherever they are read."""

from __future__ import annotations

from datetime import timedelta

from bot.messages.parts import NAME, SENTENCE, clip, count
from bot.messages.watching import position
from releases.checklist import blocking, needs_work
from releases.config import format_duration, format_seconds
from releases.database import Backup, Migrate, Restore
from releases.events import AskedVia, Via
from releases.lifecycle import Release, State, StepStatus
from releases.monitoring import Monitor
from releases.plan import (
    Change,
    Drill,
    EnsureConfiguration,
    EnsureFiles,
    Follow,
    Identify,
    Keep,
    Plan,
    Prepare,
    Preview,
    RollOut,
    Switch,
    Verify,
    VerifyGreen,
    Watch,
)
from releases.validation import Validate

_EMOJI = {
    State.REQUESTED: "⚪",
    State.WAITING: "🟡",
    State.ABOUT_TO_START: "🔵",
    State.APPROVED: "🔵",
    State.HELD: "🟡",
    State.RUNNING: "🔵",
    State.SIGNING: "🟡",
    State.UNDECIDED: "🟡",
    State.PAUSED: "⏸️",
    State.ABORTING: "🟠",
    State.TURNING_BACK: "🟠",
    State.CANCELLING: "⚫",
    State.RELEASED: "🟢",
    State.FAILED: "🔴",
    State.ROLLED_BACK: "🟣",
    State.CANCELLED: "⚫",
    State.REFUSED: "⚫",
    State.EXPIRED: "⚫",
    State.IMPOSSIBLE: "⚫",
}


def emoji(release: Release) -> str:
    """The colour of a release: yellow wants somebody, blue moves, green is done, red needs a person."""
    return _EMOJI[release.state]


def title(release: Release, application: str) -> str:
    """`R42 · buzzy 3.2.0 → 3.2.1 · staging`."""
    return f"{release.id} · {what(release, application)} · {clip(release.environment, NAME)}"


def via(door: Via | AskedVia) -> str:
    """Where something was said, if that is not where one would expect it."""
    return " from the command line" if door == "command line" else ""


def what(release: Release, application: str) -> str:
    """`buzzy 3.2.0 → 3.2.1`, or what is known of it before it is planned."""
    plan, request = release.plan, release.request
    if request.kind == "validation":
        version = f" {clip(plan.new, NAME)}" if plan is not None else ""
        return f"validation of {application}{version}"
    rollback = request.kind == "rollback"
    name = application if request.kind == "release" else f"{request.kind} of {application}"
    if request.kind == "drill":
        return f"{name} {clip(plan.new, NAME)}" if plan is not None else name
    if plan is not None:
        stable, new = clip(plan.stable, NAME), clip(plan.new, NAME)
        return (
            f"{name} {new}"
            if release.state is State.RELEASED and not rollback
            else f"{name} {stable} → {new}"
        )
    target = request.target
    to = target and (target.version or target.release or (target.revision and f"revision {target.revision}"))
    if rollback:
        return f"{name} to {clip(str(to), NAME)}" if to else name
    if request.source is not None:
        return f"{name} from {clip(request.source, NAME)}"
    return f"{name} {clip(request.version or '', NAME)}"


_FIXED = {
    State.REQUESTED: "being planned",
    State.APPROVED: "approved, about to start",
    State.HELD: "approved, waits until the environment opens",
    State.SIGNING: "waiting for a sign-off",
    State.UNDECIDED: "is it good? Somebody has to say",
    State.ABORTING: "stopping at the next safe point",
    State.CANCELLING: "being cancelled",
    State.CANCELLED: "cancelled, nothing was changed",
    State.REFUSED: "refused, nothing was changed",
    State.IMPOSSIBLE: "cannot be done, nothing was changed",
}


_DONE = {"release": "released", "rollback": "rolled back", "drill": "passed", "validation": "passed"}


def headline(release: Release) -> str:
    """What is happening now, in a few words."""
    stable = clip(release.plan.stable, NAME) if release.plan else "what was stable"
    match release.state:
        case State.WAITING:
            return _waiting(release)
        case State.ABOUT_TO_START:
            return "starts in a moment" if release.approval is None else "approved, starts in a moment"
        case State.EXPIRED:
            decided = f"{clip(release.environment, NAME)} did not open" if release.held else "nobody decided"
            return f"expired: {decided} in time, nothing was changed"
        case State.RUNNING:
            return _running(release)
        case State.PAUSED:
            return f"paused before {_next_step(release)}"
        case State.TURNING_BACK:
            return f"going back to {stable}, {_position(release)}"
        case State.RELEASED:
            done = _DONE[release.request.kind]
            return f"{done} in {format_duration(duration(release))}"
        case State.FAILED:
            return f"failed{_failed_at(release)}"
        case State.ROLLED_BACK:
            time = format_duration(_back_in(release))
            if release.by_itself:
                return f"rolled back to {stable} by itself in {time}"
            return f"stopped, and back at {stable} in {time}"
        case state:
            return _FIXED[state]


def _next_step(release: Release) -> str:
    """Such as `step 3 of 6, buzzy-api to 3.2.1`."""
    index = release.next_index
    if index is None:
        return "its end"
    title = clip(release.steps[index].step.title, SENTENCE)
    return f"step {index + 1} of {len(release.forward)}, {title}"


def ending(release: Release, application: str) -> str:
    """How a release that came to its end came there: `buzzy 3.2.1 released in 40 s`."""
    if release.request.kind == "rollback" and release.plan is not None:
        return f"{headline(release)}: {clip(release.plan.stable, NAME)} → {clip(release.plan.new, NAME)}"
    return f"{what(release, application)} {headline(release)}"


def duration(release: Release) -> timedelta:
    """How long the release took, from its start (or, not started, from when it was asked for) to its end."""
    begun = release.started_at or release.request.at
    return (release.ended_at or release.last_at or begun) - begun


def more(missing: int, *, first: bool) -> str:
    """`one of`, `2 more of`."""
    number = "one" if missing == 1 else str(missing)
    return f"{number} of" if first else f"{number} more of"


def _waiting(release: Release) -> str:
    if (wrong := len(needs_work(release.checklist))) > 0:
        return f"cannot start yet: {count(wrong, 'thing')} to mend"
    needed = release.approval
    ticks = count(len(blocking(release.checklist)), "tick") if blocking(release.checklist) else ""
    if needed is None or not release.approvals_missing:
        return f"waiting for {ticks}" if ticks else "about to start"
    also = f" and {ticks}" if ticks else ""
    if needed.quorum == 1:
        return f"waiting for approval{also}"
    return f"waiting for {release.approvals_missing} of {needed.quorum} approvals{also}"


def _running(release: Release) -> str:
    index = release.next_index
    doing = _step_in_words(release, index)
    return f"{doing}, then it pauses" if release.pause is not None else doing


def _step_in_words(release: Release, index: int | None) -> str:
    match release.forward[index].step if index is not None else None:
        case EnsureConfiguration() | EnsureFiles():
            return "preparing the configuration"
        case Prepare() | Preview() | VerifyGreen() | Switch() | Follow() | Watch() | Keep() as step:
            return _beside(release, step)
        case RollOut(service=service) if release.plan is not None:
            services = release.plan.services
            return f"service {services.index(service) + 1} of {len(services)}"
        case Verify():
            return "verifying all services"
        case Backup():
            return "backing the database up"
        case Migrate(direction=direction):
            return "migrating the database" if direction == "up" else "undoing migrations of the database"
        case Restore():
            return "restoring the database"
        case Identify():
            return "looking what changed"
        case Drill(title=title):
            return f"looking: {title}"
        case Validate(suite=suite):
            return f"running the suite {clip(suite, NAME)}"
        case Monitor():
            return position(release)
        case _:
            return "under way"


def _beside(release: Release, step: Prepare | Preview | VerifyGreen | Switch | Follow | Watch | Keep) -> str:
    """The steps of a blue-green release."""
    match step:
        case Prepare():
            prepared = [each.step.service for each in release.forward if isinstance(each.step, Prepare)]
            return f"preparing {prepared.index(step.service) + 1} of {len(prepared)}, without traffic"
        case Preview() | VerifyGreen():
            return "validating what is prepared, without traffic"
        case Switch():
            switched = [each.step.service for each in release.forward if isinstance(each.step, Switch)]
            return f"switching traffic, {switched.index(step.service) + 1} of {len(switched)}"
        case Follow():
            return "autoscalers follow the traffic"
        case Watch():
            return f"all traffic is switched, watching for {format_seconds(step.seconds)}"
        case Keep():
            return "keeping what was before"


def _position(release: Release) -> str:
    done = sum(state.status is StepStatus.DONE for state in release.back)
    return f"step {min(done + 1, len(release.back))} of {len(release.back)}"


def _failed_at(release: Release) -> str:
    if release.failure is None or not 0 <= release.failure.index < len(release.steps):
        return ""
    back = release.failure.index >= len(release.forward)
    step = release.steps[release.failure.index].step
    if isinstance(step, Watch | Monitor | VerifyGreen):
        return " at its validation" if isinstance(step, VerifyGreen) else " while it was watched"
    name = clip(step.service if isinstance(step, Change | Prepare) else step.title, NAME)
    return f" on the way back, at {name}" if back else f" at {name}"


def _back_in(release: Release) -> timedelta:
    begun = next((state.started_at for state in release.back if state.started_at), release.started_at)
    return timedelta(0) if begun is None or release.ended_at is None else release.ended_at - begun


def left_changed(release: Release) -> str:
    """What a release that failed leaves changed: `buzzy-main, buzzy-api and the database`; empty: nothing."""
    services = changed(release.changed_services) if release.changed_services else ""
    database = "the database" if release.changed_database else ""
    return " and ".join(part for part in (services, database) if part)


def when_back(plan: Plan) -> str:
    """When a release goes its way back."""
    if not plan.goes_back:
        return " if it has to be stopped"
    once = "anything fails" if plan.strategy == "blue-green" else "it is seen to be ill"
    return f" if it has to be stopped or, by itself, once {once}"


def changed(services: tuple[str, ...]) -> str:
    """`buzzy-main, buzzy-api and 3 more`."""
    shown = ", ".join(clip(service, NAME) for service in services[:5])
    return shown if len(services) <= 5 else f"{shown} and {count(len(services) - 5, 'more', 'more')}"
