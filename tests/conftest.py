"""What every test may use: a real Redis server, empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from releases.record import Inbox, Questions, Record, Store
from sandbox.redis_server import RedisServer


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One server for the whole run. Tests that hang or kill a server start their own."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of a Redis that holds nothing yet."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def store(redis_url: str) -> Iterator[Store]:
    """A store in that Redis."""
    connected = Store.connect(redis_url, answer_seconds=10)
    yield connected
    connected.close()


@pytest.fixture
def record(store: Store) -> Record:
    """The record in that store."""
    return Record(store)


@pytest.fixture
def inbox(store: Store) -> Inbox:
    """The inbox in that store."""
    return Inbox(store)


@pytest.fixture
def questions(store: Store) -> Questions:
    """The questions in that store."""
    return Questions(store)
