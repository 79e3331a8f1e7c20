"""Bring the slot without traffic to a template, as large as the one that serves, and wait for it."""

from __future__ import annotations

from releases.plan import Prepare, digest_of
from workers.cluster import (
    AlreadyExistsError,
    ConflictError,
    DeploymentMade,
    DeploymentSeen,
    NotFoundError,
    TemplateWrite,
    despite_conflicts,
)
from workers.marks import KEPT, RELEASE, made_by, marks
from workers.steps.waiting import wait
from workers.steps.work import Done, Failed, Outcome, Work


def prepare(step: Prepare, work: Work) -> Outcome:
    """Make or change the slot's Deployment unless it is so already, then wait for its pods.

    It is written in any case once a release: whoever meant to scale it down, and looked before that, cannot.
    """
    deployment = despite_conflicts(lambda: _write(step, work))
    if isinstance(deployment, Failed):
        return deployment
    trouble = wait(step, deployment, work)
    if trouble is not None:
        return trouble
    return Done(changed=made_by(deployment.annotations, deployment.template) == work.release)


def _write(step: Prepare, work: Work) -> DeploymentSeen | Failed:
    size = max(step.at_least, work.cluster.deployment(work.namespace, step.like).wanted)
    annotations = marks(work.release, step.new, work.cause)
    try:
        there = work.cluster.deployment(work.namespace, step.deployment)
    except NotFoundError:
        if step.stable is not None:
            return Failed(f"The Deployment {step.deployment} was deleted meanwhile")
        return _make(step, size, annotations, work)
    digest = digest_of(there.template)
    if digest != step.new.digest:
        if step.stable is None or digest != step.stable.digest:
            return Failed(f"{step.deployment} was changed by somebody else meanwhile")
        if step.new.image != step.stable.image and work.has_shown(step.service, step.new.image):
            # The new template was there before: whoever took it away is not fought.
            return Failed(f"{step.deployment} was set back by somebody else meanwhile")
    elif (
        there.annotations.get(RELEASE) == work.release
        and there.wanted >= size
        and KEPT not in there.annotations
    ):
        return there
    work.before_write()
    write = TemplateWrite(there, step.new.spec, annotations, replicas=size, without=(KEPT,))
    return work.cluster.write_template(work.namespace, write)


def _make(step: Prepare, size: int, annotations: dict[str, str], work: Work) -> DeploymentSeen:
    like = work.cluster.deployment(work.namespace, step.like)
    made = DeploymentMade(step.deployment, like, step.labels, step.new.spec, size, annotations)
    work.before_write()
    try:
        return work.cluster.make_deployment(work.namespace, made)
    except AlreadyExistsError as error:  # by a worker before this one, or by somebody else: look again
        raise ConflictError(str(error)) from error
