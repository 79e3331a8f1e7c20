"""A whole house for a journey: people, bot, worker, Redis, and namespaces of its own in a cluster."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client
from kubernetes.config import new_client_from_config

from sandbox.children import Child, free_port
from sandbox.cluster import SERVICES_OF_BUZZY
from sandbox.cluster.seed import SeedService
from sandbox.stage import CONFIG, Stage
from sandbox.workspace import Message, Person
from tests.e2e.arenas import Arena, kubectl

PATIENCE = 60.0
METRICS_SPEED = 4.0
"""How much sooner than at leisure versions go wrong in their metrics."""

DEADLINE = "20s"
"""How long a service's rollout may take in a journey: many times what it takes, and a failure still soon."""
CHANNELS = {
    "development": "C0DEV",
    "staging": "C0STAGING",
    "production": "C0RELEASES",
    "disaster-recovery": "C0DR",
}
ON_CALL = "C0ONCALL"
TICK, CROSS = "white_check_mark", "x"
_numbers = itertools.count(1)


class House(Stage):
    """A stage with namespaces of its own, and the moves that journeys are made of."""

    def __init__(
        self,
        arena: Arena,
        config: Path,
        namespaces: dict[str, str],
        *,
        workers: Path | None = None,
        **how: Any,  # noqa: ANN401 - as Stage
    ) -> None:
        """`namespaces` by environment, `workers` the kubeconfig of the workers; made by `house`."""
        super().__init__(kubeconfig=arena.kubeconfig, config=config, metrics=False, **how)
        self.arena = arena
        self.namespaces = namespaces
        self._workers = workers or arena.kubeconfig

    @property
    def settings(self) -> dict[str, str]:
        """As the stage has them; the workers may have fewer rights than the people who test."""
        return super().settings | {"KUBECONFIG": str(self._workers)}

    @property
    def alice(self) -> Person:
        """Asks for releases; no approver."""
        return self.person("alice")

    @property
    def bob(self) -> Person:
        """An approver."""
        return self.person("bob")

    @property
    def carol(self) -> Person:
        """Another approver."""
        return self.person("carol")

    @property
    def erin(self) -> Person:
        """On call."""
        return self.person("erin")

    def ask(self, line: str, environment: str, *, who: Person | None = None) -> Message:
        """Type a command and wait for the release's message."""
        asker, channel = who or self.alice, CHANNELS[environment]
        before = asker.messages(channel)
        delivery = asker.command(line, channel)
        assert delivery.acknowledged, delivery.error
        assert delivery.seconds < 3
        return asker.wait_for_message(channel, after=before[-1] if before else None, timeout=PATIENCE)

    def until(self, message: Message, text: str, *, timeout: float = PATIENCE) -> Message:
        """Wait until the release's message says something."""
        try:
            return self.alice.wait_until_shows(message, text, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None

    def released(self, line: str, environment: str, *approvers: Person) -> Message:
        """Ask, have it approved by reactions, and wait until it has ended well."""
        message = self.ask(line, environment)
        if approvers:
            self.until(message, "waiting for")
        for approver in approvers:
            approver.react(message, TICK)
        return self.until(message, "🟢")

    def thread(self, message: Message) -> str:
        """All that the thread says."""
        return "\n".join(reply.shown for reply in self.alice.thread(message))

    def told(self, message: Message, text: str) -> str:
        """Wait until the thread says something; the whole thread."""
        self.alice.wait_for_reply(message, text, timeout=PATIENCE)
        return self.thread(message)

    def kubectl(self, environment: str, *arguments: str) -> str:
        """Run kubectl in an environment's namespace."""
        return kubectl(self.kubeconfig, "-n", self.namespaces[environment], *arguments)

    def deployments(self, environment: str) -> dict[str, Any]:
        """The Deployments of an environment, by name."""
        with self._apps() as apps:
            answer: Any = apps.list_namespaced_deployment(
                self.namespaces[environment], _preload_content=False, _request_timeout=(5, 30)
            )
            listed = json.loads(answer.data)
        return {item["metadata"]["name"]: item for item in listed["items"]}

    def delete_deployment(self, environment: str, name: str) -> None:
        """Somebody deletes a Deployment."""
        with self._apps() as apps:
            apps.delete_namespaced_deployment(name, self.namespaces[environment], _request_timeout=(5, 30))

    def scale(self, environment: str, name: str, replicas: int) -> None:
        """Somebody scales a Deployment."""
        with self._apps() as apps:
            apps.patch_namespaced_deployment(
                name,
                self.namespaces[environment],
                {"spec": {"replicas": replicas}},
                _preload_content=False,
                _request_timeout=(5, 30),
            )

    def hold(self, service: str, version: str) -> None:
        """Pods of this image will not get ready: a release of it stays at this service until it is let go."""
        self.arena.behave(f"buzzybuzz/{service}:{version}", "never-ready")

    def let_go(self, environment: str, service: str, version: str) -> None:
        """They get ready after all: those that were held are made anew."""
        self.arena.behave(f"buzzybuzz/{service}:{version}", "ready")
        self._make_anew(environment, f"buzzybuzz/{service}:{version}")

    def fall_ill(self, environment: str, service: str, version: str, behaviour: str) -> None:
        """Pods of this image that were well begin to behave so."""
        image = f"buzzybuzz/{service}:{version}"
        self.arena.behave(image, behaviour)
        if not self.arena.changes_what_runs:
            self._make_anew(environment, image)

    def _make_anew(self, environment: str, image: str) -> None:
        """Delete the pods of an image; others come in their place."""
        namespace = self.namespaces[environment]
        with new_client_from_config(str(self.kubeconfig)) as api:  # type: ignore[no-untyped-call] # no types
            core = client.CoreV1Api(api)
            answer: Any = core.list_namespaced_pod(
                namespace, _preload_content=False, _request_timeout=(5, 30)
            )
            for pod in json.loads(answer.data)["items"]:
                if pod["spec"]["containers"][0]["image"].partition("@")[0] == image:
                    core.delete_namespaced_pod(pod["metadata"]["name"], namespace, _request_timeout=(5, 30))

    def selectors(self, environment: str) -> dict[str, dict[str, str]]:
        """Which pods each Service picks."""
        with new_client_from_config(str(self.kubeconfig)) as api:  # type: ignore[no-untyped-call] # no types
            answer: Any = client.CoreV1Api(api).list_namespaced_service(
                self.namespaces[environment], _preload_content=False, _request_timeout=(5, 30)
            )
            listed = json.loads(answer.data)
        return {item["metadata"]["name"]: item["spec"].get("selector", {}) for item in listed["items"]}

    @contextmanager
    def _apps(self) -> Iterator[client.AppsV1Api]:
        with new_client_from_config(str(self.kubeconfig)) as api:  # type: ignore[no-untyped-call] # no types
            yield client.AppsV1Api(api)

    def images(self, environment: str) -> dict[str, str]:
        """What each Deployment is to run: its image's tag, by name."""
        return {
            name: _tag(item["spec"]["template"]["spec"])
            for name, item in self.deployments(environment).items()
        }


def _tag(pod_spec: dict[str, Any]) -> str:
    """The tag of its first container's image."""
    image: str = pod_spec["containers"][0]["image"]
    return image.partition("@")[0].rpartition(":")[2]


@contextmanager
def house(
    arena: Arena,
    folder: Path,
    *environments: str,
    http: bool = False,
    services: Sequence[SeedService] = SERVICES_OF_BUZZY,
    deadline: str = DEADLINE,
    settings: dict[str, Any] | None = None,
    workers: Callable[[list[str]], Path] | None = None,
    registry: bool = False,
    beside: House | None = None,
    rules: dict[str, dict[str, Any]] | None = None,
    metrics: dict[str, str] | None = None,
) -> Iterator[House]:
    """A house whose configuration has these environments, each seeded in a namespace of its own.

    `settings` are more keys of its top level, and `rules` has keys of environments that differ from the
    demo's; rules about environments that are not in the house are left out. With `beside` they are in the
    namespaces of that house: a second installation on the same cluster. `workers` gives the workers rights in
    the namespaces, and the kubeconfig with which they have them; without it they may do everything. Without
    a `registry` no image is looked up, what would need one is not asked for, and nothing has to be ticked.
    With `metrics` there are some, and it says by image what is wrong with it: see `sandbox.metrics`.
    """
    number = f"{os.getpid()}-{next(_numbers)}"
    fresh = {name: f"buzzy-{name}-{number}" for name in environments}
    namespaces = fresh if beside is None else {name: beside.namespaces[name] for name in environments}
    config = yaml.safe_load(CONFIG.read_text())
    without_metrics(config)
    without_trains(config)
    also = {} if beside is None else {"shared": True}
    config["environments"] = {
        name: {
            **without_strangers(config["environments"][name], environments),
            "grace": "off",
            **(rules or {}).get(name, {}),
            "namespace": namespaces[name],
            **also,
        }
        for name in environments
    }
    if not registry:
        without_registry(config)
    config["services"] = [
        {"name": each.name, "image": f"buzzybuzz/{each.name}", "deadline": deadline} for each in services
    ]
    config |= settings or {}
    names = list(namespaces.values())
    if beside is None:
        arena.seed(names, services)
    with ExitStack() as ends:
        measuring = None
        if metrics is not None:
            port = free_port()
            config["prometheus"] = {"address": f"http://127.0.0.1:{port}"}
            measuring = ends.enter_context(_metrics(arena, folder, port, names, metrics))
        file = folder / f"buzzy-{number}.yaml"
        file.write_text(yaml.safe_dump(config, sort_keys=False))
        rights = workers(names) if workers else None
        opened = ends.enter_context(
            House(arena, file, namespaces, workers=rights, http=http, registry=registry)
        )
        if measuring is not None:
            measuring.ready()
        yield opened
    if beside is None:
        _make_room(arena, names)


def _metrics(arena: Arena, folder: Path, port: int, namespaces: list[str], wrong: dict[str, str]) -> Child:
    """Metrics of the pods in these namespaces, four times as fast as at leisure."""
    arguments = [
        "-m",
        "sandbox.metrics",
        "--kubeconfig",
        str(arena.kubeconfig),
        "--speed",
        str(METRICS_SPEED),
    ]
    arguments += ["--port", str(port)]
    arguments += [part for name in namespaces for part in ("--namespace", name)]
    arguments += [part for image, what in wrong.items() for part in ("--behaviour", f"{image}={what}")]
    return Child("metrics", arguments, log=folder / "metrics.log")


def without_metrics(config: dict[str, Any]) -> None:
    """Take out what is watched in the demo: a house that is watched says by what."""
    for each in config["environments"].values():
        each.pop("monitor", None)


def without_trains(config: dict[str, Any]) -> None:
    """Take out the demo's trains: where nobody is asked to travel, nothing leaves by itself."""
    config.pop("trains", None)


def without_registry(config: dict[str, Any]) -> None:
    """Take out what needs a registry, and what people have to tick."""
    del config["compatibility"]
    for each in config["environments"].values():
        if "checklist" in each:
            each["checklist"] = [
                item for item in each["checklist"] if isinstance(item, str) and item != "compatible"
            ]


def without_strangers(environment: dict[str, Any], there: Sequence[str]) -> dict[str, Any]:
    """An environment's keys but for those that are about environments which are not in the house."""
    gone: set[str] = set()
    if environment.get("requires", {}).get("proven_in") not in there:
        gone |= {"requires"}
    if environment.get("follows") not in there:
        gone |= {"follows", "after"}
    kept = {key: value for key, value in environment.items() if key not in gone}
    if "requires" in gone and "checklist" in kept:
        kept["checklist"] = [item for item in kept["checklist"] if item != "proven"]
    return kept


def _make_room(arena: Arena, namespaces: list[str]) -> None:
    """Delete namespaces: the nodes have room for the pods of a few journeys only. It may take a while."""
    with new_client_from_config(str(arena.kubeconfig)) as api:  # type: ignore[no-untyped-call] # no types
        for namespace in namespaces:
            client.CoreV1Api(api).delete_namespace(
                namespace, _preload_content=False, _request_timeout=(5, 30)
            )
