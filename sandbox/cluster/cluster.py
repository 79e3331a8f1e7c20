"""The cluster as a whole: put together here, started and stopped here, and played with from here."""

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.cluster.access import ANONYMOUS, EVERYTHING, Rule, Users
from sandbox.cluster.api.admin import admin_routes
from sandbox.cluster.api.faults import Fault
from sandbox.cluster.api.journal import Entry
from sandbox.cluster.api.logs import Lines
from sandbox.cluster.api.server import ApiServer
from sandbox.cluster.behaviour import Behaviours
from sandbox.cluster.controllers.base import Controller
from sandbox.cluster.controllers.housekeeping import GarbageCollector, NamespaceController
from sandbox.cluster.controllers.jobs import JobController
from sandbox.cluster.controllers.kubelet.kubelet import Kubelet
from sandbox.cluster.controllers.kubelet.scheduler import Scheduler
from sandbox.cluster.controllers.recorder import Recorder
from sandbox.cluster.controllers.replicasets import ReplicaSetController
from sandbox.cluster.controllers.rollout.controller import DeploymentController
from sandbox.cluster.controllers.services import EndpointsController
from sandbox.cluster.furniture import furnish
from sandbox.cluster.kubeconfig import write_kubeconfig
from sandbox.cluster.logs import run_lines
from sandbox.cluster.objects import Json, stamp
from sandbox.cluster.registry import Registry
from sandbox.cluster.seed import NAMESPACE_NAMES, SERVICES_OF_BUZZY, SeedService, seed_buzzy
from sandbox.cluster.store import Store
from sandbox.serving import Served, serve

T = TypeVar("T")
ADMIN_TOKEN = "sandbox-admin"  # noqa: S105 - the sandbox has no secrets


class Cluster:
    """A cluster in this process. All its state is in memory and outlives `stop` and `start`.

    Args:
        speed: How much faster than at leisure pods come and go; 1 makes a pod ready in about half a second.
        behaviours: What images do, by tag, digest or whole image; see `behaviour.BEHAVIOURS`.
        git_version: The version of Kubernetes that the API reports.
        window: How many changes are remembered for watches before the oldest are compacted away.
        bookmark_seconds: How often a quiet watch that wants bookmarks gets one.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        behaviours: dict[str, str] | None = None,
        git_version: str = "v1.37.2",
        window: int = 5_000,
        bookmark_seconds: float = 10.0,
    ) -> None:
        self.store = Store(window=window)
        self.registry = Registry(self.store)
        self.users = Users()
        self.behaviours = Behaviours(behaviours)
        recorder = Recorder(self.registry)
        self.kubelet = Kubelet(self.registry, recorder, self.behaviours, speed=speed)
        self._deployments = DeploymentController(self.registry, recorder)
        self._controllers: tuple[Controller, ...] = (
            NamespaceController(self.registry),
            GarbageCollector(self.registry),
            self._deployments,
            ReplicaSetController(self.registry, recorder),
            JobController(self.registry, recorder, speed=speed),
            Scheduler(self.registry, recorder),
            self.kubelet,
            EndpointsController(self.registry),
        )
        self.api = ApiServer(self.registry, self.users, self._log)
        self.api.git_version = git_version
        self.api.bookmark_seconds = bookmark_seconds
        self._served: Served | None = None
        self._port = 0
        self.users.without_token = self.users.add(ADMIN_TOKEN, "sandbox-admin")
        furnish(self.registry)

    # -- life --------------------------------------------------------------------------------------

    def start(self, port: int = 0) -> None:
        """Serve the API and let the controllers run; a cluster that was stopped comes back on its port."""
        self._served = serve(self._app(), port=port or self._port)
        self._port = self._served.port

    def stop(self) -> None:
        """Make the API unreachable and stop the controllers; what is in the cluster stays."""
        served, self._served = self._served, None
        if served is not None:
            served.loop.call_soon_threadsafe(self.api.closing.set)
            served.stop()

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """Have the API refuse connections for the length of a block; it comes back on the same port."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @property
    def url(self) -> str:
        """Where the API is, also while it is unreachable."""
        return f"http://127.0.0.1:{self._port}"

    def kubeconfig(self, path: str | Path, context: str = "sandbox", token: str = ADMIN_TOKEN) -> Path:
        """Write a kubeconfig with a context for a token."""
        return write_kubeconfig(Path(path), url=self.url, context=context, token=token)

    # -- content -----------------------------------------------------------------------------------

    def add_user(self, token: str, name: str, rules: Iterable[Rule] = EVERYTHING) -> None:
        """Give somebody a token, and rules as RBAC has them; without rules they may do everything."""
        self.users.add(token, name, rules)

    def require_token(self) -> None:
        """Turn away whoever has no token; kubectl is among them, it sends none over plain HTTP."""
        self.users.without_token = ANONYMOUS

    def seed_buzzy(
        self,
        *,
        namespaces: Iterable[str] = NAMESPACE_NAMES,
        version: str = "3.2.0",
        previous: str = "3.1.4",
        services: Sequence[SeedService] = SERVICES_OF_BUZZY,
    ) -> None:
        """Create Buzzy's namespaces, services and deployments, with `previous` as an earlier revision."""
        self.run(
            lambda: seed_buzzy(
                self.registry,
                self._deployments,
                namespaces=namespaces,
                version=version,
                previous=previous,
                services=services,
            )
        )

    def set_behaviours(self, table: dict[str, str]) -> None:
        """Say how images behave from their next start on: `{"3.3.0": "crash"}`."""
        self.run(lambda: self.behaviours.set(table))

    # -- trouble, and its traces -------------------------------------------------------------------

    def add_fault(self, fault: Fault) -> Fault:
        """Let something go wrong with the next requests that match."""
        return self.run(lambda: self.api.faults.add(fault))

    def clear_faults(self) -> None:
        """Let everything work again."""
        self.run(self.api.faults.clear)

    def compact(self) -> int:
        """Forget all history: watches that start at an earlier version are told that it is gone."""
        return self.run(self.store.compact)

    def requests(self, **wanted: str) -> list[Entry]:
        """Return what was asked of the API, narrowed: `requests(user="bot", verb="patch")`."""
        return self.run(lambda: self.api.journal.requests(**wanted))

    def writes(self, **wanted: str) -> list[Entry]:
        """Return the requests that changed something."""
        return self.run(lambda: self.api.journal.writes(**wanted))

    def run(self, action: Callable[[], T]) -> T:
        """Run something on the cluster's own event loop, where all state belongs; returns what it returns."""
        if self._served is None:
            return action()
        result: concurrent.futures.Future[T] = concurrent.futures.Future()

        def act() -> None:
            try:
                result.set_result(action())
            except Exception as error:  # noqa: BLE001 - it is raised again in the caller's thread
                result.set_exception(error)

        self._served.loop.call_soon_threadsafe(act)
        return result.result(timeout=10)

    def leave_for(self, seconds: float) -> None:
        """Make the API unreachable for a while, without waiting for the end of it."""

        def leave() -> None:
            with self.unreachable():
                time.sleep(seconds)

        threading.Thread(target=leave, name="outage", daemon=True).start()

    # -- inside ------------------------------------------------------------------------------------

    def _app(self) -> Starlette:
        routes = [Mount("/sandbox", routes=admin_routes(self)), Mount("/", app=self.api)]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        del app
        self.api.closing = asyncio.Event()
        tasks = [asyncio.create_task(controller.run()) for controller in self._controllers]
        try:
            yield
        finally:
            self.api.closing.set()
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    def _log(self, pod: Json, container: str) -> list[Lines]:
        known = self.kubelet.container(pod, container)
        if known is None:
            return []
        runs = [run_lines(known.image, run, runs_once=known.runs_once) for run in reversed(known.runs)]
        return [[(_precise(moment), text) for moment, text in lines] for lines in runs]


@contextmanager
def running_cluster(
    *,
    speed: float = 20.0,
    behaviours: dict[str, str] | None = None,
    git_version: str = "v1.37.2",
    window: int = 5_000,
    bookmark_seconds: float = 0.2,
) -> Iterator[Cluster]:
    """Run a cluster for the length of a block; pods are quick by default, as tests want them."""
    cluster = Cluster(
        speed=speed,
        behaviours=behaviours,
        git_version=git_version,
        window=window,
        bookmark_seconds=bookmark_seconds,
    )
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


def _precise(moment: datetime) -> str:
    return stamp(moment).replace("Z", f".{moment.microsecond:06d}000Z")
