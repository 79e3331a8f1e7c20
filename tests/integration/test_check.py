"""`buzzy check` beside real parts: it passes where all is well, and names what is not with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from bot.checking import SCOPES
from releases.record import Store
from sandbox.cluster.access import Rule
from sandbox.redis_server import RedisServer
from sandbox.workspace import RunningWorkspace, running_workspace
from tests.integration.workers_world import CONFIG, TOKEN, World, role, world

ENVIRONMENT = CONFIG.split("  development:", maxsplit=1)[0]


@dataclass(frozen=True)
class House:
    """Everything that is looked at."""

    world: World
    workspace: RunningWorkspace
    redis: RedisServer
    settings: dict[str, str]

    def check(self, *arguments: str, **settings: str) -> tuple[int, str]:
        """Run the program; its exit code and what it said."""
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "buzzy", "check", *arguments],
            env={**os.environ, **self.settings, **settings},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all: a durable Redis, a workspace with the manifest's scopes, a cluster with the Role."""
    folder = tmp_path_factory.mktemp("check")
    (folder / "redis").mkdir()
    with RedisServer(folder=folder / "redis") as server, running_workspace() as workspace:
        workspace.change_settings(scopes=SCOPES)
        store = Store.connect(server.url, answer_seconds=10)
        with world(store, folder, config=ENVIRONMENT) as made:
            config = folder / "buzzy.yaml"
            config.write_text(ENVIRONMENT)
            settings = {
                "SLACK_BOT_TOKEN": workspace.bot_token,
                "SLACK_APP_TOKEN": workspace.app_token,
                "SLACK_SIGNING_SECRET": "",
                "SLACK_API_URL": workspace.api_url,
                "REDIS_URL": server.url,
                "KUBECONFIG": str(made.kubeconfig),
                "BUZZY_CONFIG": str(config),
            }
            yield House(made, workspace, server, settings)
        store.close()


@pytest.fixture
def house(opened: House) -> Iterator[House]:
    """The same, as it should be again after each test."""
    yield opened
    opened.world.cluster.users.add(TOKEN, "buzzy-worker", role())
    opened.workspace.change_settings(scopes=SCOPES)
    with redis.Redis.from_url(opened.redis.url) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("appendonly", "yes")


@pytest.mark.requirement("Q1", "Q5")
def test_where_all_is_well_every_line_is_ok(house: House) -> None:
    """Configuration, Redis, cluster, rights, Deployments, ledger, Slack: nothing to do, and exit code 0."""
    code, said = house.check()
    assert code == 0, said
    assert "good. Environments: staging." in said
    assert {line.split()[0] for line in said.splitlines()[1:]} == {"ok"}, said
    for subject in (
        "Redis: version",
        "staging: Kubernetes v1.",
        "staging: every right",
        "staging: 4 services",
    ):
        assert subject in said
    assert "staging: the ledger is in step" in said
    assert "Slack: every scope of deploy/slack-manifest.yaml" in said
    assert "Slack: Socket Mode is on" in said


def _no_log(house: House) -> None:
    with redis.Redis.from_url(house.redis.url) as client:
        client.config_set("appendonly", "no")


def _evicting(house: House) -> None:
    with redis.Redis.from_url(house.redis.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")


def _fewer_scopes(house: House) -> None:
    house.workspace.change_settings(scopes=SCOPES - {"reactions:read"})


def _fewer_rights(house: House) -> None:
    rules = [Rule(each.verbs, each.resources, each.groups) for each in role() if not each.names]
    house.world.cluster.users.add(TOKEN, "buzzy-worker", rules)


@pytest.mark.requirement("Q1", "Q5")
@pytest.mark.parametrize(
    ("spoil", "says", "fix"),
    [
        (_no_log, "PROBLEM Redis: it keeps nothing over a restart", "redis-cli CONFIG SET appendonly yes"),
        (
            _evicting,
            "PROBLEM Redis: it may evict parts of the record",
            "CONFIG SET maxmemory-policy noeviction",
        ),
        (_fewer_scopes, "PROBLEM Slack: the token lacks reactions:read", "deploy/slack-manifest.yaml"),
        (
            _fewer_rights,
            "PROBLEM staging: Buzzy's Role in buzzy-staging lacks configmaps: update",
            "kubectl apply -n buzzy-staging -f deploy/kubernetes/workers-rbac.yaml",
        ),
    ],
    ids=["no persistence", "eviction", "a scope", "a right"],
)
def test_what_is_wrong_is_named_with_what_to_do(
    house: House, spoil: Callable[[House], None], says: str, fix: str
) -> None:
    """One problem, a line to copy, and exit code 1; the rest is still looked at."""
    spoil(house)
    code, said = house.check()
    assert code == 1
    assert says in said
    assert fix in said.split(says)[1]
    assert said.count("PROBLEM") == 1, said


@pytest.mark.requirement("Q1")
@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-nobody", "does not take SLACK_BOT_TOKEN (invalid_auth)"),
        ("SLACK_APP_TOKEN", "xapp-nobody", "does not take SLACK_APP_TOKEN (invalid_auth)"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "Redis: Redis cannot be reached"),
        ("KUBECONFIG", "/nowhere", "staging: It is not known where the cluster is"),
        ("SLACK_APP_TOKEN", "", "SLACK_APP_TOKEN is not set"),
    ],
    ids=["bot token", "app token", "Redis", "kubeconfig", "no app token"],
)
def test_a_wrong_setting_is_named(house: House, setting: str, value: str, says: str) -> None:
    """Each by its variable's name, never by its value."""
    code, said = house.check(**{setting: value})
    assert code == 1
    assert says in said
    assert "Traceback" not in said
    assert not value.startswith("x") or value not in said


def test_without_slack_tokens_nothing_of_slack_is_looked_at(house: House) -> None:
    """A machine of workers has none, and is as it should be."""
    code, said = house.check(SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="")
    assert code == 0
    assert "nothing of Slack was looked at" in said


def test_a_file_is_checked_alone(house: House, tmp_path: Path) -> None:
    """By its name or offline; where Redis or Slack are does not matter then."""
    away = {"REDIS_URL": "redis://127.0.0.1:1/0", "SLACK_API_URL": "http://127.0.0.1:1/", "KUBECONFIG": "/no"}
    assert house.check("--offline", **away)[0] == 0
    assert house.check(house.settings["BUZZY_CONFIG"], **away)[0] == 0
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(ENVIRONMENT.replace("channel: C0STAGING", "channel: general"))
    code, said = house.check(str(wrong), **away)
    assert code == 1
    assert "environments.staging.channel" in said


@pytest.mark.requirement("Q5")
def test_a_deployment_and_a_container_that_are_not_there_are_named(house: House, tmp_path: Path) -> None:
    """With what is there instead."""
    config = tmp_path / "buzzy.yaml"
    config.write_text(
        ENVIRONMENT.replace("{name: buzzy-api,", "{name: buzzy-api, container: app,").replace(
            "{name: buzzy-files,", "{name: buzzy-files, deployment: files,"
        )
    )
    code, said = house.check(BUZZY_CONFIG=str(config))
    assert code == 1
    assert "the Deployment buzzy-api has no container app" in said
    assert "Its containers: buzzy-api." in said
    assert "there is no Deployment files" in said


@pytest.mark.requirement("Q5")
def test_a_lost_record_is_noticed(house: House) -> None:
    """The ledger knows a release that the record does not; the command that brings it back stands there."""
    house.world.release("3.2.1")
    assert house.check()[0] == 0
    house.world.store.call("FLUSHALL")
    code, said = house.check()
    assert code == 1
    assert "the record was lost, or is an old copy: it does not know R1" in said
    assert "buzzy record rebuild" in said
