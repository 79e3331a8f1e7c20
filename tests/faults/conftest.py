"""What the tests under faults share: a cluster of their own, faster than at leisure.

With `BUZZY_FAULTS_ON=plane` it is the control plane of the end-to-end tests, which has to be built before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sandbox.cluster import running_cluster
from tests.e2e.arenas import Arena, RealArena, SandboxArena
from tests.e2e.controlplane.plane import ControlPlane

SPEED = 8.0


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """The cluster that is released to."""
    if os.environ.get("BUZZY_FAULTS_ON") == "plane":
        with ControlPlane() as plane:
            yield RealArena(plane)
        return
    with running_cluster(speed=SPEED) as sandbox:
        yield SandboxArena(sandbox, tmp_path_factory.mktemp("arena"))
