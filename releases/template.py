"""A pod template, as plans hold it: what a service runs, whole."""

from __future__ import annotations

from pydantic import Field

from releases.frozen import Frozen, Json, digest_of


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
