"""One call of the official client: bounded in time, its answer left as JSON, its troubles translated."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from workers.cluster.seen import Json
from workers.cluster.translate import Request, translated

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
WATCH_SECONDS = 30
MANAGER = "buzzy"

# Without a read timeout a connection whose other end is gone hangs for ever.
TIMES = (CONNECT_SECONDS, READ_SECONDS)
WATCH_TIMES = (CONNECT_SECONDS, WATCH_SECONDS + READ_SECONDS)

Call = Callable[..., Any]
"""A method of the client's generated classes."""


@dataclass(frozen=True)
class Listing:
    """A list of one namespace, and the watch behind it."""

    request: Request
    call: Call
    selector: Mapping[str, str]

    def list(self) -> Json:
        """The whole list."""
        request = Request("list", self.request.resource, self.request.namespace)
        return ask(request, self.call, self.request.namespace, **self.selector)

    def watch(self, version: str) -> urllib3.BaseHTTPResponse:
        """The changes behind that version."""
        with translated(self.request):
            response: urllib3.BaseHTTPResponse = self.call(
                self.request.namespace,
                watch=True,
                resource_version=version,
                allow_watch_bookmarks=True,
                timeout_seconds=WATCH_SECONDS,
                **self.selector,
                _preload_content=False,
                _request_timeout=WATCH_TIMES,
            )
        return response


def ask(request: Request, call: Call, *args: object, **options: object) -> Json:
    """One call, bounded in time, its answer as JSON."""
    with translated(request):
        answer = call(*args, **options, _preload_content=False, _request_timeout=TIMES)
        thing: Json = json.loads(answer.data)
    return thing
