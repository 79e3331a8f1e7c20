"""What the cluster knows of a release and the record does not: a Redis may lose what it wrote last. Pure."""

from __future__ import annotations

from releases.plan import Change, Plan, digest_of
from workers.cluster import DeploymentSeen
from workers.marks import made_by
from workers.observe import Observed


def has_begun(plan: Plan, observed: Observed, release: str) -> bool:
    """Whether this release has begun to carry out this plan, and nobody else came in between.

    Each service is as the plan found it or as the plan wants it, and at least one was put there by this
    release. Then what is left of the plan is still what was agreed to.
    """
    known = {each.service.name: each for each in observed.services}
    begun = False
    for step in plan.rollouts():
        service = known.get(step.service)
        if service is None or service.deployment is None:
            return False
        if _has(service.deployment, step, release):
            begun = True
        elif digest_of(service.deployment.template) != step.stable.digest:
            return False
        begun = begun or _has(service.beside, step, release)
    return begun


def _has(deployment: DeploymentSeen | None, step: Change, release: str) -> bool:
    """Whether a Deployment was brought by this release to what the step wants."""
    if deployment is None or digest_of(deployment.template) != step.new.digest:
        return False
    return made_by(deployment.annotations, deployment.template) == release
