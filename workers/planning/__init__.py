"""Plans: pure functions from what was asked, what is configured and what is seen to what would be done."""

from workers.planning.database import Migrations, back, baseline, oldest, there
from workers.planning.drill import plan_drill
from workers.planning.identifying import identified
from workers.planning.release import plan_release
from workers.planning.rollback import nothing_to_go_back_to, plan_rollback
from workers.planning.scene import Refused, Scene, Wanted
from workers.planning.suites import gate, gates, own_images, with_suites
from workers.planning.validation import plan_validation

__all__ = [
    "Migrations",
    "Refused",
    "Scene",
    "Wanted",
    "back",
    "baseline",
    "gate",
    "gates",
    "identified",
    "nothing_to_go_back_to",
    "oldest",
    "own_images",
    "plan_drill",
    "plan_release",
    "plan_rollback",
    "plan_validation",
    "there",
    "with_suites",
]
