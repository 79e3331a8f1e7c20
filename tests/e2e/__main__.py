"""Says what the end-to-end tests are going to run against, and builds it if it is not there yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.e2e.conftest import given_cluster
from tests.e2e.controlplane.build import BuildError, commands


def versions() -> str:
    """The line that is printed first. Raises `BuildError` when there is nothing to run against."""
    if os.environ.get("BUZZY_E2E") == "kubeconfig" and (kubeconfig := os.environ.get("KUBECONFIG")):
        given = given_cluster(kubeconfig)
        return f"End to end against {given.name}, Kubernetes {given.version}."
    folder = commands()
    said = {name: _said(str(folder / name), "--version") for name in ("kube-apiserver", "etcd")}
    kubectl = json.loads(_said(str(folder / "kubectl"), "version", "--client", "--output=json"))
    return (
        f"End to end against a control plane of this machine: {said['kube-apiserver'].strip()}, "
        f"{said['etcd'].splitlines()[0]}, kubectl {kubectl['clientVersion']['gitVersion']}."
    )


def _said(*arguments: str) -> str:
    done = subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=60)  # noqa: S603 - our own programs
    return done.stdout


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{versions()}\n")
    except BuildError as error:
        sys.exit(str(error))
