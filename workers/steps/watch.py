"""Watch what has the traffic now, for a while."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from releases.plan import Watch
from workers.cluster import TransientError
from workers.observe import pictures
from workers.steps.evidence import evidence
from workers.steps.work import Done, Failed, Outcome, Unfinished, Work
from workers.verdict import Converged, Standing, judge
from workers.verdict import Failed as Judged

LOOK_SECONDS = 0.5
"""The pause between two looks at all services."""

GRACE = timedelta(seconds=20)
"""How long a pod that is not ready when the time is over may take to be so again."""

_NEVER = datetime.max.replace(tzinfo=UTC)


def watch(step: Watch, standings: Iterable[Standing], work: Work) -> Outcome:
    """Trouble of a pod ends it at once, and so does a service without a single pod that is ready.

    All have to be well when the time is over. It is counted from when the step began.
    """
    watched = [each for each in standings if step.deployments.get(each.service) == each.new.digest]
    until = work.since + timedelta(seconds=step.seconds)
    while True:
        try:
            well = _look(watched, until, work)
        except TransientError as error:
            if work.now() >= work.deadline:
                raise
            work.silence(error)
        else:
            work.silence(None)
            if isinstance(well, Failed):
                return well
            if well and work.now() >= until:
                return Done(changed=False)
        if not work.go_on():
            return Unfinished()
        time.sleep(LOOK_SECONDS)


def _look(watched: list[Standing], until: datetime, work: Work) -> bool | Failed:
    """Whether all of it is well now; `Failed` when the traffic should not stay."""
    well = True
    picture = pictures(work.cluster, work.namespace)
    for each in watched:
        seen = picture(each.deployment)
        if seen.deployment is None:
            return Failed(f"The Deployment {each.deployment} was deleted meanwhile")
        verdict = judge(each, seen, since=work.since, now=work.now(), deadline=_NEVER)
        work.show(verdict.seen)
        if isinstance(verdict, Judged):
            found = evidence(work.cluster, work.namespace, each.service, verdict.troubles, ())
            return Failed(verdict.reason, found)
        if seen.deployment.wanted and not seen.deployment.available:
            return Failed(f"{each.service}: no pod is ready any more")
        well = well and isinstance(verdict, Converged)
    if not well and work.now() >= until + GRACE:
        return Failed("Not all pods are ready at the end of the time for which it is watched")
    return well
