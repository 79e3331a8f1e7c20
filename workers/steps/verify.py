"""Look at every service once more, together."""

from __future__ import annotations

from collections.abc import Iterable

from releases.plan import RollOut, Verify
from workers.steps.waiting import wait
from workers.steps.work import Done, Outcome, Work


def verify(step: Verify, rollouts: Iterable[RollOut], work: Work) -> Outcome:
    """Each service has come to its end and is still there: later ones may have upset earlier ones.

    `rollouts` are those that led here.
    """
    for rollout in rollouts:
        if step.deployments.get(rollout.service) != rollout.new.digest:
            continue
        deployment = work.cluster.deployment(work.namespace, rollout.deployment)
        trouble = wait(rollout, deployment, work)
        if trouble is not None:
            return trouble
    return Done(changed=False)
