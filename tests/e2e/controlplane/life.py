"""The life of one pod on a node: what its containers do one after another, written to the API server."""

import asyncio
from typing import NoReturn

from tests.e2e.controlplane.api import STRATEGIC_MERGE, Api
from tests.e2e.controlplane.behaviours import Behaviour, Pace, Table
from tests.e2e.controlplane.events import Recorder
from tests.e2e.controlplane.podstatus import Container, Json, PodStatus, image_id

_PROBE_FAILED = "Readiness probe failed: HTTP probe failed with statuscode: 503"

_STARTING = ("starting", "connected to mongodb://mongodb:27017/buzzy", "listening on port 8080")
_UNHEALTHY = "GET /health 503 - MongoServerSelectionError: connection timed out"
_STACK = (
    "/app/lib/configuration.js:42",
    "    throw new Error(`cannot start: ${missing.join(', ')} is not set`);",
    "    ^",
    "",
    "Error: cannot start: MONGODB_URL is not set",
    "    at readConfiguration (/app/lib/configuration.js:42:11)",
    "    at start (/app/server.js:17:25)",
    "    at Object.<anonymous> (/app/server.js:63:1)",
    "    at Module._compile (internal/modules/cjs/loader.js:1114:14)",
    "    at Object.Module._extensions..js (internal/modules/cjs/loader.js:1143:10)",
    "    at Module.load (internal/modules/cjs/loader.js:979:32)",
    "    at internal/main/run_main_module.js:17:47",
    "npm ERR! errno 1",
    "Error: cannot start: MONGODB_URL is not set",
)


class PodLife:
    """Lives a pod's life until it is cancelled or over, then lets it die."""

    def __init__(self, api: Api, pod: Json, status: PodStatus, table: Table, pace: Pace) -> None:
        self._api = api
        self._pod = pod
        self._path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        self._policy = pod["spec"].get("restartPolicy", "Always")
        self._table = table
        self._pace = pace
        self._events = Recorder(api, pod)
        self._publishing = asyncio.Lock()
        self.status = status

    def behaviours(self) -> list[Behaviour]:
        """Return what each container is to do now."""
        return [self._behaviour(container) for container in self.status.containers]

    async def live(self) -> None:
        """Run all containers; goes on where they are, if they were running before."""
        await self._publish()
        async with asyncio.TaskGroup() as group:
            for container in self.status.containers:
                group.create_task(self._live(container))

    async def die(self) -> None:
        """Stop the containers and finish the deletion that was asked for."""
        running = [container for container in self.status.containers if container.is_running]
        for container in running:
            await self._events.normal("Killing", f"Stopping container {container.name}", container.name)
        await asyncio.sleep(self._pace.stop_after if running else 0)
        for container in running:
            container.log("received SIGTERM, closing connections")
            container.exit(0, "Completed")
        await self._publish()
        # The uid keeps this from deleting a successor of the same name.
        at_once = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._pod["metadata"]["uid"]}}
        await self._api.write("DELETE", self._path, at_once)

    async def _live(self, container: Container) -> None:
        if not container.has_run:
            await self._pull(container)
        while True:
            if not container.is_running:
                await self._start(container)
            code, reason = await self._run(container)
            container.exit(code, reason)
            await self._publish()
            if self._policy == "Never" or (self._policy == "OnFailure" and code == 0):
                return
            await self._back_off(container)

    async def _pull(self, container: Container) -> None:
        name, image = container.name, container.image
        while True:
            await self._events.normal("Pulling", f'Pulling image "{image}"', name)
            await asyncio.sleep(self._pace.pull)
            if self._behaviour(container) is not Behaviour.MISSING:
                break
            failure = (
                f'failed to pull and unpack image "{image}": failed to resolve reference: {image}: not found'
            )
            container.wait("ErrImagePull", failure)
            await self._events.warning("Failed", f'Failed to pull image "{image}": {failure}', name)
            await self._events.warning("Failed", "Error: ErrImagePull", name)
            await self._publish()
            await asyncio.sleep(self._pace.back_off)
            container.wait("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {failure}')
            await self._events.normal("BackOff", f'Back-off pulling image "{image}"', name)
            await self._events.warning("Failed", "Error: ImagePullBackOff", name)
            await self._publish()
            await asyncio.sleep(self._pace.longest_back_off)
        taken = f"in {self._pace.pull:.3g}s ({self._pace.pull:.3g}s including waiting)"
        pulled = f'Successfully pulled image "{image}" {taken}. Image size: 98041233 bytes.'
        await self._events.normal("Pulled", pulled, name)

    async def _start(self, container: Container) -> None:
        name = container.name
        if container.has_run:
            there = "already present on machine and can be accessed by the pod"
            await self._events.normal("Pulled", f'Container image "{container.image}" {there}', name)
        container.start(f"{name} ({image_id(container.image)[-12:]}) on Node.js v14.21.3", *_STARTING[:1])
        await self._events.normal("Created", "Container created", name)
        await self._events.normal("Started", "Container started", name)
        await self._publish()

    async def _run(self, container: Container) -> tuple[int, str]:
        """Do what the image does until the container exits; return how."""
        pace = self._pace
        match self._behaviour(container):
            case Behaviour.READY | Behaviour.MISSING:
                await self._serve(container, pace.ready_after)
                await _for_ever()
            case Behaviour.SLOW:
                await self._serve(container, pace.slow_after)
                # What is to finish is slow at that instead.
                if self._policy != "Always":
                    return 0, "Completed"
                await _for_ever()
            case Behaviour.FLAKY:
                await self._serve(container, pace.ready_after)
                await asyncio.sleep(pace.flaky_after)
                await self._fail_probes(container)
            case Behaviour.NEVER_READY:
                await self._fail_probes(container)
            case Behaviour.OOM:
                await self._serve(container, pace.ready_after)
                await asyncio.sleep(pace.oom_after)
                return 137, "OOMKilled"
            case Behaviour.CRASH:
                await asyncio.sleep(pace.crash_after)
            case Behaviour.SUCCEED:
                await asyncio.sleep(pace.run_for)
                container.log("done")
                return 0, "Completed"
            case Behaviour.FAIL:
                await asyncio.sleep(pace.run_for)
        container.log(*_STACK)
        return 1, "Error"

    async def _serve(self, container: Container, after: float) -> None:
        if not container.ready:
            await asyncio.sleep(after)
            container.log(*_STARTING[1:])
            await self._set_ready(container, is_ready=True)

    async def _fail_probes(self, container: Container) -> NoReturn:
        while True:
            container.log(_UNHEALTHY)
            await self._events.warning("Unhealthy", _PROBE_FAILED, container.name)
            await self._set_ready(container, is_ready=False)
            await asyncio.sleep(self._pace.probe_every)

    async def _set_ready(self, container: Container, *, is_ready: bool) -> None:
        if container.ready != is_ready:
            container.ready = is_ready
            await self._publish()

    async def _back_off(self, container: Container) -> None:
        failures = container.restarts + 1
        pause = self._pace.back_off_after(failures)
        if pause == 0:
            return
        metadata = self._pod["metadata"]
        where = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        # What it would be in life, where it begins at 10 s and ends at 5 min.
        told = ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s"][min(failures - 2, 5)]
        container.wait(
            "CrashLoopBackOff", f"back-off {told} restarting failed container={container.name} pod={where}"
        )
        message = f"Back-off restarting failed container {container.name} in pod {where}"
        await self._events.warning("BackOff", message, container.name)
        await self._publish()
        await asyncio.sleep(pause)

    def _behaviour(self, container: Container) -> Behaviour:
        return self._table.behaviour(container.image, runs_to_end=self._policy != "Always")

    async def _publish(self) -> None:
        # One after the other, so that an older state of two containers never overwrites a newer one.
        async with self._publishing:
            status: Json = {"metadata": {"uid": self._pod["metadata"]["uid"]}, "status": self.status.render()}
            await self._api.write("PATCH", f"{self._path}/status", status, content_type=STRATEGIC_MERGE)


async def _for_ever() -> NoReturn:
    while True:
        await asyncio.Event().wait()
