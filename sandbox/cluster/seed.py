"""Buzzy as a team runs it: namespaces, services and deployments with a past to roll back to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.cluster.controllers.rollout.controller import DeploymentController
from sandbox.cluster.objects import Json
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import DEPLOYMENTS, NAMESPACES, SERVICES

MANAGER = "kubectl-create"
NAMESPACE_NAMES = ("buzzy-development", "buzzy-staging", "buzzy-production", "buzzy-dr")


@dataclass(frozen=True)
class SeedService:
    """One service of Buzzy."""

    name: str
    replicas: int = 3

    def image(self, version: str) -> str:
        """Return the image of a version."""
        return f"buzzybuzz/{self.name}:{version}"


SERVICES_OF_BUZZY = (
    SeedService("buzzy-main"),
    SeedService("buzzy-api"),
    SeedService("buzzy-files"),
    SeedService("buzzy-worker"),
)


def seed_buzzy(  # noqa: PLR0913 - what is seeded, and with what
    registry: Registry,
    controller: DeploymentController,
    *,
    namespaces: Iterable[str] = NAMESPACE_NAMES,
    version: str = "3.2.0",
    previous: str = "3.1.4",
    services: Sequence[SeedService] = SERVICES_OF_BUZZY,
) -> None:
    """Create Buzzy in each namespace, with `previous` as an earlier revision of every deployment."""
    for namespace in namespaces:
        if registry.store.get(NAMESPACES, "", namespace) is None:
            thing = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            registry.create(NAMESPACES, thing, manager=MANAGER)
        for service in services:
            registry.create(SERVICES, service_of(namespace, service), manager=MANAGER)
            _deploy(registry, controller, namespace, service, (previous, version))


def deployment_of(namespace: str, service: SeedService, version: str) -> Json:
    """Return the Deployment of a service, as Buzzy's documentation has it."""
    labels = {"app": service.name}
    probe = {"httpGet": {"path": "/health", "port": 8080}}
    container = {
        "name": service.name,
        "image": service.image(version),
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {**probe, "initialDelaySeconds": 5, "periodSeconds": 5},
        "livenessProbe": {**probe, "initialDelaySeconds": 30, "periodSeconds": 10},
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": service.name,
            "namespace": namespace,
            "labels": labels | {"app.kubernetes.io/part-of": "buzzy"},
            "annotations": {"kubernetes.io/change-cause": f"{service.name} {version}"},
        },
        "spec": {
            "replicas": service.replicas,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def service_of(namespace: str, service: SeedService) -> Json:
    """Return the Service of a service: what sends its requests to its pods."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": service.name, "namespace": namespace, "labels": {"app": service.name}},
        "spec": {
            "selector": {"app": service.name},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
        },
    }


def _deploy(
    registry: Registry,
    controller: DeploymentController,
    namespace: str,
    service: SeedService,
    versions: tuple[str, str],
) -> None:
    """Let the deployment pass through the earlier version without pods, so that it has a past at once."""
    previous, version = versions
    thing = deployment_of(namespace, service, previous)
    thing["spec"]["replicas"] = 0
    registry.create(DEPLOYMENTS, thing, manager=MANAGER)
    controller.sync((namespace, service.name))

    def release(deployment: Json) -> None:
        wanted = deployment_of(namespace, service, version)
        deployment["spec"]["replicas"] = service.replicas
        deployment["spec"]["template"] = wanted["spec"]["template"]
        deployment["metadata"]["annotations"] |= wanted["metadata"]["annotations"]

    registry.modify(DEPLOYMENTS, thing, release, manager=MANAGER)
    controller.sync((namespace, service.name))
