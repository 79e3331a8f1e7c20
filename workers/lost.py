"""What the cluster knows of a release and the record does not: a Redis may lose what it wrote last. Pure."""

from __future__ import annotations

from releases.plan import Plan, digest_of
from workers.marks import made_by
from workers.observe import Observed


def has_begun(plan: Plan, observed: Observed, release: str) -> bool:
    """Whether this release has begun to carry out this plan, and nobody else came in between.

    Each service is as the plan found it or as the plan wants it, and at least one was put there by this
    release. Then what is left of the plan is still what was agreed to.
    """
    deployments = {each.service.name: each.deployment for each in observed.services}
    begun = False
    for step in plan.rollouts():
        deployment = deployments.get(step.service)
        if deployment is None:
            return False
        digest = digest_of(deployment.template)
        if digest == step.new.digest and made_by(deployment.annotations, deployment.template) == release:
            begun = True
        elif digest != step.stable.digest:
            return False
    return begun
