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
        """React to the newest release's message."""

    def click(self, who: str, button: str) -> None:
        """Click a button of the newest release's message."""

    def until(self, pattern: str) -> None:
        """Wait until a release's message shows something, a regular expression."""


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


PROBE = {"http": {"url": "http://127.0.0.1:9/", "within": "1s"}, "for": "1s", "name": "shop"}
"""Nobody answers there: what is watched so goes back, whatever its pods do."""

BLUE_GREEN = {"strategy": "blue-green", "blue_green": {"monitor": "1s", "delay": "1h"}}

ILL = {"monitor": {"window": "10m", "every": "1s", "triggers": [PROBE]}}


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


def _goes_back(house: House) -> None:
    house.ask(f"/buzzy release {NEXT} staging")
    _approve(house)
    house.until(f"rolled back to {STABLE} by itself")


def _there_and_back(house: House) -> None:
    """What had the traffic stands by: one switch there, one switch back."""
    _release(house)
    _rollback(house)


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
    Scenario("blue-green there and back", _there_and_back, settings=BLUE_GREEN),
    Scenario("watched and ill", _goes_back, settings=ILL),
    Scenario(
        "blue-green watched and ill",
        _goes_back,
        settings={**BLUE_GREEN, "blue_green": {"delay": "1h"}, **ILL},
    ),
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
