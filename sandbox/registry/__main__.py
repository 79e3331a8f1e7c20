"""`python -m sandbox.registry`: a registry of one's own with Buzzy's images, until it is interrupted."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from sandbox.registry import RegistryApp, push_image
from sandbox.serving import serve

REPOSITORIES = tuple(f"buzzybuzz/buzzy-{name}" for name in ("main", "api", "files", "worker"))
WRONG = ("crash", "never-ready", "slow", "oom", "flaky", "errors", "slow-answers", "hungry")
MISBEHAVING = tuple(f"3.2.3-{each}" for each in WRONG)
"""Pre-releases whose pods do what they say, in the sandbox's cluster and its metrics."""

VERSIONS = ("3.1.4", "3.2.0", "3.2.1", "3.2.2", *MISBEHAVING, "3.3.0-rc.1", "3.3.0", "4.0.0", "4.1.0")
NOTES = """<!doctype html><html><head><title>Buzzy {version}</title></head><body><nav>All versions</nav><main>
<h1>Buzzy {version}</h1><p>What is new:</p><ul>
<li>Exports no longer time out.</li><li>The list of files loads in half the time.</li></ul>
<p>Nothing has to be done by hand.</p></main></body></html>"""

NODE = {"4.0.0": "16.0.0", "4.1.0": "18.20.4"}
"""Versions that are built on another Node.js than the rest."""


async def _notes(request: Request) -> Response:
    """The release notes of a version, as a page."""
    version = request.path_params["version"]
    if version not in VERSIONS:
        return HTMLResponse("<h1>There is no such version</h1>", 404)
    return HTMLResponse(NOTES.format(version=version))


def main() -> None:
    """Start, push what Buzzy released so far, and say where it is in one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.registry", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    app = Starlette(routes=[Route("/notes/{version}", _notes), Mount("/", RegistryApp().app)])
    with serve(app, port=options.port) as served:
        with httpx.Client(base_url=served.url) as client:
            for repository in REPOSITORIES:
                for version in VERSIONS:
                    push_image(
                        client, repository, version, env={"NODE_VERSION": NODE.get(version, "14.21.3")}
                    )
        sys.stdout.write(json.dumps({"url": served.url}) + "\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
