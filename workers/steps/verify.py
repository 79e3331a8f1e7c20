"""Look at every service once more, together."""

from __future__ import annotations

from collections.abc import Iterable

from releases.plan import Validate, Verify
from workers.steps.waiting import wait
from workers.steps.work import Done, Outcome, Work
from workers.verdict import Standing


def verify(step: Verify | Validate, standings: Iterable[Standing], work: Work) -> Outcome:
    """Each service has come to its end and is still there: later ones may have upset earlier ones.

    `standings` are the steps that led here.
    """
    for each in standings:
        if step.deployments.get(each.service) != each.new.digest:
            continue
        deployment = work.cluster.deployment(work.namespace, each.deployment)
        trouble = wait(each, deployment, work)
        if trouble is not None:
            return trouble
    return Done(changed=False)
