"""Each kind of fault on each of the three ways out, during a release with approval: it ends well, and once.

All cases share a house, whose versions and environments go round; what its threads say is looked at when all
releases are over, since Slack takes a post a second.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Literal, Self

import pytest

from sandbox.workspace import Message
from tests.e2e.arenas import Arena
from tests.faults.houses import APPROVERS, CHANNELS, SERVICES, FaultyHouse, faulty_house
from tests.faults.proxy import Fault, Proxy

Way = Literal["kubernetes", "redis", "slack"]
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

PATIENCE = 60.0

PATCH = "PATCH .*/deployments/[^?]*[?]fieldManager=buzzy$"
APPEND = "^EVALSHA .* 5 buzzy:release:"
POST = "POST /api/chat.postMessage"
UPDATE = "POST /api/chat.update"

FAULTS: list[tuple[Way, Fault]] = [
    ("kubernetes", Fault("delay", match=PATCH, count=2, seconds=1.0)),
    ("kubernetes", Fault("trickle", match="GET .*/deployments/", count=3, bytes=300, seconds=0.002)),
    ("kubernetes", Fault("reset", match=PATCH, count=2)),
    ("kubernetes", Fault("reset", at="connection", count=3)),
    ("kubernetes", Fault("silent", match=PATCH)),
    ("kubernetes", Fault("silent", at="connection")),
    ("kubernetes", Fault("status", match=PATCH, count=2, status=503)),
    ("kubernetes", Fault("status", match=PATCH, count=2, status=429, retry_after=1)),
    ("kubernetes", Fault("status", match="GET", count=6, status=429, retry_after=1)),
    ("kubernetes", Fault("cut", match=PATCH, count=2, bytes=300)),
    ("kubernetes", Fault("cut", match="GET .*watch=[Tt]rue", count=4, bytes=600)),
    ("kubernetes", Fault("lost", match=PATCH, count=2)),
    ("kubernetes", Fault("lost", match="POST .*/configmaps[?]fieldManager=buzzy$")),
    ("kubernetes", Fault("hang", match=PATCH)),
    ("redis", Fault("delay", match=APPEND, count=4, seconds=0.7)),
    ("redis", Fault("trickle", match=APPEND, count=4, bytes=8, seconds=0.05)),
    ("redis", Fault("reset", match=APPEND, count=3)),
    ("redis", Fault("reset", at="connection", count=3)),
    ("redis", Fault("silent", match=APPEND)),
    ("redis", Fault("silent", at="connection")),
    ("redis", Fault("status", match=APPEND, count=3)),
    ("redis", Fault("cut", match=APPEND, count=3, bytes=2)),
    ("redis", Fault("lost", match=APPEND, count=4)),
    ("redis", Fault("hang", match=APPEND)),
    ("redis", Fault("lost", match="^(BLPOP|LPOP|RPUSH|HSET|EXEC)", count=4)),
    ("slack", Fault("delay", match=POST, count=2, seconds=1.0)),
    ("slack", Fault("trickle", match=POST, bytes=200, seconds=0.003)),
    ("slack", Fault("reset", match=POST, count=2)),
    ("slack", Fault("reset", at="connection", count=3)),
    ("slack", Fault("silent", match=POST)),
    ("slack", Fault("silent", at="connection")),
    ("slack", Fault("status", match=POST, count=2, status=503)),
    ("slack", Fault("status", match=POST, count=2, status=429, retry_after=1)),
    ("slack", Fault("status", match=UPDATE, count=2, status=429, retry_after=1)),
    ("slack", Fault("cut", match=POST, count=2, bytes=250)),
    ("slack", Fault("lost", match=POST, count=3)),
    ("slack", Fault("lost", match=UPDATE, count=2)),
    ("slack", Fault("hang", match=POST)),
]


def _name(way: Way, fault: Fault) -> str:
    """What a case is called."""
    what = {PATCH: "patch", APPEND: "append", POST: "post", UPDATE: "edit"}.get(fault.match, fault.match)
    status = f" {fault.status}" if fault.kind == "status" and way != "redis" else ""
    return f"{way}: {fault.kind}{status} {what if fault.at == 'request' else 'connections'}"


class Round:
    """The house, and the releases that were made in it."""

    def __init__(self, house: FaultyHouse) -> None:
        """None yet."""
        self.house = house
        self.made: list[tuple[str, Message]] = []
        self._numbers = itertools.count(1)
        self._environments = itertools.cycle(APPROVERS)

    def release(self, trouble: Callable[[], None], *, midway: bool = False) -> None:
        """One release, with trouble from when it waits for approval or, midway, while a service is slow."""
        house, number = self.house, next(self._numbers)
        environment, version = next(self._environments), f"3.2.{number}"
        before = house.generations(environment)
        if midway:
            house.arena.behave(f"buzzybuzz/buzzy-api:{version}", "slow")
        message = house.ask_again_and_again(f"/buzzy release {version} {environment}", environment)
        release = house.record.holder(environment) or ""
        self.made.append((release, message))
        house.until(message, "waiting for", timeout=PATIENCE)
        if not midway:
            trouble()
        house.approve(message, environment)
        if midway:
            house.until_second_service(environment, timeout=PATIENCE)
            trouble()
        message = house.until(message, "🟢", timeout=PATIENCE)
        assert f"{release} " in message
        assert house.images(environment) == {service.name: version for service in SERVICES}
        after = house.generations(environment)
        assert after == {name: written + 1 for name, written in before.items()}


@pytest.fixture(scope="module")
def together(arena: Arena, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Round]:
    """The house of all cases."""
    with faulty_house(FaultyHouse, arena, tmp_path_factory.mktemp("house"), *APPROVERS) as house:
        yield Round(house)


@pytest.fixture
def house(together: Round) -> Iterator[FaultyHouse]:
    """The house; whatever a case did to its ways out is mended afterwards."""
    yield together.house
    for proxy in together.house.proxies:
        proxy.clear()


@pytest.mark.requirement("Q1", "C1")
@pytest.mark.parametrize(("way", "fault"), FAULTS, ids=[_name(*each) for each in FAULTS])
def test_a_release_ends_well_and_once(together: Round, house: FaultyHouse, way: Way, fault: Fault) -> None:
    """Each service is written once, by the API server's own count, and the fault did happen."""
    proxy: Proxy = getattr(house.proxies, way)
    together.release(lambda: _set(proxy, fault))
    proxy.wait(fault, timeout=PATIENCE)


def _set(proxy: Proxy, fault: Fault) -> None:
    proxy.add(fault)
    if fault.at == "connection":
        proxy.reset_all()  # so that there are connections to be made


@pytest.mark.requirement("Q1", "C1")
@pytest.mark.parametrize("way", ["kubernetes", "redis", "slack"])
@pytest.mark.parametrize("what", ["reset", "silent", "refuse", "slow"])
def test_the_same_when_it_is_all_connections(
    together: Round, house: FaultyHouse, way: Way, what: str
) -> None:
    """All that are open are reset or fall silent, none can be made for a while, or each word takes long."""
    proxy: Proxy = getattr(house.proxies, way)
    with _Trouble(proxy, what) as trouble:
        together.release(trouble.begin, midway=True)
    assert what == "slow" or what in {each.kind for each in proxy.applied}


class _Trouble:
    """Trouble with all connections of one way out."""

    def __init__(self, proxy: Proxy, what: str) -> None:
        self._proxy = proxy
        self._what = what
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._refuse)

    def begin(self) -> None:
        """Begin; what does not pass by itself ends soon."""
        match self._what:
            case "reset":
                assert self._proxy.reset_all()
            case "silent":
                assert self._proxy.silence_all()
            case "slow":
                self._proxy.latency = 0.05
            case _:
                self._thread.start()

    def _refuse(self) -> None:
        with self._proxy.refusing():
            self._over.wait(2.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()


@pytest.mark.requirement("Q1", "C2")
@pytest.mark.timeout(300)
def test_and_every_thread_has_each_line_once(together: Round) -> None:
    """Of all the releases above: one message each, a post for each event, in order, none twice."""
    house = together.house
    house.until_all_is_told()
    assert together.made
    for release, message in together.made:
        house.assert_told_once(release, message)
    posted = [message.ts for channel in APPROVERS for message in house.alice.messages(CHANNELS[channel])]
    assert sorted(posted) == sorted(message.ts for _, message in together.made)
