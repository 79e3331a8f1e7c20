"""What is watched once a release has come up: the step that a strategy puts behind what brings it there."""

from __future__ import annotations

from collections.abc import Iterable

from releases.monitoring import Monitor
from releases.plan import Change, Switch
from workers.planning.scene import Scene


def monitor(scene: Scene, changes: Iterable[Change]) -> Monitor | None:
    """Watch the services that these steps change; None where the environment is not watched."""
    rule = scene.environment.monitor
    if rule is None:
        return None
    prometheus = scene.config.prometheus_of(scene.environment)
    queries = {} if prometheus is None else prometheus.queries
    changed = tuple(changes)
    return Monitor(
        window_seconds=int(rule.window.total_seconds()),
        every_seconds=int(rule.every.total_seconds()),
        after_seconds=0 if rule.after is None else int(rule.after.total_seconds()),
        triggers=tuple(each.trigger(queries) for each in rule.triggers),
        deployments={step.service: step.new.digest for step in changed},
        names={step.service: step.deployment for step in changed},
        before={step.service: step.leaves.deployment for step in changed if isinstance(step, Switch)},
    )
