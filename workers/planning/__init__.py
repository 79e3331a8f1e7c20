"""Plans: pure functions from what was asked, what is configured and what is seen to what would be done."""

from workers.planning.database import Migrations, back, baseline, oldest, there
from workers.planning.drill import plan_drill
from workers.planning.release import plan_release
from workers.planning.rollback import plan_rollback
from workers.planning.scene import Refused, Scene, Wanted

__all__ = [
    "Migrations",
    "Refused",
    "Scene",
    "Wanted",
    "back",
    "baseline",
    "oldest",
    "plan_drill",
    "plan_release",
    "plan_rollback",
    "there",
]
