"""`python -m sandbox.workspace`: a workspace as a process of its own, until it is interrupted."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import replace

from sandbox.workspace.running import start_workspace
from sandbox.workspace.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Start, print one line of JSON that says where and with which tokens, and serve."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.workspace", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--request-url", help="deliver by signed HTTP requests instead of Socket Mode")
    parser.add_argument("--signing-secret", help="sign them with this")
    parser.add_argument("--rate-limits", action="store_true", help="answer 429 at Slack's rates")
    options = parser.parse_args(arguments)
    settings = replace(Settings(), rate_limits=options.rate_limits)
    if options.signing_secret:
        settings = replace(settings, signing_secret=options.signing_secret)

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with start_workspace(settings, port=options.port) as workspace:
        if options.request_url:
            workspace.deliver_to(options.request_url)
        told = {"url": workspace.url, **workspace.environment()}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
