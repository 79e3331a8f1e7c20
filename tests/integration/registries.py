"""Registries to ask: Debian's docker-registry, bare, with passwords, and with tokens; and the sandbox's."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.children import die_with_parent, free_port
from sandbox.registry import RegistryApp
from sandbox.serving import serve

START_SECONDS = 20.0
ALICE, SECRET = "alice", "s3cret-of-alice"
# bcrypt of SECRET; docker-registry takes no other kind
HTPASSWD = "alice:$2b$05$abcdefghijklmnopqrstuu6SdaO4ukD0CMVhd6QMDsUq2nFZ4PrJS"
Access = dict[str, str | list[str]]
SERVICE, ISSUER = "played-registry", "played-issuer"


@dataclass(frozen=True)
class RunningRegistry:
    """Where it is, and a client that may push."""

    url: str
    client: httpx.Client


def binary() -> str:
    """The real registry's program. Where it is missing tests are skipped, loudly; in CI they fail."""
    path = shutil.which("docker-registry")
    if path is None:
        message = (
            "no docker-registry on PATH: nothing is asked of a real one (apt-get install docker-registry)"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


@contextmanager
def real_registry(folder: Path, auth: dict[str, object] | None = None) -> Iterator[str]:
    """The real registry on a free port, its images in a folder; its address."""
    port = free_port()
    config = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "images")},
            "cache": {"blobdescriptor": "inmemory"},
        },
        "http": {"addr": f"127.0.0.1:{port}", "secret": "played"},
        **({"auth": auth} if auth else {}),
    }
    file = folder / "registry.yml"
    file.write_text(yaml.safe_dump(config))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - found on PATH
            [binary(), "serve", str(file)],
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe in the child
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, folder)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"{url}/v2/", timeout=1)
        except httpx.TransportError:
            said = (folder / "registry.log").read_text(errors="replace")
            assert process.poll() is None, f"docker-registry ended: {said}"
            assert time.monotonic() < give_up, f"docker-registry does not answer: {said}"
            time.sleep(0.02)
        else:
            return


@contextmanager
def open_registry(folder: Path) -> Iterator[RunningRegistry]:
    """A real one that asks nobody who they are."""
    with real_registry(folder) as url, httpx.Client(base_url=url) as client:
        yield RunningRegistry(url, client)


@contextmanager
def sandbox_registry() -> Iterator[RunningRegistry]:
    """The sandbox's."""
    with serve(RegistryApp().app) as served, httpx.Client(base_url=served.url) as client:
        yield RunningRegistry(served.url, client)


@contextmanager
def password_registry(folder: Path) -> Iterator[RunningRegistry]:
    """A real one that wants a name and a password (Basic)."""
    (folder / "htpasswd").write_text(HTPASSWD + "\n")
    auth: dict[str, object] = {"htpasswd": {"realm": "played", "path": str(folder / "htpasswd")}}
    with real_registry(folder, auth) as url, httpx.Client(base_url=url, auth=(ALICE, SECRET)) as client:
        yield RunningRegistry(url, client)


# -- tokens ----------------------------------------------------------------------------------------


class TokenServer:
    """Gives tokens (https://distribution.github.io/distribution/spec/auth/jwt/) that the registry trusts.

    Anybody may pull from `public/…`; Alice, with her password, may pull and push everywhere.
    """

    def __init__(self, folder: Path) -> None:
        """Makes a key and its certificate with the `openssl` command."""
        self.certificate, self._key = folder / "tokens.crt", folder / "tokens.key"
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-noenc",
            "-days",
            "2",
            "-subj",
            "/CN=tokens",
        ]
        subprocess.run(  # noqa: S603 - our own arguments
            [*command, "-keyout", str(self._key), "-out", str(self.certificate)],
            check=True,
            capture_output=True,
        )
        self.asked: list[tuple[str, bool]] = []
        """Which scope was asked for, and whether by somebody with a password."""
        self.app = Starlette(routes=[Route("/token", self._token)])

    async def _token(self, request: Request) -> Response:
        scope = request.query_params.get("scope", "")
        told = request.headers.get("authorization", "")
        self.asked.append((scope, bool(told)))
        known = told == "Basic " + base64.b64encode(f"{ALICE}:{SECRET}".encode()).decode()
        if told and not known:
            return JSONResponse({"details": "incorrect username or password"}, 401)
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        may = actions.split(",") if known else ["pull"] if name.startswith("public/") else []
        access: list[Access] = [{"type": kind, "name": name, "actions": may}] if may else []
        return JSONResponse({"token": self.token(access, request.query_params.get("service", ""))})

    def token(self, access: list[Access], audience: str = SERVICE) -> str:
        """A token for some access."""
        now = int(time.time())
        der = "".join(self.certificate.read_text().splitlines()[1:-1])
        header = {"typ": "JWT", "alg": "RS256", "x5c": [der]}
        claims = {
            "iss": ISSUER, "sub": ALICE, "aud": audience, "exp": now + 300, "nbf": now - 10, "iat": now,
            "jti": str(now), "access": access,
        }  # fmt: skip
        body = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        signed = subprocess.run(  # noqa: S603 - our own arguments
            ["openssl", "dgst", "-sha256", "-sign", str(self._key)],  # noqa: S607 - wherever it is
            input=body.encode(),
            check=True,
            capture_output=True,
        )
        return f"{body}.{_base64(signed.stdout)}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@contextmanager
def token_registry(folder: Path) -> Iterator[tuple[RunningRegistry, TokenServer]]:
    """A real one that sends people to a token server (Bearer), as Docker Hub does."""
    tokens = TokenServer(folder)
    with serve(tokens.app) as served:
        realm = f"{served.url}/token"
        trusted = str(tokens.certificate)
        token = {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": trusted}
        auth: dict[str, object] = {"token": token}
        everything: list[Access] = [
            {"type": "repository", "name": name, "actions": ["pull", "push"]} for name in PUSHED
        ]
        with real_registry(folder, auth) as url:
            headers = {"Authorization": f"Bearer {tokens.token(everything)}"}
            with httpx.Client(base_url=url, headers=headers) as client:
                yield RunningRegistry(url, client), tokens


PUSHED = ("public/buzzy-main", "private/buzzy-main")
"""What may be pushed with the token of the test's own client."""
