"""The worker's settings, from the environment or from `.env`; real environment variables win."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """Where Redis, the clusters and the configuration are."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    redis_url: str = Field(default="redis://127.0.0.1:6379/0")
    kubeconfig: str | None = Field(default=None)
    buzzy_config: Path = Field(default=Path("buzzy.yaml"))

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: str) -> str:
        if not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// (TLS) or unix://")
        return url


def load_settings() -> WorkerSettings:
    """The settings. Ends the program with a line for each that is wrong, without repeating its value."""
    try:
        return WorkerSettings()
    except ValidationError as error:
        lines = [f"{str(each['loc'][0]).upper()}: {_words(each['msg'])}" for each in error.errors()]
        raise SystemExit("\n".join(["The worker cannot start:", *lines])) from None


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")
