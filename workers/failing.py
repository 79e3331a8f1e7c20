"""What follows when a step cannot come to its end: the release goes back, asks a person, or stops. Pure."""

from __future__ import annotations

from datetime import datetime

from releases import events as e
from releases.database import Backup, Migrate, Restore
from releases.lifecycle import Release, State
from releases.monitoring import Monitor
from releases.plan import Keep
from workers.steps import Failed
from workers.words import sentence


def after_failure(
    release: Release, index: int, failed: Failed, seen: tuple[e.ServiceSeen, ...], now: datetime
) -> tuple[e.Event, ...]:
    """The events that say so.

    A way back is not turned again, and somebody who wishes to abort has decided already.
    """
    reason = sentence(failed.reason)
    event = e.StepFailed(
        at=now, index=index, reason=reason, evidence=failed.evidence, seen=seen, chart=failed.chart
    )
    if release.state is State.ABORTING:
        return (event,)
    if goes_back_by_itself(release, index, failed):
        return (event, e.TurnedBack(at=now, steps=release.way_back(), because=reason, by_itself=True))
    if failed.ill and isinstance(release.steps[index].step, Monitor):
        return (
            e.DecisionAsked(
                at=now, index=index, because=reason, evidence=failed.evidence, chart=failed.chart
            ),
        )
    if release.state is State.TURNING_BACK:
        reason = f"It could not go back: {reason}"
    return (event, e.ReleaseFailed(at=now, reason=reason, changed=release.changed_services))


def goes_back_by_itself(release: Release, index: int, failed: Failed) -> bool:
    """Whether a step that fails sends a release back that nobody has asked to go back.

    A blue-green one does so whatever fails, until all that is left is to keep what had the traffic. Any other
    does where its plan says so, once the new version was seen to be ill: a task of the database does
    not show that. Nothing goes by itself over a migration with which the version before would not run.
    """
    plan = release.plan
    if plan is None or not plan.goes_back or release.state is not State.RUNNING or release.stays:
        return False
    step = release.steps[index].step
    if plan.strategy == "blue-green":
        return not isinstance(step, Keep) and bool(release.way_back())
    return failed.ill and not isinstance(step, Backup | Migrate | Restore) and bool(release.way_back())
