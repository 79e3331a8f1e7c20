"""The worker's settings, from the environment or from `.env`; real environment variables win."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """Where Redis, the clusters and the configuration are."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    redis_url: str = Field(default="redis://127.0.0.1:6379/0")
    kubeconfig: str | None = Field(default=None)
    buzzy_config: Path = Field(default=Path("buzzy.yaml"))
    registry_username: str | None = Field(default=None)
    registry_password: SecretStr | None = Field(default=None)
    registry_config: Path | None = Field(default=None)
    """A docker config.json, or a pull secret mounted as a file or a folder."""

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: str) -> str:
        if not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// (TLS) or unix://")
        return url

    @model_validator(mode="after")
    def _login(self) -> WorkerSettings:
        if (self.registry_username is None) != (self.registry_password is None):
            missing = "PASSWORD" if self.registry_password is None else "USERNAME"
            raise ValueError(f"REGISTRY_{missing} is missing: a login has both")
        return self


def secret(variable: str | None) -> str | None:
    """What a variable holds that buzzy.yaml names, from the environment or from `.env`; None without it."""
    if variable is None:
        return None
    return os.environ.get(variable) or dotenv_values(".env").get(variable) or None


def load_settings() -> WorkerSettings:
    """The settings. Ends the program with a line for each that is wrong, without repeating its value."""
    try:
        return WorkerSettings()
    except ValidationError as error:
        lines = [_line(each["loc"], _words(each["msg"])) for each in error.errors()]
        raise SystemExit("\n".join(["The worker cannot start:", *lines])) from None


def _line(where: tuple[int | str, ...], what: str) -> str:
    return f"{str(where[0]).upper()}: {what}" if where else what


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")
