"""A registry that speaks the OCI distribution API (https://github.com/opencontainers/distribution-spec)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import urljoin

from workers.registry.asking import Answer, RegistryHttp
from workers.registry.errors import RegistryAnswerError
from workers.registry.logins import Logins
from workers.registry.places import Place, place_of
from workers.registry.port import ImageConfiguration

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPT = ", ".join((*INDEXES, *MANIFESTS))

# The specification asks clients to take manifests of 4 MiB at least.
MANIFEST_BYTES = 4 * 1024 * 1024
CONFIGURATION_BYTES = 8 * 1024 * 1024
TAGS_BYTES = 4 * 1024 * 1024
PAGES, PAGE = 20, 1000

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class OciRegistry:
    """The registry that buzzy.yaml names, and others that images name themselves."""

    def __init__(self, address: str, logins: Logins) -> None:
        """Nothing is connected before the first question. Not for sharing across a fork."""
        self._address = address
        self._http = RegistryHttp(logins)

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def digest(self, image: str, tag: str) -> str:
        """The digest of what a tag is now.

        Asked for with HEAD, which Docker Hub does not count; a registry that leaves the digest out of its
        answer has to show the manifest, and the digest is computed.
        """
        place = place_of(image, self._address)
        path = f"manifests/{tag}"
        answer = self._http.ask(place, path, method="HEAD", accept=_ACCEPT, at_most=MANIFEST_BYTES, about=tag)
        told = str(answer.headers.get("Docker-Content-Digest", ""))
        if not _DIGEST.fullmatch(told) or _type(answer) not in INDEXES + MANIFESTS:
            answer = self._http.ask(place, path, accept=_ACCEPT, at_most=MANIFEST_BYTES, about=tag)
            told = _sha256(answer.content)
        if _type(answer) not in INDEXES + MANIFESTS:
            raise RegistryAnswerError(
                place.host, f"a kind of image for {place.repository}:{tag} that is too old"
            )
        return told

    def tags(self, image: str) -> tuple[str, ...]:
        """All tags of a repository: as many pages of them as are reasonable."""
        place = place_of(image, self._address)
        tags: list[str] = []
        page: str | None = f"tags/list?n={PAGE}"
        for _ in range(PAGES):
            if page is None:
                break
            answer = self._http.ask(place, page, accept="application/json", at_most=TAGS_BYTES)
            found = _json(place, answer.content).get("tags") or []
            tags += [tag for tag in found if isinstance(tag, str)]
            page = answer.next_page and _under(place, answer.next_page)
        return tuple(tags)

    def configuration(self, image: str, digest: str) -> ImageConfiguration:
        """What the image of that digest says of itself; each part is held to its digest."""
        place = place_of(image, self._address)
        manifest = self._manifest(place, digest)
        if "manifests" in manifest:
            manifest = self._manifest(place, _of_platform(place, manifest["manifests"]))
        blob = _digest_in(place, manifest.get("config"))
        answer = self._http.ask(place, f"blobs/{blob}", at_most=CONFIGURATION_BYTES, about=blob)
        _held(place, blob, answer.content)
        inner = _json(place, answer.content).get("config")
        inner = inner if isinstance(inner, dict) else {}
        env = [str(each).partition("=") for each in inner.get("Env") or ()]
        labels = inner.get("Labels")
        return ImageConfiguration(
            env={name: value for name, _, value in env},
            labels={str(k): str(v) for k, v in labels.items()} if isinstance(labels, dict) else {},
        )

    def _manifest(self, place: Place, digest: str) -> dict[str, Any]:
        answer = self._http.ask(
            place, f"manifests/{digest}", accept=_ACCEPT, at_most=MANIFEST_BYTES, about=digest
        )
        _held(place, digest, answer.content)
        return _json(place, answer.content)


def _of_platform(place: Place, manifests: object) -> str:
    """The one that Buzzy's nodes most likely run: what is asked of it is the same on all platforms."""
    found = [each for each in manifests if isinstance(each, dict)] if isinstance(manifests, list) else []
    platforms = [(each, each.get("platform") or {}) for each in found]
    linux = [(each, platform) for each, platform in platforms if platform.get("os", "linux") == "linux"]
    common = [each for each, platform in linux if platform.get("architecture") == "amd64"]
    chosen = next(iter(common or [each for each, _ in linux]), None)
    return _digest_in(place, chosen)


def _digest_in(place: Place, descriptor: object) -> str:
    digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise RegistryAnswerError(place.host, f"a manifest of {place.repository} that cannot be read")
    return digest


def _held(place: Place, digest: str, content: bytes) -> None:
    if _sha256(content) != digest:
        raise RegistryAnswerError(
            place.host, f"something of {place.repository} that is not what its digest names"
        )


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _type(answer: Answer) -> str:
    return str(answer.headers.get("Content-Type", "")).partition(";")[0].strip()


def _json(place: Place, content: bytes) -> dict[str, Any]:
    try:
        thing = json.loads(content)
    except ValueError as error:
        raise RegistryAnswerError(place.host, "something that is no JSON") from error
    if not isinstance(thing, dict):
        raise RegistryAnswerError(place.host, "JSON that says something else")
    return thing


def _under(place: Place, link: str) -> str | None:
    """The next page, if it is one of the same registry: the login is sent along."""
    url = urljoin(f"{place.address}/", link)
    return url if url.startswith(f"{place.address}/") else None
