"""Asking the cluster whether it would do what a plan says, without doing it.

A server-side dry run passes the API server's defaults, its rules, admission webhooks and Buzzy's own role. So
a right that is missing or a rule that refuses is known before anything is touched, and the templates in a
plan are those that will be read back, whatever a webhook makes of them. Whether the environment could be
taken is rehearsed beside this, by `Tenure.rehearse`: it stands before any plan.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress

from releases.database import Backup, Migrate, Restore, Task
from releases.monitoring import Monitor
from releases.plan import (
    EnsureConfiguration,
    EnsureFiles,
    Follow,
    Plan,
    Prepare,
    Preview,
    RollOut,
    Step,
    Switch,
    Template,
    Verify,
    VerifyGreen,
    Watch,
)
from releases.validation import Validate
from workers.cluster import (
    BELIEVED_SECONDS,
    AlreadyExistsError,
    Cluster,
    ConflictError,
    DeploymentMade,
    DeploymentSeen,
    InvalidError,
    JobPicture,
    NotFoundError,
    RolloutSeen,
    TemplateWrite,
    TrafficWrite,
    despite_conflicts,
)
from workers.files import Contents, split
from workers.ledger import rehearse as rehearse_ledger
from workers.steps.task import job_of
from workers.steps.traffic import MANAGED, is_ours
from workers.templates import read_template

WATCH_SECONDS = 2.0
"""How long a watch may take to be answered before a plan goes without."""

REFUSAL_SECONDS = BELIEVED_SECONDS + 5.0
"""The same while there is trouble: it may turn out to be a refusal, which is not believed at once."""

JOB = "buzzy-rehearsal"

_NO_DRY_RUN = "does not support dry run"


def rehearse(cluster: Cluster, plan: Plan, files: Contents | None = None) -> Plan:
    """The plan as the cluster would carry it out; `files` are those that it names.

    Raises `ClusterError` when it would refuse to.
    """
    for step in plan.steps:
        match step:
            case EnsureConfiguration():
                _create(cluster, plan, step.name, step.data, {})
            case EnsureFiles():
                _create(cluster, plan, step.name, *split(files or {}))
            case Backup(task=task) | Migrate(task=task) | Restore(task=task):
                _create_job(cluster, plan, task)
            case Validate(job=Task() as task):
                _create_job(cluster, plan, task)
    rehearse_ledger(cluster, plan.namespace)
    would_be = {
        step.service: _written(cluster, plan, step)
        for step in plan.steps
        if isinstance(step, RollOut | Prepare)
    }
    for first in list(plan.rollouts())[:1]:
        _watch(cluster, plan, first.deployment if isinstance(first, RollOut) else first.leaves.deployment)
    for step in plan.steps:
        if isinstance(step, Switch):
            _switch(cluster, plan, step)
        if isinstance(step, Preview):
            _preview(cluster, plan, step)
        if isinstance(step, Follow):
            _follow(cluster, plan, step)
    return plan.model_copy(update={"steps": tuple(_as_it_would_be(step, would_be) for step in plan.steps)})


def _as_it_would_be(step: Step, would_be: Mapping[str, Template]) -> Step:
    """The step with the templates that the cluster would make of its own."""
    match step:
        case RollOut() | Prepare() | Switch():
            return step.model_copy(update={"new": would_be[step.service]})
        case Verify() | VerifyGreen() | Watch() | Monitor():
            digests = {service: would_be[service].digest for service in step.deployments}
            return step.model_copy(update={"deployments": digests})
        case _:
            return step


def _create(
    cluster: Cluster, plan: Plan, name: str, data: Mapping[str, str], parts: Mapping[str, bytes]
) -> None:
    try:
        cluster.create_config_map(plan.namespace, name, data, {}, parts=parts, rehearse=True)
    except AlreadyExistsError:
        return
    except InvalidError as error:
        if _NO_DRY_RUN not in error.message:
            raise


def _create_job(cluster: Cluster, plan: Plan, task: Task) -> None:
    """Ask whether its Job could be created and watched: one that ran unwatched would be left to itself."""
    try:
        cluster.create_job(plan.namespace, job_of(task, JOB, {}), rehearse=True)
    except AlreadyExistsError:
        pass
    except InvalidError as error:
        if _NO_DRY_RUN not in error.message:
            raise
    _watched(cluster.follow_job(plan.namespace, JOB))


def _watch(cluster: Cluster, plan: Plan, deployment: str) -> None:
    """Watch for a moment: a rollout that may be begun but not watched would be left half done."""
    _watched(cluster.follow(plan.namespace, cluster.deployment(plan.namespace, deployment)))


def _watched(
    following: AbstractContextManager[Iterator[RolloutSeen]] | AbstractContextManager[Iterator[JobPicture]],
) -> None:
    """Only a refusal counts; a cluster that does not answer a watch gives none."""
    began = time.monotonic()
    with following as pictures:
        for seen in pictures:
            patience = WATCH_SECONDS if seen.trouble is None else REFUSAL_SECONDS
            if seen.watched or time.monotonic() - began >= patience:
                return


def _written(cluster: Cluster, plan: Plan, step: RollOut | Prepare) -> Template:
    """The template that the cluster would make of the step's."""

    def write() -> DeploymentSeen:
        try:
            deployment = cluster.deployment(plan.namespace, step.deployment)
        except NotFoundError:
            if isinstance(step, RollOut):
                raise
            return _made(cluster, plan, step)
        return cluster.write_template(plan.namespace, TemplateWrite(deployment, step.new.spec), rehearse=True)

    try:
        would_be = despite_conflicts(write)
    except InvalidError as error:
        if _NO_DRY_RUN in error.message:
            return step.new
        raise
    return read_template(would_be.template, step.container, step.new.revision)


def _made(cluster: Cluster, plan: Plan, step: Prepare) -> DeploymentSeen:
    like = cluster.deployment(plan.namespace, step.like)
    made = DeploymentMade(step.deployment, like, step.labels, step.new.spec, like.wanted)
    try:
        return cluster.make_deployment(plan.namespace, made, rehearse=True)
    except AlreadyExistsError as error:
        raise ConflictError(str(error)) from error


def _switch(cluster: Cluster, plan: Plan, step: Switch) -> None:
    """A Service that somebody changes meanwhile says nothing about rights: the step meets it."""
    with suppress(ConflictError):
        service = cluster.traffic(plan.namespace, step.name)
        cluster.write_traffic(plan.namespace, TrafficWrite(service, step.to.selector), rehearse=True)


def _follow(cluster: Cluster, plan: Plan, step: Follow) -> None:
    with suppress(ConflictError):
        for each in cluster.autoscalers(plan.namespace):
            if each.name == step.name:
                cluster.write_autoscaler(plan.namespace, each, step.to, rehearse=True)


def _preview(cluster: Cluster, plan: Plan, step: Preview) -> None:
    for look in step.looks:
        try:
            if not is_ours(cluster.traffic(plan.namespace, look.name)):
                raise InvalidError(
                    f"there is a Service {look.name} that is not Buzzy's; remove it, or write preview: false"
                )
        except NotFoundError:
            write = TrafficWrite(cluster.traffic(plan.namespace, look.like), look.selector)
            with suppress(AlreadyExistsError):
                cluster.make_traffic(plan.namespace, look.name, write, MANAGED, rehearse=True)
