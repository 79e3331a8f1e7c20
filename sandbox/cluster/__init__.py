"""A Kubernetes cluster in one process: the API that release workers use, and the controllers behind it.

It is there to develop and test against, and for the demo. It keeps to the interface of the real thing, down
to the wording of errors, and misbehaves on purpose where an image's tag says so.
"""

from sandbox.cluster.access import Rule
from sandbox.cluster.api.faults import Fault
from sandbox.cluster.cluster import ADMIN_TOKEN, Cluster, running_cluster
from sandbox.cluster.seed import SERVICES_OF_BUZZY, SeedService

__all__ = ["ADMIN_TOKEN", "SERVICES_OF_BUZZY", "Cluster", "Fault", "Rule", "SeedService", "running_cluster"]
