"""The little that the kubelet's stand-in needs of a Kubernetes client: writes that get through, and watches.

Raw JSON over one connection pool: the typed client costs ten times as much for each object, and hides what
is sent.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import cast

import httpx

from tests.e2e.controlplane.certificates import Certificate
from tests.e2e.controlplane.podstatus import Json

MERGE = "application/merge-patch+json"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
# What was to be written is gone, was replaced by another of the same name, or its namespace is being deleted.
_OVERTAKEN = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN}


def client_tls(authority: Path, own: Certificate) -> ssl.SSLContext:
    """Return how a client with this certificate speaks to a server of this authority."""
    context = ssl.create_default_context(cafile=str(authority))
    context.load_cert_chain(own.certificate, own.key)
    return context


class Api:
    """A client that outlives outages of the API server."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        # No limit of connections: each pod may be writing while the watch holds one for itself.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=10)
        self._http = httpx.AsyncClient(base_url=url, verify=tls, timeout=10, limits=limits, trust_env=False)
        self._sending: set[asyncio.Task[httpx.Response]] = set()

    async def aclose(self) -> None:
        """Let what is being sent be answered, and close all connections."""
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._http.aclose()

    async def list(self, collection: str) -> tuple[list[Json], str]:
        """Return all objects of a collection (path and selector), and the version from which to watch it."""
        answer = (await self._through("GET", collection)).json()
        return answer["items"], answer["metadata"]["resourceVersion"]

    async def watch(self, collection: str, version: str) -> AsyncIterator[tuple[str, Json]]:
        """Yield each change of a collection after a version, until the API server ends the watch.

        Raises:
            httpx.HTTPError: The watch could not be begun, or broke off.
        """
        waiting = httpx.Timeout(10, read=None)
        path = f"{collection}&watch=1&resourceVersion={version}"
        async with self._http.stream("GET", path, timeout=waiting) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                change = json.loads(line)
                if change["type"] == "ERROR":
                    return
                yield change["type"], change["object"]

    async def write(
        self, method: str, path: str, body: Json, *, content_type: str = "application/json"
    ) -> Json | None:
        """Send a write until it is answered; None when there is nothing left to write to.

        Raises:
            httpx.HTTPStatusError: The API server finds the write wrong.
        """
        answer = await self._through(method, path, json.dumps(body), content_type)
        if answer.status_code in _OVERTAKEN:
            return None
        answer.raise_for_status()
        return cast("Json", answer.json())

    async def _through(
        self, method: str, path: str, body: str | None = None, content_type: str = "application/json"
    ) -> httpx.Response:
        pause = _FIRST_PAUSE
        while True:
            try:
                answer = await self._send(method, path, body, content_type)
            except httpx.TransportError:
                pass
            else:
                if not answer.is_server_error and answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                    return answer
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _send(self, method: str, path: str, body: str | None, content_type: str) -> httpx.Response:
        """Send a request that goes on to its end also when nobody waits for it any more.

        A connection that is cancelled while it is being secured would stay open: httpcore closes it on an
        `Exception`, which a cancellation is not.
        """
        request = self._http.request(method, path, content=body, headers={"Content-Type": content_type})
        sending = asyncio.create_task(request)
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        return await asyncio.shield(sending)
