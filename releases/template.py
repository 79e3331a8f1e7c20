"""Pod templates and what all data of a plan has in common: frozen, and named by a digest of its content."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Json = dict[str, Any]
"""A JSON object as Kubernetes gives it; opaque to us but for the fields that we name."""


def canonical_json(value: object) -> str:
    """One text for one value: sorted keys, no spaces, no characters that need a second look."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(value: object) -> str:
    """The SHA-256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


class Frozen(BaseModel):
    """Data that is made once and never changed; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Template(Frozen):
    """A Deployment's pod template at one revision.

    `spec` is the whole template as the API server returns it, without the `pod-template-hash` label that
    the controller adds: going back restores all of it, as `kubectl rollout undo` does, not the image alone.
    """

    image: str
    version: str | None = Field(description="what the image's tag says; None if it is no version")
    revision: int | None = Field(description="the rollout revision that has it; None if none has it yet")
    spec: Json

    @property
    def digest(self) -> str:
        """Names the template by content; two templates are the same when their digests are."""
        return digest_of(self.spec)
