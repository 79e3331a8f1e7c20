"""Limits of metrics as people write them in a file: `2%`, `500ms`, `1.5Gi`, `1.3x`, or a bare number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from releases.monitoring import Unit

_WRITTEN = r"^([0-9]{1,12}(?:\.[0-9]{1,6})?) ?(%|x|ms|s|Ki|Mi|Gi)?$"
_FACTORS: dict[str, tuple[float, Unit]] = {
    "": (1, ""),
    "%": (0.01, "share"),
    "ms": (0.001, "seconds"),
    "s": (1, "seconds"),
    "Ki": (2**10, "bytes"),
    "Mi": (2**20, "bytes"),
    "Gi": (2**30, "bytes"),
}
_SAID = {"share": "2%", "seconds": "500ms", "bytes": "512Mi"}


@dataclass(frozen=True)
class Limit:
    """A limit. `times` says that it is a multiple of what was measured of the version before."""

    value: float
    unit: Unit = ""
    times: bool = False

    def fits(self, unit: Unit) -> str | None:
        """Why it cannot be a limit of a metric in `unit`; None when it can."""
        if self.times or self.unit == unit:
            return None
        wanted = _SAID.get(unit)
        if wanted is not None:
            return f"is not in the metric's unit: write it like {wanted}, or like 1.3x"
        return (
            None
            if not self.unit
            else "has a unit that the metric does not have: write a bare number, or 1.3x"
        )


def parse_limit(text: str) -> Limit:
    """A limit from text. Raises `ValueError` with a sentence for the person who wrote it."""
    found = re.fullmatch(_WRITTEN, text.strip())
    if found is None:
        raise ValueError("is no limit: write it like 2%, 500ms, 512Mi, 1.3x or 5")
    number, unit = float(found[1]), found[2] or ""
    if unit == "x":
        if not number:
            raise ValueError("must be more than nothing, such as 1.3x")
        return Limit(number, times=True)
    factor, of = _FACTORS[unit]
    return Limit(number * factor, of)


def _read(value: object) -> object:
    if isinstance(value, bool):
        return value
    return (
        parse_limit(f"{value:f}" if isinstance(value, float) else str(value))
        if isinstance(value, str | int | float)
        else value
    )


def _write(limit: Limit) -> str:
    """The text that is read back, for the defaults of the schema."""
    return f"{limit.value:g}{'x' if limit.times else ''}"


Amount = Annotated[
    Limit,
    BeforeValidator(_read),
    PlainSerializer(_write, return_type=str),
    WithJsonSchema({"type": ["string", "number"], "pattern": _WRITTEN, "examples": ["2%", "500ms", "1.3x"]}),
]
"""A limit in a model."""
