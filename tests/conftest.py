"""What every test may use: a real Redis server, empty for each test, and a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
import redis
import structlog
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright

from releases.record import Inbox, Questions, Record, Store
from sandbox.redis_server import RedisServer

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("buzzy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("buzzy"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "buzzy")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """What a test that runs a whole program in this process has made of the logs ends with it."""
    known = structlog.get_config()
    yield
    structlog.configure(**known)


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium. Where there is none these tests are skipped, in CI they fail."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "no Chromium on PATH: the page is not tested (apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()
