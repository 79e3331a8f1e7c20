"""The worker's settings: where they come from, and what is said when they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.settings import load_settings


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without a `.env`, and none of the variables set."""
    monkeypatch.chdir(tmp_path)
    for name in ("REDIS_URL", "KUBECONFIG", "BUZZY_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_there_are_defaults_for_a_machine_of_ones_own() -> None:
    """An empty variable counts as none."""
    settings = load_settings()
    assert settings.redis_url == "redis://127.0.0.1:6379/0"
    assert settings.kubeconfig is None
    assert settings.buzzy_config == Path("buzzy.yaml")


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file may have settings of the bot as well; they are not the worker's affair."""
    (tmp_path / ".env").write_text("REDIS_URL=redis://file:6379/0\nKUBECONFIG=/k\nSLACK_BOT_TOKEN=xoxb-1\n")
    monkeypatch.setenv("REDIS_URL", "rediss://real:6380/1")
    settings = load_settings()
    assert settings.redis_url == "rediss://real:6380/1"
    assert settings.kubeconfig == "/k"


def test_a_wrong_setting_is_named_and_its_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address may hold a password."""
    monkeypatch.setenv("REDIS_URL", "http://:secret@host")
    with pytest.raises(SystemExit) as end:
        load_settings()
    assert str(end.value) == (
        "The worker cannot start:\nREDIS_URL: must begin with redis://, rediss:// (TLS) or unix://"
    )


@pytest.mark.requirement("V2")
def test_a_login_for_the_registry_is_whole_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of one is said so; the password is in nothing that is printed."""
    monkeypatch.setenv("REGISTRY_USERNAME", "alice")
    with pytest.raises(SystemExit) as end:
        load_settings()
    assert str(end.value) == "The worker cannot start:\nREGISTRY_PASSWORD is missing: a login has both"
    monkeypatch.setenv("REGISTRY_PASSWORD", "s3cret")
    assert "s3cret" not in repr(load_settings())
