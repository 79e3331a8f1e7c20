"""A real Prometheus that scrapes a real HTTP service under load: a series for each pod of a cluster."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.children import die_with_parent, free_port
from sandbox.serving import serve

START_SECONDS = 30.0
SCRAPE = "500ms"
CUSTOMERS = 2
"""So many make requests side by side, one after the other."""


def binary() -> str:
    """The real program. Where it is missing tests are skipped, loudly; in CI they fail."""
    path = shutil.which("prometheus")
    if path is None:
        message = "no prometheus on PATH: nothing is asked of a real one (apt-get install prometheus)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


class Shop:
    """An HTTP service: each pod counts its requests, and is slow or fails as its version is told to."""

    def __init__(self) -> None:
        """All versions are well."""
        self.slow: set[str] = set()
        self.failing: set[str] = set()
        self.versions: Mapping[str, str] = {}
        """The pods that take requests, and the tags of their images."""
        self._pods: dict[str, tuple[CollectorRegistry, Counter, Histogram]] = {}
        self._lock = threading.Lock()
        self.app = Starlette(
            routes=[Route("/work/{pod}", self._work), Route("/metrics/{pod}", self._metrics)]
        )

    def _of(self, pod: str) -> tuple[CollectorRegistry, Counter, Histogram]:
        with self._lock:
            if pod not in self._pods:
                registry = CollectorRegistry()
                requests = Counter("http_requests", "requests", ["code"], registry=registry)
                seconds = Histogram("http_request_duration_seconds", "seconds", registry=registry)
                self._pods[pod] = (registry, requests, seconds)
            return self._pods[pod]

    def _work(self, request: Request) -> Response:
        pod = request.path_params["pod"]
        version = self.versions.get(pod, "")
        _, requests, seconds = self._of(pod)
        fails = version in self.failing and random.random() < 0.2  # noqa: S311 - no secret
        with seconds.time():
            time.sleep(0.12 if version in self.slow else 0.004)  # it is the service that takes so long
        requests.labels("500" if fails else "200").inc()
        return PlainTextResponse("no" if fails else "yes", 500 if fails else 200)

    def _metrics(self, request: Request) -> Response:
        registry, _, _ = self._of(request.path_params["pod"])
        return PlainTextResponse(generate_latest(registry))


@contextmanager
def prometheus_over(
    folder: Path, namespace: str, pods: Callable[[], Mapping[str, str]]
) -> Iterator[tuple[str, Shop]]:
    """A Prometheus and the service that it scrapes; `pods` gives those that are ready, by version."""
    shop = Shop()
    with ExitStack() as ends:
        served = ends.enter_context(serve(shop.app))
        targets = folder / "targets.json"
        ended = threading.Event()
        guide = threading.Thread(target=_guide, args=(shop, targets, namespace, served.url, pods, ended))
        customers = [threading.Thread(target=_buy, args=(shop, served.url, ended)) for _ in range(CUSTOMERS)]
        for thread in (guide, *customers):
            thread.start()
            ends.callback(thread.join)
        ends.callback(ended.set)
        yield ends.enter_context(_running(folder, targets)), shop


def _guide(  # noqa: PLR0917 - a thread's arguments
    shop: Shop,
    targets: Path,
    namespace: str,
    url: str,
    pods: Callable[[], Mapping[str, str]],
    ended: threading.Event,
) -> None:
    """Keep the service and Prometheus informed of which pods there are."""
    told: Mapping[str, str] = {}
    while not ended.is_set():
        now = pods()
        if now != told:
            told = shop.versions = now
            listed: list[dict[str, Any]] = [
                {
                    "targets": [url.removeprefix("http://")],
                    "labels": {"namespace": namespace, "pod": pod, "__metrics_path__": f"/metrics/{pod}"},
                }
                for pod in now
            ]
            fresh = targets.with_suffix(".new")
            fresh.write_text(json.dumps(listed))
            fresh.rename(targets)
        ended.wait(0.1)


def _buy(shop: Shop, url: str, ended: threading.Event) -> None:
    with httpx.Client(base_url=url) as client:
        while not ended.is_set():
            for pod in list(shop.versions):
                if ended.is_set():
                    return
                with suppress(httpx.HTTPError):  # a machine with much else to do loses one now and then
                    client.get(f"/work/{pod}")
            ended.wait(0.01)


@contextmanager
def _running(folder: Path, targets: Path) -> Iterator[str]:
    program, port = binary(), free_port()
    config = {
        "global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE},
        "scrape_configs": [
            {"job_name": "buzzy", "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}]}
        ],
    }
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    arguments = [
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - a program that the machine has
            [program, *arguments],
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe in the child
        )
    try:
        _wait(f"http://127.0.0.1:{port}/-/ready", process, folder / "prometheus.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(url).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, "Prometheus does not get ready"
        time.sleep(0.05)
