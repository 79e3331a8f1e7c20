"""What differs between two environments, found in what the cluster has, and how it is told."""

from __future__ import annotations

from typing import Any

import pytest

from bot.messages.difference import difference_message
from releases.config import parse_config
from releases.difference import Difference, ServiceDifference
from tests.unit.bot_reading import read
from tests.unit.bot_tales import MONDAY
from workers.cluster import DeploymentSeen, NotFoundError, RolloutSeen
from workers.comparing import EnvironmentFacts, compare, facts
from workers.observe import Observed, ServiceObserved

SERVICES = parse_config("""
services:
  - {name: buzzy-main, image: buzzybuzz/buzzy-main}
  - {name: buzzy-api, image: buzzybuzz/buzzy-api}
environments:
  staging: {namespace: buzzy-staging, channel: C0STAGING}
""").services
MAPS = {"settings-a": {"LOG_LEVEL": "info", "SIZE": "1"}, "settings-b": {"LOG_LEVEL": "debug"}}
DIGESTS = ("sha256:" + "a" * 64, "sha256:" + "b" * 64)


def config_map(name: str) -> dict[str, str]:
    """A ConfigMap of the namespace."""
    if name not in MAPS:
        raise NotFoundError("ConfigMap", name, "buzzy-staging")
    return MAPS[name]


def environment(name: str, image: str | None = "3.2.1", *, pods: int = 3, **container: Any) -> Observed:  # noqa: ANN401 - a container's fields
    """An environment whose buzzy-main is this, and whose buzzy-api is always the same."""

    def deployed(service: str, tag: str, pods: int, more: dict[str, Any]) -> DeploymentSeen:
        full = tag if "/" in tag else f"buzzybuzz/{service}:{tag}"
        template = {"spec": {"containers": [{"name": service, "image": full, **more}]}}
        return DeploymentSeen(service, template, "1", wanted=pods)

    main = None if image is None else deployed("buzzy-main", image, pods, container)
    api = deployed("buzzy-api", "3.2.1", 3, {})
    services = tuple(
        ServiceObserved(service, RolloutSeen(each, complete=True))
        for service, each in zip(SERVICES, (main, api), strict=True)
    )
    return Observed(name, f"buzzy-{name}", MONDAY, services)


def differing(first: Observed, second: Observed) -> Difference:
    """How they differ."""
    return compare(facts(first, config_map), facts(second, config_map), ["buzzy-main", "buzzy-api"])


def from_map(name: str) -> dict[str, Any]:
    """What a container says that takes its variables from a ConfigMap."""
    return {"envFrom": [{"configMapRef": {"name": name}}]}


VALUE: dict[str, Any] = {"env": [{"name": "MODE", "value": "fast"}]}
SECRET: dict[str, Any] = {
    "env": [{"name": "MODE", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "mode"}}}]
}
PINNED = tuple(f"buzzybuzz/buzzy-main:3.2.1@{digest}" for digest in DIGESTS)


@pytest.mark.requirement("C5")
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (environment("a", "3.2.1"), environment("b", "3.2.0"), {"version": ("3.2.1", "3.2.0")}),
        (environment("a", pods=2), environment("b"), {"pods": (2, 3)}),
        (environment("a", PINNED[0]), environment("b", PINNED[1]), {"pinned": DIGESTS}),
        (environment("a", PINNED[0]), environment("b"), {"pinned": (DIGESTS[0], "")}),
        (
            environment("a", PINNED[0]),
            environment("b", f"buzzybuzz/buzzy-main:3.2.0@{DIGESTS[1]}"),
            {"version": ("3.2.1", "3.2.0")},
        ),
        (
            environment("a"),
            environment("b", "example.com/fork/buzzy-main:3.2.1"),
            {"image": ("buzzybuzz/buzzy-main", "example.com/fork/buzzy-main")},
        ),
        (environment("a", "docker.io/buzzybuzz/buzzy-main:3.2.1"), environment("b"), {}),
        (
            environment("a", **from_map("settings-a")),
            environment("b", **from_map("settings-b")),
            {"only_first": ("SIZE",), "other_values": ("LOG_LEVEL",)},
        ),
        (
            environment("a", **from_map("settings-a"), env=[{"name": "SIZE", "value": "2"}]),
            environment("b", **from_map("settings-a")),
            {"other_values": ("SIZE",)},
        ),
        (environment("a", **VALUE), environment("b", **VALUE), {}),
        (environment("a", **VALUE), environment("b", **SECRET), {"other_values": ("MODE",)}),
        (
            environment("a"),
            environment("b", envFrom=[{"secretRef": {"name": "keys"}}]),
            {"only_second": ("Secret keys",)},
        ),
        (environment("a", **from_map("not-there")), environment("b"), {}),
        (environment("a", None), environment("b"), {"missing": ("no Deployment", "")}),
        (environment("a", None), environment("b", None), {}),
    ],
    ids=[
        "version",
        "pods",
        "two-digests",
        "pinned-or-not",
        "a-digest-of-another-version",
        "image",
        "the-same-image-by-another-name",
        "config-map",
        "the-container-has-the-last-word",
        "equal",
        "value-or-secret",
        "secret",
        "a-config-map-that-is-gone",
        "no-deployment",
        "nowhere",
    ],
)
def test_what_differs_is_found_and_nothing_else(
    first: Observed, second: Observed, expected: dict[str, Any]
) -> None:
    """Each thing by itself; the other service is the same in both."""
    found = differing(first, second)
    assert found.services == ((ServiceDifference(service="buzzy-main", **expected),) if expected else ())
    assert found.same == (("buzzy-api",) if expected else ("buzzy-main", "buzzy-api"))


def test_a_service_that_one_environment_does_not_have() -> None:
    """It is no part of it by buzzy.yaml, which is something else than a Deployment that is gone."""
    first = facts(environment("a"), config_map)
    second = EnvironmentFacts("b", {"buzzy-api": first.services["buzzy-api"]})
    (found,) = compare(first, second, ["buzzy-main", "buzzy-api"]).services
    assert found == ServiceDifference(service="buzzy-main", missing=("", "no part of it"))


def test_the_answer_is_a_table_without_values() -> None:
    """A column an environment, the service named once, values of variables nowhere."""
    first = environment("staging", "3.2.1", pods=2, **from_map("settings-a"))
    second = environment("production", "3.2.0", **from_map("settings-b"))
    told = difference_message(differing(first, second))
    assert told.text == "staging and production differ in 1 of 2 services"
    assert read(told).splitlines()[1:7] == [
        "                          staging    production",
        "buzzy-main  version       3.2.1      3.2.0",
        "            pods          2          3",
        "            variables     SIZE",
        "            other values  LOG_LEVEL  LOG_LEVEL",
        "The same in both: buzzy-api.",
    ]
    assert "debug" not in read(told)


def test_when_nothing_differs_it_says_so() -> None:
    """And what was compared."""
    told = difference_message(differing(environment("staging"), environment("production")))
    assert read(told).splitlines()[0] == "staging and production do not differ"
    assert "Compared: versions, images and their digests, pods, variables" in read(told)


def test_hundreds_of_differences_are_counted() -> None:
    """Slack takes no longer message, and nobody reads one."""
    many = tuple(
        ServiceDifference(service=f"service-{number}", only_first=tuple(f"NAME_{i}" for i in range(50)))
        for number in range(100)
    )
    told = read(difference_message(Difference(first="a", second="b", services=many, same=())))
    assert "NAME_0, NAME_1, NAME_2, NAME_3, … 46 more" in told
    assert "… 80 more services" in told
    assert len(told) < 4_000
