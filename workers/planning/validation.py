"""The plan of a validation: suites on what runs, and nothing else."""

from __future__ import annotations

from releases.plan import Plan
from workers.lineage import label
from workers.planning.scene import Refused, Scene, joined, ready_services
from workers.planning.suites import Images, steps_of


def plan_validation(scene: Scene, suites: tuple[str, ...], images: Images) -> Plan | Refused:
    """What these suites would do, or why they cannot be run."""
    unknown = [each for each in suites if each not in scene.config.suites]
    if unknown:
        return Refused(f"There is no suite {unknown[0]} in buzzy.yaml any more.")
    services = ready_services(scene, ())
    if isinstance(services, Refused):
        return services
    running = joined([label(each.stable) for each in services])
    return Plan(
        kind="validation",
        application=scene.config.application,
        environment=scene.environment.name,
        namespace=scene.environment.namespace,
        strategy=scene.environment.strategy,
        stable=running,
        new=running,
        steps=steps_of(scene.config, scene.environment, suites, running, images),
    )
