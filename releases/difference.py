"""What one environment has that another has not, as a worker found it. Pure.

Values of variables are not in here: some are nobody's business, and names are enough to go and look.
"""

from __future__ import annotations

from pydantic import Field

from releases.plan import Frozen

Pair = tuple[str, str]
"""What the first environment has, and what the second."""


class ServiceDifference(Frozen):
    """In what a service differs; None or empty where it does not."""

    service: str
    missing: Pair | None = Field(default=None, description="for each side why there is none; empty: there is")
    image: Pair | None = None
    version: Pair | None = Field(default=None, description="the tags")
    pinned: Pair | None = Field(
        default=None, description="digests of one tag, empty where it is not pinned: not the same image"
    )
    pods: tuple[int, int] | None = Field(default=None, description="how many the Deployment asks for")
    only_first: tuple[str, ...] = Field(default=(), description="variables that the second does not have")
    only_second: tuple[str, ...] = ()
    other_values: tuple[str, ...] = Field(default=(), description="variables of both, with different values")

    @property
    def is_any(self) -> bool:
        """Whether there is any difference."""
        return self != ServiceDifference(service=self.service)


class Difference(Frozen):
    """How two environments differ: the services that do, in rollout order, and the names of the others."""

    first: str
    second: str
    services: tuple[ServiceDifference, ...]
    same: tuple[str, ...]
