"""The HTTPS endpoint of a kubelet that the API server asks for the logs of containers."""

import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.e2e.controlplane.certificates import Certificate
from tests.e2e.controlplane.podstatus import Container

_WHY_NO_LOG = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}

Find = Callable[[str, str, str], Container | None]
"""Finds a container by namespace, pod and name."""


class LogServer:
    """Answers `GET /containerLogs/<namespace>/<pod>/<container>` on a free port of this machine."""

    def __init__(self, find: Find, own: Certificate) -> None:
        self._server = _Server(find)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.certificate, own.key)
        # The handshake belongs to the connection's thread: here it would hold up all others.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="log-server", daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_address[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, find: Find) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.find = find


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        options = {name: values[-1] for name, values in parse_qs(url.query).items()}
        match url.path.split("/")[1:]:
            case ["containerLogs", namespace, pod, name]:
                self._answer(*self._log(namespace, pod, name, options))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, "404 page not found\n")

    def _log(self, namespace: str, pod: str, name: str, options: dict[str, str]) -> tuple[HTTPStatus, str]:
        container = self.server.find(namespace, pod, name)
        if container is None:
            return HTTPStatus.NOT_FOUND, f'pod "{pod}" or its container "{name}" not found\n'
        wants_previous = options.get("previous") == "true"
        lines = container.log_of(previous=wants_previous)
        if lines is not None:
            return HTTPStatus.OK, _render(lines, options)
        if wants_previous:
            return (
                HTTPStatus.BAD_REQUEST,
                f'previous terminated container "{name}" in pod "{pod}" not found\n',
            )
        reason = container.state["waiting"]["reason"]
        why = _WHY_NO_LOG.get(reason, reason)
        return HTTPStatus.BAD_REQUEST, f'container "{name}" in pod "{pod}" is waiting to start: {why}\n'

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write nothing: what is asked here is in the audit log of the API server."""


def _render(lines: list[tuple[datetime, str]], options: dict[str, str]) -> str:
    """Choose and write lines by a pod's log options: tailLines, sinceSeconds, timestamps, limitBytes."""
    if "sinceSeconds" in options:
        since = datetime.now(UTC) - timedelta(seconds=int(options["sinceSeconds"]))
        lines = [(when, line) for when, line in lines if when >= since]
    if "tailLines" in options:
        lines = lines[max(0, len(lines) - int(options["tailLines"])) :]
    has_times = options.get("timestamps") == "true"
    text = "".join(
        f"{when:%Y-%m-%dT%H:%M:%S.%f}Z {line}\n" if has_times else f"{line}\n" for when, line in lines
    )
    return text[: int(options["limitBytes"])] if "limitBytes" in options else text
