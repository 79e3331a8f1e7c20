"""Settings: what is missing is named, with what belongs there; secrets are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import SLACK, SettingsError, load_config, load_settings

NAMES = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_API_URL",
    "REDIS_URL",
    "BUZZY_CONFIG",
)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a `.env`, and none of the variables set."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_env_file_is_read_and_the_environment_wins(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Defaults for what has one; the API's address with the slash that the SDK needs."""
    (nowhere / ".env").write_text(
        "SLACK_BOT_TOKEN=xoxb-1\nSLACK_APP_TOKEN=xapp-1\nREDIS_URL=redis://file/0\nUNKNOWN=1\nSLACK_API_URL=\n"
    )
    monkeypatch.setenv("REDIS_URL", "redis://environment/0")
    settings = load_settings(http=False)
    assert settings.slack_bot_token.get_secret_value() == "xoxb-1"
    assert settings.redis_url == "redis://environment/0"
    assert settings.slack_api_url == SLACK
    monkeypatch.setenv("SLACK_API_URL", "http://localhost:8000/api")
    assert load_settings(http=False).slack_api_url == "http://localhost:8000/api/"
    assert "xoxb-1" not in repr(settings)


def test_each_way_in_needs_its_own_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Socket Mode an app token, HTTP a signing secret."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    with pytest.raises(SettingsError, match=r"SLACK_APP_TOKEN is not set.*connections:write"):
        load_settings(http=False)
    with pytest.raises(SettingsError, match=r"SLACK_SIGNING_SECRET is not set.*Signing Secret"):
        load_settings(http=True)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SLACK_BOT_TOKEN", "", "SLACK_BOT_TOKEN is not set. It should be the Bot User OAuth Token"),
        ("SLACK_BOT_TOKEN", "xapp-5ecret", "SLACK_BOT_TOKEN is an app-level token"),
        ("SLACK_API_URL", "slack.5ecret", "SLACK_API_URL is no http"),
        ("REDIS_URL", "localhost:5ecret", "REDIS_URL is no redis"),
    ],
)
def test_what_is_wrong_is_named_without_its_value(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value may be a secret that stands in the wrong place."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(http=False)
    assert says in str(caught.value)
    assert "5ecret" not in str(caught.value)


def test_a_configuration_that_cannot_be_read_or_is_wrong(nowhere: Path) -> None:
    """The file's name, and every problem in it."""
    with pytest.raises(SettingsError, match=r"BUZZY_CONFIG: gone\.yaml: No such file"):
        load_config(Path("gone.yaml"))
    (nowhere / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="no UTF-8 text"):
        load_config(Path("binary.yaml"))
    (nowhere / "buzzy.yaml").write_text("services: []\n")
    with pytest.raises(SettingsError, match=r"buzzy.yaml:\n(?s:.*)environments"):
        load_config(Path("buzzy.yaml"))
