"""How a registry says what it wants to know first: `WWW-Authenticate` (RFC 9110). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.request import parse_http_list, parse_keqv_list


@dataclass(frozen=True)
class Challenge:
    """One scheme that the registry takes: `basic`, `bearer`."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def challenge_of(headers: Iterable[str]) -> Challenge | None:
    """The first challenge that can be met; None when there is none."""
    for header in headers:
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() not in {"basic", "bearer"}:
            continue
        pairs = [pair for pair in parse_http_list(rest) if "=" in pair]
        parameters = {name.lower(): value for name, value in parse_keqv_list(pairs).items()}
        if scheme.lower() == "basic" or "realm" in parameters:
            return Challenge(scheme.lower(), parameters)
    return None
