"""Sees what a run left behind: on the record, in the cluster and in Slack."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container
from typing import Any

import httpx

from releases.events import Event, Interrupted
from releases.record import Record, Store
from releases.record.queue import QUEUES
from sandbox.cluster import Cluster
from sandbox.workspace import Message, RunningWorkspace
from tests.faults.crashpoints import effects
from tests.faults.crashpoints.effects import Effects


class Witness:
    """Sees an environment, and the channels that hear of it."""

    def __init__(
        self, http: httpx.Client, *, environment: str, namespace: str, channels: tuple[str, ...], user: str
    ) -> None:
        """`user` is who the workers are to the cluster."""
        self._http = http
        self._environment = environment
        self._namespace = namespace
        self._channels = channels
        self._user = user

    def effects(self, slack: RunningWorkspace, cluster: Cluster, store: Store) -> Effects:
        """All that can be seen now."""
        record = Record(store)
        key = store.key("environment", self._environment, "releases")
        ids: list[str] = store.call("LRANGE", key, 0, -1)
        happened = [(id_, n, event) for id_ in ids for n, event in enumerate(record.events(id_), 1)]
        added = {f"{id_}:{n}": event for id_, n, event in happened if event.event in effects.MAY_BE_ADDED}
        posts, shown, extra = self._posts(slack, added)
        crashes = {id_ for id_, event in added.items() if isinstance(event, Interrupted)}
        deployments = self._objects(cluster, "apis/apps/v1", "deployments")
        configurations = [o for o in self._objects(cluster, "api/v1", "configmaps") if o.get("immutable")]
        content = {f"Deployment {_name(each)}": each["spec"]["template"] for each in deployments}
        content |= {f"Size of {_name(each)}": each["spec"]["replicas"] for each in deployments}
        services = self._objects(cluster, "api/v1", "services")
        content |= {f"Service {_name(each)}": each["spec"]["selector"] for each in services}
        content |= {f"ConfigMap {_name(each)}": each["data"] for each in configurations}
        return Effects(
            states={id_: record.load(id_).release.state.value for id_ in ids},
            events=effects.told(_named(event) for _, _, event in happened),
            writes=self._writes(cluster),
            specs={_name(each): each["metadata"]["generation"] for each in deployments},
            content={name: json.dumps(each, sort_keys=True) for name, each in content.items()},
            posts=posts,
            shown=shown,
            leftovers=(
                *self.leftovers(store),
                *(f"crash {id_} is told {extra[id_]} times" for id_ in crashes if extra[id_] != 1),
            ),
        )

    def leftovers(self, store: Store) -> tuple[str, ...]:
        """What somebody would still do something about."""
        waiting = {name: store.call("LLEN", f"rq:queue:{name}") for name in QUEUES}
        held = dict(store.call("HGETALL", store.key("environment", self._environment)))
        left = [f"{count} jobs for {name}" for name, count in waiting.items() if count]
        left += [f"the environment's {name} is {value}" for name, value in held.items() if name != "epoch"]
        left += [f"{subject} is untold" for subject in store.call("SMEMBERS", store.key("behind"))]
        left += [f"{subject} is active" for subject in store.call("SMEMBERS", store.key("active"))]
        left += [f"the ledger of {name} is behind" for name in Record(store).archive.forgotten()]
        deliveries = store.call("XLEN", store.key("inbox"))
        return (*left, *([f"{deliveries} deliveries in the inbox"] if deliveries else ()))

    def _writes(self, cluster: Cluster) -> dict[str, int]:
        return dict(
            Counter(
                f"{entry.verb} {entry.resource} {entry.name}".strip()
                for entry in cluster.writes(user=self._user)
                if effects.is_counted(entry.resource, entry.name)
            )
        )

    def _objects(self, cluster: Cluster, api: str, kind: str) -> list[dict[str, Any]]:
        answer = self._http.get(f"{cluster.url}/{api}/namespaces/{self._namespace}/{kind}")
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def _posts(
        self, slack: RunningWorkspace, added: Container[str]
    ) -> tuple[dict[str, int], dict[str, str], Counter[str]]:
        """How often each line stands there, what the messages say in the end, and the `added` lines."""
        posts: Counter[str] = Counter()
        shown: dict[str, str] = {}
        extra: Counter[str] = Counter()
        for channel in self._channels:
            for root in self._read(slack, "conversations.history", channel=channel):
                name = f"{channel} {_id(root)}"
                posts[name] += 1
                shown[name] = effects.normal(Message(channel, root).shown)
                for reply in self._read(slack, "conversations.replies", channel=channel, ts=root["ts"])[1:]:
                    if _id(reply) in added:
                        extra[_id(reply)] += 1
                    else:
                        posts[f"{channel} thread: {effects.normal(Message(channel, reply).shown)}"] += 1
        return dict(posts), shown, extra

    def _read(self, slack: RunningWorkspace, method: str, **where: str) -> list[dict[str, Any]]:
        answer = self._http.get(
            f"{slack.api_url}{method}",
            params={**where, "limit": 200, "include_all_metadata": "true"},
            headers={"Authorization": f"Bearer {slack.bot_token}"},
        ).json()
        assert answer["ok"], answer
        return sorted(answer["messages"], key=lambda message: str(message["ts"]))


def _named(event: Event) -> str:
    index = getattr(event, "index", None)
    return event.event if index is None else f"{event.event} {index}"


def _name(thing: dict[str, Any]) -> str:
    return str(thing["metadata"]["name"])


def _id(message: dict[str, Any]) -> str:
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    return str(payload.get("id", "?"))
