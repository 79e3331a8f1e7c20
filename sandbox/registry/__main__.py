"""`python -m sandbox.registry`: a registry of one's own with Buzzy's images, until it is interrupted."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading

import httpx

from sandbox.registry import RegistryApp, push_image
from sandbox.serving import serve

REPOSITORIES = tuple(f"buzzybuzz/buzzy-{name}" for name in ("main", "api", "files", "worker"))
MISBEHAVING = tuple(f"3.2.3-{each}" for each in ("crash", "never-ready", "slow", "oom", "flaky"))
"""Pre-releases whose pods do what they say, in the sandbox's cluster."""

VERSIONS = ("3.1.4", "3.2.0", "3.2.1", "3.2.2", *MISBEHAVING, "3.3.0-rc.1", "3.3.0", "4.0.0")
NODE = {"4.0.0": "16.0.0"}
"""Versions that are built on another Node.js than the rest."""


def main() -> None:
    """Start, push what Buzzy released so far, and say where it is in one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.registry", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with serve(RegistryApp().app, port=options.port) as served:
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
