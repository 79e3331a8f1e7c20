"""A whole house for one run after the other: workspace, cluster and Redis, and a bot and a worker to kill.

Workspace and cluster are new for each run, and Redis is empty, so that every run starts from the same and
nothing of one shows in the next. The bot and the worker are the real programs, forked by a nursery.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import httpx
import yaml

from releases.record import Store
from sandbox.children import die_with_parent
from sandbox.cluster import Cluster, running_cluster
from sandbox.cluster.seed import SeedService
from sandbox.redis_server import RedisServer
from sandbox.workspace import RunningWorkspace, running_workspace
from sandbox.workspace.settings import Settings
from tests.faults.crashpoints.boundaries import Boundary, CrashPoint
from tests.faults.crashpoints.effects import Effects
from tests.faults.crashpoints.people import People
from tests.faults.crashpoints.scenarios import PREVIOUS, STABLE, Scenario
from tests.faults.crashpoints.witness import Witness

USER = "workers"
NAMESPACE, CHANNEL, ON_CALL = "buzzy-staging", "C0STAGING", "C0ONCALL"
SERVICES = (SeedService("buzzy-main", replicas=1), SeedService("buzzy-api", replicas=1))
SPEED = 40.0
QUIET_SECONDS = 45.0
LOOK_SECONDS = 0.02
REDIS_SECONDS = 10.0
ROOT = Path(__file__).parents[3]

SLACK = Settings(answer_seconds=1.0, retry_after=(0.1, 0.3, 0.6, 1.0, 2.0, 4.0, 8.0))
"""Slack itself would wait for 3 s, and send again after a minute."""

CONFIG = f"""
services:
  - {{name: buzzy-main, image: buzzybuzz/buzzy-main, deadline: 60s}}
  - {{name: buzzy-api, image: buzzybuzz/buzzy-api, deadline: 60s}}
environments:
  staging:
    namespace: {NAMESPACE}
    channel: {CHANNEL}
    approval: {{quorum: 1, from: [S0APPROVERS]}}
    grace: 1s
    alerts: {{critical: {ON_CALL}, on_call: S0ONCALL}}
    configuration: {{LOG_LEVEL: info}}
"""


@dataclass(frozen=True)
class Run:
    """What became of one run."""

    effects: Effects
    passed: tuple[tuple[Boundary, bool], ...]
    """The boundaries in the order in which they were passed, and whether a work-horse ran beside it."""
    fired: tuple[bool, ...]
    """Whether each armed crash point was reached."""
    deaths: tuple[str, ...]
    """Who had to be started again, and what ended it."""
    hung: str
    """What was waited for in vain; empty when all came to its end."""
    seconds: float
    logs: str


class World:
    """Leaving the `with` block ends everything in it."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._ends = ExitStack()
        self._runs = 0

    def __enter__(self) -> Self:
        """Start what outlives a run."""
        with ExitStack() as ends:
            self._folder = Path(ends.enter_context(TemporaryDirectory(prefix="buzzy-crash-")))
            self._redis = ends.enter_context(RedisServer())
            http = ends.enter_context(httpx.Client(trust_env=False))
            self._nursery = ends.enter_context(_nursery(self._redis.url))
            self._ends = ends.pop_all()
        self._witness = Witness(
            http, environment="staging", namespace=NAMESPACE, channels=(CHANNEL, ON_CALL), user=USER
        )
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._ends.close()

    def run(self, scenario: Scenario, armed: Sequence[CrashPoint] = ()) -> Run:
        """Play a scenario with these kills."""
        began = time.monotonic()
        self._runs += 1
        folder = self._folder / str(self._runs)
        folder.mkdir()
        behaviours = dict(scenario.behaviours)
        with (
            closing(Store.connect(self._redis.url, answer_seconds=REDIS_SECONDS)) as store,
            running_workspace(SLACK) as slack,
            running_cluster(speed=SPEED, behaviours=behaviours, bookmark_seconds=1.0) as cluster,
        ):
            store.call("FLUSHALL")
            cluster.seed_buzzy(namespaces=[NAMESPACE], version=STABLE, previous=PREVIOUS, services=SERVICES)
            cluster.add_user(USER, USER)
            self._start(folder, slack, cluster, armed, scenario.settings)
            try:
                hung = self._played(scenario, slack, store)
                seen = self._witness.effects(slack, cluster, store)
            finally:
                deaths = tuple(self._say(end=True)["deaths"])
        logs = [folder / f"{role}.log" for role in ("bot", "worker")]
        return Run(
            effects=seen,
            passed=tuple(_passed(folder / "passed")),
            fired=tuple((folder / f"armed-{n}.fired").exists() for n in range(len(armed))),
            deaths=deaths,
            hung=hung,
            seconds=time.monotonic() - began,
            logs="\n".join(log.read_text(errors="replace") for log in logs),
        )

    def _start(
        self,
        folder: Path,
        slack: RunningWorkspace,
        cluster: Cluster,
        armed: Sequence[CrashPoint],
        more: Mapping[str, Any],
    ) -> None:
        config, content = folder / "buzzy.yaml", yaml.safe_load(CONFIG)
        content["environments"]["staging"] |= more
        config.write_text(yaml.safe_dump(content, sort_keys=False))
        settings = slack.environment() | {
            "REDIS_URL": self._redis.url,
            "KUBECONFIG": str(cluster.kubeconfig(folder / "kubeconfig", token=USER)),
            "BUZZY_CONFIG": str(config),
        }
        for role in ("worker", "bot"):
            self._say(
                role=role,
                env=settings,
                log=str(folder / f"{role}.log"),
                passed=str(folder / "passed"),
                armed=[point.as_json() for point in armed],
            )

    def _played(self, scenario: Scenario, slack: RunningWorkspace, store: Store) -> str:
        """Play, and wait until nobody has anything left to do; what did not happen."""
        try:
            scenario.play(People(slack, store, CHANNEL))
        except AssertionError as error:
            return str(error)
        deadline = time.monotonic() + QUIET_SECONDS
        while left := self._witness.leftovers(store):
            if time.monotonic() > deadline:
                return f"it does not come to rest: {', '.join(left)}"
            time.sleep(LOOK_SECONDS)
        return ""

    def _say(self, **order: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        answer: dict[str, Any] = json.loads(self._nursery.stdout.readline())
        return answer


@contextmanager
def _nursery(redis_url: str) -> Iterator[subprocess.Popen[str]]:
    arguments = ["-m", "tests.faults.crashpoints.nursery", redis_url]
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe in the child
    ) as process:
        assert process.stdout is not None
        json.loads(process.stdout.readline())
        yield process


def _passed(file: Path) -> Iterator[tuple[Boundary, bool]]:
    for line in file.read_text().splitlines():
        data = json.loads(line)
        horse = data.pop("horse")
        yield Boundary.of_json(data), horse
