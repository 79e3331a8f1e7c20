"""Real requests to a Service whose pods do not serve: a small kube-proxy, and an HTTP server for each pod.

The pods of the tests' clusters are objects only. So each gets a server on this machine, which is there as
long as its pod is: it is closed at once when the pod is being deleted, whoever still asks it. Requests go
where the Service's EndpointSlices say at that moment, as kube-proxy would send them, each on a connection of
its own.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from tests.e2e.contracts.worlds import Json
from tests.e2e.watching import Following

CLIENTS = 2
PAUSE_SECONDS = 0.005
"""Between two requests of a client."""

ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class Answered:
    """One request: which pod answered it, and when; or why nobody did."""

    at: float
    pod: str = ""
    failure: str = ""


@dataclass
class _Pods:
    """The servers of the pods, by name."""

    servers: dict[str, ThreadingHTTPServer] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def port(self, pod: str) -> int | None:
        """Where a pod answers; None when it is gone."""
        with self.lock:
            if pod in self.gone:
                return None
            if pod not in self.servers:
                self.servers[pod] = _server(pod)
            return int(self.servers[pod].server_address[1])

    def end(self, pod: str) -> None:
        """A pod is being deleted."""
        with self.lock:
            self.gone.add(pod)
            server = self.servers.pop(pod, None)
        if server is not None:
            server.shutdown()
            server.server_close()


class Traffic:
    """Sends requests to a Service for the length of a block."""

    def __init__(self, kubeconfig: Path, namespace: str, service: str) -> None:
        """Nothing is sent yet."""
        self._following = Following(kubeconfig)
        self._namespace = namespace
        self._service = service
        self._pods = _Pods()
        self._slices: dict[str, Json] = {}
        self.answers: list[Answered] = []

    def __enter__(self) -> Self:
        """Begin: look first, then send."""
        core = f"/api/v1/namespaces/{self._namespace}/pods"
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{self._namespace}/endpointslices"
        label = f"kubernetes.io/service-name={self._service}"
        self._following.follow(core, self._note_pod)
        self._following.follow(slices, self._note_slice, selector=label)
        deadline = time.monotonic() + ANSWER_SECONDS
        while not self._ready():
            assert time.monotonic() < deadline, "there is nobody to send requests to"
            time.sleep(0.01)
        for _ in range(CLIENTS):
            self._following.start(self._send)
        return self

    def __exit__(self, *_: object) -> None:
        """End all of it."""
        self._following.__exit__()
        for pod in list(self._pods.servers):
            self._pods.end(pod)

    @property
    def failures(self) -> list[str]:
        """What went wrong, a line a request."""
        return [each.failure for each in list(self.answers) if each.failure]

    def until(self, slot: str, *, timeout: float) -> None:
        """Wait until only pods of that Deployment answer."""
        began, deadline = time.monotonic(), time.monotonic() + timeout
        while True:
            last = [each for each in self.answers[-50:] if each.at > began]
            if len(last) == 50 and all(self.slot(each.pod) == slot for each in last):
                return
            assert time.monotonic() < deadline, f"{slot} does not get the traffic: {last[-3:]}"
            time.sleep(0.05)

    @staticmethod
    def slot(pod: str) -> str:
        """The Deployment of a pod, by its name."""
        return pod.rsplit("-", 2)[0]

    def _note_pod(self, what: str, pod: Json) -> None:
        name = pod["metadata"]["name"]
        if what == "DELETED" or "deletionTimestamp" in pod["metadata"]:
            self._pods.end(name)

    def _note_slice(self, what: str, found: Json) -> None:
        name = found["metadata"]["name"]
        self._slices = {**self._slices, name: {} if what == "DELETED" else found}

    def _ready(self) -> list[str]:
        """The pods that get requests now, as kube-proxy has it."""
        return list(ready_pods(self._slices.values()))

    def _send(self) -> None:
        while not self._following.ended.is_set():
            at = time.monotonic()
            try:
                self.answers.append(Answered(at, pod=self._ask()))
            except (OSError, http.client.HTTPException, LookupError) as error:
                self.answers.append(Answered(at, failure=f"{type(error).__name__}: {error}"))
            time.sleep(PAUSE_SECONDS)

    def _ask(self) -> str:
        pod = random.choice(self._ready())  # noqa: S311 - as kube-proxy does; an empty list is an IndexError
        port = self._pods.port(pod)
        if port is None:
            raise ConnectionRefusedError(f"{pod} is gone")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().read().decode()
        finally:
            connection.close()


def ready_pods(slices: Iterable[Json]) -> Iterator[str]:
    """The pods that get requests, by the EndpointSlices."""
    for each in slices:
        for endpoint in each.get("endpoints") or ():
            if endpoint.get("conditions", {}).get("ready"):
                yield endpoint["targetRef"]["name"]


def _server(pod: str) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        """Answers with the pod's name."""

        def do_GET(self) -> None:
            body = pod.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
