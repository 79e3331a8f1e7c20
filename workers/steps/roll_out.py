"""Bring one Deployment to another pod template, and wait until it is healthy."""

from __future__ import annotations

from releases.plan import RollOut, digest_of
from workers.cluster import DeploymentSeen, TemplateWrite, despite_conflicts
from workers.marks import made_by, marks
from workers.steps.waiting import wait
from workers.steps.work import Done, Failed, Outcome, Work


def roll_out(step: RollOut, work: Work) -> Outcome:
    """Write the template unless it is there already, then wait for its pods."""
    deployment = despite_conflicts(lambda: _write(step, work))
    if isinstance(deployment, Failed):
        return deployment
    trouble = wait(step, deployment, work)
    if trouble is not None:
        return trouble
    return Done(changed=made_by(deployment.annotations, deployment.template) == work.release)


def _write(step: RollOut, work: Work) -> DeploymentSeen | Failed:
    """The Deployment with the new template; read, and changed if it still has the one before."""
    deployment = work.cluster.deployment(work.namespace, step.deployment)
    digest = digest_of(deployment.template)
    if digest == step.new.digest:
        return deployment
    if digest != step.stable.digest:
        return Failed(f"{step.service} was changed by somebody else meanwhile")
    if step.new.image != step.stable.image and work.has_shown(step.service, step.new.image):
        # The new template was there before: whoever took it away is not fought.
        return Failed(f"{step.service} was set back by somebody else meanwhile")
    work.before_write()
    annotations = marks(work.release, step.new, work.cause)
    return work.cluster.write_template(work.namespace, TemplateWrite(deployment, step.new.spec, annotations))
