"""`buzzy.yaml`: what it may say, and what it means."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from releases.config import Approval, UnknownEnvironment, json_schema, parse_config
from releases.version import ReleaseType

EXAMPLE = (Path(__file__).parents[2] / "deploy" / "buzzy.example.yaml").read_text(encoding="utf-8")

SMALL = """\
services:
  - {name: buzzy-main, image: buzzybuzz/buzzy-main}
  - {name: buzzy-api, image: buzzybuzz/buzzy-api}
environments:
  staging:
    namespace: buzzy-staging
    channel: C0STAGING
"""


def with_staging(*lines: str) -> str:
    """The small file with more lines in its environment."""
    return SMALL + "".join(f"    {line}\n" for line in lines)


def test_the_example_is_a_configuration() -> None:
    """The file that people start from is read, and says what its comments say."""
    config = parse_config(EXAMPLE)
    assert list(config.environments) == ["development", "staging", "production", "disaster-recovery"]
    assert [service.name for service in config.services] == [
        "buzzy-main",
        "buzzy-api",
        "buzzy-files",
        "buzzy-worker",
    ]
    development, production = config.environment("development"), config.environment("production")
    assert development.prerelease
    assert development.approval is None
    assert production.name == "production"
    assert production.approval is not None
    assert production.approval.quorum == 2
    assert not production.approval.own_release
    assert production.approval.expires == timedelta(hours=4)
    assert production.alerts is not None
    assert (production.alerts.critical, production.alerts.on_call) == ("C0ONCALL", "S0ONCALL")
    clock = {"expires": "4h", "remind": "1h", "escalate": "3h"}
    assert production.approval.of(ReleaseType.MAJOR) == Approval.model_validate(
        {"quorum": 3, "from": ["S0APPROVERS"], "own_release": False, **clock}
    )
    assert production.grace == timedelta(seconds=10)
    assert production.approval.of(ReleaseType.PATCH) == production.approval.of(ReleaseType.MINOR)
    assert production.requires is not None
    assert production.requires.soak_of(ReleaseType.MAJOR) == timedelta(days=7)
    assert production.requires.soak_of(ReleaseType.HOTFIX) == timedelta(hours=24)
    assert config.user_groups == {
        "S0APPROVERS",
        "S0MANAGERS",
        "S0ONCALL",
        "S0QA",
        "S0RELEASERS",
        "S0SECURITY",
    }
    assert production.configuration == {"LOG_LEVEL": "warn", "WORKERS": "4"}


def test_defaults() -> None:
    """What a small file leaves out has the values that the example's comments promise."""
    config = parse_config(SMALL)
    service, staging = config.services[0], config.environment("staging")
    assert config.application == "buzzy"
    assert (service.deployment, service.container) == ("buzzy-main", "buzzy-main")
    assert (service.port, service.health, service.deadline) == (8080, "/health", timedelta(minutes=5))
    assert (staging.cluster.context, staging.strategy, staging.approval) == (None, "rolling", None)
    assert (staging.configuration, staging.prerelease, staging.history) == ({}, False, 10)


def test_services_of_an_environment() -> None:
    """All of them unless it names some; in rollout order, however it names them."""
    everywhere = parse_config(SMALL)
    some = parse_config(with_staging("services: [buzzy-api, buzzy-main]"))
    one = parse_config(with_staging("services: [buzzy-api]"))
    names = [
        [service.name for service in config.services_of(config.environment("staging"))]
        for config in (everywhere, some, one)
    ]
    assert names == [["buzzy-main", "buzzy-api"], ["buzzy-main", "buzzy-api"], ["buzzy-api"]]


@pytest.mark.parametrize(("name", "close"), [("stagign", "staging"), ("moon", None)])
def test_unknown_environment(name: str, close: str | None) -> None:
    """Asking for an environment that is not there names the one that was meant, and all there are."""
    with pytest.raises(UnknownEnvironment) as caught:
        parse_config(EXAMPLE).environment(name)
    assert (caught.value.name, caught.value.close_match) == (name, close)
    assert caught.value.all_names == ("development", "staging", "production", "disaster-recovery")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("4", "4"),
        ("3.10", "3.10"),
        ("0755", "0755"),
        ("1_000", "1_000"),
        ("true", "true"),
        ("no", "no"),
        ("2026-01-31", "2026-01-31"),
        ("12:30:45", "12:30:45"),
        ("1e3", "1e3"),
        ('"null"', "null"),
        ('""', ""),
        ("plain text", "plain text"),
    ],
)
def test_configuration_values_are_read_as_written(written: str, value: str) -> None:
    """A service gets what stands in the file: YAML's ideas of numbers, dates and truth do not touch it."""
    config = parse_config(with_staging("configuration:", f"  VALUE: {written}"))
    assert config.environment("staging").configuration == {"VALUE": value}


@pytest.mark.parametrize("written", ["", "null", "~"], ids=["nothing", "null", "tilde"])
def test_no_context_means_the_default_cluster(written: str) -> None:
    """A context may be empty, which is the same as leaving it out."""
    config = parse_config(with_staging("cluster:", f"  context: {written}"))
    assert config.environment("staging").cluster.context is None


def test_merge_keys_share_settings() -> None:
    """Environments can share lines by YAML's anchors, and a key may override a shared one."""
    text = """\
services: [{name: buzzy-main, image: buzzybuzz/buzzy-main}]
environments:
  staging: &common
    namespace: buzzy-staging
    channel: C0STAGING
    approval: {quorum: 1, from: [S0APPROVERS]}
  production:
    <<: *common
    namespace: buzzy-production
"""
    production = parse_config(text).environment("production")
    assert (production.namespace, production.channel) == ("buzzy-production", "C0STAGING")
    assert production.approval is not None


def test_a_group_may_be_large_enough() -> None:
    """How many people a user group has is not in the file, so no quorum of it is refused."""
    approval = (
        parse_config(with_staging("approval: {quorum: 3, from: [U0BOB, S0APPROVERS]}"))
        .environment("staging")
        .approval
    )
    assert approval is not None
    assert approval.quorum == 3


def test_two_clusters_may_have_a_namespace_of_the_same_name() -> None:
    """Only one cluster's namespace can be shared by mistake."""
    other = "  production: {namespace: buzzy-staging, channel: C0RELEASES, cluster: {context: other}}\n"
    assert list(parse_config(SMALL + other).environments) == ["staging", "production"]


def test_what_is_read_does_not_change() -> None:
    """A configuration is a value."""
    config = parse_config(SMALL)
    with pytest.raises(ValueError, match="frozen"):
        config.application = "other"  # type: ignore[misc]  # that it cannot be set is the point


def test_schema_fits_the_example() -> None:
    """The schema that editors get knows every key of the example, under the names that the file uses."""
    schema = json_schema()
    assert set(yaml.safe_load(EXAMPLE)) <= set(schema["properties"])
    approval = schema["$defs"]["ApprovalByType"]
    types = {"major", "minor", "patch", "hotfix", "security"}
    clock = {"expires", "remind", "escalate"}
    assert set(approval["properties"]) == clock | {"quorum", "from", "own_release"} | types
    assert approval["properties"]["expires"]["default"] == "4h"
    assert approval["additionalProperties"] is False
    may_be_left_out = {"services", "approval", "alerts", "requires", "permissions", "follows", "after"}
    properties = schema["$defs"]["Environment"]["properties"]
    assert not may_be_left_out & set(schema["$defs"]["Environment"]["required"])
    assert "null" not in json.dumps([properties[name] for name in sorted(may_be_left_out)])


def test_every_key_says_what_it_is_and_how_it_looks() -> None:
    """Editors and messages show the description and the example of a key, so each has both."""
    schema = json_schema()
    for section in (schema, *schema["$defs"].values()):
        for name, key in section["properties"].items():
            assert key.get("description"), name
            assert key.get("examples"), name
