"""Keep a slot without traffic for a while: until when, its Deployment says."""

from __future__ import annotations

from datetime import timedelta

from releases.plan import Keep
from workers.cluster import NotFoundError, TemplateWrite, despite_conflicts
from workers.marks import KEPT
from workers.steps.work import Done, Outcome, Work


def keep(step: Keep, work: Work) -> Outcome:
    """Note from when on it may be scaled to 0: counted from when the step began, however often it is run."""
    return despite_conflicts(lambda: _keep(step, work))


def _keep(step: Keep, work: Work) -> Outcome:
    try:
        there = work.cluster.deployment(work.namespace, step.deployment)
    except NotFoundError:
        return Done(changed=False)  # there is nothing that could be kept, or be scaled to 0
    until = (work.since + timedelta(seconds=step.seconds)).isoformat(timespec="seconds")
    wanted = {KEPT: until} if step.seconds else {}
    if there.annotations.get(KEPT) == wanted.get(KEPT):
        return Done(changed=False)
    work.before_write()
    without = () if wanted else (KEPT,)
    work.cluster.write_template(work.namespace, TemplateWrite(there, there.template, wanted, without=without))
    return Done(changed=True)
