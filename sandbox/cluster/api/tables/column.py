"""A column of a table, and the ways in which times and lists are written in one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.cluster.objects import Json, now, parse_time

NONE, UNKNOWN = "<none>", "<unknown>"


@dataclass(frozen=True)
class Column:
    """A heading, what stands under it, and whether it is shown only when the table is wide (priority 1)."""

    name: str
    cell: Callable[[Json], object]
    type: str = "string"
    priority: int = 0
    format: str = ""

    def definition(self) -> Json:
        """Write the column's heading."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.name,
            "priority": self.priority,
        }


def wide(name: str, cell: Callable[[Json], object]) -> Column:
    """Make a column that only `-o wide` shows."""
    return Column(name, cell, priority=1)


def number(name: str, cell: Callable[[Json], object]) -> Column:
    """Make a column of numbers."""
    return Column(name, cell, type="integer")


def age(thing: Json) -> str:
    """Say how old an object is."""
    return since(thing["metadata"].get("creationTimestamp"))


def since(moment: str | None) -> str:
    """Say how long ago something was."""
    if not moment:
        return UNKNOWN
    return human_duration((now() - parse_time(moment)).total_seconds())


def human_duration(seconds: float) -> str:
    """Write a duration as kubectl does: two units while it is short, one when it is long."""
    total = max(int(seconds), 0)
    minutes, hours = total // 60, total // 3600
    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return _two(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(hours // 24, "d", hours % 24, "h")
    days = hours // 24
    return f"{days}d" if days < 730 else _two(days // 365, "y", days % 365, "d")


def joined(texts: Iterable[str], nothing: str = NONE) -> str:
    """Write a list with commas."""
    return ",".join(texts) or nothing


def pairs(labels: dict[str, str] | None) -> str:
    """Write labels on one line."""
    return joined(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def containers(spec: Json) -> str:
    """Name the containers of a pod specification."""
    return joined(str(container["name"]) for container in spec["containers"])


def images(spec: Json) -> str:
    """Name the images of a pod specification."""
    return joined(str(container["image"]) for container in spec["containers"])


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"
