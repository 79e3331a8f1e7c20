"""What every test may use: a real Redis server, empty for each test, and a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

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


_TOLD = "told"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what may run apart: each test, unless its module shares what is made once."""
    here = Path(__file__).parent
    contracts = here / "e2e" / "contracts"
    shared = {item.path for item in items if _shares(item)}
    for item in items:
        if contracts in item.path.parents:  # compared with one another at their end
            name = "contracts"
        elif item.path in shared or here / "unit" in item.path.parents:
            name = str(item.path.relative_to(here))
        else:
            name = item.nodeid
        item.add_marker(pytest.mark.xdist_group(name))


def _shares(item: pytest.Item) -> bool:
    """Whether the test has something of its module's, such as a house that all its cases are played in."""
    known = getattr(item, "_fixtureinfo", None)
    made = known.name2fixturedefs.values() if known is not None else ()
    return any(each.scope in {"module", "class"} for several in made for each in several)


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Prints a line at the end of the run, from whichever process: what was measured, or compared."""
    return lambda line: record_property(_TOLD, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests had to tell."""
    reports = [each for each in terminalreporter.getreports("passed") if each.when == "call"]
    told = [str(line) for each in reports for name, line in each.user_properties if name == _TOLD]
    if told:
        terminalreporter.section("measured")
        for line in told:
            terminalreporter.write_line(line)


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
