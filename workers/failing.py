"""What follows when a step cannot come to its end: the release goes back, asks a person, or stops. Pure."""

from __future__ import annotations

from datetime import datetime

from releases import events as e
from releases.lifecycle import Release, State
from releases.monitoring import Monitor
from workers.steps import Failed
from workers.words import sentence


def after_failure(
    release: Release, index: int, failed: Failed, seen: tuple[e.ServiceSeen, ...], now: datetime
) -> tuple[e.Event, ...]:
    """The events that say so.

    Only what was seen to be ill goes back by itself, and only while it goes forward: a way back is not turned
    again. Somebody who wishes to abort has decided already.
    """
    reason = sentence(failed.reason)
    event = e.StepFailed(
        at=now, index=index, reason=reason, evidence=failed.evidence, seen=seen, chart=failed.chart
    )
    if release.state is State.ABORTING:
        return (event,)
    back = release.way_back() if failed.ill and release.state is State.RUNNING else ()
    if back and release.plan is not None and release.plan.on_failure == "rollback":
        return (event, e.TurnedBack(at=now, steps=back, because=reason, by_itself=True))
    if failed.ill and isinstance(release.steps[index].step, Monitor):
        return (
            e.DecisionAsked(
                at=now, index=index, because=reason, evidence=failed.evidence, chart=failed.chart
            ),
        )
    if release.state is State.TURNING_BACK:
        reason = f"It could not go back: {reason}"
    return (event, e.ReleaseFailed(at=now, reason=reason, changed=release.changed_services))
