"""Asking the cluster whether it would do what a plan says, without doing it.

A server-side dry run passes the API server's defaults, its rules, admission webhooks and Buzzy's own role. So
a right that is missing or a rule that refuses is known before anything is touched, and the templates in a
plan are those that will be read back, whatever a webhook makes of them. Whether the environment could be
taken is rehearsed beside this, by `Tenure.rehearse`: it stands before any plan.
"""

from __future__ import annotations

import time

from releases.monitoring import Monitor
from releases.plan import EnsureConfiguration, Plan, RollOut, Step, verification
from workers.cluster import (
    BELIEVED_SECONDS,
    AlreadyExistsError,
    Cluster,
    DeploymentSeen,
    InvalidError,
    TemplateWrite,
    despite_conflicts,
)
from workers.ledger import rehearse as rehearse_ledger
from workers.templates import read_template

WATCH_SECONDS = 2.0
"""How long a watch may take to be answered before a plan goes without."""

REFUSAL_SECONDS = BELIEVED_SECONDS + 5.0
"""The same while there is trouble: it may turn out to be a refusal, which is not believed at once."""

_NO_DRY_RUN = "does not support dry run"


def rehearse(cluster: Cluster, plan: Plan) -> Plan:
    """The plan as the cluster would carry it out. Raises `ClusterError` when it would refuse to."""
    for step in plan.steps:
        if isinstance(step, EnsureConfiguration):
            _create(cluster, plan, step)
    rehearse_ledger(cluster, plan.namespace)
    rollouts = [_written(cluster, plan, step) for step in plan.rollouts()]
    for step in rollouts[:1]:
        _watch(cluster, plan, step)
    before = [step for step in plan.steps if isinstance(step, EnsureConfiguration)]
    verified = verification(rollouts)
    watched = [
        step.model_copy(update={"deployments": verified.deployments})
        for step in plan.steps
        if isinstance(step, Monitor)
    ]
    steps: tuple[Step, ...] = (*before, *rollouts, verified, *watched)
    return plan.model_copy(update={"steps": steps})


def _create(cluster: Cluster, plan: Plan, step: EnsureConfiguration) -> None:
    try:
        cluster.create_config_map(plan.namespace, step.name, step.data, {}, rehearse=True)
    except AlreadyExistsError:
        return
    except InvalidError as error:
        if _NO_DRY_RUN not in error.message:
            raise


def _watch(cluster: Cluster, plan: Plan, step: RollOut) -> None:
    """Watch for a moment: a rollout that may be begun but not watched would be left half done.

    Only a refusal counts; a cluster that does not answer a watch gives none.
    """
    began = time.monotonic()
    with cluster.follow(plan.namespace, cluster.deployment(plan.namespace, step.deployment)) as pictures:
        for seen in pictures:
            patience = WATCH_SECONDS if seen.trouble is None else REFUSAL_SECONDS
            if seen.watched or time.monotonic() - began >= patience:
                return


def _written(cluster: Cluster, plan: Plan, step: RollOut) -> RollOut:
    """The step with the template that the cluster would make of its own."""

    def write() -> DeploymentSeen:
        deployment = cluster.deployment(plan.namespace, step.deployment)
        return cluster.write_template(plan.namespace, TemplateWrite(deployment, step.new.spec), rehearse=True)

    try:
        would_be = despite_conflicts(write)
    except InvalidError as error:
        if _NO_DRY_RUN in error.message:
            return step
        raise
    new = read_template(would_be.template, step.container, step.new.revision)
    return step.model_copy(update={"new": new})
