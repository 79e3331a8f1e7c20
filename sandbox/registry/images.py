"""Pushing images that hold nothing: a configuration, one empty layer, a manifest. No engine needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import httpx

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NO_FILES = b"\0" * 1024
"""A tar archive of nothing."""

Json = dict[str, Any]


def push_image(  # noqa: PLR0913 - what an image is made of
    client: httpx.Client,
    repository: str,
    tag: str | None,
    *,
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    architecture: str = "amd64",
) -> str:
    """Push an image; its digest. `client` has the registry as its base URL. Without a tag it has none."""
    layer = _push_blob(client, repository, NO_FILES, LAYER)
    configuration = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": [f"{k}={v}" for k, v in (env or {}).items()], "Labels": dict(labels or {})},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _push_blob(client, repository, _bytes(configuration), CONFIGURATION),
        "layers": [layer],
        "annotations": {"org.opencontainers.image.ref.name": f"{repository}:{tag or architecture}"},
    }
    return _push_manifest(client, repository, tag, manifest)


def push_index(client: httpx.Client, repository: str, tag: str, images: Mapping[str, str]) -> str:
    """Push an index of images that were pushed before, by architecture; its digest."""
    manifests = []
    for architecture, digest in images.items():
        size = int(
            client.head(f"/v2/{repository}/manifests/{digest}", headers={"Accept": MANIFEST}).headers[
                "Content-Length"
            ]
        )
        platform = {"architecture": architecture, "os": "linux"}
        manifests.append({"mediaType": MANIFEST, "digest": digest, "size": size, "platform": platform})
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    return _push_manifest(client, repository, tag, index)


def _push_manifest(client: httpx.Client, repository: str, tag: str | None, manifest: Json) -> str:
    content = _bytes(manifest)
    digest = _sha256(content)
    answer = client.put(
        f"/v2/{repository}/manifests/{tag or digest}",
        content=content,
        headers={"Content-Type": manifest["mediaType"]},
    )
    answer.raise_for_status()
    return digest


def _push_blob(client: httpx.Client, repository: str, content: bytes, media_type: str) -> Json:
    digest = _sha256(content)
    begun = client.post(f"/v2/{repository}/blobs/uploads/")
    begun.raise_for_status()
    location = httpx.URL(urljoin(str(client.base_url), begun.headers["Location"]))
    answer = client.put(
        location.copy_merge_params({"digest": digest}),
        content=content,
        headers={"Content-Type": "application/octet-stream"},
    )
    answer.raise_for_status()
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _bytes(thing: Json) -> bytes:
    return json.dumps(thing, sort_keys=True).encode()


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
