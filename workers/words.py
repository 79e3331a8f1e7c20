"""The sentences in which workers tell what they found and why. Pure; no word that only we would know."""

from __future__ import annotations

from datetime import UTC, datetime

from releases.database import Migrate, names
from releases.events import AbortRequested, ServiceSeen
from releases.lifecycle import Release, State
from releases.plan import EnsureFiles, Plan, Prepare, RollOut, template_diff
from workers.cluster import TransientError
from workers.lineage import label
from workers.tenant import Tenant

_CHANGES = 3


def sentence(text: str) -> str:
    """A text with its full stop."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def of_error(error: Exception) -> str:
    """What went wrong, as a sentence. For errors whose text is made for people."""
    text = str(error)
    return sentence(text[:1].upper() + text[1:])


def lost(environment: str, error: Exception) -> tuple[str, str]:
    """That the cluster remembers more than the record, and what to do about it."""
    what = sentence(f"The record of {environment} was lost, or is an old copy: {error}")
    hint = (
        "Bring it back from the cluster: `buzzy record rebuild`. If another Buzzy releases there as well, "
        f"write `shared: true` for {environment} in buzzy.yaml. Nothing was changed."
    )
    return what, hint


def cause(release: Release, step: RollOut | Prepare) -> str:
    """`kubernetes.io/change-cause`, as `kubectl rollout history` shows it."""
    new = label(step.new)
    if step.stable is None or step.stable.digest == step.new.digest:
        return f"{release.id}: {new} by {release.request.by.name}"
    stable = label(step.stable)
    if release.state is State.TURNING_BACK:
        return f"{release.id}: back to {new} from {stable}"
    return f"{release.id}: {stable} → {new} by {release.request.by.name}"


def found(release: Release, seen: tuple[ServiceSeen, ...], *, rebuilt: bool = False) -> str:
    """What a worker found that took over from one that died. Nothing seen: the cluster is silent.

    `rebuilt`: the record was lost, and this is the first look since the cluster gave it back.
    """
    what = "The record was lost. As the cluster remembers it, the release stands" if rebuilt else ""
    if release.state in {State.REQUESTED, State.APPROVED}:
        stopped = f"{what} before its start" if rebuilt else "The worker stopped"
        return f"{stopped}; nothing was changed yet. Another goes on."
    what = what or "The worker stopped"
    index = release.next_index
    if index is None:
        where, next_ = "after its last step", "Going on to the end."
    else:
        back = index >= len(release.forward)
        number = index + 1 - (len(release.forward) if back else 0)
        title = release.steps[index].step.title
        paused = release.state is State.PAUSED
        at = f"{'before' if paused else 'at'} step {number} ({title})"
        where = f"{'on its way back, ' if back else ''}{at}"
        next_ = "It stays paused." if paused else f"Going on with step {number}."
    if not seen:
        return f"{what} {where}. The cluster does not answer just now; going on when it does."
    looks = "; ".join(_looks(each) for each in seen)
    return f"{what} {where}. Found: {looks}. {next_}"


def _looks(seen: ServiceSeen) -> str:
    state = f" ({seen.state})" if seen.state else ""
    return f"{seen.service} runs {seen.version or seen.image}, {seen.ready} of {seen.total} ready{state}"


def stopped(abort: AbortRequested | None) -> str:
    """Why a release turns back."""
    if abort is None:
        return "It was stopped."
    reason = f": {abort.reason}" if abort.reason else ""
    return sentence(f"{abort.by.name} stopped it{reason}")


def no_way_back(release: Release) -> str:
    """That a release cannot turn back by itself, and what a person can do."""
    stays = names(release.stays)
    stable = release.plan.stable if release.plan is not None else "the version before"
    return (
        f"{stopped(release.abort)} It does not go back by itself over {stays}: that cannot be undone, and "
        f"{stable} is not declared to run with it. A person decides: `/buzzy rollback {release.environment}` "
        f"says how, or release a version that works."
    )


def moved(approved: Plan, now: Plan) -> str:
    """Why a plan has to be looked at again: what changed since it was made."""
    before = {step.service: step for step in approved.rollouts()}
    changes = []
    for step in now.rollouts():
        old = before.pop(step.service, None)
        if old is None:
            changes.append(f"{step.service} has to be changed as well")
        elif old.stable.digest != step.stable.digest:
            diff = template_diff(old.stable.spec, step.stable.spec)[:_CHANGES]
            changes.append(f"{step.service} was changed ({'; '.join(diff)})")
        elif old.new.image != step.new.image and label(old.new) == label(step.new):
            changes.append(f"the image of {step.service} under {label(step.new)} has become another")
        elif old.new.digest != step.new.digest:
            changes.append(f"{step.service} would become something else ({label(step.new)})")
    changes += [f"{service} need not be changed any more" for service in before]
    files = {step.name for step in approved.steps if isinstance(step, EnsureFiles)}
    changes += [
        f"the files in {step.folder} were changed"
        for step in now.steps
        if isinstance(step, EnsureFiles) and step.name not in files
    ]
    if _migrations(approved) != _migrations(now):
        changes.append(f"the migrations are others ({', '.join(_migrations(now)) or 'none'})")
    stood = {item.name: item.outcome for item in approved.checklist}
    changes += [
        f"{item.name} of the checklist is {item.outcome}"
        for item in now.checklist
        if stood.get(item.name) is not item.outcome
    ]
    what = ", ".join(changes) or "the configuration was changed"
    return sentence(f"Since the plan was made, {what}")


def _migrations(plan: Plan) -> list[str]:
    return [each.id for step in plan.steps if isinstance(step, Migrate) for each in step.migrations]


def silent(trouble: TransientError, since: datetime, until: datetime) -> str:
    """That the cluster cannot be heard in the middle of a step."""
    return (
        f"{str(trouble)[:1].upper()}{str(trouble)[1:]}, since {since:%H:%M:%S} UTC. Nothing is changed "
        f"meanwhile; trying again until {until:%H:%M:%S}."
    )


def held(environment: str, other: Tenant, until: datetime) -> tuple[str, str]:
    """That another installation has an environment, and what to do about it."""
    reason = f"Another Buzzy is releasing to {environment} just now: {_who(other)}."
    return reason, (
        f"Ask again when that has ended, or have it stopped there{_how(other)}. "
        f"If that Buzzy is gone for good, the way is free from {until:%H:%M:%S} UTC on."
    )


def taken_over(own: Tenant, other: Tenant) -> str:
    """That another installation took the environment while a release of ours could not be gone on with."""
    return (
        f"While {own.release} was not at work, another Buzzy took {own.environment} over: {_who(other)}. "
        f"{own.release} changes nothing any more; what runs now is for that one to say."
    )


def _who(other: Tenant) -> str:
    """Such as `R7 (3.2.2), asked for by carol in Acme, since 1 Mar 14:02 UTC`."""
    what = {"": "", "rollback": " (a rollback)"}.get(other.what, f" ({other.what})")
    by = f", asked for by {other.by}" if other.by else ""
    where = other.workspace or (f"the installation {other.installation}" if other.installation else "")
    since = f", since {other.since.astimezone(UTC):%-d %b %H:%M} UTC" if other.since else ""
    return f"{other.release or 'a release'}{what}{by}{' in ' if where else ''}{where}{since}"


def _how(other: Tenant) -> str:
    return f": `/buzzy abort {other.release}`" if other.release else ""
