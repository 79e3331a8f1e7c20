"""The plan of a drill: to look, in every respect, whether a standby could take over. Nothing is changed."""

from __future__ import annotations

from releases.plan import Drill, DrillPart, Plan
from workers.lineage import label
from workers.planning.scene import Refused, Scene, joined, ready_services
from workers.twins import Asked


def plan_drill(scene: Scene, asked: Asked) -> Plan | Refused:
    """What a drill would look at, by what is asked of the standby now."""
    services = ready_services(scene, ())
    if isinstance(services, Refused):
        return services
    parts: list[DrillPart] = ["pods", "health", "versions", "configuration"]
    if asked.soaking:
        parts.remove("versions")
    if scene.environment.mongodb is not None:
        parts.append("database")
    runs = joined([label(each.stable) for each in services])
    return Plan(
        kind="drill",
        application=scene.config.application,
        environment=scene.environment.name,
        namespace=scene.environment.namespace,
        strategy=scene.environment.strategy,
        stable=runs,
        new=runs,
        steps=tuple(Drill(part=part, follows=asked.follows, expected=asked.expected) for part in parts),
        warnings=(f"Versions are not compared: {asked.soaking}.",) if asked.soaking else (),
    )
