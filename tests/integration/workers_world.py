"""A small world for the workers' tests: a cluster with Buzzy in it, a record, and jobs that run when told."""

from __future__ import annotations

import copy
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from releases import events as e
from releases import grammar
from releases.config import Config, parse_config
from releases.lifecycle import Release
from releases.record import JobQueue, Questions, Record, Store
from releases.record.drifts import Drifts
from releases.record.queue import JobName, QueueName
from sandbox.cluster import Cluster, running_cluster
from sandbox.cluster.access import Rule
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.resources import CONFIG_MAPS, DEPLOYMENTS, LEASES, PODS, Resource
from sandbox.cluster.resources import SERVICES as SERVICES_OF_PODS
from workers.advance import Tools
from workers.answering import Answers
from workers.around import Around
from workers.cluster import Cluster as WorkersCluster
from workers.cluster import TemplateWrite
from workers.cluster.connections import Clusters, Connections
from workers.drafting import Drafts
from workers.jobs import Jobs

NAMESPACE = "buzzy-staging"
SERVICES = ("buzzy-main", "buzzy-api", "buzzy-files", "buzzy-worker")
ALICE = e.Actor(id="U0ALICE", name="alice")
BOB = e.Actor(id="U0BOB", name="bob")
TOKEN = "buzzy-worker"
SETTLE_SECONDS = 20.0
ROLE = Path(__file__).parents[2] / "deploy" / "kubernetes" / "workers-rbac.yaml"

CONFIG = """
services:
  - {name: buzzy-main, image: buzzybuzz/buzzy-main, deadline: 30s}
  - {name: buzzy-api, image: buzzybuzz/buzzy-api, deadline: 30s}
  - {name: buzzy-files, image: buzzybuzz/buzzy-files, deadline: 30s}
  - {name: buzzy-worker, image: buzzybuzz/buzzy-worker, deadline: 30s}
environments:
  staging:
    namespace: buzzy-staging
    channel: C0STAGING
    configuration: {LOG_LEVEL: info}
  development:
    namespace: buzzy-development
    channel: C0DEV
    prerelease: true
"""


class ListedQueue(JobQueue):
    """A queue whose jobs run when the test says so, in this process."""

    def __init__(self) -> None:
        """Empty."""
        self.waiting: deque[tuple[QueueName, JobName, str]] = deque()

    def put(self, queue: QueueName, job: JobName, subject: str) -> None:
        """Queue a job."""
        self.waiting.append((queue, job, subject))

    def holds(self, queue: QueueName, job: JobName, subject: str) -> bool:
        """Whether it waits."""
        return (queue, job, subject) in self.waiting


class World:
    """Everything a worker is put together from, and some shortcuts for those who use it."""

    def __init__(
        self,
        cluster: Cluster,
        kubeconfig: Path,
        store: Store,
        *,
        config: str = CONFIG,
        around: Around | None = None,
        **tools: Any,  # noqa: ANN401 - handed on
    ) -> None:
        """`tools` goes to `Tools`, such as a shorter slice."""
        self.cluster = cluster
        self.kubeconfig = kubeconfig
        self.store = store
        self.config: Config = parse_config(config)
        self.record = Record(store)
        self.questions = Questions(store)
        self.queue = ListedQueue()
        self.stop = False
        self.around = around
        self.tools_given = tools
        self.jobs = self.worker()
        self._deliveries = 0

    def worker(self, clusters: Clusters | None = None, **given: Any) -> Jobs:  # noqa: ANN401 - handed on
        """Jobs like those of one more worker process."""
        clusters = clusters or Connections(str(self.kubeconfig))
        drafts = self.drafts = Drafts(self.record, self.config, clusters, around=self.around)
        tools = Tools(
            self.record,
            self.config,
            clusters,
            drafts,
            **{"stopping": lambda: self.stop, **self.tools_given, **given},
        )
        vocabulary = grammar.Vocabulary(tuple(self.config.environments), SERVICES)
        parse = partial(grammar.parse, vocabulary=vocabulary)
        drifted = partial(drafts.twins.look, drifts=Drifts(self.store))
        answers = Answers(self.record, self.questions, self.config, drafts, parse, now, drifted)
        return Jobs(tools, self.queue, self.questions, answers, {"drift": drifted})

    # -- what people do ----------------------------------------------------------------------------------

    def ask(
        self,
        version: str | None = None,
        *,
        environment: str = "staging",
        target: e.Target | None = None,
        services: tuple[str, ...] = (),
        approval: e.ApprovalNeeded | None = None,
        source: str | None = None,
        strategy: str = "rolling",
        drill: bool = False,
        **more: Any,  # noqa: ANN401 - other fields of the request
    ) -> str:
        """Alice asks for a release of `version` or what `source` runs, a rollback or a drill; its id."""
        self._deliveries += 1
        requested = e.ReleaseRequested(
            at=now(),
            kind="drill" if drill else "release" if version or source else "rollback",
            environment=environment,
            version=version,
            target=target,
            strategy=strategy,
            services=services,
            by=ALICE,
            channel="C0STAGING",
            approval=approval,
            source=source,
            **more,
        )
        release = self.record.open(requested, delivery=f"d{self._deliveries}").release
        self.queue.put("deployment", "plan", release.id)
        return release.id

    def release(self, version: str, **given: Any) -> Release:  # noqa: ANN401 - handed on
        """Ask for a release and see it through."""
        id_ = self.ask(version, **given)
        self.work()
        return self.load(id_)

    def rollback(self, **given: Any) -> Release:  # noqa: ANN401 - handed on
        """Ask for a rollback and see it through."""
        id_ = self.ask(None, **given)
        self.work()
        return self.load(id_)

    def abort(self, id_: str, reason: str | None = None) -> None:
        """Bob wants it stopped."""
        self.write(id_, e.AbortRequested(at=now(), by=BOB, reason=reason))

    def write(self, id_: str, event: e.Event) -> None:
        """Write an event as the bot would."""
        self.record.append(self.record.load(id_), [event])

    # -- what workers do ---------------------------------------------------------------------------------

    def work(self) -> None:
        """Run the jobs that wait, and those that they queue."""
        while self.queue.waiting:
            _, job, subject = self.queue.waiting.popleft()
            self.jobs.table[f"workers.jobs.{job}"](subject)

    # -- what there is to see ----------------------------------------------------------------------------

    def load(self, id_: str) -> Release:
        """A release as the record has it."""
        return self.record.load(id_).release

    def events(self, id_: str) -> list[e.Event]:
        """What happened to it."""
        return list(self.record.events(id_))

    def said(self, id_: str) -> list[str]:
        """What happened, by name, progress left out."""
        return [event.event for event in self.events(id_) if event.event != "step_progressed"]

    def deployment(self, name: str) -> dict[str, Any]:
        """A Deployment as it is stored."""
        return self.read(DEPLOYMENTS, name)

    def revision(self, name: str) -> int:
        """How often a Deployment's template was changed, counting from 1."""
        return int(self.deployment(name)["metadata"]["annotations"]["deployment.kubernetes.io/revision"])

    def lease(self) -> dict[str, Any]:
        """The Lease that says who has the environment, as it is stored."""
        return self.read(LEASES, "buzzy-release")

    def config_map(self, name: str) -> dict[str, Any]:
        """A ConfigMap as it is stored."""
        return self.read(CONFIG_MAPS, name)

    def change(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Somebody else changes a Deployment."""
        registry = self.cluster.registry
        thing = self.deployment(name)
        self.cluster.run(lambda: registry.modify(DEPLOYMENTS, thing, change, manager="kubectl"))

    def set_tag(self, name: str, tag: str) -> None:
        """Somebody else sets another image tag, as `kubectl set image` does."""

        def change(thing: dict[str, Any]) -> None:
            container = thing["spec"]["template"]["spec"]["containers"][0]
            container["image"] = f"buzzybuzz/{name}:{tag}"

        self.change(name, change)

    def read(self, resource: Resource, name: str) -> dict[str, Any]:
        """Anything as it is stored."""
        found = self.cluster.run(lambda: self.cluster.store.get(resource, NAMESPACE, name))
        assert found is not None
        return copy.deepcopy(found)

    def exists(self, name: str) -> bool:
        """Whether there is a Deployment."""
        store = self.cluster.store
        return self.cluster.run(lambda: store.get(DEPLOYMENTS, NAMESPACE, name)) is not None

    def make(self, resource: Resource, thing: dict[str, Any]) -> None:
        """Somebody creates something."""
        registry = self.cluster.registry
        self.cluster.run(lambda: registry.create(resource, thing, manager="kubectl"))

    def remove(self, resource: Resource, name: str) -> None:
        """Somebody deletes something."""
        registry = self.cluster.registry
        self.cluster.run(lambda: registry.delete(resource, NAMESPACE, name, DeleteOptions()))

    def restart_pods(self, deployment: str) -> None:
        """Somebody deletes the pods of a Deployment: there will be others."""
        found = self.cluster.run(lambda: self.cluster.store.listing(PODS, NAMESPACE))
        for pod in found:
            if pod["metadata"]["name"].startswith(f"{deployment}-"):
                self.remove(PODS, pod["metadata"]["name"])

    def change_service(self, name: str, selector: dict[str, str]) -> None:
        """Somebody lets a Service pick other pods."""

        def change(thing: dict[str, Any]) -> None:
            thing["spec"]["selector"] = selector

        registry, thing = self.cluster.registry, self.read(SERVICES_OF_PODS, name)
        self.cluster.run(lambda: registry.modify(SERVICES_OF_PODS, thing, change, manager="kubectl"))

    def port(self) -> WorkersCluster:
        """The cluster as the workers have it."""
        return Connections(str(self.kubeconfig))(None)

    def versions(self) -> dict[str, str]:
        """Which version each Deployment asks for."""
        found = {}
        for name in SERVICES:
            containers = self.deployment(name)["spec"]["template"]["spec"]["containers"]
            found[name] = containers[0]["image"].rpartition(":")[2]
        return found


def settle(cluster: Cluster) -> None:
    """Wait until everything that was seeded runs."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        found = cluster.run(lambda: cluster.store.listing(DEPLOYMENTS))
        if all(each["status"].get("availableReplicas") == each["spec"]["replicas"] for each in found):
            return
        assert time.monotonic() < deadline, "the cluster does not get ready"
        time.sleep(0.01)


def role() -> list[Rule]:
    """The rules of the Role that we ask people to give to the workers: they have to be enough."""
    documents = yaml.safe_load_all(ROLE.read_text())
    rules = next(each["rules"] for each in documents if each["kind"] == "Role")
    return [
        Rule(
            tuple(rule["verbs"]),
            tuple(rule["resources"]),
            tuple(rule["apiGroups"]),
            tuple(rule.get("resourceNames", ())),
        )
        for rule in rules
    ]


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@contextmanager
def world(
    store: Store,
    folder: Path,
    *,
    config: str = CONFIG,
    speed: float = 20.0,
    **tools: Any,  # noqa: ANN401 - handed on
) -> Iterator[World]:
    """A world with Buzzy 3.2.0 in it, and 3.1.4 before that, for the length of a block."""
    with running_cluster(speed=speed) as cluster:
        cluster.seed_buzzy(namespaces=(NAMESPACE,))
        settle(cluster)
        cluster.add_user(TOKEN, "buzzy-worker", role())
        kubeconfig = cluster.kubeconfig(folder / "kubeconfig", token=TOKEN)
        yield World(cluster, kubeconfig, store, config=config, **tools)


class Pausing:
    """A cluster whose worker is stopped (SIGSTOP) right before it first writes a Deployment's template."""

    def __init__(self, cluster: Any, name: str) -> None:  # noqa: ANN401 - the workers' port
        """Everything else is passed on."""
        self._cluster = cluster
        self._name = name

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the cluster has
        return getattr(self._cluster, name)

    def write_template(self, namespace: str, write: TemplateWrite, *, rehearse: bool = False) -> Any:  # noqa: ANN401 - as it is
        """Write, as soon as somebody sends SIGCONT."""
        if not rehearse and write.deployment.name == self._name:
            self._name = ""
            os.kill(os.getpid(), signal.SIGSTOP)
        return self._cluster.write_template(namespace, write, rehearse=rehearse)


def main(  # noqa: PLR0917 - as its command line
    redis_url: str, kubeconfig: str, job: str, subject: str, lease_ms: str, pause_before: str = ""
) -> None:
    """One job in a process of its own, for tests that kill it or stop it before a write."""
    store = Store.connect(redis_url, answer_seconds=5)
    tools = {"lease_ms": int(lease_ms), "slice_seconds": 60.0}
    world = World(None, Path(kubeconfig), store, **tools)  # type: ignore[arg-type] # it runs elsewhere
    pausing = Pausing(Connections(kubeconfig)(None), pause_before)
    world.worker(clusters=lambda _: pausing).table[f"workers.jobs.{job}"](subject)


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # as RQ's does after a job: threads that keep or watch something are not waited for
