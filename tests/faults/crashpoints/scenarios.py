"""What is played while processes are killed. A new strategy needs a new scenario here, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.faults.crashpoints.boundaries import Boundary, Kill, Side

STABLE, PREVIOUS, NEXT = "3.2.0", "3.1.4", "3.2.1"
TICK = "white_check_mark"


class House(Protocol):
    """What people do; each of them does again what Slack says did not get through."""

    def ask(self, line: str) -> None:
        """Type a command."""

    def react(self, who: str, emoji: str) -> None:
        """React to the release's message."""

    def click(self, who: str, button: str) -> None:
        """Click a button of the release's message."""

    def until(self, pattern: str) -> None:
        """Wait until the release's message shows something, a regular expression."""


@dataclass(frozen=True)
class Crash:
    """A kill at the first boundary of this kind, so that what is done only after a crash crashes as well."""

    kill: Kill
    act: str
    side: Side = "after"
    site: str = ""

    def is_at(self, boundary: Boundary) -> bool:
        """Whether the boundary is of this kind."""
        role = "bot" if self.kill is Kill.BOT else "horse"
        wanted = (role, self.act, self.side)
        return (boundary.role, boundary.act, boundary.side) == wanted and self.site in boundary.site


@dataclass(frozen=True)
class Scenario:
    """Something that people do, up to its end."""

    name: str
    play: Callable[[House], None]
    behaviours: Mapping[str, str] = field(default_factory=dict)
    """How images behave, as the sandbox's cluster takes it."""
    like: str = ""
    """The scenario that this one must end like."""
    crash: Crash | None = None
    """What happens in every run of it."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """More keys of the environment."""


BLUE_GREEN = {"strategy": "blue-green", "blue_green": {"monitor": "1s", "delay": "1h"}}


def _approve(house: House) -> None:
    house.until("waiting for approval")
    house.react("bob", TICK)


def _release(house: House) -> None:
    house.ask(f"/buzzy release {NEXT} staging")
    _approve(house)
    house.until("🟢")


def _rollback(house: House) -> None:
    house.ask("/buzzy rollback staging")
    _approve(house)
    house.until("rolled back in")


def _abort(house: House) -> None:
    house.ask(f"/buzzy release {NEXT} staging")
    _approve(house)
    # The second service was written: none of its pods is ready, and none will be. Its bar names the version
    # that it goes to from when its step begins, with the pods of the one before.
    house.until(rf"buzzy-api .*\b0/\d+\s+{NEXT}\b")
    house.click("alice", "Abort")
    house.until(f"back at {STABLE}")


SCENARIOS = (
    Scenario("release", _release),
    Scenario("rollback", _rollback),
    Scenario("blue-green", _release, settings=BLUE_GREEN),
    Scenario("blue-green rollback", _rollback, settings=BLUE_GREEN),
    Scenario("blue-green abort", _abort, {f"buzzybuzz/buzzy-api:{NEXT}": "never-ready"}, settings=BLUE_GREEN),
    Scenario("abort", _abort, {f"buzzybuzz/buzzy-api:{NEXT}": "never-ready"}),
    Scenario(
        "after a worker's crash",
        _release,
        like="release",
        crash=Crash(Kill.BOTH, "cluster patch deployments"),
    ),
    Scenario(
        "after a bot's crash",
        _release,
        like="release",
        crash=Crash(Kill.BOT, "slack chat.postMessage", site="_post_line"),
    ),
)
BY_NAME = {each.name: each for each in SCENARIOS}
