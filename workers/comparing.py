"""Comparing two environments, service by service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from releases.difference import Difference, ServiceDifference
from releases.plan import Json, canonical_json
from workers.cluster import NotFoundError
from workers.images import Image
from workers.observe import Observed, ServiceObserved

ReadConfigMap = Callable[[str], Mapping[str, str]]
"""A ConfigMap of the environment's namespace. Raises `NotFoundError` and the cluster's other errors."""


@dataclass(frozen=True)
class ServiceFacts:
    """What is compared of one service. `variables` has what each is set to: a value, or where it is from."""

    image: Image
    pods: int
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EnvironmentFacts:
    """One environment; a service without a Deployment has None."""

    name: str
    services: Mapping[str, ServiceFacts | None]


def facts(observed: Observed, config_map: ReadConfigMap) -> EnvironmentFacts:
    """What is compared of an environment. Raises what `config_map` does, but for one that is not there."""
    read: dict[str, Mapping[str, str]] = {}

    def once(name: str) -> Mapping[str, str]:
        if name not in read:
            try:
                read[name] = config_map(name)
            except NotFoundError:
                read[name] = {}
        return read[name]

    return EnvironmentFacts(
        observed.environment, {each.service.name: _service(each, once) for each in observed.services}
    )


def compare(first: EnvironmentFacts, second: EnvironmentFacts, services: Iterable[str]) -> Difference:
    """How they differ in these services. Pure."""
    found = [_difference(name, first, second) for name in services]
    return Difference(
        first=first.name,
        second=second.name,
        services=tuple(each for each in found if each.is_any),
        same=tuple(each.service for each in found if not each.is_any),
    )


def _service(observed: ServiceObserved, config_map: ReadConfigMap) -> ServiceFacts | None:
    deployment = observed.deployment
    if deployment is None:
        return None
    containers: list[Json] = deployment.template.get("spec", {}).get("containers") or []
    container = next((each for each in containers if each.get("name") == observed.service.container), {})
    return ServiceFacts(
        Image.parse(container.get("image", "")), deployment.wanted, _variables(container, config_map)
    )


def _variables(container: Json, config_map: ReadConfigMap) -> dict[str, str]:
    """By name; of two with one name the later counts, and those of the container itself are the latest.

    A Secret is not read: one that is taken whole stands here by its name.
    """
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        prefix = source.get("prefix", "")
        if name := (source.get("configMapRef") or {}).get("name"):
            found |= {f"{prefix}{key}": value for key, value in config_map(name).items()}
        elif name := (source.get("secretRef") or {}).get("name"):
            found[f"Secret {name}"] = prefix
    for each in container.get("env") or []:
        is_from = each.get("valueFrom")
        found[each["name"]] = canonical_json(is_from) if is_from else each.get("value", "")
    return found


def _difference(name: str, first: EnvironmentFacts, second: EnvironmentFacts) -> ServiceDifference:
    one, other = first.services.get(name), second.services.get(name)
    if one is None or other is None:
        if one is other and name in first.services and name in second.services:
            return ServiceDifference(service=name)
        return ServiceDifference(service=name, missing=(_missing(name, first), _missing(name, second)))
    same_image = one.image.is_of(other.image.repository)
    tags = (one.image.tag or "", other.image.tag or "")
    digests = (one.image.digest or "", other.image.digest or "")
    return ServiceDifference(
        service=name,
        image=None if same_image else (one.image.repository, other.image.repository),
        version=None if tags[0] == tags[1] else tags,
        pinned=digests if same_image and tags[0] == tags[1] and digests[0] != digests[1] else None,
        pods=None if one.pods == other.pods else (one.pods, other.pods),
        only_first=tuple(sorted(one.variables.keys() - other.variables.keys())),
        only_second=tuple(sorted(other.variables.keys() - one.variables.keys())),
        other_values=tuple(
            sorted(
                key
                for key in one.variables.keys() & other.variables.keys()
                if one.variables[key] != other.variables[key]
            )
        ),
    )


def _missing(name: str, environment: EnvironmentFacts) -> str:
    if name not in environment.services:
        return "no part of it"
    return "no Deployment" if environment.services[name] is None else ""
