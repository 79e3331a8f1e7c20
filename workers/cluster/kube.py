"""A cluster through the official client, its answers left as JSON.

Typed models cost five times as much to read, and drop what they do not know of a pod template, which has to
be written back as it was.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from kubernetes import client

from workers.cluster import following, leases, parse, writes
from workers.cluster.asking import MANAGER, TIMES, Call, Listing, ask
from workers.cluster.errors import AlreadyExistsError, ConflictError
from workers.cluster.following import Following
from workers.cluster.jobs import JobCalls
from workers.cluster.port import DeploymentMade, Kept, LeaseWrite, Right, TemplateWrite
from workers.cluster.reader import Source
from workers.cluster.seen import (
    DeploymentSeen,
    EventSeen,
    Json,
    LeaseSeen,
    PodSeen,
    QuotaSeen,
    ReplicaSetSeen,
    RolloutSeen,
)
from workers.cluster.traffic import TrafficCalls
from workers.cluster.translate import Request, translated

LOG_BYTES = 65_536
FENCE = "buzzy/fence"
"""A label, because an annotation of a Deployment counts as a new generation of it."""


class KubernetesCluster(JobCalls, TrafficCalls):
    """A cluster behind one `ApiClient`. Safe for threads; not for sharing across a fork."""

    def __init__(self, api: client.ApiClient) -> None:
        """Nothing is connected before the first call."""
        JobCalls.__init__(self, api)
        TrafficCalls.__init__(self, api)
        self._apps = client.AppsV1Api(api)
        self._coordination = client.CoordinationV1Api(api)
        self._access = client.AuthorizationV1Api(api)
        self._version = client.VersionApi(api)

    def deployments(self, namespace: str) -> tuple[DeploymentSeen, ...]:
        """All Deployments of a namespace."""
        found = self._list(self._apps.list_namespaced_deployment, "apps/deployments", namespace)
        return tuple(parse.deployment(item) for item in found)

    def replica_sets(self, namespace: str) -> tuple[ReplicaSetSeen, ...]:
        """All ReplicaSets of a namespace that a Deployment owns."""
        found = self._list(self._apps.list_namespaced_replica_set, "apps/replicasets", namespace)
        return tuple(seen for item in found if (seen := parse.replica_set(item)) is not None)

    def pods(self, namespace: str) -> tuple[PodSeen, ...]:
        """All pods of a namespace that a ReplicaSet owns."""
        found = self._list(self._core.list_namespaced_pod, "pods", namespace)
        return tuple(seen for item in found if (seen := parse.pod(item)) is not None)

    def deployment(self, namespace: str, name: str) -> DeploymentSeen:
        """One Deployment."""
        request = Request("get", "apps/deployments", namespace, name)
        return parse.deployment(ask(request, self._apps.read_namespaced_deployment, name, namespace))

    def write_template(
        self, namespace: str, write: TemplateWrite, *, rehearse: bool = False
    ) -> DeploymentSeen:
        """Give a Deployment another pod template, unless it was changed since it was read."""
        name = write.deployment.name
        request = Request("patch", "apps/deployments", namespace, name)
        answer = ask(
            request,
            self._apps.patch_namespaced_deployment,
            name,
            namespace,
            writes.template(write),
            field_manager=MANAGER,
            dry_run="All" if rehearse else None,
        )
        return parse.deployment(answer)

    def make_deployment(
        self, namespace: str, made: DeploymentMade, *, rehearse: bool = False
    ) -> DeploymentSeen:
        """Make a Deployment like another."""
        answer = ask(
            Request("create", "apps/deployments", namespace, made.name),
            self._apps.create_namespaced_deployment,
            namespace,
            writes.deployment(made),
            field_manager=MANAGER,
            dry_run="All" if rehearse else None,
        )
        return parse.deployment(answer)

    def quotas(self, namespace: str) -> tuple[QuotaSeen, ...]:
        """All quotas of a namespace."""
        found = self._list(self._core.list_namespaced_resource_quota, "resourcequotas", namespace)
        return tuple(parse.quota(item) for item in found)

    def fence(self, namespace: str, name: str, mark: str) -> None:
        """Change a Deployment in nothing but a label."""
        ask(
            Request("patch", "apps/deployments", namespace, name),
            self._apps.patch_namespaced_deployment,
            name,
            namespace,
            {"metadata": {"labels": {FENCE: mark}}},
            field_manager=MANAGER,
            _content_type="application/merge-patch+json",
        )

    def lease(self, namespace: str, name: str) -> LeaseSeen:
        """A Lease."""
        request = Request("get", "coordination.k8s.io/leases", namespace, name)
        return parse.lease(ask(request, self._coordination.read_namespaced_lease, name, namespace))

    def create_lease(
        self, namespace: str, name: str, write: LeaseWrite, *, rehearse: bool = False
    ) -> LeaseSeen:
        """Create a Lease."""
        answer = ask(
            Request("create", "coordination.k8s.io/leases", namespace, name),
            self._coordination.create_namespaced_lease,
            namespace,
            leases.body({"name": name}, write),
            field_manager=MANAGER,
            dry_run="All" if rehearse else None,
        )
        return parse.lease(answer)

    def write_lease(
        self, namespace: str, seen: LeaseSeen, write: LeaseWrite, *, rehearse: bool = False
    ) -> LeaseSeen:
        """Change a Lease, unless it was changed or removed since it was read."""
        name = seen.metadata["name"]
        answer = ask(
            Request("update", "coordination.k8s.io/leases", namespace, name),
            self._coordination.replace_namespaced_lease,
            name,
            namespace,
            leases.body(seen.metadata, write),
            field_manager=MANAGER,
            dry_run="All" if rehearse else None,
        )
        return parse.lease(answer)

    def config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        """The data of a ConfigMap."""
        request = Request("get", "configmaps", namespace, name)
        answer = ask(request, self._core.read_namespaced_config_map, name, namespace)
        return dict(answer.get("data") or {})

    def create_config_map(  # noqa: PLR0913 - what a ConfigMap is made of
        self,
        namespace: str,
        name: str,
        data: Mapping[str, str],
        labels: Mapping[str, str],
        *,
        parts: Mapping[str, bytes] = MappingProxyType({}),
        rehearse: bool = False,
    ) -> None:
        """Create a ConfigMap that can never be changed."""
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": dict(labels)},
            "data": dict(data),
            "immutable": True,
            **({"binaryData": _base64(parts)} if parts else {}),
        }
        ask(
            Request("create", "configmaps", namespace, name),
            self._core.create_namespaced_config_map,
            namespace,
            body,
            field_manager=MANAGER,
            dry_run="All" if rehearse else None,
        )

    def kept(self, namespace: str, name: str) -> Kept:
        """A ConfigMap that changes."""
        request = Request("get", "configmaps", namespace, name)
        return parse.kept(ask(request, self._core.read_namespaced_config_map, name, namespace))

    def keep(
        self, namespace: str, name: str, kept: Kept, labels: Mapping[str, str], *, rehearse: bool = False
    ) -> None:
        """Create such a ConfigMap, or replace it unless it was changed since it was read."""
        is_there = {"resourceVersion": kept.resource_version} if kept.resource_version else {}
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace, "labels": dict(labels), **is_there},
            "data": dict(kept.texts),
            "binaryData": _base64(kept.parts),
        }
        how = {"field_manager": MANAGER, "dry_run": "All" if rehearse else None}
        if is_there:
            request = Request("update", "configmaps", namespace, name)
            ask(request, self._core.replace_namespaced_config_map, name, namespace, body, **how)
            return
        request = Request("create", "configmaps", namespace, name)
        try:
            ask(request, self._core.create_namespaced_config_map, namespace, body, **how)
        except AlreadyExistsError as error:
            raise ConflictError(str(error)) from error

    def may(self, namespace: str, right: Right) -> bool:
        """Whether Buzzy has a right there; everybody may ask that of themselves."""
        group, resource, subresource = parse.of_role(right.resource)
        attributes = {
            "namespace": namespace,
            "verb": right.verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "name": right.name,
        }
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
        request = Request("create", "authorization.k8s.io/selfsubjectaccessreviews", namespace)
        answer = ask(request, self._access.create_self_subject_access_review, body)
        return bool(answer.get("status", {}).get("allowed"))

    def version(self) -> str:
        """Which Kubernetes it is."""
        answer = ask(Request("get", "version", ""), self._version.get_code)
        return str(answer.get("gitVersion", ""))

    def warnings(self, namespace: str, pod: str) -> tuple[EventSeen, ...]:
        """The cluster's warnings about a pod, the newest last."""
        about = f"involvedObject.name={pod},type=Warning"
        found = self._list(self._core.list_namespaced_event, "events", namespace, field_selector=about)
        seen = [parse.event(item) for item in found]
        return tuple(sorted(seen, key=lambda event: (event.at is not None, event.at)))

    def log(self, namespace: str, pod: str, container: str, *, lines: int, previous: bool) -> tuple[str, ...]:
        """The last lines that a container wrote."""
        read: Call = self._core.read_namespaced_pod_log
        with translated(Request("get", "pods/log", namespace, pod)):
            answer = read(
                pod,
                namespace,
                container=container,
                previous=previous,
                tail_lines=lines,
                limit_bytes=LOG_BYTES,
                _preload_content=False,
                _request_timeout=TIMES,
            )
            text = answer.data.decode(errors="replace")
        return tuple(parse.one_line(line) for line in text.splitlines() if line.strip())

    @contextmanager
    def follow(self, namespace: str, deployment: DeploymentSeen) -> Iterator[Iterator[RolloutSeen]]:
        """What is known of a rollout: at each change, and at least once a second."""
        itself = {"field_selector": f"metadata.name={deployment.name}"}
        its_own = {"label_selector": deployment.selector}
        sources: dict[str, Source] = {
            "deployments": Listing(
                Request("watch", "apps/deployments", namespace), self._apps.list_namespaced_deployment, itself
            ),
            "replicasets": Listing(
                Request("watch", "apps/replicasets", namespace),
                self._apps.list_namespaced_replica_set,
                its_own,
            ),
            "pods": Listing(Request("watch", "pods", namespace), self._core.list_namespaced_pod, its_own),
        }
        with Following(sources, following.rollout) as pictures:
            yield iter(pictures)

    def _list(self, call: Call, resource: str, namespace: str, **options: str) -> list[Json]:
        answer = ask(Request("list", resource, namespace), call, namespace, **options)
        items: list[Json] = answer["items"]
        return items


def _base64(parts: Mapping[str, bytes]) -> dict[str, str]:
    return {key: base64.b64encode(part).decode() for key, part in parts.items()}
