"""The app's manifest asks for what the bot needs, and for nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.listeners.commands import COMMAND
from releases import events as e
from sandbox.workspace.settings import Settings
from tests.integration.bot_house import ON_CALL, STAGING, TICK, eventually, now, open_house
from tests.integration.test_bot_monitor import chart

MANIFEST: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "deploy" / "slack-manifest.yaml").read_text(encoding="utf-8")
)
ELSEWHERE = {"groups:history"}
"""What is needed only where the sandbox has nothing: private channels."""


def test_the_manifest_names_the_command_and_the_way_in() -> None:
    """Escaped names, buttons, a home, Socket Mode."""
    command = MANIFEST["features"]["slash_commands"][0]
    assert command["command"] == COMMAND
    assert command["should_escape"] is True
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True
    assert MANIFEST["features"]["app_home"]["home_tab_enabled"] is True
    assert MANIFEST["settings"]["socket_mode_enabled"] is True


@pytest.mark.requirement("C1", "C3")
def test_with_the_manifests_scopes_everything_works_that_the_bot_does(redis_url: str) -> None:
    """A release, an approval, a failure with its chart, a form, a home, a mention: no scope is missing."""
    scopes = frozenset(MANIFEST["oauth_config"]["scopes"]["bot"])
    subscriptions = frozenset(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
    app = Settings(scopes=scopes, subscriptions=subscriptions)
    with open_house(redis_url, workspace_settings=app) as house:
        house.workspace.fail("chat.postMessage", cut="after", times=2)
        message = house.ready_for_approval()
        house.person("bob").react(message, TICK)
        house.until(message, "approved, about to start")
        house.run_steps("R1", count=1)
        tripped = e.StepFailed(at=now(), index=1, reason="it did not work", chart=chart())
        house.append("R1", tripped, e.ReleaseFailed(at=now(), reason="it did not work", changed=()))
        house.person("erin").wait_for_message(ON_CALL, "R1")
        eventually(lambda: "R1" not in house.record.behind(), "all is told", seconds=60)
        house.person("alice").command("/buzzy release", STAGING)
        house.person("alice").wait_for_view("Release a version")
        house.person("alice").home()
        house.person("alice").wait_for_home("Environments")
        said = house.person("alice").say("@buzzy status", STAGING)
        house.person("alice").wait_for_reply(said, "What runs where")
        calls = house.workspace.calls()
        assert [call["method"] for call in calls if call["error"] == "missing_scope"] == []
        used = {call["method"] for call in calls}
    needed = {
        "app_mentions:read",
        "commands",
        *(scope for method, scope in _SCOPES.items() if method in used),
    }
    assert scopes - ELSEWHERE == needed


_SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "files.getUploadURLExternal": "files:write",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
    "reactions.get": "reactions:read",
    "users.info": "users:read",
    "usergroups.users.list": "usergroups:read",
}
