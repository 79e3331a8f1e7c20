"""Names of container images: repository, tag, digest. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from releases.version import InvalidVersion, Version

_HUB = ("docker.io/", "index.docker.io/", "registry-1.docker.io/")


@dataclass(frozen=True)
class Image:
    """An image as a pod template names it."""

    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Image:
        """The parts of a name; with a digest, the tag is only what people call it."""
        name, _, digest = text.partition("@")
        repository, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:  # the colon of a registry's port
            return cls(name, None, digest or None)
        return cls(repository, tag, digest or None)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}@{self.digest}" if self.digest else f"{self.repository}{tag}"

    @property
    def version(self) -> Version | None:
        """The version that the tag is; None if it is none."""
        try:
            return Version.parse(self.tag or "")
        except InvalidVersion:
            return None

    def is_of(self, repository: str) -> bool:
        """Whether it is of that repository, however long its name is written."""
        return _full(self.repository) == _full(repository)


def _full(repository: str) -> str:
    """Without the default registry's names in front, as container runtimes complete them."""
    for prefix in _HUB:
        repository = repository.removeprefix(prefix)
    return repository.removeprefix("library/")
