"""What a pod's numbers are, by its image: as they should be, or wrong in one way from some age on."""

from __future__ import annotations

from dataclasses import dataclass, replace

REQUESTS = 20.0
"""Requests a second that each pod answers."""


@dataclass(frozen=True)
class Numbers:
    """What is measured of one pod: seconds, shares, cores, bytes, people."""

    errors: float = 0.001
    p50: float = 0.060
    p95: float = 0.180
    p99: float = 0.400
    content: float = 0.97
    requests: float = REQUESTS
    cpu: float = 0.20
    memory: float = 180 * 2**20
    storage: float = 0.41
    users: float = 12.0
    failed_checkouts: float = 0.0
    """A second, as the application itself counts them."""


WELL = Numbers()
WRONG = {
    "errors": replace(WELL, errors=0.084, content=0.90),
    "slow-answers": replace(WELL, p50=0.210, p95=0.620, p99=1.900, content=0.71),
    "hungry": replace(WELL, memory=900 * 2**20),
    "busy": replace(WELL, cpu=0.85),
    "deserted": replace(WELL, requests=1.5, users=1.0),
    "failing-checkouts": replace(WELL, failed_checkouts=0.5),
}
"""What tags ask for: `-errors` at their end, or a table says it of a tag that looks like any other."""

WELL_FOR_SECONDS = 6.0
"""So long they are well at first, at speed 1: what is wrong shows under load."""


def numbers_of(image: str, age: float, table: dict[str, str], speed: float) -> Numbers:
    """The numbers of a pod of that age in seconds. `table` says what is wrong, by tag or whole image."""
    bare = image.partition("@")[0]
    tag = bare.rpartition(":")[2]
    wrong = (
        table.get(bare) or table.get(tag) or next((name for name in WRONG if tag.endswith(f"-{name}")), None)
    )
    return WELL if wrong is None or age * speed < WELL_FOR_SECONDS else WRONG[wrong]
