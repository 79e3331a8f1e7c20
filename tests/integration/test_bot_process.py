"""The program `buzzy bot`: how it starts, what it says when it cannot, and how it ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.children import Child
from sandbox.workspace import RunningWorkspace, running_workspace
from tests.integration.bot_house import CONFIG, STAGING, eventually

pytestmark = pytest.mark.calm

NOWHERE = "http://127.0.0.1:1/api/"


@pytest.fixture(scope="module")
def workspace() -> Iterator[RunningWorkspace]:
    """One workspace for all: these tests are about the process."""
    with running_workspace() as running:
        yield running


@pytest.fixture
def env(workspace: RunningWorkspace, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings of a bot that works."""
    config = tmp_path / "buzzy.yaml"
    config.write_text(CONFIG)
    return {
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
        "SLACK_API_URL": workspace.api_url,
        "REDIS_URL": redis_url,
        "BUZZY_CONFIG": str(config),
    }


def bot(env: dict[str, str], folder: Path, *arguments: str) -> Child:
    """The program, in a process of its own."""
    return Child("bot", ["-m", "buzzy", "bot", *arguments], log=folder / "bot.log", env=env)


def said(child: Child) -> str:
    """All that it wrote."""
    return child.log.read_text()


@pytest.mark.requirement("C1")
def test_it_starts_answers_and_ends_when_asked(
    workspace: RunningWorkspace, env: dict[str, str], tmp_path: Path
) -> None:
    """SIGTERM: exit code 0 in well under five seconds, its connection closed."""
    with bot(env, tmp_path) as child:
        workspace.wait_for_app(timeout=20)
        delivery = workspace.person("alice").command("/buzzy release 3.2.1 staging", STAGING)
        assert delivery.acknowledged
        workspace.person("alice").wait_for_message(STAGING, "R1")
        begun = time.monotonic()
        child.signal(signal.SIGTERM)
        assert child.wait(5) == 0
        assert time.monotonic() - begun < 4
        workspace.wait_for_app(0)
        assert "ended as asked" in said(child)
        assert "Traceback" not in said(child)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "Slack does not take SLACK_BOT_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "Slack does not take SLACK_APP_TOKEN (invalid_auth)"),
        ({"SLACK_APP_TOKEN": ""}, "SLACK_APP_TOKEN is not set. It should be an app-level token"),
        ({"BUZZY_CONFIG": "/nowhere/buzzy.yaml"}, "BUZZY_CONFIG: /nowhere/buzzy.yaml: No such file"),
    ],
    ids=["bot token", "app token", "no app token", "no configuration"],
)
def test_what_it_cannot_start_with_is_named(
    env: dict[str, str], tmp_path: Path, wrong: dict[str, str], says: str
) -> None:
    """One sentence with the variable and what belongs into it, exit code 1, no traceback."""
    with bot(env | wrong, tmp_path) as child:
        assert child.wait(20) == 1
        assert says in said(child)
        assert "Traceback" not in said(child)


def test_without_slack_and_redis_it_says_so_and_keeps_trying(
    workspace: RunningWorkspace, env: dict[str, str], tmp_path: Path
) -> None:
    """Each is waited for; nothing ends the process, and nothing is a traceback."""
    with bot(env | {"SLACK_API_URL": NOWHERE}, tmp_path) as child:
        eventually(lambda: "Slack does not answer; trying again" in said(child), "it says so", seconds=20)
        child.signal(signal.SIGTERM)
        assert child.wait(5) == 0
        assert "Traceback" not in said(child)
    with bot(env | {"REDIS_URL": "redis://127.0.0.1:1/0"}, tmp_path) as child:
        workspace.wait_for_app(timeout=20)
        delivery = workspace.person("alice").command("/buzzy release 3.2.1 staging", STAGING)
        assert "Nothing was recorded: Redis cannot be reached." in delivery.answer["text"]
        assert "The inbox cannot be read; trying again" in said(child)
        assert "Traceback" not in said(child)


def test_over_http_it_says_where_it_listens(env: dict[str, str], tmp_path: Path) -> None:
    """It needs the signing secret then, and no app token."""
    http = env | {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "5ecret"}
    with bot(http, tmp_path, "--http", "127.0.0.1:0") as child:
        eventually(lambda: "Listening for Slack" in said(child), "it listens", seconds=20)
        child.signal(signal.SIGTERM)
        assert child.wait(5) == 0
    with bot(env, tmp_path, "--http", "127.0.0.1:0") as child:
        assert child.wait(20) == 1
        assert "SLACK_SIGNING_SECRET is not set" in said(child)
