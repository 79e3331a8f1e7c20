"""The sentences in which workers tell what they found and why. Pure; no word that only we would know."""

from __future__ import annotations

from datetime import datetime

from releases.events import AbortRequested, ServiceSeen
from releases.lifecycle import Release, State
from releases.plan import Plan, RollOut, template_diff
from workers.cluster import TransientError
from workers.lineage import label

_CHANGES = 3


def sentence(text: str) -> str:
    """A text with its full stop."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def of_error(error: Exception) -> str:
    """What went wrong, as a sentence. For errors whose text is made for people."""
    text = str(error)
    return sentence(text[:1].upper() + text[1:])


def cause(release: Release, step: RollOut) -> str:
    """`kubernetes.io/change-cause`, as `kubectl rollout history` shows it."""
    stable, new = label(step.stable), label(step.new)
    if release.state is State.TURNING_BACK:
        return f"{release.id}: back to {new} from {stable}"
    return f"{release.id}: {stable} → {new} by {release.request.by.name}"


def found(release: Release, seen: tuple[ServiceSeen, ...]) -> str:
    """What a worker found that took over from one that died. Nothing seen: the cluster is silent."""
    if release.state in {State.REQUESTED, State.APPROVED}:
        return "The worker stopped; nothing was changed yet. Another goes on."
    index = release.next_index
    if index is None:
        where, goal = "after its last step", "to the end"
    else:
        back = index >= len(release.forward)
        number = index + 1 - (len(release.forward) if back else 0)
        title = release.steps[index].step.title
        where = f"{'on its way back, ' if back else ''}at step {number} ({title})"
        goal = f"with step {number}"
    if not seen:
        return f"The worker stopped {where}. The cluster does not answer just now; going on when it does."
    looks = "; ".join(_looks(each) for each in seen)
    return f"The worker stopped {where}. Found: {looks}. Going on {goal}."


def _looks(seen: ServiceSeen) -> str:
    state = f" ({seen.state})" if seen.state else ""
    return f"{seen.service} runs {seen.version or seen.image}, {seen.ready} of {seen.total} ready{state}"


def stopped(abort: AbortRequested | None) -> str:
    """Why a release turns back."""
    if abort is None:
        return "It was stopped."
    reason = f": {abort.reason}" if abort.reason else ""
    return sentence(f"{abort.by.name} stopped it{reason}")


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
    stood = {item.name: item.outcome for item in approved.checklist}
    changes += [
        f"{item.name} of the checklist is {item.outcome}"
        for item in now.checklist
        if stood.get(item.name) is not item.outcome
    ]
    what = ", ".join(changes) or "the configuration was changed"
    return sentence(f"Since the plan was made, {what}")


def silent(trouble: TransientError, since: datetime, until: datetime) -> str:
    """That the cluster cannot be heard in the middle of a step."""
    return (
        f"{str(trouble)[:1].upper()}{str(trouble)[1:]}, since {since:%H:%M:%S} UTC. Nothing is changed "
        f"meanwhile; trying again until {until:%H:%M:%S}."
    )
