"""Quantities (`500m`, `1Gi`) and counts that may be percentages (`25%`)."""

import math
import re
from decimal import Decimal

from sandbox.cluster.objects import Json

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_FORM = re.compile(r"^([+-]?\d+(?:\.\d*)?|\.\d+)(?:(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE])|[eE]([+-]?\d+))?$")


def parse_quantity(text: object) -> Decimal:
    """Return a quantity's value.

    Raises:
        ValueError: It is not a quantity.
    """
    found = _FORM.match(str(text).strip())
    if not found:
        raise ValueError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    number, suffix, exponent = Decimal(found[1]), found[2] or "", found[3]
    if suffix in _BINARY:
        return number * _BINARY[suffix]
    return number.scaleb(int(exponent) if exponent else _DECIMAL[suffix])


def canonical_quantity(text: object) -> str:
    """Write a quantity as the API server gives it back: the largest suffix that keeps it whole."""
    value = parse_quantity(text)
    found = _FORM.match(str(text).strip())
    if found and found[2] in _BINARY and value == value.to_integral_value():
        return _in_binary(int(value))
    if value == 0:
        return "0"
    for suffix, power in sorted(_DECIMAL.items(), key=lambda item: -item[1]):
        scaled = value.scaleb(-power)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    return f"{math.ceil(value.scaleb(9))}n"


def canonical_quantities(quantities: Json) -> Json:
    """Write all quantities of a map in the API server's form; ValueError when one is none."""
    return {name: canonical_quantity(value) for name, value in quantities.items()}


def int_or_percent(value: object, total: int, *, round_up: bool) -> int:
    """Resolve a count such as `1` or `25%` of a total."""
    if isinstance(value, str) and value.endswith("%"):
        exact = int(value[:-1]) * total / 100
        return math.ceil(exact) if round_up else math.floor(exact)
    return int(str(value))


def _in_binary(value: int) -> str:
    for suffix, size in reversed(_BINARY.items()):
        if value and value % size == 0:
            return f"{value // size}{suffix}"
    return str(value)
