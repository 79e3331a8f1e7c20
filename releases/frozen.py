"""Values that never change, and the one text and the one name that each of them has."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict

Json = dict[str, Any]
"""A JSON object as Kubernetes gives it; opaque to us but for the fields that we name."""


class Frozen(BaseModel):
    """Data that is made once and never changed; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def canonical_json(value: object) -> str:
    """One text for one value: sorted keys, no spaces, no characters that need a second look."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(value: object) -> str:
    """The SHA-256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
