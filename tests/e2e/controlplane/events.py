"""Events of pods as a kubelet reports them: one object for each kind of thing that happens, counted."""

import secrets

from tests.e2e.controlplane.api import MERGE, Api
from tests.e2e.controlplane.podstatus import Json, stamp


class Recorder:
    """Reports what happens to one pod."""

    def __init__(self, api: Api, pod: Json) -> None:
        self._api = api
        self._pod = pod
        self._seen: dict[tuple[str, str, str], tuple[str, int]] = {}

    async def normal(self, reason: str, message: str, container: str) -> None:
        """Report what is as it should be."""
        await self._record("Normal", reason, message, container)

    async def warning(self, reason: str, message: str, container: str) -> None:
        """Report what is not as it should be."""
        await self._record("Warning", reason, message, container)

    async def _record(self, kind: str, reason: str, message: str, container: str) -> None:
        events = f"/api/v1/namespaces/{self._pod['metadata']['namespace']}/events"
        key = (reason, message, container)
        if key in self._seen:
            name, count = self._seen[key]
            self._seen[key] = (name, count + 1)
            again: Json = {"count": count + 1, "lastTimestamp": stamp()}
            await self._api.write("PATCH", f"{events}/{name}", again, content_type=MERGE)
            return
        name = f"{self._pod['metadata']['name']}.{secrets.token_hex(8)}"
        self._seen[key] = (name, 1)
        await self._api.write("POST", events, self._event(name, kind, key))

    def _event(self, name: str, kind: str, key: tuple[str, str, str]) -> Json:
        reason, message, container = key
        metadata, node, now = self._pod["metadata"], self._pod["spec"]["nodeName"], stamp()
        about = {"apiVersion": "v1", "kind": "Pod", "fieldPath": f"spec.containers{{{container}}}"}
        about |= {field: metadata[field] for field in ("namespace", "name", "uid", "resourceVersion")}
        return {
            "metadata": {"name": name, "namespace": metadata["namespace"]},
            "involvedObject": about,
            "type": kind,
            "reason": reason,
            "message": message,
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": "kubelet", "host": node},
            "reportingComponent": "kubelet",
            "reportingInstance": node,
        }
