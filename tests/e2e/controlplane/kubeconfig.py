"""kubeconfig files that need no other file, so that they can be copied and handed on."""

import base64
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.controlplane.certificates import Certificate


def write(path: Path, url: str, authority: Path, user: dict[str, str], namespace: str = "default") -> Path:
    """Write a kubeconfig with one context, and return where it is.

    Args:
        path: Where it is to be.
        url: Where the API server is.
        authority: What the API server's certificate is checked against.
        user: Who one is: `of_certificate(...)` or `{"token": ...}`.
        namespace: What is meant when a command names none.
    """
    name = "controlplane"
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": url, "certificate-authority-data": _inline(authority)}}
        ],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def of_certificate(own: Certificate) -> dict[str, str]:
    """Return the user that a client certificate makes one."""
    return {"client-certificate-data": _inline(own.certificate), "client-key-data": _inline(own.key)}


def _inline(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
