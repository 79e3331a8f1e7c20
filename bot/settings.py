"""Settings of the bot, from the environment or `.env`, with errors that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from releases.config import Config, ConfigError, parse_config

SLACK = "https://slack.com/api/"

_WHAT_TO_DO = {
    "slack_bot_token": "the Bot User OAuth Token (xoxb-…) of the app's page OAuth & Permissions",
    "slack_app_token": "an app-level token (xapp-…) with the scope connections:write, from the app's Basic "
    "Information; or run `buzzy bot --http HOST:PORT` and set SLACK_SIGNING_SECRET",
    "slack_signing_secret": "the Signing Secret of the app's Basic Information; it proves that requests over "
    "HTTP come from Slack",
    "slack_api_url": "the address of a Slack-compatible API, such as http://localhost:8000/api/; leave it "
    "out for Slack itself",
    "redis_url": "the address of Redis, such as redis://localhost:6379/0",
    "buzzy_config": "the path of buzzy.yaml",
}


class Settings(BaseSettings):
    """What `buzzy bot` needs to know. Tokens are secrets: they print as asterisks."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    slack_bot_token: SecretStr
    slack_app_token: SecretStr = SecretStr("")
    slack_signing_secret: SecretStr = SecretStr("")
    slack_api_url: str = SLACK
    redis_url: str = "redis://127.0.0.1:6379/0"
    buzzy_config: Path = Path("buzzy.yaml")

    @field_validator("slack_bot_token")
    @classmethod
    def _is_a_bot_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().startswith("xapp-"):
            raise ValueError("is an app-level token (xapp-…), which belongs into SLACK_APP_TOKEN")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("is no http:// or https:// address")
        return value if value.endswith("/") else f"{value}/"  # the SDK puts a method's name right behind it

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str) -> str:
        if not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("is no redis://, rediss:// (TLS) or unix:// address")
        return value


class TerminalSettings(Settings):
    """What `buzzy do` needs to know: the same, of which no token is needed."""

    slack_bot_token: SecretStr = SecretStr("")


class SettingsError(SystemExit):
    """Something is not set, or not as it should be. Left alone it ends the program with its text."""


def load_settings(*, http: bool) -> Settings:
    """The settings of this process; over HTTP other ones are needed than over Socket Mode.

    Raises `SettingsError`, which names each variable and what belongs into it, and never a value.
    """
    settings = _read(Settings)
    needed = "slack_signing_secret" if http else "slack_app_token"
    secret: SecretStr = getattr(settings, needed)
    if not secret.get_secret_value():
        raise SettingsError(_problem(needed, "", missing=True))
    return settings


def load_terminal_settings() -> TerminalSettings:
    """The settings of `buzzy do`. Raises `SettingsError`."""
    return _read(TerminalSettings)


S = TypeVar("S", bound=Settings)


def _read(kind: type[S]) -> S:
    try:
        return kind()
    except ValidationError as error:
        raise SettingsError(
            "\n".join(
                _problem(str(each["loc"][0]), each["msg"], missing=each["type"] == "missing")
                for each in error.errors(include_input=False, include_url=False)
            )
        ) from None


def load_config(path: Path) -> Config:
    """The configuration that BUZZY_CONFIG names. Raises `SettingsError` with every problem in it."""
    try:
        return parse_config(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = f"BUZZY_CONFIG: {path}: {error.strerror}. It should be {_WHAT_TO_DO['buzzy_config']}."
        raise SettingsError(why) from None
    except UnicodeDecodeError:
        raise SettingsError(f"BUZZY_CONFIG: {path} is no UTF-8 text.") from None
    except ConfigError as error:
        raise SettingsError(f"{path}:\n{error}") from None


def _problem(name: str, message: str, *, missing: bool) -> str:
    what = _WHAT_TO_DO.get(name, "")
    said = message.removeprefix("Value error, ")
    if missing:
        return f"{name.upper()} is not set. It should be {what}."
    return f"{name.upper()} {said}. It should be {what}."
