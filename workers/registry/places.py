"""Where an image's repository is: which registry, under which name. Pure.

The rules are those of container runtimes (github.com/distribution/reference, normalize.go): a name's first
part is a registry if it has a dot or a colon or is `localhost`; without one it is Docker Hub's, where
`node` is `library/node`. `registry:` of buzzy.yaml takes Docker Hub's place for names without a registry.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

HUB = "registry-1.docker.io"
_HUB_NAMES = {
    "docker.io",
    "index.docker.io",
    "www.docker.io",
    "registry.hub.docker.com",
    "hub.docker.com",
    HUB,
}


@dataclass(frozen=True)
class Place:
    """A repository: the address of its registry, without a slash at its end, and its name there."""

    address: str
    repository: str

    @property
    def host(self) -> str:
        """The registry as people know it."""
        return urlsplit(self.address).netloc


def place_of(image: str, registry: str) -> Place:
    """Where `image` is looked up when buzzy.yaml names `registry`, an http or https address."""
    configured = _address(registry)
    first, slash, rest = image.partition("/")
    if not slash or not _is_host(first):
        return Place(configured, _completed(configured, image))
    if first == urlsplit(configured).netloc or host_of(first) == host_of(urlsplit(configured).netloc):
        return Place(configured, _completed(configured, rest))
    address = f"https://{host_of(first)}"
    return Place(address, _completed(address, rest))


def host_of(name: str) -> str:
    """A registry's host in one form, from a host, an address, or a key of a docker config.json."""
    host = name.partition("://")[2] or name
    host = host.partition("/")[0].lower()
    return HUB if host in _HUB_NAMES else host


def _address(registry: str) -> str:
    parts = urlsplit(registry)
    return f"{parts.scheme}://{host_of(parts.netloc)}"


def _is_host(part: str) -> bool:
    return "." in part or ":" in part or part == "localhost"


def _completed(address: str, repository: str) -> str:
    hub = urlsplit(address).netloc == HUB
    return f"library/{repository}" if hub and "/" not in repository else repository
