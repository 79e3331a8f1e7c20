"""A kubeconfig that leads through a proxy, and what the proxy needs to speak to the server behind it.

The client under test speaks plain HTTP to the proxy; its token goes through with each request. Where the
server wants TLS, the proxy checks it against the kubeconfig's authority and shows the kubeconfig's own
certificate.
"""

from __future__ import annotations

import base64
import ssl
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.faults.proxy import Proxy

Json = dict[str, Any]


def proxy_of(kubeconfig: Path) -> Proxy:
    """A proxy, not started yet, in front of the API server of the kubeconfig's current context."""
    cluster, user = _current(yaml.safe_load(kubeconfig.read_text()))
    server = urlsplit(cluster["server"])
    tls = _tls(cluster, user) if server.scheme == "https" else None
    return Proxy("http", upstream=(server.hostname or "", server.port or 443), tls=tls)


def through(proxy: Proxy, kubeconfig: Path, written: Path) -> Path:
    """Write a kubeconfig like that one whose server is the proxy."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = _current(config)
    cluster.clear()
    cluster["server"] = f"http://{proxy.address}"
    for name in [key for key in user if key.startswith("client-")]:
        del user[name]
    written.touch(mode=0o600)
    written.write_text(yaml.safe_dump(config))
    return written


def _current(config: Json) -> tuple[Json, Json]:
    """The cluster and the user of the current context."""
    context = _named(config["contexts"], config["current-context"])["context"]
    cluster = _named(config["clusters"], context["cluster"])["cluster"]
    return cluster, _named(config["users"], context["user"])["user"]


def _named(entries: list[Json], name: str) -> Json:
    return next(entry for entry in entries if entry["name"] == name)


def _tls(cluster: Json, user: Json) -> ssl.SSLContext:
    authority = _pem(cluster, "certificate-authority")
    context = ssl.create_default_context(cadata=authority)
    certificate = _pem(user, "client-certificate")
    if certificate is not None:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(f"{certificate}\n{_pem(user, 'client-key')}")
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _pem(entry: Json, name: str) -> str | None:
    """A certificate or a key, given as data or as the path of a file."""
    if f"{name}-data" in entry:
        return base64.b64decode(entry[f"{name}-data"]).decode()
    return Path(entry[name]).read_text() if name in entry else None
