"""Releases that are watched, one after the other in one house, each bad in one way or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from releases.lifecycle import Release, State
from releases.record import Record, Store
from sandbox.cluster.seed import SeedService
from sandbox.metrics.answers import CHECKOUTS
from sandbox.metrics.numbers import WELL_FOR_SECONDS
from sandbox.serving import Served, serve
from tests.e2e.arenas import STABLE, Arena
from tests.e2e.contracts.worlds import Api
from tests.e2e.grants import Grants
from tests.e2e.houses import METRICS_SPEED, ON_CALL, PATIENCE, House, house
from tests.e2e.sight import Sight
from tests.e2e.tally import Played, Strategy

Begins = Literal["never", "at start", "in its metrics", "once watched"]

WHERE = "development"
SERVICES = (SeedService("buzzy-main", replicas=3), SeedService("buzzy-api", replicas=1))
ILL = "buzzy-api"
"""The service whose pods fall ill; too small a part of all to be missed in their throughput."""

DEADLINE = "10s"
"""How long pods may take to come up: less than a minute, as one case waits for its end in every run."""

LONG = 2 * PATIENCE
PAUSE_SECONDS = 0.05


def triggers(shop: str) -> list[dict[str, Any]]:
    """All kinds at once; `shop` is what the probe asks. Where two trip in one look, the first is named."""
    return [
        {"kubernetes": "oom-kills"},
        {"kubernetes": "restarts", "above": 0},
        {"kubernetes": "events", "reasons": ["FailedMount"]},
        {"http": {"url": shop, "within": "2s"}, "for": "2s", "name": "shop"},
        {"error_rate": {"above": "2%", "for": "2s"}},
        {"latency_p95": {"above": "1.3x", "for": "2s"}},
        {"throughput": {"below": "0.5x", "for": "2s"}},
        {"memory": {"above": "512Mi", "for": "2s"}},
        {"cpu": {"above": "1.5x", "for": "2s"}},
        {"promql": CHECKOUTS, "above": 0.1, "for": "2s", "name": "checkout"},
        {"health": {"for": "3s"}},
    ]


@dataclass(frozen=True)
class Case:
    """One way in which a version is bad, and how its way back must begin."""

    name: str
    begins: Begins
    says: str = ""
    wrong: str = ""
    """What is wrong with its pods or its metrics, as the sandbox has it, or else around them."""


class Ward:
    """The house, and what is around it. A run that breaks takes its house along: the next has a new one."""

    def __init__(self, arena: Arena, grants: Grants | None, folder: Path) -> None:
        """Nothing is opened yet."""
        self._arena, self._grants, self._folder = arena, grants, folder
        self._ends = ExitStack()
        self._numbers = iter(range(1, 10_000))
        self._bed: _Bed | None = None

    def close(self) -> None:
        """End the house, if there is one."""
        self._bed = None
        self._ends.close()
        self._arena.forget()

    def play(self, case: Case, strategy: Strategy) -> Played:
        """Release a version of its own that is bad in this way."""
        if self._bed is None:
            self._bed = self._open()
        try:
            return self._bed.play(case, strategy, next(self._numbers))
        except BaseException:
            self.close()
            raise

    def _open(self) -> _Bed:
        closed = Event()

        async def shop(_request: Request) -> Response:
            return PlainTextResponse("closed", 503) if closed.is_set() else PlainTextResponse("open")

        served: Served = self._ends.enter_context(serve(Starlette(routes=[Route("/", shop)])))
        monitor = {"window": "12s", "every": "1s", "triggers": triggers(served.url)}
        rule = {
            "monitor": monitor,
            "alerts": {"critical": ON_CALL, "on_call": "S0ONCALL"},
            "strategies": ["blue-green"],
            "blue_green": {"delay": "1h"},
        }
        opened = self._ends.enter_context(
            house(
                self._arena,
                self._folder,
                WHERE,
                services=SERVICES,
                deadline=DEADLINE,
                workers=self._grants,
                rules={WHERE: rule},
                metrics={},
            )
        )
        store = Store.connect(opened.redis.url, answer_seconds=10)
        self._ends.callback(store.close)
        names = [each.name for each in SERVICES]
        sight = self._ends.enter_context(Sight(opened.kubeconfig, opened.namespaces[WHERE], names))
        return _Bed(opened, Record(store), sight, closed)


@dataclass
class _Bed:
    """One house, for as long as its runs come to an end. `runs` is the version that it has."""

    house: House
    record: Record
    sight: Sight
    shop_closed: Event
    runs: str = STABLE

    def play(self, case: Case, strategy: Strategy, number: int) -> Played:
        """Release it, and wait until it has ended and the cluster has come to rest."""
        self.sight.until_only(self.runs, timeout=LONG)
        in_metrics = case.begins == "in its metrics"
        version = f"3.2.{number}-{case.wrong}" if in_metrics else f"3.2.{number}"
        if case.begins == "at start":
            self.house.arena.behave(f"buzzybuzz/{ILL}:{version}", case.wrong)
        line = f"/buzzy release {version} {WHERE} --strategy {strategy}"
        message = self.house.ask(line, WHERE)
        (release,) = self.record.recent(WHERE, 1)
        begun = self._made_ill(case, release.id, version) if case.begins == "once watched" else None
        ended = self._until(release.id, lambda now: now.ended)
        self.shop_closed.clear()  # by then nobody asks any more
        if begun is None or case.wrong == "flaky":
            begun = self._begun(case, version)
        if wrong := _judged(case, ended):
            return self._lost(wrong, ended, version)
        if case.begins == "never":
            self.runs = version
            self.sight.until_only(version, timeout=LONG)
            return Played()
        self.house.until(message, f"rolled back to {self.runs} by itself in")
        self.sight.until_only(self.runs, timeout=LONG)
        assert ended.failure is not None
        return Played("", begun, ended.failure.at.timestamp(), self.sight.only_since(self.runs))

    def _made_ill(self, case: Case, id_: str, version: str) -> float | None:
        """Make it ill once it is watched; when that was, None if it never came so far."""
        now = self._until(id_, lambda now: now.ended or now.watching is not None)
        if now.ended:
            return None
        begun = time.time()
        match case.wrong:
            case "closed":
                self.shop_closed.set()
            case "FailedMount":
                self._warn(version)
            case behaviour:
                self.house.fall_ill(WHERE, ILL, version, behaviour)
        return begun

    def _warn(self, version: str) -> None:
        """Warn of a pod of the version, as a kubelet does that cannot mount what it needs."""
        namespace, api = self.house.namespaces[WHERE], Api(self.house.kubeconfig)
        pods = api.ask("GET", f"/api/v1/namespaces/{namespace}/pods").body["items"]
        pod = next(each for each in pods if each["spec"]["containers"][0]["image"].endswith(f":{version}"))
        about = {name: pod["metadata"][name] for name in ("name", "namespace", "uid")}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        event = {
            "metadata": {"generateName": f"{about['name']}.", "namespace": namespace},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
            "type": "Warning",
            "reason": "FailedMount",
            "message": 'MountVolume.SetUp failed for volume "files": configmap not found',
            "source": {"component": "kubelet"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        answer = api.ask("POST", f"/api/v1/namespaces/{namespace}/events", event)
        api.close()
        assert answer.code == 201, answer.body

    def _begun(self, case: Case, version: str) -> float | None:
        """When it began to be bad, as the cluster showed it."""
        if case.begins == "in its metrics":
            ready = [self.sight.first("ready", f"buzzybuzz/{each.name}:{version}") for each in SERVICES]
            seen = [at for at in ready if at is not None]
            served = self.sight.served_first(version)
            if not seen or served is None:
                return None
            return max(min(seen) + WELL_FOR_SECONDS / METRICS_SPEED, served)
        what = "unready" if case.wrong == "flaky" else "made"
        return self.sight.first(what, f"buzzybuzz/{ILL}:{version}")

    def _until(self, id_: str, condition: Callable[[Release], bool]) -> Release:
        deadline = time.monotonic() + LONG
        while True:
            now = self.record.load(id_).release
            if condition(now):
                return now
            assert time.monotonic() < deadline, f"{id_} is {now.state} still\n{self.house.logs()}"
            time.sleep(PAUSE_SECONDS)

    def _lost(self, wrong: str, ended: Release, version: str) -> Played:
        """Count it, and go on from what runs now, or from what ran before."""
        if ended.state is State.RELEASED:
            self.runs = version
        self.sight.until_only(self.runs, timeout=LONG)
        return Played(f"{ended.id}, {version}: {wrong}")


def _judged(case: Case, ended: Release) -> str:
    """What is wrong with how a release has ended; empty when nothing is."""
    if case.begins == "never":
        return "" if ended.state is State.RELEASED else f"false alarm: {ended.turned_back_because}"
    if ended.state is State.RELEASED:
        return "missed"
    if ended.state is not State.ROLLED_BACK or not ended.by_itself:
        return f"it ended as {ended.state}: {ended.reason}"
    because = ended.turned_back_because or ""
    return "" if because.startswith(case.says) else f"not by {case.says!r}, but: {because}"


@contextmanager
def ward_of(arena: Arena, grants: Grants | None, folder: Path) -> Iterator[Ward]:
    """A ward for the length of a block."""
    ward = Ward(arena, grants, folder)
    try:
        yield ward
    finally:
        ward.close()
