"""Create the version's ConfigMap, unless it is there."""

from __future__ import annotations

from releases.plan import EnsureConfiguration
from workers.cluster import AlreadyExistsError
from workers.steps.work import Done, Failed, Outcome, Work

LABELS = {"app.kubernetes.io/managed-by": "buzzy"}


def ensure_configuration(step: EnsureConfiguration, work: Work) -> Outcome:
    """Its name carries a hash of its content: one that is there with another content was tampered with."""
    work.before_write()
    try:
        work.cluster.create_config_map(work.namespace, step.name, step.data, LABELS)
    except AlreadyExistsError:
        if work.cluster.config_map(work.namespace, step.name) != step.data:
            return Failed(f"The ConfigMap {step.name} is there with another content than its name says")
        return Done(changed=False)
    return Done(changed=True)
