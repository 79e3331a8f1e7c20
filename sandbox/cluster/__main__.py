"""`python -m sandbox.cluster`: a cluster of one's own, until Ctrl-C."""

import argparse
import json
import signal
import sys
import tempfile
import threading
from pathlib import Path

from sandbox.cluster.cluster import Cluster


def main() -> None:
    """Start a cluster, say where it is in one line of JSON, and wait to be ended."""
    options = _options()
    behaviours = dict(pair.split("=", 1) for pair in options.behaviour)
    cluster = Cluster(speed=options.speed, behaviours=behaviours, git_version=options.git_version)
    cluster.start(port=options.port)
    if options.seed:
        cluster.seed_buzzy()
    path = cluster.kubeconfig(options.kubeconfig)
    sys.stdout.write(json.dumps({"url": cluster.url, "kubeconfig": str(path)}) + "\n")
    sys.stdout.flush()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    cluster.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.cluster", description=__doc__)
    default = Path(tempfile.gettempdir()) / "sandbox-kubeconfig.yaml"
    parser.add_argument("--port", type=int, default=0, help="port of the API; 0 takes a free one")
    parser.add_argument("--kubeconfig", type=Path, default=default, help="where to write the kubeconfig")
    parser.add_argument("--seed", action="store_true", help="create Buzzy's namespaces and deployments")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster pods come and go")
    parser.add_argument("--git-version", default="v1.37.2", help="the version that the API reports")
    parser.add_argument(
        "--behaviour",
        action="append",
        default=[],
        metavar="TAG=NAME",
        help="how an image behaves, for instance 3.3.0=crash; may be given more than once",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
