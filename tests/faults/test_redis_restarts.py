"""Redis is killed in the middle of releases and comes back with its log, or without the end of it."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from releases.lifecycle import State
from releases.record import Store
from sandbox.cluster import running_cluster
from sandbox.redis_server import Fsync, RedisServer
from tests.e2e.arenas import Arena, SandboxArena
from tests.faults.aof import lose_from
from tests.faults.houses import APPROVERS, FaultyHouse, faulty_house

PATIENCE = 90.0
pytestmark = pytest.mark.timeout(300)

AWAY_SECONDS = 0.5
WRITES = 300
ENVIRONMENTS = (*APPROVERS, "development")


class DurableHouse(FaultyHouse):
    """A house whose Redis keeps a log."""

    def start_redis(self) -> RedisServer:
        """Redis as deploy/ runs it."""
        folder = self.folder / "redis"
        folder.mkdir()
        return RedisServer(folder=folder, fsync="always")

    def crash_redis(self, *, lose: bytes | None = None) -> None:
        """SIGKILL; it is away for a moment, and back with its log, or with that up to the last `lose`."""
        self.redis.kill()
        if lose is not None:
            assert lose_from(self.redis.folder, lose) > 0
        time.sleep(AWAY_SECONDS)
        self.redis.start()


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """A cluster at leisure, whose slow pods are slow enough for a crash in the middle."""
    with running_cluster(speed=2.0) as sandbox:
        yield SandboxArena(sandbox, tmp_path_factory.mktemp("arena"))


@pytest.fixture(scope="module")
def house(arena: Arena, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DurableHouse]:
    """The house of all cases."""
    folder = tmp_path_factory.mktemp("house")
    with faulty_house(DurableHouse, arena, folder, *ENVIRONMENTS) as opened:
        yield opened


_numbers = itertools.count(1)


class Case:
    """One release to an environment, and what was there before it."""

    def __init__(self, house: DurableHouse, environment: str) -> None:
        """Ask for it. Its second service takes its time."""
        self.house, self.environment = house, environment
        self.version = f"3.3.{next(_numbers)}"
        self.before, self.images = house.generations(environment), house.images(environment)
        house.arena.behave(f"buzzybuzz/buzzy-api:{self.version}", "slow")
        self.message = house.ask(f"/buzzy release {self.version} {environment}", environment)

    @property
    def id(self) -> str:
        """The release's id."""
        holder = self.house.record.holder(self.environment)
        assert holder is not None
        return holder

    def state(self) -> State:
        """Where it stands, as the record has it now."""
        return self.house.record.load(self.id).release.state

    def until(self, text: str) -> None:
        """Wait until its message says so."""
        self.message = self.house.until(self.message, text, timeout=PATIENCE)

    def begun(self) -> None:
        """See it as far as its second service."""
        if self.environment in APPROVERS:
            self.until("waiting for")
            self.house.approve(self.message, self.environment)
        self.house.until_second_service(self.environment, timeout=PATIENCE)

    def ends_well(self) -> None:
        """It is released, and each service was written once."""
        self.until("🟢")
        assert set(self.house.images(self.environment).values()) == {self.version}
        after = self.house.generations(self.environment)
        assert after == {name: written + 1 for name, written in self.before.items()}


@pytest.mark.long
@pytest.mark.requirement("Q1")
@pytest.mark.parametrize("when", ["planning", "waiting", "running", "turning back"])
def test_a_release_goes_on_where_redis_was_killed(house: DurableHouse, when: str) -> None:
    """Nothing is lost and nothing told twice: whatever was acknowledged is in the log."""
    case = Case(house, "staging")
    release = case.id
    if when == "waiting":
        case.until("waiting for")
    if when in {"running", "turning back"}:
        case.begun()
    if when == "turning back":
        house.alice.click(case.message, "Abort")
        house.alice.wait(lambda: case.state() is not State.RUNNING, PATIENCE, "it heard of it")
    house.crash_redis()
    if when in {"planning", "waiting"}:
        case.begun()
    if when == "turning back":
        case.until(f"back at {case.images['buzzy-main']}")
        assert house.images("staging") == case.images
    else:
        case.ends_well()
    house.until_all_is_told()
    house.assert_told_once(release, case.message)


@pytest.mark.long
@pytest.mark.requirement("Q1")
@pytest.mark.parametrize(
    "lost", ["step_finished", "step_started", "release_started"], ids=lambda lost: lost.replace("_", " ")
)
def test_a_log_that_lost_its_end_leaves_the_release_at_an_earlier_place(
    house: DurableHouse, lost: str
) -> None:
    """It goes on from there; what it did already is not done again, and nobody is told otherwise.

    A disk may lose what Redis wrote last, with all that came after. What a person saw of that in the thread
    may be told once more, in the same words.
    """
    case = Case(house, "development")
    release = case.id
    case.begun()
    house.crash_redis(lose=lost.encode())
    case.ends_well()
    house.until_all_is_told()
    thread = house.thread(case.message)
    assert thread.count("🟢") == 1
    assert not {"🔴", "⚫", "🟣", "✋"} & set(thread)
    assert house.record.load(release).release.state is State.RELEASED


@pytest.mark.requirement("Q1")
@pytest.mark.parametrize("fsync", ["always", "everysec"])
def test_a_killed_redis_has_all_that_it_acknowledged(
    tmp_path: Path, fsync: Fsync, tell: Callable[[str], None]
) -> None:
    """Under either setting: what it wrote is the kernel's, and only the machine's death can lose it."""
    with RedisServer(folder=tmp_path, fsync=fsync) as server:
        store = Store.connect(server.url)
        spans = [_timed(lambda: store.call("RPUSH", "list", "x" * 600)) for _ in range(WRITES)]
        server.kill()
        store.close()
        server.start()
        again = Store.connect(server.url)
        assert again.call("LLEN", "list") == WRITES
        again.close()
    spans.sort()
    tell(
        f"appendfsync {fsync}: an event is written in {statistics.median(spans) * 1000:.2f} ms (p50), "
        f"{spans[int(WRITES * 0.99)] * 1000:.2f} ms (p99)"
    )


def _timed(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def test_a_log_whose_last_command_is_half_written_is_read(tmp_path: Path) -> None:
    """As a machine leaves it that died while it wrote: Redis starts without that command."""
    with RedisServer(folder=tmp_path) as server:
        store = Store.connect(server.url)
        for number in range(3):
            store.call("RPUSH", "list", number)
        server.kill()
        store.close()
        log = tmp_path / "appendonly.aof"
        log.write_bytes(log.read_bytes()[:-5])
        server.start()
        again = Store.connect(server.url)
        assert again.call("LRANGE", "list", 0, -1) == ["0", "1"]
        again.close()
