"""A world for the state machine: two environments, and workers whose fate is decided at a call of a port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from bot.requests import LET_GO
from releases import approval, gates, grammar, steering
from releases import events as e
from releases.people import Person
from releases.plan import digest_of
from releases.policy import Refusal
from releases.record import (
    BusyError,
    MovedError,
    Questions,
    Record,
    RecordUnavailableError,
    StaleError,
    Store,
)
from sandbox.cluster import Cluster
from sandbox.cluster.resources import DEPLOYMENTS
from sandbox.cluster.seed import SeedService
from sandbox.cluster.store import Change
from tests.integration.workers_world import ALICE, ListedQueue, settle
from workers.advance import Tools
from workers.answering import Answers
from workers.cluster import Cluster as Port
from workers.cluster.connections import Connections
from workers.drafting import Drafts
from workers.jobs import Jobs
from workers.marks import made_by
from workers.reaper import Reaper

SERVICES = (SeedService("buzzy-main", replicas=1), SeedService("buzzy-api", replicas=1))
NAMESPACES = {"staging": "buzzy-staging", "production": "buzzy-production"}
QUORUM = {"staging": 1, "production": 2}
PEOPLE = ("U0BOB", "U0CAROL")
CONFIG = """
services:
  - {name: buzzy-main, image: buzzybuzz/buzzy-main, deadline: 30s}
  - {name: buzzy-api, image: buzzybuzz/buzzy-api, deadline: 30s}
environments:
  staging: {namespace: buzzy-staging, channel: C0STAGING, configuration: {LOG_LEVEL: info}}
  production: {namespace: buzzy-production, channel: C0RELEASES, configuration: {LOG_LEVEL: warn}}
"""

T = TypeVar("T")
When = Literal["before", "after"]
PortName = Literal["store", "cluster"]
Wanted = Literal["good", "crash", "missing", "the same", "back"]
"""What is asked for: a version that comes up or does not, the one that was asked for last, a rollback."""
Answer = Literal["approve", "withdraw", "refuse", "abort", "pause", "resume", "retry"]


class KilledError(BaseException):
    """The worker is dead: nothing catches it, and nothing that it does from now on has an effect."""


@dataclass
class Fate:
    """What happens to a worker at its `call`-th use of a port, before or after that takes effect."""

    port: PortName = "store"
    call: int = 0
    when: When = "before"
    act: Callable[[Fate], None] = lambda _: None
    dead: bool = False
    seen: dict[PortName, int] = field(default_factory=dict)

    def kill(self) -> None:
        """End the worker here and now."""
        self.dead = True
        raise KilledError

    def around(self, port: PortName, action: Callable[[], T]) -> T:
        """Do what the worker wants done, and let its fate take its course."""
        if threading.current_thread() is not threading.main_thread():
            if self.dead:
                raise RecordUnavailableError("a thread of a dead worker")
            return action()
        if self.dead:
            raise KilledError
        self.seen[port] = self.seen.get(port, 0) + 1
        hit = port == self.port and self.seen[port] == self.call
        if hit and self.when == "before":
            self.act(self)
        done = action()
        if hit and self.when == "after":
            self.act(self)
        return done


class FatefulStore(Store):
    """A store that only a living worker can use."""

    def __init__(self, below: Store, fate: Fate) -> None:
        """`below` does it."""
        self._below = below
        self._fate = fate

    def key(self, *parts: str) -> str:
        """As the store has it."""
        return self._below.key(*parts)

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | int | float]) -> Any:  # noqa: ANN401 - as Store
        """Run a script."""
        return self._fate.around("store", lambda: self._below.run(script, keys, args))

    def call(self, command: str, *args: str | float) -> Any:  # noqa: ANN401 - as Store
        """Run a command."""
        return self._fate.around("store", lambda: self._below.call(command, *args))


class FatefulCluster:
    """A cluster that only a living worker can use."""

    def __init__(self, below: Port, fate: Fate) -> None:
        """`below` does it."""
        self._below = below
        self._fate = fate

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Each call of the port, counted."""
        method = getattr(self._below, name)

        def call(*args: object, **given: object) -> object:
            return self._fate.around("cluster", lambda: method(*args, **given))

        return call

    def follow(self, namespace: str, deployment: Any) -> AbstractContextManager[Iterator[Any]]:  # noqa: ANN401 - as Cluster
        """Watches are threads of their own, which end with the block."""
        return self._fate.around("cluster", lambda: self._below.follow(namespace, deployment))


@dataclass(frozen=True)
class Write:
    """A change of a Deployment's template, as the API server stored it. `release` None: somebody else's."""

    namespace: str
    service: str
    release: str | None
    before: str
    after: str


class MachineWorld:
    """Two environments in a cluster, a record in Redis, a queue, and what was written."""

    def __init__(self, cluster: Cluster, folder: Path, store: Store) -> None:
        """Seeds the cluster."""
        from releases.config import parse_config  # noqa: PLC0415 - beside CONFIG only here

        self.cluster = cluster
        self.store = store
        self.record = Record(store)
        self.queue = ListedQueue()
        self.config = parse_config(CONFIG)
        self.writes: list[Write] = []
        self.releases: list[str] = []
        self.epochs: dict[str, int] = {}
        self._version = 0
        self._others = False
        cluster.seed_buzzy(namespaces=NAMESPACES.values(), services=SERVICES)
        settle(cluster)
        cluster.run(lambda: cluster.store.listen(self._stored))
        self.connections = Connections(str(cluster.kubeconfig(folder / "kubeconfig")))

    # -- what people do ----------------------------------------------------------------------------------

    def ask(self, environment: str, wanted: Wanted) -> None:
        """Ask for the next version, which is good or not, or for a rollback; the environment may be held."""
        if wanted in {"good", "crash", "missing"}:
            self._version += 1
        version = f"3.2.{self._version}" if wanted != "back" else None
        if wanted in {"crash", "missing"}:
            self.cluster.set_behaviours({f"3.2.{self._version}": wanted})
        needed = e.ApprovalNeeded(
            quorum=QUORUM[environment], approvers=PEOPLE, own_release=False, expires_seconds=3600
        )
        requested = e.ReleaseRequested(
            at=now(),
            kind="release" if version else "rollback",
            environment=environment,
            version=version,
            strategy="rolling",
            by=ALICE,
            channel="C0STAGING",
            approval=needed,
        )
        try:
            id_ = self.record.open(requested, delivery=f"d{len(self.releases)}").release.id
        except BusyError:
            assert self.record.holder(environment) is not None
            return
        self.releases.append(id_)
        self.queue.put("deployment", "plan", id_)

    def answer(self, environment: str, who: str, what: Answer) -> None:
        """Somebody answers the release that holds an environment, as the bot lets them, or retries one."""
        latest = self.record.latest(environment)
        id_ = latest[0] if what == "retry" and latest is not None else self.record.holder(environment)
        if id_ is None:
            return
        held, person = self.record.load(id_), Person(who, who)
        match what:
            case "approve":
                outcome = approval.approve(held.release, person, now(), via="reaction", digest=None)
            case "withdraw":
                outcome = approval.withdraw(held.release, person, now())
            case "refuse":
                outcome = approval.refuse(held.release, person, now(), via="reaction")
            case "abort":
                outcome = steering.abort(held.release, person, now(), None)
            case "pause":
                outcome = steering.pause(held.release, person, now(), None)
            case "resume":
                outcome = steering.resume(held.release, person, now(), via="button")
            case "retry":
                outcome = steering.retry(held.release, person, now(), via="button", newest=id_)
        if isinstance(outcome, Refusal) or not outcome:
            return
        try:
            after = self.record.append(held, outcome).release
        except (MovedError, StaleError, BusyError):
            return
        if not after.ended and any(isinstance(event, LET_GO) for event in outcome):
            self.queue.put("deployment", "advance", id_)

    def edit(self, environment: str, service: str, tag: str) -> None:
        """Somebody else sets another image."""
        namespace = NAMESPACES[environment]

        def change(thing: dict[str, Any]) -> None:
            container = thing["spec"]["template"]["spec"]["containers"][0]
            container["image"] = f"buzzybuzz/{service}:{tag}"

        def write() -> None:
            thing = self.cluster.store.get(DEPLOYMENTS, namespace, service)
            assert thing is not None
            self._others = True  # whatever a release wrote there before, and although its mark is there still
            try:
                self.cluster.registry.modify(DEPLOYMENTS, thing, change, manager="kubectl")
            finally:
                self._others = False

        self.cluster.run(write)

    # -- what workers do ---------------------------------------------------------------------------------

    def worker(self, fate: Fate) -> Jobs:
        """The jobs of a worker with this fate."""
        store = FatefulStore(self.store, fate)
        record, questions = Record(store), Questions(store)

        def clusters(context: str | None) -> Port:
            return FatefulCluster(self.connections(context), fate)

        drafts = Drafts(record, self.config, clusters)
        tools = Tools(record, self.config, clusters, drafts, lambda: False, slice_seconds=6.0)
        vocabulary = grammar.Vocabulary(tuple(NAMESPACES), tuple(each.name for each in SERVICES))
        parse = partial(grammar.parse, vocabulary=vocabulary)
        return Jobs(tools, self.queue, questions, Answers(record, questions, self.config, drafts, parse, now))

    def run(self, job: str, release: str, fate: Fate) -> None:
        """Run a job; its worker may not survive it."""
        try:
            self.worker(fate).table[f"workers.jobs.{job}"](release)
        except KilledError:
            assert fate.dead

    def expire_leases(self) -> None:
        """Time passes: no worker that is not heard of is believed alive any more."""
        for environment in NAMESPACES:
            key = self.store.key("environment", environment)
            if self.store.call("HGET", key, "until"):
                self.store.call("HSET", key, "until", 0)

    def reap(self) -> None:
        """What workers do every few seconds."""
        self.store.call("DEL", self.store.key("reaper"))
        Reaper(self.store, self.record, self.queue, now=now).reap()
        self._confirm()

    def _confirm(self) -> None:
        """What bots do several times a second: read the approvals of what is about to start."""
        for id_ in self.record.idle():
            held = self.record.load(id_)
            happened = gates.confirm(
                held.release, now(), people=lambda user: Person(user, user), stands=lambda _: True
            )
            if happened:
                self.record.append(held, happened)
                self.queue.put("deployment", "advance", id_)

    # -- what there is to see ----------------------------------------------------------------------------

    def epoch(self, environment: str) -> int:
        """The epoch of an environment."""
        return int(self.store.call("HGET", self.store.key("environment", environment), "epoch") or 0)

    def templates(self, environment: str) -> Mapping[str, str]:
        """The digest of each Deployment's template."""
        found = self.cluster.run(lambda: self.cluster.store.listing(DEPLOYMENTS, NAMESPACES[environment]))
        return {each["metadata"]["name"]: digest_of(each["spec"]["template"]) for each in found}

    def _stored(self, change: Change) -> None:
        if change.resource is not DEPLOYMENTS or change.before is None:
            return
        before, after = (digest_of(each["spec"]["template"]) for each in (change.before, change.object))
        if before == after:
            return
        metadata = change.object["metadata"]
        template = change.object["spec"]["template"]
        by = None if self._others else made_by(metadata.get("annotations", {}), template)
        self.writes.append(Write(metadata["namespace"], metadata["name"], by, before, after))


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)
