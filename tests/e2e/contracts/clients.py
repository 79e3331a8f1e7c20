"""The workers' own client, as contracts use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.e2e.contracts.worlds import Place, eventually
from workers.cluster import Cluster, DeploymentSeen
from workers.cluster.connections import Connections
from workers.cluster.kube import KubernetesCluster


@contextmanager
def connected(kubeconfig: Path) -> Iterator[Cluster]:
    """A client whose connections are closed at the end; the workers' own last as long as their process."""
    made = Connections(str(kubeconfig))(None)
    yield made
    assert isinstance(made, KubernetesCluster)
    made._core.api_client.rest_client.pool_manager.clear()


def settled(cluster: Cluster, place: Place, name: str) -> DeploymentSeen:
    """The Deployment, as soon as its rollout is over."""

    def over() -> DeploymentSeen | None:
        found = cluster.deployment(place.name, name)
        is_over = (
            found.observed_generation == found.generation and found.updated == found.pods == found.wanted
        )
        progressing = found.condition("Progressing")
        is_told = progressing is not None and progressing.reason == "NewReplicaSetAvailable"
        return found if is_over and is_told and found.available == found.wanted else None

    return eventually(over)


def plain(value: Any) -> Any:  # noqa: ANN401 - any of the client's values
    """A value as JSON, so that it can be compared."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return "<version>" if isinstance(value, str) and value.isdecimal() and int(value) > 20 else value
