"""The registry's API over what was pushed; in memory, for as long as the process lives.

What it answers is what Debian's docker-registry answers to the same requests; the tests hold it to that.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


@dataclass
class _Repository:
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """By digest: media type and content."""
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)


class RegistryApp:
    """An ASGI app; `app` is what is served."""

    def __init__(self) -> None:
        """Nothing was pushed yet."""
        self._repositories: dict[str, _Repository] = {}
        self.app = Starlette(
            routes=[
                Route("/v2/", self._hello),
                Route(
                    "/v2/{name:path}/manifests/{reference}", self._manifest, methods=["GET", "HEAD", "PUT"]
                ),
                Route("/v2/{name:path}/blobs/uploads/", self._begin, methods=["POST"]),
                Route("/v2/{name:path}/blobs/uploads/{id}", self._upload, methods=["PUT"]),
                Route("/v2/{name:path}/blobs/{digest}", self._blob, methods=["GET", "HEAD"]),
                Route("/v2/{name:path}/tags/list", self._tags),
            ]
        )

    async def _hello(self, _request: Request) -> Response:
        return JSONResponse({}, headers=_VERSION)

    async def _manifest(self, request: Request) -> Response:
        name, reference = request.path_params["name"], request.path_params["reference"]
        if request.method == "PUT":
            return await self._put_manifest(request, name, reference)
        repository = self._repositories.get(name)
        if repository is None:
            # Only a request for tags tells the two apart; the real one answers so too.
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        digest = repository.tags.get(reference, reference)
        if digest not in repository.manifests:
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        media_type, content = repository.manifests[digest]
        return _content(content, digest, media_type)

    async def _put_manifest(self, request: Request, name: str, reference: str) -> Response:
        content = await request.body()
        digest = _sha256(content)
        repository = self._repositories.setdefault(name, _Repository())
        repository.manifests[digest] = (request.headers["content-type"], content)
        if ":" not in reference:
            repository.tags[reference] = digest
        location = f"/v2/{name}/manifests/{digest}"
        return Response(
            status_code=201, headers={**_VERSION, "Location": location, "Docker-Content-Digest": digest}
        )

    async def _begin(self, request: Request) -> Response:
        location = f"/v2/{request.path_params['name']}/blobs/uploads/{uuid4()}"
        return Response(status_code=202, headers={**_VERSION, "Location": location})

    async def _upload(self, request: Request) -> Response:
        name, content = request.path_params["name"], await request.body()
        digest = request.query_params.get("digest", "")
        if _sha256(content) != digest:
            return _error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self._repositories.setdefault(name, _Repository()).blobs[digest] = content
        headers = {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest}
        return Response(status_code=201, headers={**_VERSION, **headers})

    async def _blob(self, request: Request) -> Response:
        name, digest = request.path_params["name"], request.path_params["digest"]
        repository = self._repositories.get(name)
        if repository is None or digest not in repository.blobs:
            return _error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        return _content(repository.blobs[digest], digest, "application/octet-stream")

    async def _tags(self, request: Request) -> Response:
        name = request.path_params["name"]
        repository = self._repositories.get(name)
        if repository is None:
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
        last, most = request.query_params.get("last", ""), int(request.query_params.get("n", "1000"))
        after = [tag for tag in sorted(repository.tags) if tag > last]
        headers = dict(_VERSION)
        if len(after) > most:
            query = urlencode({"last": after[most - 1], "n": most})
            headers["Link"] = f'</v2/{name}/tags/list?{query}>; rel="next"'
        return JSONResponse({"name": name, "tags": after[:most]}, headers=headers)


def _content(content: bytes, digest: str, media_type: str) -> Response:
    headers = {**_VERSION, "Docker-Content-Digest": digest, "Etag": f'"{digest}"'}
    return Response(content, media_type=media_type, headers=headers)


def _error(code: int, name: str, message: str) -> Response:
    body = {"errors": [{"code": name, "message": message, "detail": None}]}
    return Response(json.dumps(body), code, {**_VERSION, "Content-Type": "application/json; charset=utf-8"})


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
