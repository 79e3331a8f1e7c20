"""Everything that a release needs, on one machine: a workspace, a cluster, Redis, the bot, a worker.

The demo and the end-to-end tests stand on the same stage; the bot and the worker are the real programs in
processes of their own, with nothing but settings to tell them that Slack and Kubernetes are nearby.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import yaml

from sandbox.children import Child, free_port, wait_for_port
from sandbox.mongodb import VERSION, mongo_server
from sandbox.redis_server import RedisServer
from sandbox.workspace import Person, RunningWorkspace, running_workspace

HERE = Path(__file__).parent
CONFIG = HERE / "buzzy.yaml"
CONNECT_SECONDS = 120.0
"""How long the bot may take to start and to connect; a second or two, where nobody else is at work."""


class Stage:
    """A running house. Leaving the `with` block ends every process that it started."""

    def __init__(  # noqa: PLR0913 - each by name, with a default
        self,
        *,
        kubeconfig: Path | None = None,
        config: Path = CONFIG,
        speed: float = 1.0,
        http: bool = False,
        registry: bool = True,
        metrics: bool = True,
        behaviour: dict[str, str] | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare; entering the block starts.

        With a `kubeconfig` the workers use that cluster and none is started. With `http` Slack reaches the
        bot by signed requests instead of Socket Mode. Without a `registry` images are looked up where the
        configuration says, or nowhere, and there is no MongoDB to ask either; without `metrics` it says where
        those are. `behaviour` says how image tags misbehave in the sandbox's cluster; `tell` hears what is
        being started.
        """
        self._given = kubeconfig
        self.config = config
        self._speed = speed
        self._registry = registry
        self._metrics = metrics
        self._port = free_port() if http else None
        self._behaviour = behaviour or {}
        self._tell = tell
        self._ends = ExitStack()
        self.registry_url = ""
        self.bot: Child | None = None
        self.workers: list[Child] = []

    @property
    def children(self) -> list[Child]:
        """The bot and the workers."""
        return [*([self.bot] if self.bot else []), *self.workers]

    def __enter__(self) -> Self:
        """Start it all, in the order in which one needs the other."""
        with ExitStack() as ends:
            self.folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="buzzy-")))
            self._tell("Redis")
            self.redis = ends.enter_context(self.start_redis())
            self._tell("workspace")
            self.workspace: RunningWorkspace = ends.enter_context(running_workspace())
            self._tell("cluster")
            self.kubeconfig = self._given or self._start_cluster(ends)
            if self._registry:
                self._tell("registry")
                self.config = self._start_registry(ends)
                self._tell("MongoDB")
                self.config = self._start_mongodb(ends)
            measuring = None
            if self._metrics:
                self._tell("metrics")
                measuring = self._start_metrics(ends)
            self._tell("worker")
            ends.callback(self._stop_workers)
            self.start_worker()
            self._tell("bot")
            ends.callback(self._stop_bot)
            self.start_bot()
            if measuring is not None:
                measuring.ready()
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End it all."""
        self._ends.close()

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables of the bot and the workers."""
        return {
            "SLACK_BOT_TOKEN": self.workspace.bot_token,
            "SLACK_APP_TOKEN": self.workspace.app_token,
            "SLACK_SIGNING_SECRET": self.workspace.signing_secret,
            "SLACK_API_URL": self.workspace.api_url,
            "REDIS_URL": self.redis.url,
            "KUBECONFIG": str(self.kubeconfig),
            "BUZZY_CONFIG": str(self.config),
        }

    @property
    def request_url(self) -> str:
        """Where Slack sends its requests, with `http`."""
        return f"http://127.0.0.1:{self._port}/slack/events"

    def person(self, name: str) -> Person:
        """Somebody of the workspace, by name."""
        return self.workspace.person(name)

    def start_redis(self) -> RedisServer:
        """Redis, which forgets everything when it ends."""
        return RedisServer()

    def start_worker(self) -> Child:
        """One more worker."""
        worker = self._child(f"worker-{len(self.workers) + 1}", ["-m", "buzzy", "worker"])
        self.workers.append(worker)
        return worker

    def start_bot(self) -> None:
        """The bot, connected to the workspace."""
        arguments = ["-m", "buzzy", "bot"]
        if self._port is None:
            self.bot = self._child("bot", arguments)
            self.workspace.wait_for_app(timeout=CONNECT_SECONDS)
            return
        self.bot = self._child("bot", [*arguments, "--http", f"127.0.0.1:{self._port}"])
        wait_for_port(self._port, while_running=self.bot)
        self.workspace.deliver_to(self.request_url)

    def logs(self) -> str:
        """The last words of every process, for when something went wrong."""
        return "\n".join(f"--- {child.name}\n{child.tail()}" for child in self.children if child.log.exists())

    def _child(self, name: str, arguments: list[str]) -> Child:
        return Child(name, arguments, log=self.folder / f"{name}.log", env=self.settings)

    def _start_cluster(self, ends: ExitStack) -> Path:
        kubeconfig = self.folder / "kubeconfig"
        arguments = ["-m", "sandbox.cluster", "--port", "0", "--kubeconfig", str(kubeconfig)]
        arguments += ["--seed", "--speed", str(self._speed)]
        for tag, behaviour in self._behaviour.items():
            arguments += ["--behaviour", f"{tag}={behaviour}"]
        cluster = ends.enter_context(Child("cluster", arguments, log=self.folder / "cluster.log"))
        cluster.ready()
        return kubeconfig

    def _start_registry(self, ends: ExitStack) -> Path:
        """A registry with Buzzy's images, and their release notes; the configuration that names them."""
        arguments = ["-m", "sandbox.registry", "--port", "0"]
        registry = ends.enter_context(Child("registry", arguments, log=self.folder / "registry.log"))
        self.registry_url = str(registry.ready()["url"])
        config = self.folder / "buzzy.yaml"
        mine = f"registry: {self.registry_url}\ndocumentation: {self.registry_url}/notes/{{version}}\n"
        config.write_text(mine + self.config.read_text("utf-8"), "utf-8")
        return config

    def _start_mongodb(self, ends: ExitStack) -> Path:
        """What says which MongoDB it is, for the compatibility of images; the configuration that names it."""
        mine = {"address": ends.enter_context(mongo_server(VERSION))}
        content = yaml.safe_load(self.config.read_text("utf-8"))
        for environment in content["environments"].values():
            environment.setdefault("mongodb", mine)
        config = self.folder / "buzzy.yaml"
        config.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
        return config

    def _start_metrics(self, ends: ExitStack) -> Child:
        """Metrics of what runs in the cluster, on their way; from now on the configuration names them."""
        port = free_port()
        text = self.config.read_text("utf-8")
        arguments = ["-m", "sandbox.metrics", "--port", str(port), "--kubeconfig", str(self.kubeconfig)]
        for environment in yaml.safe_load(text)["environments"].values():
            arguments += ["--namespace", environment["namespace"]]
        metrics = ends.enter_context(Child("metrics", arguments, log=self.folder / "metrics.log"))
        config = self.folder / "buzzy.yaml"
        mine = f"prometheus: {{address: 'http://127.0.0.1:{port}'}}\n"
        config.write_text(mine + text, "utf-8")
        self.config = config
        return metrics

    def _stop_bot(self) -> None:
        if self.bot is not None:
            self.bot.stop()

    def _stop_workers(self) -> None:
        for worker in self.workers:
            worker.stop()
