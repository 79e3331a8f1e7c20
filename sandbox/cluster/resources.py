"""The catalogue: every resource that the cluster serves, and what can be done with it."""

from dataclasses import dataclass

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Resource:
    """One kind of object, as it is named in paths, in bodies and in messages."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    counts_generations: bool = False
    """Whether metadata.generation follows the changes of the spec."""
    unconditional_update: bool = True
    """Whether a PUT without a resourceVersion may overwrite whatever is there."""
    created_by_update: bool = False
    """Whether a PUT makes what is not there."""
    returns_deleted: bool = False
    """Whether DELETE answers with the object rather than with a Status."""

    @property
    def api_version(self) -> str:
        """The apiVersion of its objects: `apps/v1`, or `v1` in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name in messages: `deployments.apps`, or `pods` in the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """The kind in messages: `Deployment.apps`, or `Pod` in the core group."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def has_status(self) -> bool:
        """Whether the status is written through its own subresource only."""
        return "status" in self.subresources


NAMESPACES = Resource(
    "", "v1", "namespaces", "Namespace", namespaced=False, short=("ns",), subresources=("status", "finalize")
)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False, short=("no",), subresources=("status",))
PODS = Resource(
    "",
    "v1",
    "pods",
    "Pod",
    short=("po",),
    categories=("all",),
    subresources=("status", "log"),
    returns_deleted=True,
)
SERVICES = Resource(
    "",
    "v1",
    "services",
    "Service",
    short=("svc",),
    categories=("all",),
    subresources=("status",),
    returns_deleted=True,
)
ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints", short=("ep",))
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", short=("cm",))
SECRETS = Resource("", "v1", "secrets", "Secret")
EVENTS = Resource("", "v1", "events", "Event", short=("ev",))
SERVICE_ACCOUNTS = Resource(
    "", "v1", "serviceaccounts", "ServiceAccount", short=("sa",), returns_deleted=True
)
RESOURCE_QUOTAS = Resource(
    "",
    "v1",
    "resourcequotas",
    "ResourceQuota",
    short=("quota",),
    subresources=("status",),
    returns_deleted=True,
)
DEPLOYMENTS = Resource(
    "apps",
    "v1",
    "deployments",
    "Deployment",
    short=("deploy",),
    categories=("all",),
    subresources=("status", "scale"),
    counts_generations=True,
)
REPLICA_SETS = Resource(
    "apps",
    "v1",
    "replicasets",
    "ReplicaSet",
    short=("rs",),
    categories=("all",),
    subresources=("status", "scale"),
    counts_generations=True,
)
JOBS = Resource(
    "batch", "v1", "jobs", "Job", categories=("all",), subresources=("status",), counts_generations=True
)
LEASES = Resource(
    "coordination.k8s.io", "v1", "leases", "Lease", unconditional_update=False, created_by_update=True
)
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
NEW_EVENTS = Resource("events.k8s.io", "v1", "events", "Event", short=("ev",), verbs=("get", "list", "watch"))
AUTOSCALERS = Resource(
    "autoscaling",
    "v2",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
    short=("hpa",),
    categories=("all",),
    subresources=("status",),
)
DISRUPTION_BUDGETS = Resource(
    "policy",
    "v1",
    "poddisruptionbudgets",
    "PodDisruptionBudget",
    short=("pdb",),
    subresources=("status",),
    counts_generations=True,
    unconditional_update=False,
)
ACCESS_REVIEWS = Resource(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    namespaced=False,
    verbs=("create",),
)
RULES_REVIEWS = Resource(
    "authorization.k8s.io",
    "v1",
    "selfsubjectrulesreviews",
    "SelfSubjectRulesReview",
    namespaced=False,
    verbs=("create",),
)

STORED = (
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    ENDPOINTS,
    CONFIG_MAPS,
    SECRETS,
    EVENTS,
    SERVICE_ACCOUNTS,
    RESOURCE_QUOTAS,
    DEPLOYMENTS,
    REPLICA_SETS,
    JOBS,
    LEASES,
    ENDPOINT_SLICES,
    AUTOSCALERS,
    DISRUPTION_BUDGETS,
)
CATALOGUE = (*STORED, NEW_EVENTS, ACCESS_REVIEWS, RULES_REVIEWS)

_BY_PATH = {(resource.group, resource.version, resource.plural): resource for resource in CATALOGUE}
_BY_KIND = {(resource.api_version, resource.kind): resource for resource in STORED}


def resource_at(group: str, version: str, plural: str) -> Resource | None:
    """Find a resource by the parts of its path."""
    return _BY_PATH.get((group, version, plural))


def resource_of_kind(api_version: str, kind: str) -> Resource | None:
    """Find a stored resource by what its objects call themselves."""
    return _BY_KIND.get((api_version, kind))


def groups() -> dict[str, list[str]]:
    """Return the named API groups with their versions, in the catalogue's order."""
    found: dict[str, list[str]] = {}
    for resource in CATALOGUE:
        versions = found.setdefault(resource.group, []) if resource.group else []
        if resource.version not in versions:
            versions.append(resource.version)
    return found
