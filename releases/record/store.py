"""The connection to Redis: bounded in time, its errors translated once, its scripts loaded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0
"""Slack waits 3 s for an answer; two of these fit, with room for the answer itself."""


class RecordUnavailableError(Exception):
    """Redis did not answer, or not as it should: nothing can be recorded now. Worth trying again."""


class Store:
    """One Redis, as the record uses it: text in, text out, and never a wait without an end."""

    def __init__(self, client: redis.Redis, *, prefix: str = "buzzy") -> None:
        """`client` must decode responses; `prefix` begins every key, so that several bots can share."""
        self._client = client
        self._prefix = prefix
        self._scripts: dict[str, Any] = {}

    @classmethod
    def connect(cls, url: str, *, prefix: str = "buzzy", answer_seconds: float = ANSWER_SECONDS) -> Store:
        """A store at a `redis://` address. It connects at the first use, not here.

        Without retries inside the client: a caller that has 3 s decides itself what a silence means.
        """
        client = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=answer_seconds,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )
        return cls(client, prefix=prefix)

    def key(self, *parts: str) -> str:
        """The key of these parts, under the store's prefix."""
        return ":".join((self._prefix, *parts))

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | int | float]) -> Any:  # noqa: ANN401 - Lua
        """Run a Lua script. Raises `RecordUnavailableError` when Redis does not answer."""
        loaded = self._scripts.get(script)
        if loaded is None:
            loaded = self._scripts[script] = self._client.register_script(script)
        try:
            return loaded(keys=list(keys), args=list(args))
        except redis.RedisError as error:
            raise _unavailable(error) from error

    def call(self, command: str, *args: str | float) -> Any:  # noqa: ANN401 - whatever the command gives
        """Run one Redis command. Raises `RecordUnavailableError` when Redis does not answer."""
        try:
            return cast("Any", self._client.execute_command(command, *args))  # type: ignore[no-untyped-call]  # redis-py
        except redis.RedisError as error:
            raise _unavailable(error) from error

    def now_ms(self) -> int:
        """Redis' own clock, in milliseconds: the one clock that all scripts compare with."""
        seconds, micros = self.call("TIME")
        return int(seconds) * 1000 + int(micros) // 1000

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()


def _unavailable(error: redis.RedisError) -> RecordUnavailableError:
    match error:
        case redis.TimeoutError():
            return RecordUnavailableError("Redis does not answer")
        case redis.AuthenticationError() | exceptions.NoPermissionError():
            return RecordUnavailableError("Redis refuses the user or password in REDIS_URL")
        case redis.ConnectionError():
            return RecordUnavailableError("Redis cannot be reached")
        case redis.ReadOnlyError():
            return RecordUnavailableError("Redis is a read-only replica")
        case exceptions.OutOfMemoryError():
            return RecordUnavailableError("Redis is full")
        case _:
            return RecordUnavailableError(f"Redis refused: {type(error).__name__}")
