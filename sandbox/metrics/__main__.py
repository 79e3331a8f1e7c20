"""`python -m sandbox.metrics`: metrics of a cluster's pods, as Prometheus' API has them, until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading

from sandbox.metrics.answers import metrics_app
from sandbox.metrics.numbers import WRONG
from sandbox.metrics.watching import Watched
from sandbox.serving import serve
from workers.cluster.connections import Connections


def main() -> None:
    """Start, say where it is in one line of JSON, and wait to be ended."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.metrics", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--kubeconfig", required=True, help="of the cluster whose pods are measured")
    parser.add_argument("--namespace", action="append", required=True, help="may be given more than once")
    parser.add_argument("--speed", type=float, default=1.0, help="how much sooner versions go wrong")
    parser.add_argument(
        "--behaviour",
        action="append",
        default=[],
        metavar="TAG=NAME",
        help=f"what is wrong with a version, for instance 3.3.0=errors; there are {', '.join(WRONG)}",
    )
    options = parser.parse_args()
    table = dict(pair.rsplit("=", 1) for pair in options.behaviour)
    unknown = sorted(set(table.values()) - set(WRONG))
    if unknown:
        parser.error(f"there is no behaviour {unknown[0]!r}; there are: {', '.join(WRONG)}")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    cluster = Connections(options.kubeconfig)(None)
    with (
        Watched(cluster, options.namespace, table, options.speed) as watched,
        serve(metrics_app(watched.pods), port=options.port) as served,
    ):
        sys.stdout.write(json.dumps({"url": served.url}) + "\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
