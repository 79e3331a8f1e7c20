"""A house whose bot and workers reach Redis, Slack and Kubernetes through proxies, and what holds of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml

from bot.messages.thread import thread_message
from bot.relay.story import tale_of
from releases.record import Record, Store
from sandbox.cluster.seed import SeedService
from sandbox.stage import CONFIG
from sandbox.workspace import Message
from tests.e2e.arenas import STABLE, Arena
from tests.e2e.houses import (
    CHANNELS,
    TICK,
    House,
    without_metrics,
    without_registry,
    without_strangers,
    without_trains,
)
from tests.faults.kubeconfigs import proxy_of, through
from tests.faults.proxy import Proxy

SERVICES = (SeedService("buzzy-main", replicas=2), SeedService("buzzy-api", replicas=1))
APPROVERS = {"staging": ("bob",), "production": ("bob", "carol"), "disaster-recovery": ("carol",)}
DEADLINE = "60s"
"""Faults take time, and none of them is the fault of the version."""

TELL_SECONDS = 90.0


@dataclass(frozen=True)
class Proxies:
    """The three ways out."""

    redis: Proxy
    slack: Proxy
    kubernetes: Proxy

    def __iter__(self) -> Iterator[Proxy]:
        """Each of them."""
        return iter((self.redis, self.slack, self.kubernetes))


class FaultyHouse(House):
    """A house with a proxy on each way out. People and tests reach everything directly."""

    @cached_property
    def proxies(self) -> Proxies:
        """Made when the servers behind them are there, and before the first process that needs them."""
        made = Proxies(
            Proxy("redis", upstream=("127.0.0.1", self.redis.port)),
            Proxy("http", upstream=("127.0.0.1", int(self.workspace.url.rpartition(":")[2]))),
            proxy_of(self._workers),
        )
        for proxy in made:
            proxy.start()
        self.workspace.reached_at(f"http://{made.slack.address}")
        return made

    @property
    def settings(self) -> dict[str, str]:
        """As the house has them, but through the proxies."""
        kubeconfig = through(self.proxies.kubernetes, self._workers, self.folder / "through.kubeconfig")
        return super().settings | {
            "REDIS_URL": f"redis://{self.proxies.redis.address}/0",
            "SLACK_API_URL": self.workspace.api_url,
            "KUBECONFIG": str(kubeconfig),
        }

    def __exit__(self, *error: object) -> None:
        """End the processes, then what they spoke through."""
        super().__exit__(*error)
        for proxy in self.proxies:
            proxy.stop()

    @cached_property
    def record(self) -> Record:
        """The record, read directly."""
        return Record(Store.connect(self.redis.url, answer_seconds=10))

    def generations(self, environment: str) -> dict[str, int]:
        """How often each Deployment's specification was written, as the API server counts."""
        found = self.deployments(environment)
        return {name: int(item["metadata"]["generation"]) for name, item in found.items()}

    def ask_again_and_again(self, line: str, environment: str) -> Message:
        """Type a command until it was taken, as people do who read the answer; wait for its message."""
        before = self.alice.messages(CHANNELS[environment])

        def taken() -> bool:
            delivery = self.alice.command(line, CHANNELS[environment])
            return delivery.acknowledged and "Noted" in str(delivery.answer)

        self.alice.wait(taken, TELL_SECONDS, "it was taken")
        last = before[-1] if before else None
        try:
            return self.alice.wait_for_message(CHANNELS[environment], after=last, timeout=TELL_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None

    def until_second_service(self, environment: str, *, timeout: float) -> None:
        """Wait until the release that holds an environment is at work on its second service."""

        def begun() -> bool:
            holder = self.record.holder(environment)
            return holder is not None and "buzzy-api" in self.record.load(holder).release.changed_services

        give_up = time.monotonic() + timeout
        while not begun():
            assert time.monotonic() < give_up, f"it does not come to its second service\n{self.logs()}"
            time.sleep(0.02)

    def approve(self, message: Message, environment: str) -> None:
        """Have it approved by as many as the environment wants."""
        for name in APPROVERS[environment]:
            self.person(name).react(message, TICK)

    def assert_told_once(self, release: str, message: Message) -> None:
        """The thread has a post for each event that has a line, in order, and no other."""
        events = self.record.events(release)
        wanted = [
            f"{release}:{index}"
            for index, (state, event) in enumerate(
                zip(tale_of(release, events).states, events, strict=True), 1
            )
            if thread_message(state, event, "buzzy") is not None
        ]
        told = [str(reply.data["metadata"]["event_payload"]["id"]) for reply in self.alice.thread(message)]
        assert told == wanted

    def until_all_is_told(self) -> None:
        """Wait until Slack has everything."""
        self.alice.wait(lambda: not self.record.behind(), TELL_SECONDS, "all is told")


HouseT = TypeVar("HouseT", bound=FaultyHouse)


@contextlib.contextmanager
def faulty_house(
    made: type[HouseT],
    arena: Arena,
    folder: Path,
    *environments: str,
    deadline: str = DEADLINE,
    **how: Any,  # noqa: ANN401 - as House
) -> Iterator[HouseT]:
    """A house with these environments, two small services each, behind proxies."""
    namespaces = {name: f"faults-{name}" for name in environments}
    config = yaml.safe_load(CONFIG.read_text())
    without_metrics(config)
    without_trains(config)
    config["environments"] = {
        name: {
            **without_strangers(config["environments"][name], environments),
            "grace": "off",
            "namespace": namespaces[name],
        }
        for name in environments
    }
    without_registry(config)
    config["services"] = [
        {"name": each.name, "image": f"buzzybuzz/{each.name}", "deadline": deadline} for each in SERVICES
    ]
    file = folder / "buzzy.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    arena.seed(list(namespaces.values()), SERVICES)
    with made(arena, file, namespaces, registry=False, **how) as opened:
        yield opened


__all__ = ["APPROVERS", "CHANNELS", "SERVICES", "STABLE", "FaultyHouse", "faulty_house"]
