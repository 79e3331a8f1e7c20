"""Which cluster an environment is in, and a connection to it.

A connection is made by the process that uses it: workers fork for each job, and a socket that two processes
share mixes up their answers. The parent only loads the client's code, which takes most of a second.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from kubernetes import client, config

from workers.cluster.errors import ClusterUnknownError
from workers.cluster.kube import KubernetesCluster
from workers.cluster.parse import one_line
from workers.cluster.port import Cluster

Clusters = Callable[[str | None], Cluster]
"""Gives the cluster of a kubeconfig context, or of no context: the one that Buzzy runs in, or else the
kubeconfig's current one. Raises `ClusterError`."""


class Connections:
    """Connections of this process, one for each context."""

    def __init__(self, kubeconfig: str | None) -> None:
        """`kubeconfig` is a path, or several with colons between; None for kubectl's own default."""
        self._kubeconfig = kubeconfig
        self._made: dict[tuple[int, str | None], KubernetesCluster] = {}
        self._lock = threading.Lock()

    def __call__(self, context: str | None) -> Cluster:
        """The cluster of that context."""
        key = (os.getpid(), context)
        with self._lock:
            if key not in self._made:
                self._made[key] = KubernetesCluster(client.ApiClient(self._configuration(context)))
            return self._made[key]

    def warm(self) -> None:
        """Load what the client loads at its first use, so that forked processes have it. Connects nowhere."""
        KubernetesCluster(client.ApiClient(client.Configuration()))

    def _configuration(self, context: str | None) -> client.Configuration:
        configuration = client.Configuration()
        configuration.keep_alive = True
        # Whether and when to try again is decided by type of error, not inside the transport.
        configuration.retries = False
        try:
            if context is None and "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call] # so shipped
            else:
                config.load_kube_config(  # type: ignore[no-untyped-call] # so shipped
                    config_file=self._kubeconfig,
                    context=context,
                    client_configuration=configuration,
                    persist_config=False,
                )
        except (config.ConfigException, OSError) as error:
            where = "the cluster" if context is None else f"the cluster of context {context}"
            raise ClusterUnknownError(f"it is not known where {where} is ({one_line(str(error))})") from error
        return configuration
