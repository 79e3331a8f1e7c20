"""What the workers ask of a registry: three questions, no changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class ImageConfiguration:
    """What an image says of itself."""

    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


class Registry(Protocol):
    """An image registry. Every call is bounded in time and raises `RegistryError`s only.

    Images are named by their repository, as `buzzy.yaml` and pod templates have it.
    """

    def digest(self, image: str, tag: str) -> str:
        """The digest (`sha256:…`) of what a tag is now; of a multi-platform image, that of its index.

        Raises `ImageMissingError`.
        """
        ...

    def tags(self, image: str) -> tuple[str, ...]:
        """All tags of a repository, in no order. Raises `ImageMissingError` if there is none of it."""
        ...

    def configuration(self, image: str, digest: str) -> ImageConfiguration:
        """What the image of that digest says of itself.

        Of a multi-platform image it is the one for linux/amd64, or else the first for Linux.
        """
        ...

    def close(self) -> None:
        """Let the connections go."""
        ...
