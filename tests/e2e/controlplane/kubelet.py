"""Stands in for the kubelets of two nodes, so that pods come alive without a container engine.

It registers the nodes, and does for each pod that the (real) scheduler gives them what a kubelet would tell
the API server: status, events, logs, the end of a deletion. What a container does is decided by its image.

kwok does this in general, and was looked at first (v0.8.0). It would need more than it saves: another large
build beside the control plane's, a Stage object with a template for each state of a crash loop, a Logs
object with files for each pod; and to change a behaviour one would edit those. A few hundred lines that say
what happens in the order in which it happens are easier to follow, and a test can change what pods do while
they live.
"""

import asyncio
import contextlib
import itertools
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from tests.e2e.controlplane.api import Api
from tests.e2e.controlplane.behaviours import Behaviour, Pace, Table
from tests.e2e.controlplane.certificates import Certificate
from tests.e2e.controlplane.life import PodLife
from tests.e2e.controlplane.logserver import LogServer
from tests.e2e.controlplane.podstatus import Container, Json, PodStatus, stamp

NODES = ("node-1", "node-2")

_BOUND_PODS = "/api/v1/pods?fieldSelector=spec.nodeName!%3D"
_HOST = "127.0.0.1"
_RESOURCES = {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"}
_LAST_ROUNDS = 3
_PAUSE = 0.1


@dataclass
class _Hosted:
    """A pod on one of the nodes, and what is being done with it."""

    name: str
    namespace: str
    life: PodLife
    task: asyncio.Task[None]
    is_dying: bool
    behaviours: list[Behaviour] = field(init=False)

    def __post_init__(self) -> None:
        self.behaviours = self.life.behaviours()


class Kubelet:
    """The nodes of one control plane, alive on a thread of this process while `running`."""

    def __init__(self, table: Table, pace: Pace) -> None:
        self._table = table
        self._pace = pace
        self._pods: dict[str, _Hosted] = {}
        self._pod_numbers = itertools.count(2)
        self._failure: Exception | None = None

    @contextlib.contextmanager
    def running(self, url: str, tls: ssl.SSLContext, serving: Certificate, version: str) -> Iterator[None]:
        """Register the nodes and host pods until the end of the `with`, which may be entered once.

        Args:
            url: Where the API server is.
            tls: How to speak to it.
            serving: What the log server shows.
            version: What the kubelets say that they are.

        Raises:
            RuntimeError: It stopped by itself, for the cause that is named.
        """
        with LogServer(self._find, serving) as logs:
            self._loop = asyncio.new_event_loop()
            is_registered = threading.Event()
            nodes = [_node(name, version, logs.port) for name in NODES]
            work = self._loop.create_task(self._host(Api(url, tls), nodes, is_registered))
            thread = threading.Thread(
                target=self._run, args=(work, is_registered), name="kubelet", daemon=True
            )
            thread.start()
            try:
                is_registered.wait()
                yield
            finally:
                with contextlib.suppress(RuntimeError):  # The loop has ended already.
                    self._loop.call_soon_threadsafe(work.cancel)
                thread.join()
        if self._failure is not None:
            raise RuntimeError("the kubelet's stand-in has failed") from self._failure

    def behave(self, image: str, behaviour: Behaviour | None) -> None:
        """Say what containers of an image do from now on, the running ones too.

        Args:
            image: A tag, a digest, or a whole reference as pods have it.
            behaviour: What they do; None: what the tag itself says.
        """
        self._table.say(image, behaviour)
        asyncio.run_coroutine_threadsafe(self._reconsider(), self._loop).result()

    def _run(self, work: asyncio.Task[None], is_registered: threading.Event) -> None:
        try:
            self._loop.run_until_complete(work)
        except asyncio.CancelledError:
            pass  # The end of `running`.
        except Exception as failure:  # noqa: BLE001 - handed to the thread that it works for
            self._failure = failure
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            # Connections that were just aborted are closed by the callbacks of the next rounds.
            for _ in range(_LAST_ROUNDS):
                self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()
            is_registered.set()

    async def _host(self, api: Api, nodes: list[Json], is_registered: threading.Event) -> None:
        self._api = api
        async with contextlib.aclosing(api), asyncio.TaskGroup() as self._group:
            for node in nodes:
                await api.write("POST", "/api/v1/nodes", node)
            is_registered.set()
            while True:
                await self._follow()
                await asyncio.sleep(_PAUSE)

    async def _follow(self) -> None:
        """Look at all pods, then at each change, for as long as a watch lasts."""
        pods, version = await self._api.list(_BOUND_PODS)
        for uid in set(self._pods) - {pod["metadata"]["uid"] for pod in pods}:
            self._forget(uid)
        for pod in pods:
            self._see(pod)
        with contextlib.suppress(
            httpx.HTTPError
        ):  # The API server is away, or the version too old: look anew.
            async for change, pod in self._api.watch(_BOUND_PODS, version):
                if change == "DELETED":
                    self._forget(pod["metadata"]["uid"])
                else:
                    self._see(pod)

    def _see(self, pod: Json) -> None:
        metadata = pod["metadata"]
        hosted = self._pods.get(metadata["uid"])
        is_dying = "deletionTimestamp" in metadata
        if hosted is None:
            self._pods[metadata["uid"]] = self._take_in(pod, is_dying=is_dying)
        elif is_dying and not hosted.is_dying:
            hosted.is_dying = True
            hosted.task.cancel()
            hosted.task = self._group.create_task(hosted.life.die())

    def _take_in(self, pod: Json, *, is_dying: bool) -> _Hosted:
        number = next(self._pod_numbers)
        status = PodStatus(pod, _HOST, f"10.244.{number >> 8 & 255}.{number & 255}")
        life = PodLife(self._api, pod, status, self._table, self._pace)
        task = self._group.create_task(life.die() if is_dying else life.live())
        return _Hosted(pod["metadata"]["name"], pod["metadata"]["namespace"], life, task, is_dying)

    def _forget(self, uid: str) -> None:
        if hosted := self._pods.pop(uid, None):
            hosted.task.cancel()

    async def _reconsider(self) -> None:
        """Begin anew, from where they are, with the pods that are now to do something else."""
        for hosted in self._pods.values():
            behaviours = hosted.life.behaviours()
            if behaviours != hosted.behaviours and not hosted.is_dying and not hosted.task.done():
                hosted.behaviours = behaviours
                hosted.task.cancel()
                hosted.task = self._group.create_task(hosted.life.live())

    def _find(self, namespace: str, pod: str, container: str) -> Container | None:
        """Find a container for the log server, from its threads."""
        for hosted in reversed(list(self._pods.values())):
            if (hosted.namespace, hosted.name) == (namespace, pod):
                return next((each for each in hosted.life.status.containers if each.name == container), None)
        return None


def _node(name: str, version: str, port: int) -> Json:
    """Return a node that is ready for pods, and whose logs are at this port."""
    conditions = {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    unknown = ("machineID", "systemUUID", "bootID", "kernelVersion", "containerRuntimeVersion")
    about = {"operatingSystem": "linux", "architecture": "amd64", "osImage": "none: a stand-in"}
    now = stamp()
    return {
        "metadata": {"name": name, "labels": labels},
        "status": {
            "capacity": _RESOURCES,
            "allocatable": _RESOURCES,
            "addresses": [{"type": "InternalIP", "address": _HOST}, {"type": "Hostname", "address": name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "conditions": [
                {
                    "type": kind,
                    "status": is_true,
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": now,
                    "reason": "StandIn",
                }
                for kind, is_true in conditions.items()
            ],
            "nodeInfo": dict.fromkeys(unknown, "")
            | about
            | {"kubeletVersion": version, "kubeProxyVersion": version},
        },
    }
