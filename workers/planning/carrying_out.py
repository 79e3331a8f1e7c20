"""From what changes to the steps that change it, as the strategy has it."""

from __future__ import annotations

from collections.abc import Iterable

from releases.plan import RollOut, verification
from workers.planning.blue_green import Ways, blue_green
from workers.planning.monitoring import monitor
from workers.planning.scene import Ready, Refused, Scene


def carried_out(
    scene: Scene, strategy: str, services: Iterable[Ready], rollouts: list[RollOut], *, back: bool = False
) -> Ways | Refused:
    """The steps of a plan that does what `rollouts` do, or why it cannot be done in this way.

    `back`: it is a rollback, which is in a hurry and is not gone back from.
    """
    if not rollouts:  # only the database is to go back
        return Ways(())
    if strategy == "blue-green":
        return blue_green(scene, services, rollouts, back=back)
    watched = None if back else monitor(scene, rollouts)
    return Ways((*rollouts, verification(rollouts), *([] if watched is None else [watched])))
